"""Keys that stand for a person outside the browser: API tokens, and the signed addresses of calendar feeds."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.core import signing
from django.db import transaction

from watchbill.actions.access import may_change
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import ApiToken, Person, Team
from watchbill.kit.errors import NotAllowed, Refused

# Each scope holds those before it.
SCOPES = ("read", "answer", "write", "admin")
PREFIX = "wb_"
SHOWN = 9
MOST_TOKENS = 50
LONGEST_LIFE = timedelta(days=366)
NOTE_USE_EVERY = timedelta(minutes=1)
FEEDS = signing.Signer(salt="watchbill.feed", sep=".")
FeedKind = Literal["person", "team", "rotation"]  # a rotation's key holds as long as its team's


def create_token(
    person: Person, name: str, scopes: Sequence[str], expires: datetime | None, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token; gives its row and the text, which is shown once and never stored. Raises Refused, NotAllowed.

    `expires` None means in a year at most: a token that nobody remembers should end by itself.
    """
    name = check_text({"name": name}, "name", 80, "say what the token is for")
    wanted = [scope for scope in SCOPES if scope in set(scopes)]
    if not wanted or set(scopes) - set(SCOPES):
        raise Refused(f"choose among {', '.join(SCOPES)}", "scopes")
    if "admin" in wanted and not person.is_superuser:
        raise NotAllowed("A token that administers needs an administrator of this instance.")
    ends = expires or now + LONGEST_LIFE
    if not now < ends <= now + LONGEST_LIFE:
        raise Refused("a token ends in the future, at most a year ahead", "expires")
    if ApiToken.objects.filter(person=person, revoked_at=None, expires_at__gt=now)[:MOST_TOKENS].count() == MOST_TOKENS:
        raise Refused(f"you have {MOST_TOKENS} tokens: revoke one first")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            person=person,
            name=name,
            prefix=text[:SHOWN],
            hash=_hash(text),
            scopes=wanted,
            created_at=now,
            expires_at=ends,
        )
        why = f"{person} made the token {name} ({', '.join(wanted)}), until {ends:%d %b %Y}"
        record(Subject("person", person.pk, None), "token.created", why, now, Actor.of(person))
    return token, text


def revoke_token(token: ApiToken, person: Person, now: datetime) -> None:
    """End a token now; its owner or an administrator may. Raises NotAllowed."""
    if token.person_id != person.pk and not (person.is_superuser and person.is_active):
        raise NotAllowed("Only its owner or an administrator may revoke this token.")
    if token.revoked_at is not None:
        return
    with transaction.atomic():
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        why = f"{person} revoked the token {token.name}"
        record(Subject("person", token.person_id, None), "token.revoked", why, now, Actor.of(person))


def person_of_token(text: str, scope: str, now: datetime) -> Person | None:
    """Give whose token this is; None: it is not good. Raises NotAllowed when the token is good but lacks `scope`."""
    token = token_of(text, scope, now)
    return token.person if token else None


def token_of(text: str, scope: str, now: datetime) -> ApiToken | None:
    """Give the row of a token, with its person; None: unknown, ended, revoked, or its person is switched off.

    A stronger scope holds the weaker ones. Raises NotAllowed when the token is good but lacks `scope`.
    """
    token = ApiToken.objects.select_related("person").filter(hash=_hash(text), revoked_at=None).first()
    if token is None or not token.person.is_active or (token.expires_at is not None and token.expires_at <= now):
        return None
    if not any(SCOPES.index(held) >= SCOPES.index(scope) for held in token.scopes):
        raise NotAllowed(f"This needs a token with the scope “{scope}”; {token.name} has {', '.join(token.scopes)}.")
    if token.last_used_at is None or now - token.last_used_at >= NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def feed_token(kind: FeedKind, number: int, version: int) -> str:
    """Sign the key in the address of a calendar feed; it holds as long as the owner's `feed_version` is `version`."""
    return FEEDS.sign(f"{kind}-{number}-{version}")


def read_feed_token(token: str) -> tuple[str, int, int]:
    """Read a feed's key: kind, id, version; raises Refused when we did not sign it. The caller compares the version."""
    try:
        kind, number, version = FEEDS.unsign(token).split("-")
    except (signing.BadSignature, ValueError):
        raise Refused("this calendar address is not one of ours: copy it again") from None
    return kind, int(number), int(version)


def revoke_feed(owner: Person | Team, person: Person, now: datetime) -> None:
    """End every address of a calendar feed handed out so far; raises NotAllowed."""
    if isinstance(owner, Team):
        may_change(person, owner, "end the team's calendar addresses")
        subject = Subject("team", owner.pk, owner.pk)
    elif owner.pk != person.pk:
        raise NotAllowed("Only you may end your own calendar addresses.")
    else:
        subject = Subject("person", owner.pk, None)
    with transaction.atomic():
        owner.feed_version += 1
        owner.save(update_fields=["feed_version"])
        record(
            subject, "feed.revoked", f"{person} ended the calendar addresses handed out so far", now, Actor.of(person)
        )

"""Who hears of what a status page says: by mail after they said so twice, by a webhook after it answered a challenge.

One signed link confirms a subscription, changes it and ends it. Whether somebody is subscribed is nobody else's
business: asking again gets the same answer and another letter. Where an ask came from is kept as `public_asking` keeps it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.crypto import salted_hmac

from watchbill.actions import exports
from watchbill.actions.access import may_change
from watchbill.actions.catalogue import hash_key
from watchbill.actions.log import record
from watchbill.actions.public_asking import fingerprint
from watchbill.actions.requesters import check_email
from watchbill.actions.statuspage import subject_of
from watchbill.db.models import Event, Person, StatusComponent, StatusPage, StatusSubscription
from watchbill.egress import read_url
from watchbill.kit.errors import Refused

SALT = "watchbill.status"
HOUR = timedelta(hours=1)
CONFIRM_WITHIN = timedelta(days=7)
MOST_BY_ADDRESS = 3
MOST_BY_ORIGIN = 10
MOST_BY_PAGE = 300
KINDS = ("email", "webhook")
LETTER, CHALLENGE = "status_letter", "status_challenge"


@dataclass(frozen=True)
class Asked:
    """What somebody asks of a page: how they want to hear, where, and of which components (none: all)."""

    kind: str
    address: str
    components: Sequence[int] = ()


def ask(page: StatusPage, asked: Asked, origin: str, now: datetime) -> StatusSubscription:
    """Take in that somebody wants to hear of a page; a webhook's secret is in the row, to be shown once. Raises Refused."""
    address = _check_address(asked)
    mark = salted_hmac(SALT, f"{asked.kind} {address}", algorithm="sha256").hexdigest()
    with transaction.atomic():
        page = StatusPage.objects.select_for_update().get(pk=page.pk)
        components = check_components(page, asked.components)
        _check_flood(page, mark, fingerprint(origin, now), now)
        row = _standing(page, asked.kind, mark, now) or _new(page, asked.kind, address, mark, components, now)
        data = {"from": fingerprint(origin, now), "address": mark[:24]}
        record(subject_of(page), "status_page.asked", f"somebody asked to hear by {asked.kind}", now, data=data)
        if asked.kind == "email" or row.confirmed_at is None:
            what = LETTER if asked.kind == "email" else CHALLENGE
            key = f"status-ask-{row.pk}-{secrets.token_hex(8)}"
            exports.put(subject_of(page), what, key, f"confirm by {asked.kind}", now, payload={"subscription": row.pk})
    return row


def _check_address(asked: Asked) -> str:
    if asked.kind not in KINDS:
        raise Refused("choose mail or a webhook", "kind")
    if asked.kind == "email":
        email = check_email(asked.address, "address")
        if not email:
            raise Refused("write your mail address", "address")
        return email
    url = asked.address.strip()
    if len(url) > 500 or (not url.startswith("https://") and not settings.WATCHBILL_URL.startswith("http://")):
        raise Refused("a webhook's address begins with https:// and has at most 500 characters", "address")
    read_url(url, "address")
    return url


def check_components(page: StatusPage, components: Sequence[int]) -> list[int]:
    """Check that some components stand on a page; gives their ids in order. Raises Refused."""
    known = set(StatusComponent.objects.filter(page=page, removed_at=None).values_list("pk", flat=True))
    if not set(components) <= known:
        raise Refused("choose among what stands on the page", "components")
    return sorted(set(components))


def _standing(page: StatusPage, kind: str, mark: str, now: datetime) -> StatusSubscription | None:
    """Find the subscription of an address; one that was not confirmed in time ends."""
    row = StatusSubscription.objects.filter(page=page, kind=kind, address_hash=mark, ended_at=None).first()
    if row is not None and row.confirmed_at is None and (kind == "webhook" or now - row.asked_at > CONFIRM_WITHIN):
        # A webhook's secret is shown once: who asks again gets another one.
        StatusSubscription.objects.filter(pk=row.pk).update(ended_at=now)
        return None
    if row is not None and kind == "webhook":
        raise Refused(
            "this address hears of the page already; end that first, with the link that it was sent", "address"
        )
    return row


def _new(
    page: StatusPage, kind: str, address: str, mark: str, components: list[int], now: datetime
) -> StatusSubscription:
    row = StatusSubscription(page=page, kind=kind, address=address, address_hash=mark, components=components)
    row.asked_at = now
    row.secret = {"nonce": secrets.token_hex(16), "key": secrets.token_urlsafe(24)}
    row.token_hash = hash_key(token_of(row))
    row.save()
    return row


def _check_flood(page: StatusPage, address: str, origin: str, now: datetime) -> None:
    """Refuse what is too much within an hour: for one address, from one place, and altogether."""
    newest = Event.objects.filter(subject_kind="status_page", subject_id=page.pk).order_by("-id")[: MOST_BY_PAGE * 2]
    lately = [line for line in newest if line.kind == "status_page.asked" and line.at > now - HOUR]
    if sum(line.data.get("address") == address[:24] for line in lately) >= MOST_BY_ADDRESS:
        raise Refused("we have written to this address already: look there, or come back in an hour", "address")
    if sum(line.data.get("from") == origin for line in lately) >= MOST_BY_ORIGIN or len(lately) >= MOST_BY_PAGE:
        raise Refused("very many asked from where you are within the hour. Please try again in a while.")


def token_of(row: StatusSubscription) -> str:
    """Give what opens a subscription's own links: signed, and never kept in the clear."""
    return signing.Signer(salt=SALT).sign_object([row.page_id, row.kind, row.secret["nonce"]])


def links_of(row: StatusSubscription) -> tuple[str, str]:
    """Give the links of a subscription: to its own page, and to end it by one POST (RFC 8058)."""
    base = f"{settings.WATCHBILL_URL.rstrip('/')}/subscription/{token_of(row)}/"
    return base, f"{base}end/"


def find(token: str) -> StatusSubscription:
    """Find the subscription that a link opens, ended or not. Raises Refused."""
    try:
        signing.Signer(salt=SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise Refused("This link is not whole. Open it again from the message that brought it.") from None
    row = StatusSubscription.objects.select_related("page__team").filter(token_hash=hash_key(token)).first()
    if row is None:
        raise Refused("This link opens nothing any more.")
    return row


def confirm(token: str, now: datetime) -> StatusSubscription:
    """Say the second time that one wants to hear. Raises Refused."""
    with transaction.atomic():
        row = _locked(token)
        if row.ended_at is not None or (row.confirmed_at is None and now - row.asked_at > CONFIRM_WITHIN):
            raise Refused("This has ended. Ask again on the page.")
        if row.confirmed_at is None:
            row.confirmed_at = now
            row.save(update_fields=["confirmed_at"])
    return row


def choose(token: str, components: Sequence[int], now: datetime) -> StatusSubscription:
    """Choose of which components one wants to hear; none: of all. Raises Refused."""
    with transaction.atomic():
        row = _locked(token)
        if row.ended_at is not None:
            raise Refused("This has ended. Ask again on the page.")
        row.components = check_components(row.page, components)
        row.save(update_fields=["components"])
    return row


def leave(token: str, now: datetime) -> StatusSubscription:
    """End a subscription; a second time changes nothing. Raises Refused."""
    with transaction.atomic():
        row = _locked(token)
        if row.ended_at is None:
            row.ended_at = now
            row.save(update_fields=["ended_at"])
    return row


def _locked(token: str) -> StatusSubscription:
    number = find(token).pk
    return StatusSubscription.objects.select_related("page__team").select_for_update(of=("self",)).get(pk=number)


def count_of(page: StatusPage, person: Person) -> dict[str, Any]:
    """Count who hears of a page, by kind; no address is shown. Raises NotAllowed."""
    may_change(person, page.team, f"see who hears of {page}")
    rows = StatusSubscription.objects.filter(page=page, ended_at=None).exclude(confirmed_at=None)
    return {kind: rows.filter(kind=kind).count() for kind in KINDS}

"""Saved filters: a named query of tickets or requests, one's own or shared with the team, and its feed.

A feed is read without signing in: its address holds a signed key, and it gives only what the filter's owner may see at
that moment. A new key ends the address handed out before.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core import signing
from django.db import transaction

from watchbill.actions.access import role_of
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import Person, SavedFilter, Team
from watchbill.db.queries import REQUESTS, TICKETS, Language
from watchbill.kit.errors import NotAllowed, Refused

LANGUAGES: Mapping[str, Language] = {"tickets": TICKETS, "requests": REQUESTS}
MOST = 100
KEYS = signing.Signer(salt="watchbill.filter", sep=".")


def save_filter(
    team: Team,
    person: Person,
    name: str,
    query: str,
    now: datetime,
    *,
    about: str = "tickets",
    is_shared: bool = False,
) -> SavedFilter:
    """Keep a query under a name; whoever reads the team may. Raises Refused naming the field, NotAllowed."""
    _demand_reader(person, team)
    checked = _check({"name": name, "query": query, "is_shared": is_shared}, about)
    with transaction.atomic():
        _lock_names(person)
        own = SavedFilter.objects.filter(team=team, person=person)
        if own.count() >= MOST:
            raise Refused(f"you have {MOST} filters in {team}: delete one first", "name")
        _demand_free(own, checked["name"])
        made = SavedFilter.objects.create(team=team, person=person, about=about, created_at=now, **checked)
        record(_subject(made), "filter.saved", f"{person} saved the filter {made}", now, Actor.of(person))
    return made


def change_filter(filter_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> SavedFilter:
    """Change the name, the query, or whether it is shared; only its owner may. Raises Refused, NotAllowed."""
    with transaction.atomic():
        found = _own(filter_id, person)
        _demand_reader(person, found.team)
        kept = {"name": found.name, "query": found.query, "is_shared": found.is_shared}
        unknown = set(values) - set(kept)
        if unknown:
            raise Refused(f"a filter has no {', '.join(sorted(unknown))}", sorted(unknown)[0])
        checked = _check({**kept, **values}, found.about)
        _demand_free(SavedFilter.objects.filter(team=found.team, person=person).exclude(pk=found.pk), checked["name"])
        changed = [name for name, value in checked.items() if kept[name] != value]
        if changed:
            for name in changed:
                setattr(found, name, checked[name])
            found.save(update_fields=changed)
            said = f"{person} changed the filter {found}: {', '.join(changed).replace('is_', '')}"
            record(_subject(found), "filter.changed", said, now, Actor.of(person))
    return found


def delete_filter(filter_id: int, person: Person, now: datetime) -> None:
    """Forget a filter; its feed ends with it. Its owner may, and an owner of the team. Raises Refused, NotAllowed."""
    with transaction.atomic():
        found = _find(filter_id)
        if found.person_id != person.pk and not (found.is_shared and role_of(person, found.team) == "owner"):
            raise NotAllowed(
                f"{found} is a filter of {found.person}: only they delete it, or an owner of {found.team}."
            )
        said = f"{person} deleted the filter {found}: {found.query}"
        record(_subject(found), "filter.deleted", said[:1000], now, Actor.of(person))
        found.delete()


def open_feed(filter_id: int, person: Person, now: datetime) -> str:
    """Give the key of a filter's feed, a new one each time: the address handed out before ends. Raises NotAllowed."""
    with transaction.atomic():
        found = _own(filter_id, person)
        _demand_reader(person, found.team)
        found.feed_key = secrets.token_urlsafe(18)
        found.save(update_fields=["feed_key"])
        record(_subject(found), "filter.feed", f"{person} made a feed of {found}", now, Actor.of(person))
    return feed_key(found)


def close_feed(filter_id: int, person: Person, now: datetime) -> None:
    """End the feed of a filter. Raises NotAllowed."""
    with transaction.atomic():
        found = _own(filter_id, person)
        found.feed_key = ""
        found.save(update_fields=["feed_key"])
        record(_subject(found), "filter.feed", f"{person} ended the feed of {found}", now, Actor.of(person))


def feed_key(found: SavedFilter) -> str:
    """Give the signed key in the address of a filter's feed; nothing: it has none."""
    return KEYS.sign(f"{found.pk}-{found.feed_key}") if found.feed_key else ""


def filter_of_key(key: str) -> SavedFilter | None:
    """Find the filter that a key opens; None: not ours, ended, or its owner no longer reads the team."""
    try:
        number, _, secret = KEYS.unsign(key).partition("-")
    except signing.BadSignature:
        return None
    rows = SavedFilter.objects.select_related("team", "person")
    found = rows.filter(pk=number, feed_key=secret).exclude(feed_key="").first() if number.isdigit() else None
    return found if found is not None and role_of(found.person, found.team) is not None else None


def _check(values: dict[str, Any], about: str) -> dict[str, Any]:
    if about not in LANGUAGES:
        raise Refused(f"a filter is about {' or '.join(LANGUAGES)}", "about")
    name = check_text(values, "name", 80, "give the filter a name")
    query = str(values["query"]).strip()
    LANGUAGES[about].read(query)
    return {"name": name, "query": query, "is_shared": bool(values["is_shared"])}


def _demand_reader(person: Person, team: Team) -> None:
    if role_of(person, team) is None:
        raise NotAllowed(f"You are not in {team}, so you keep no filters there.")


def _demand_free(others: Any, name: str) -> None:
    if others.filter(name=name).exists():
        raise Refused(f"you have a filter called “{name}”: choose another name, or change that one", "name")


def _lock_names(person: Person) -> None:
    # Two windows of one person that save the same name: the second waits, and is told.
    Person.objects.select_for_update(of=("self",), no_key=True).only("id").get(pk=person.pk)


def _find(filter_id: int) -> SavedFilter:
    found = SavedFilter.objects.select_related("team", "person").filter(pk=filter_id).first()
    if found is None:
        raise Refused("this filter is gone")
    return found


def _own(filter_id: int, person: Person) -> SavedFilter:
    _lock_names(person)
    found = _find(filter_id)
    if found.person_id != person.pk:
        raise NotAllowed(f"{found} is a filter of {found.person}: only they change it. Save it under a name of yours.")
    return found


def _subject(found: SavedFilter) -> Subject:
    return Subject("filter", found.pk, found.team_id)

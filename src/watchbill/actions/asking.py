"""A page that a person opens by hand: "page Ben", "page whoever answers for checkout"."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import paging
from watchbill.actions.access import require, role_of
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, record
from watchbill.db import facts
from watchbill.db.models import Event, Page, Person, Service, Team
from watchbill.kit.errors import Refused

REMEMBERED = timedelta(days=1)
MOST_PEOPLE = 10


def ask_for(
    team: Team,
    title: str,
    person: Person,
    now: datetime,
    *,
    service: Service | None = None,
    people: Sequence[Person] = (),
    details: str = "",
    urgency: str = "important",
    key: str = "",
) -> Page:
    """Open a page of a team: for `people` by name, else by the service's ladder, else for the whole team (PAG-04).

    `key` makes it once: the same person with the same key within a day gets the page that was opened first.
    Raises Refused naming the field, NotAllowed.
    """
    require(person, team, "member", f"page somebody of {team}")
    words = check_text({"title": title}, "title", 1024, "say what you need, in a line")
    if urgency not in {"important", "default"}:
        raise Refused("the urgency is important or default", "urgency")
    for somebody in people:
        _check_reachable(somebody, team)
    if len(people) > MOST_PEOPLE:
        raise Refused(f"at most {MOST_PEOPLE} people by name; page the service or the team instead", "people")
    opening = paging.Opening(
        title=words,
        details=details,
        urgency=urgency,
        service=service,
        targets=[f"person:{somebody.pk}" for somebody in dict.fromkeys(people)],
    )
    with transaction.atomic():
        # Whoever retries waits here for their own first try.
        Person.objects.select_for_update(of=("self",), no_key=True).only("id").get(pk=person.pk)
        known = _opened_before(team, person, key, now) if key else None
        if known is not None:
            return known
        page = paging.open_page(team, opening, f"{person} asks for help by hand", now, Actor.of(person))
        if key:
            why = "a retry with the same key gives this page"
            record(paging.subject_of(page), "page.key", why, now, Actor.of(person), {"key": _hash(key)})
    return page


def _check_reachable(somebody: Person, team: Team) -> None:
    if not somebody.is_active or role_of(somebody, team) is None:
        raise Refused(f"{somebody} is not in {team}", "people")
    if not facts.usable_addresses(somebody.pk):
        raise Refused(f"{somebody} has no verified address and would not hear of it: choose somebody else", "people")


def _opened_before(team: Team, person: Person, key: str, now: datetime) -> Page | None:
    mine = Page.objects.filter(team=team, opened_by=person, opened_at__gt=now - REMEMBERED).values("pk")
    line = Event.objects.filter(
        team=team, subject_kind="page", subject_id__in=mine, kind="page.key", data__key=_hash(key)
    ).first()
    return Page.objects.select_related("team").get(pk=line.subject_id) if line else None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

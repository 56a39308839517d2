"""What the pages of tickets share: which team, who stands which seat, what is stale, how a number is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from watchbill.actions.desk import Desk
from watchbill.actions.epics import Part
from watchbill.actions.tickets import seats_of
from watchbill.core.tickets import STAGES
from watchbill.db import facts
from watchbill.db.models import Person, Team, Ticket
from watchbill.db.queries import Reader
from watchbill.db.screens import tickets as screen
from watchbill.db.screens.visible import sees_team, teams_of
from watchbill.db.support_facts import seats_of as seats_stood
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.entry.web.request_forms import person_of
from watchbill.entry.web.watches import Watch, watches_now
from watchbill.kit.errors import Refused
from watchbill.rules import stale_work

_NUMBER = re.compile(r"^\s*(?:t-)?(\d{1,15})\s*$", re.IGNORECASE)
_PART = re.compile(r"^(?P<title>.*?)(?<!\s)\s*+(?:\(\s*(?P<points>\d{1,3})\s*(?:points?|p)?\s*\))?$")
LASTING = frozenset({"epic", "tracking"})


def team_of(request: PageRequest, teams: Sequence[Team]) -> Team | None:
    """Give the team that the address names, else the reader's first; raises NotAllowed for one of others."""
    slug = request.GET.get("team", "")
    if not slug:
        return teams[0] if teams else None
    return next((team for team in teams if team.slug == slug), None) or team_or_404(request, slug)


def choosable(request: PageRequest) -> tuple[Team | None, list[Team]]:
    """Give the team of this page, and all that the reader may choose."""
    teams = teams_of(request.user)
    chosen = team_of(request, teams)
    if chosen is not None and chosen.pk not in {team.pk for team in teams}:
        teams = [*teams, chosen]
    return chosen, teams


def desk_without_hours(team: Team, now: datetime) -> Desk:
    """Read a team's rules alone, without its hours, which a list of tickets does not need."""
    return Desk(facts.policy_of(team), None, now)


def standing(team: Team, now: datetime) -> dict[str, Watch]:
    """Tell who stands each seat now, by its bare name and as rotation/seat."""
    found: dict[str, Watch] = {}
    for watch in watches_now(screen.watch_ahead(team, now), now):
        found.setdefault(watch.shift.seat, watch)
        found[f"{watch.shift.rotation.slug}/{watch.shift.seat}"] = watch
    return found


def stale_before(desk: Desk, now: datetime) -> dict[str, datetime]:
    """Give for each stage the moment before which a last change makes a ticket stale (BKL-08)."""
    rule = stale_work.Settings.model_validate(desk.rule("stale_work"))
    found = {stage: stale_work.decide(stage, rule, now) for stage in STAGES}
    return {stage: at for stage, at in found.items() if at is not None}


def stale_days(ticket: Any, before: dict[str, datetime], now: datetime) -> int | None:
    """Give for how many days a ticket lies in somebody's lane; None: it is fresh, or nobody has it and nobody began."""
    limit = before.get(ticket.stage)
    owned = ticket.seat or (ticket.assignee if hasattr(ticket, "assignee_name") else ticket.assignee_id)
    if limit is None or ticket.kind in LASTING or not (owned or ticket.stage != "to_do"):
        return None
    return (now - ticket.changed_at).days if ticket.changed_at < limit else None


def reader_of(person: Person, team: Team, now: datetime) -> Reader:
    """Give who asks, as queries need it."""
    return Reader(person.pk, person.zone, now, frozenset(seats_stood(person.pk, team, now)), (team.pk,))


def bare_seats(team: Team) -> list[str]:
    """Read the seats of a team that a ticket may be given to; rotation/seat only where a bare name is not enough."""
    names = seats_of(team)
    bare = [name for name in names if "/" not in name]
    twice = {name for name in bare if sum(other.endswith(f"/{name}") for other in names) > 1}
    return [*bare, *(name for name in names if "/" in name and name.rpartition("/")[2] in twice)]


def read_number(text: str, field: str) -> int:
    """Read the number of a ticket as people write it, T-34 or 34; raises Refused."""
    found = _NUMBER.match(text)
    if found is None:
        raise Refused("write the number of a ticket, like T-34", field)
    return int(found[1])


def other_ticket(reader: Person, text: str, field: str) -> Ticket:
    """Find the ticket that somebody named; raises Refused also for one of others."""
    number = read_number(text, field)
    found = Ticket.objects.select_related("team").filter(pk=number).first()
    if found is None or not sees_team(reader, found.team_id):
        raise Refused(f"there is no T-{number}", field)
    return found


def read_day(text: str) -> date | None:
    """Read a day from an address; what is no day of our time counts as not given."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 2200 else None


def read_who(choice: str, members: Sequence[Person]) -> dict[str, Any]:
    """Read who has a ticket from a choice: person:<id>, seat:<name>, or nothing."""
    kind, _, value = choice.partition(":")
    return {
        "assignee": person_of(value, members) if kind == "person" else None,
        "seat": value if kind == "seat" else "",
    }


def read_parts(text: str) -> list[Part]:
    """Read parts as people write them, one a line, with points in brackets at its end."""
    found = [_PART.match(line.strip()) for line in text.splitlines() if line.strip()]
    return [Part(one["title"], int(one["points"]) if one["points"] else None) for one in found if one and one["title"]]

"""Work that lies in somebody's lane surfaces by itself, once and kindly (BKL-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from watchbill.actions import delivery, ticket_places
from watchbill.actions.delivery import Words
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Subject, event_of, record, write_lines
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.core.people import next_morning
from watchbill.core.tickets import STAGE_WORDS, STAGES
from watchbill.core.wallclock import day_of
from watchbill.db import facts, ticket_facts
from watchbill.db.models import Event, Person, Team, Ticket
from watchbill.rules import priority_order, stale_work

MOST = 200
MOST_LOOKED_AT = 5000
# They last by their nature: an epic moves in its parts, a tracking ticket waits for the next time.
LASTING = ("epic", "tracking")


@dataclass(frozen=True)
class Stale:
    """A ticket that nobody touched for long: since when, for how many days, and why that is long."""

    ticket: Ticket
    since: datetime
    days: int
    why: str


def stale(team: Team, person: Person | None, now: datetime) -> list[Stale]:
    """Read what lies too long in the lane of a person and of the seats they stand in, or in any lane; the oldest first."""
    rule = stale_work.Settings.model_validate(desk_of(team, now).rule("stale_work"))
    long_ago = Q(pk__in=[])
    for stage in STAGES:
        before = stale_work.decide(stage, rule, now)
        if before is not None:
            long_ago |= Q(stage=stage, changed_at__lt=before)
    rows = _lanes(team, person, now).filter(long_ago).exclude(kind__in=LASTING)
    rows = rows.exclude(starts_on__gt=day_of(now, team.zone))
    # What is open is few: found in the team's order, which an index gives, and sorted by age here.
    open_ones = rows.order_by(*ticket_facts.ORDER).values_list("changed_at", "pk")[:MOST_LOOKED_AT]
    oldest = [pk for _, pk in sorted(open_ones)[:MOST]]
    found = Ticket.objects.select_related("assignee", "service", "team").in_bulk(oldest)
    return [_stale(found[pk], now) for pk in oldest if pk in found]


def _lanes(team: Team, person: Person | None, now: datetime) -> QuerySet[Ticket]:
    if person is not None:
        return ticket_facts.mine(person, team, now)
    given = Q(assignee__isnull=False) | ~Q(seat="") | Q(stage__in=("in_progress", "waiting"))
    return Ticket.objects.filter(given, team=team).exclude(stage="done")


def _stale(ticket: Ticket, now: datetime) -> Stale:
    days = (now - ticket.changed_at).days
    return Stale(ticket, ticket.changed_at, days, f"{STAGE_WORDS[ticket.stage].lower()}, untouched for {days} days")


def set_daily(team: Team, now: datetime) -> None:
    """Let the team's lanes be looked through every morning at 09:00 in its own zone."""
    set_timer(_subject(team), "stale", next_morning(team.zone, now))


def _subject(team: Team) -> Subject:
    return Subject("team", team.pk, team.pk)


def tell_stale(claim: Claim, now: datetime) -> None:
    """Tell each person, once a ticket, what lies in their lane; the watch hears of what is the seat's or nobody's."""
    with transaction.atomic():
        team = Team.objects.select_for_update(of=("self",)).filter(pk=claim.subject_id).first()
        if not finish(claim) or team is None or team.archived_at is not None:
            return
        for person, lying in _readers(team, _untold(stale(team, None, now)), now):
            _tell(team, person, lying, now)
        if priority_order.asks("chronic", desk_of(team, now).order):
            ticket_places.place_all_soon(team, now)
        set_daily(team, now)


def _untold(found: Iterable[Stale]) -> list[Stale]:
    lying = list(found)
    lines = Event.objects.filter(
        subject_kind="ticket", subject_id__in=[one.ticket.pk for one in lying], kind="ticket.stale"
    )
    told = dict(lines.order_by("id").values_list("subject_id", "at"))
    return [one for one in lying if one.ticket.pk not in told or told[one.ticket.pk] < one.since]


def _readers(team: Team, found: Iterable[Stale], now: datetime) -> list[tuple[Person, list[Stale]]]:
    watch = [shift.person for shift in facts.shifts_now(team, now) if shift.person and shift.person.is_active]
    lanes: dict[int, tuple[Person, list[Stale]]] = {}
    for one in found:
        owner = one.ticket.assignee
        for person in [owner] if owner is not None and owner.is_active else dict.fromkeys(watch):
            lanes.setdefault(person.pk, (person, []))[1].append(one)
    return list(lanes.values())


def _tell(team: Team, person: Person, lying: list[Stale], now: datetime) -> None:
    lines = [event_of(_of(one), "ticket.stale", f"told {person}: {one.why}", now) for one in lying]
    write_lines(lines)
    count = "1 ticket has" if len(lying) == 1 else f"{len(lying)} tickets have"
    said = record(_subject(team), "team.stale_told", f"told {person} of {len(lying)}", now, data={"person": person.pk})
    rows = [f"T-{one.ticket.pk} {one.ticket.title} ({one.why})" for one in lying[:20]]
    words = Words(
        subject=f"{count} been lying for a while",
        text="\n".join(["Finish it, give it back to the queue, or write down what it waits for.", "", *rows]),
        purpose="notice",
        path="/next/",
        action="See what is yours",
    )
    delivery.reach(person.pk, _subject(team), words, said, "work that lies surfaces by itself", now)


def _of(one: Stale) -> Subject:
    return Subject("ticket", one.ticket.pk, one.ticket.team_id)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("team", "stale"): tell_stale,
    **ticket_places.TIMER_HANDLERS,
}

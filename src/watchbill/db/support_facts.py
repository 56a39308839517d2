"""Read what decisions about requests and tickets need: the history of the ball, seats, pairs, time spent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q

from watchbill.core import clocks, support, tickets
from watchbill.db.models import Event, Person, Service, Shift, SupportRequest, Team, Ticket, TicketLink, WorkLog
from watchbill.kit.spans import Span

# A ticket at the source of such a link helps whoever its target helps.
HELPING = ("lasting_fix_of", "blocks", "duplicate_of")
MOST_LINKS = 200
BALL_KINDS = ("request.ball", "request.resolved", "request.reopened")


def request_fact(request: SupportRequest) -> support.Request:
    """Give what decisions need of a request."""
    return support.Request(
        state=request.state,
        waiting_on=request.waiting_on,
        assignee=str(request.assignee) if request.assignee else "",
        opened_at=request.opened_at,
        first_response_at=request.first_response_at,
        closed_at=request.closed_at,
    )


def waits_of(request: SupportRequest) -> clocks.Waits:
    """Read from the log when others had the ball; a resolved request waits for its requester."""
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind__in=BALL_KINDS).order_by("id")
    return clocks.waits_of([clocks.Turn(line.at, _ball_after(line)) for line in lines])


def _ball_after(line: Event) -> str:
    match line.kind:
        case "request.ball":
            return str(line.data["on"])
        case "request.resolved":
            return "requester"
        case _:
            return "us"


def service_facts(service: Service | None) -> dict[str, str | list[str]]:
    """Give what the priority table may ask about a service."""
    if service is None:
        return {}
    return {"environment": service.environment.lower(), "tier": str(service.tier)}


def seats_of(person_id: int, team: Team, now: datetime) -> set[str]:
    """Read the seats that a person stands in now, as bare names and as rotation/seat: what tickets are given to."""
    standing = Shift.objects.filter(
        rotation__team=team, rotation__archived_at=None, person_id=person_id, starts_at__lte=now, ends_at__gt=now
    ).values_list("seat", "rotation__slug")
    return {name for seat, rotation in standing for name in (seat, f"{rotation}/{seat}")}


def people_in_seat(team: Team, seat: str, now: datetime) -> list[Person]:
    """Read who stands the watch now: in one seat, by bare name or as rotation/seat, or, without a seat, in any."""
    rotation, _, name = seat.rpartition("/")
    standing = Shift.objects.filter(
        rotation__team=team, rotation__archived_at=None, starts_at__lte=now, ends_at__gt=now, person__is_active=True
    )
    if name:
        standing = standing.filter(seat=name)
    if rotation:
        standing = standing.filter(rotation__slug=rotation)
    people = [shift.person for shift in standing.select_related("person").order_by("id") if shift.person]
    return list(dict.fromkeys(people))


def ticket_fact(ticket: Ticket) -> tickets.Ticket:
    """Give what decisions need of a ticket."""
    return tickets.Ticket(
        kind=ticket.kind,
        stage=ticket.stage,
        stage_at=ticket.stage_at,
        open_parts=ticket.parts.exclude(stage="done").count() if ticket.kind == "epic" else 0,
        lacks_pair=ticket.kind == "quick_fix" and not is_paired(ticket) and not ticket.no_pair_why,
    )


def is_paired(ticket: Ticket) -> bool:
    """Tell whether a quick fix has its lasting fix as a ticket (SPN-02)."""
    return TicketLink.objects.filter(target=ticket, kind="lasting_fix_of").exists()


def communities_helped(tickets_: Collection[int]) -> set[int]:
    """Read whom tickets help: their own communities, and those of work they mend for good, unblock, or are the same as."""
    links = TicketLink.objects.filter(
        Q(source__in=tickets_, kind__in=HELPING) | Q(target__in=tickets_, kind="duplicate_of")
    )
    ends = {end for pair in links.values_list("source_id", "target_id")[:MOST_LINKS] for end in pair}
    rows = Ticket.objects.filter(pk__in=ends | set(tickets_)).values_list("community_id", "request__community_id")
    return {one for row in rows for one in row if one is not None}


def spent_on(request: SupportRequest, now: datetime) -> timedelta:
    """Measure the time really spent on a request, running clocks included (TRI-02)."""
    running = WorkLog.objects.filter(request=request, ended_at=None).values_list("started_at", flat=True)
    live = sum((Span(start, max(start, now)).length for start in running), timedelta())
    return timedelta(seconds=request.spent_seconds) + live

"""Where a ticket stands: its work kind, its level, and its place within the level by the next deadline (PRI-05, PRI-06)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction

from watchbill.actions.desk import Desk, desk_of, ticket_priority
from watchbill.actions.log import WATCHBILL, Subject, record
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.core import tickets
from watchbill.core.wallclock import DAY, MIDNIGHT, end_instant
from watchbill.db.models import SupportRequest, Team, Ticket
from watchbill.rules import priority_order, work_kinds

CHUNK = 200
PLACED = ("work_kind", "priority", "rank", "priority_why", "position")


def place(ticket: Ticket, desk: Desk, *, anew: bool = False) -> None:
    """Give a ticket its work kind and its place in the team's order, not yet saved.

    One that a person moved within its level stays there, until it takes another level or `anew` says that its own
    deadline changed.
    """
    ticket.work_kind = work_kinds.decide([str(label) for label in ticket.labels], desk.kinds)
    placed = ticket_priority(ticket, desk)
    stays = tickets.is_by_hand(ticket.position) and ticket.rank == placed.rank and not anew
    ticket.priority, ticket.rank, ticket.priority_why = placed.level, placed.rank, placed.why
    if not stays:
        ticket.position = tickets.position_of(deadline_of(ticket), ticket.created_at)


def deadline_of(ticket: Ticket) -> datetime | None:
    """Give when a ticket is due: at the end of its day in the team's zone, or when its request's promise runs out."""
    dues = []
    if ticket.due_on is not None:
        dues.append(end_instant(ticket.due_on + DAY, MIDNIGHT, ticket.team.zone))
    if ticket.request is not None and ticket.request.due_at is not None:
        dues.append(ticket.request.due_at)
    return min(dues, default=None)


def place_again(rows: Iterable[Ticket], desk: Desk, why: str, now: datetime) -> list[Ticket]:
    """Place locked tickets again after something around them changed; gives those that took another level."""
    promoted = []
    for ticket in rows:
        before, level = [getattr(ticket, name) for name in PLACED], ticket.priority
        place(ticket, desk)
        if before == [getattr(ticket, name) for name in PLACED]:
            continue
        ticket.save(update_fields=PLACED)
        if ticket.priority != level:
            said = f"{why}: {ticket.priority_why}"
            subject = Subject("ticket", ticket.pk, ticket.team_id)
            record(subject, "ticket.priority", said, now, WATCHBILL, {"level": ticket.priority})
            promoted.append(ticket)
    return promoted


def follow_request(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Place the open tickets of a locked request again: its promise is theirs, and a missed one promotes them (PRI-05)."""
    rows = Ticket.objects.select_for_update(of=("self",)).filter(request=request).exclude(stage="done").order_by("id")
    found = list(rows.select_related("team", "service", "community"))
    for ticket in found:
        ticket.request = request
    place_again(found, desk, f"R-{request.pk} changed", now)


def place_all_soon(team: Team, now: datetime) -> None:
    """Let all open work of a team be placed again: its policy is another, or a service became chronically slow."""
    for kind in ("places", "request_places"):
        set_timer(Subject("team", team.pk, team.pk), kind, now)


def reach_changed(team: Team, desk: Desk, now: datetime) -> None:
    """Let work be placed again after a link or a community changed, where the team's table asks whom work helps."""
    if priority_order.asks("reach", desk.order):
        place_all_soon(team, now)


def place_all(claim: Claim, now: datetime) -> None:
    """Place the open tickets of a team again, some at a time, so that nobody waits long for a lock (PRI-09, PRI-10)."""
    team = Team.objects.filter(pk=claim.subject_id).first()
    last = 0
    while team is not None and (chunk := _open_after(team, last)):
        with transaction.atomic():
            rows = Ticket.objects.select_for_update(of=("self",)).filter(pk__in=chunk).exclude(stage="done")
            found = rows.select_related("team", "service", "community", "request").order_by("id")
            place_again(found, desk_of(team, now), "the order was looked at again", now)
        last = chunk[-1]
    with transaction.atomic():
        finish(claim)


def _open_after(team: Team, last: int) -> list[int]:
    rows = Ticket.objects.filter(team=team, pk__gt=last).exclude(stage="done").order_by("id")
    return list(rows.values_list("pk", flat=True)[:CHUNK])


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("team", "places"): place_all}

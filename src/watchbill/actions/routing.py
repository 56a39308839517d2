"""Who says who takes a request on, as the team's policy has it, and what waits for the next standup (TRI-15, INT-06).

For the standup a request is marked in its log; it leaves the list when somebody has it, or when it was talked about.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import experts, request_watch, support
from watchbill.actions.access import require
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor, record
from watchbill.db.models import Event, Person, SupportRequest, Team
from watchbill.kit.errors import Refused

MOST_LISTED = 200
FOR, DONE = "request.for_standup", "request.standup_done"


def route(request_id: int, why: str, person: Person, now: datetime) -> str:
    """Hand on who takes a request: to the manager, to the team for volunteers, or to whoever asks; says what follows.

    Raises Refused when somebody has it or it is over; NotAllowed.
    """
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "hand a request on")
        _demand_open(request)
        who_asks = experts.settings_of(desk_of(request.team, now)).who_asks
        manager = request.team.manager or request.team.fallback
        if who_asks == "manager" and manager is not None:
            people, follows = [manager], f"{manager} says who takes it on."
        elif who_asks == "volunteers":
            people = [one for one in request_watch.readers(request, "team", now) if one != person]
            follows = "The team is told, and somebody takes it."
        else:
            return "Ask somebody to take it on: here are the ones who fit."
        said = f"{person} hands it on: {follows}"
        record(support.subject_of(request), "request.routed", said, now, Actor.of(person), {"by": who_asks})
        subject = "Who takes this on?" if who_asks == "manager" else "Will you take this on?"
        request_watch.tell(request, people, "request.routing_told", subject, now, "default", why.strip())
    return follows


def mark_for_standup(request_id: int, why: str, person: Person, now: datetime) -> None:
    """Put a request on the list for the next standup: it is complex, or wants the right person. Raises Refused, NotAllowed."""
    if not why.strip():
        raise Refused("say in a line what the team should talk about", "why")
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "bring something to the standup")
        _demand_open(request)
        record(support.subject_of(request), FOR, f"{person}: {why.strip()}", now, Actor.of(person))


def take_off_standup(request_id: int, person: Person, now: datetime) -> None:
    """Take a request off the list: the team talked about it. Raises NotAllowed."""
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "say what was talked about")
        record(support.subject_of(request), DONE, f"{person}: talked about", now, Actor.of(person))


def standup_list(team: Team) -> list[tuple[SupportRequest, str]]:
    """Read what waits for the next standup, in the team's order, with why it was brought; at most 200 requests."""
    last: dict[int, Event] = {}
    rows = SupportRequest.objects.filter(team=team, state="open", assignee=None)
    # Only what stands in the list of the unassigned: that is short, or the team has another problem.
    numbers = list(rows.order_by("rank", "due_at", "id").values_list("pk", flat=True)[: 5 * MOST_LISTED])
    for line in Event.objects.filter(subject_kind="request", subject_id__in=numbers, kind__in=(FOR, DONE)).order_by(
        "id"
    ):
        last[line.subject_id] = line
    marked = [number for number in numbers if number in last and last[number].kind == FOR][:MOST_LISTED]
    found = rows.select_related("requester", "service", "community").in_bulk(marked)
    return [(found[number], last[number].why) for number in marked if number in found]


def _demand_open(request: SupportRequest) -> None:
    if request.state != "open":
        raise Refused(f"it is {request.state}: reopen it first")

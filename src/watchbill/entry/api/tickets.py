"""Tickets: the work of a team, whose it is and where it stands; what to do now."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import idle, once, ticket_bulk, ticket_pairs, tickets, tracking, work_clock
from watchbill.actions.tickets import Written
from watchbill.db.models import Person, Sprint, Team, Ticket
from watchbill.db.queries import TICKETS
from watchbill.db.ticket_facts import times
from watchbill.entry.api.asked_lists import Asking, Mark, listed
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.communities import community_named
from watchbill.entry.api.desk_lines import MessageLine, TicketLine, TwinLine, log_of, messages_of, twins_of
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed
from watchbill.entry.api.request_work import Spent
from watchbill.entry.api.requests import Placed, Words
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_person, the_service, the_team
from watchbill.entry.api.words import (
    ONCE_KEY,
    Day,
    EventLine,
    Given,
    Id,
    Instant,
    LongText,
    OnceKey,
    Slug,
    Title,
    Word,
    demand_given,
    up_to,
)
from watchbill.kit.errors import Refused

router = Router(tags=["Tickets"])
SHOWN = ("team", "service", "community", "assignee", "sprint")
Reason = Annotated[str, up_to(1000)]
Points = Annotated[int, Field(ge=0, le=100)]
Kind = Literal["task", "request", "epic", "investigation", "action", "quick_fix", "lasting_fix", "tracking"]
Stage = Literal["to_do", "in_progress", "waiting", "done"]
Link = Literal["lasting_fix_of", "spin_off_of", "duplicate_of", "blocks", "relates_to"]


class TicketFields(Given):
    """What may be written about a ticket; what is not given stays, null takes it away."""

    text: LongText | None = None
    kind: Kind | None = None
    points: Points | None = None
    labels: Annotated[list[Word], Field(max_length=20)] | None = None
    service: Slug | None = None
    community: Slug | None = None
    assignee: Id | None = Field(None, description="A person; takes it from the watch.")
    seat: Word | None = Field(None, description="A seat on watch; takes it from the person.")
    epic: Id | None = None
    sprint: Id | None = None
    is_unplanned: bool | None = None
    starts_on: Day | None = None
    due_on: Day | None = None
    no_pair_why: Reason | None = None


class NewTicket(TicketFields):
    """A ticket as somebody writes it."""

    team: Slug
    title: Title


class ChangedTicket(TicketFields):
    """What changes."""

    title: Title | None = None


class MovedTicket(Given):
    """Where it goes; `outcome` counts when that is done."""

    stage: Stage
    outcome: Literal["done", "wont_do", "duplicate"] = "done"


class NewLink(Given):
    """This ticket is `kind` of `target`."""

    target: Id
    kind: Link


class Paired(Given):
    """The other half of a quick fix: a new ticket, one that stands, or the reason why there is none."""

    lasting: Id | None = None
    title: Title | None = None
    reason: Reason = ""


class NewOccurrence(Given):
    """One occurrence of what nobody can explain yet."""

    text: Annotated[str, up_to(10_000, 1)]
    at: Instant | None = None


class ManyTickets(Given):
    """The same change to many tickets."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    stage: Stage | None = None
    outcome: Literal["done", "wont_do", "duplicate"] = "done"
    values: ChangedTicket = ChangedTicket()


class ManyDone(BaseModel):
    """What was done, and why the rest was refused."""

    done: list[int]
    refused: dict[int, str]


class LinkLine(BaseModel):
    """A link as it reads: source `kind` target."""

    source: int
    kind: str
    target: int


class StayLine(BaseModel):
    """How long it was in a stage, in seconds."""

    stage: str
    seconds: int


class WholeTicket(TicketLine):
    """A ticket with its links, its twins in outside systems, and its time at each stage."""

    links: list[LinkLine]
    twins: list[TwinLine]
    times: list[StayLine]
    belongs: str = Field(description="watch, epic or queue: what the team's rule says.")
    belongs_why: str


class IdeaLine(BaseModel):
    """Something to do now, and why."""

    kind: str
    title: str
    why: str
    path: str
    ticket: int | None


def the_ticket(person: Person, number: int) -> Ticket:
    """Read one ticket of the caller's teams; raises Http404."""
    rows = Ticket.objects.filter(team__in=teams_of(person)).select_related(*SHOWN)
    return find_one(rows, number, "ticket")


def show_ticket(request: Asked, number: int) -> TicketLine:
    """Show a ticket as it stands now; raises Http404."""
    return TicketLine.of(the_ticket(request.auth.person, number))


def _values(person: Person, team: Team, body: TicketFields) -> dict[str, Any]:
    """Read what was given into what the action takes; raises Refused, Http404."""
    values = body.model_dump(exclude_unset=True, exclude={"team"})
    if "service" in values:
        values["service"] = the_service(person, body.service) if body.service else None
    if "assignee" in values:
        values["assignee"] = the_person(person, body.assignee) if body.assignee else None
    if "community" in values:
        values["community"] = community_named(team, body.community)
    if "epic" in values:
        values["epic"] = _one(Ticket, team, "epic", pk=body.epic) if body.epic else None
    if "sprint" in values:
        values["sprint"] = _one(Sprint, team, "sprint", pk=body.sprint) if body.sprint else None
    for name in ("text", "seat", "no_pair_why"):
        if values.get(name, "") is None:
            values[name] = ""
    demand_given(values, "title", "kind", "labels", "is_unplanned")
    return values


def _one(model: Any, team: Team, field: str, **key: Any) -> Any:
    found = model.objects.filter(team=team, **key).first()
    if found is None:
        raise Refused(f"{team} has no such {field}", field)
    return found


@router.get("", auth=may("read"), response=answers(Listed[TicketLine]), summary="List tickets, by a query")
def list_tickets(
    request: Asked, team: Slug = "", query: Asking = "", after: Mark = "", limit: Limit = 50
) -> Listed[TicketLine]:
    """Fields: kind, stage, label, work, assignee, seat, sprint, epic, service, due, created, text ~ "words" and more."""
    rows = Ticket.objects.filter(team__in=chosen_teams(request.auth.person, team)).select_related(*SHOWN)
    return listed(rows, query, TICKETS, (), request.auth, after, limit, TicketLine.of)


@router.post("", auth=may("write"), response=answers(TicketLine, 201), summary="Write a ticket")
def add(request: Asked, body: NewTicket, idempotency_key: OnceKey = ONCE_KEY) -> Status[TicketLine]:
    """For a person, for a seat on watch, or for nobody yet; its place in the order follows the team's table."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    values = _values(caller.person, team, body)
    written = Written(values.pop("title"), more=values)

    def act() -> int:
        return tickets.add_ticket(team, written, caller.person, caller.now).pk

    return Status(201, show_ticket(request, once.once(idempotency_key, "ticket", caller.person, caller.now, act)))


@router.get("/next", auth=may("read"), response=answers(list[IdeaLine]), summary="What do I do now?")
def what_now(request: Asked, team: Slug) -> list[IdeaLine]:
    """The next things by the team's idle order, each with why."""
    found = idle.suggest(request.auth.person, the_team(request.auth.person, team), request.auth.now)
    return [IdeaLine(kind=one.kind, title=one.title, why=one.why, path=one.path, ticket=one.ticket) for one in found]


@router.post("/many", auth=may("write"), response=answers(ManyDone), summary="Change many tickets")
def change_many(request: Asked, body: ManyTickets) -> ManyDone:
    """Each by itself: what is refused is told, the rest is done."""
    first = the_ticket(request.auth.person, body.ids[0])
    values = _values(request.auth.person, first.team, body.values)
    if bool(values) == bool(body.stage):
        raise Refused("give either a stage or what changes", "stage")
    for number in body.ids[1:]:
        the_ticket(request.auth.person, number)
    result = ticket_bulk.change_many(
        body.ids, request.auth.person, request.auth.now, values=values, stage=body.stage or "", outcome=body.outcome
    )
    return ManyDone(done=list(result.done), refused=dict(result.refused))


@router.get("/{number}", auth=may("read"), response=answers(WholeTicket), summary="Read one ticket")
def read(request: Asked, number: Id) -> WholeTicket:
    """With its links, its twins, its time at each stage, and where the team's rule says that it belongs."""
    row = the_ticket(request.auth.person, number)
    links = [*row.links_out.order_by("id"), *row.links_in.order_by("id")]
    place = tickets.where_it_belongs(row, request.auth.now)
    return WholeTicket(
        **TicketLine.of(row).model_dump(),
        links=[LinkLine(source=link.source_id, kind=link.kind, target=link.target_id) for link in links],
        twins=twins_of(row),
        times=[
            StayLine(stage=stay.stage, seconds=stay.length // timedelta(seconds=1))
            for stay in times(row, request.auth.now)
        ],
        belongs=place.where,
        belongs_why=place.why,
    )


@router.patch("/{number}", auth=may("write"), response=answers(TicketLine), summary="Change a ticket")
def change(request: Asked, number: Id, body: ChangedTicket) -> TicketLine:
    """Its place in the team's order follows."""
    row = the_ticket(request.auth.person, number)
    tickets.change_ticket(number, _values(request.auth.person, row.team, body), request.auth.person, request.auth.now)
    return show_ticket(request, number)


@router.post("/{number}/move", auth=may("answer"), response=answers(TicketLine), summary="Move it to another stage")
def move(request: Asked, number: Id, body: MovedTicket) -> TicketLine:
    """What it lacks before it is done is said all at once."""
    the_ticket(request.auth.person, number)
    tickets.move(number, body.stage, request.auth.person, request.auth.now, outcome=body.outcome)
    return show_ticket(request, number)


@router.post("/{number}/comment", auth=may("answer"), response=answers(TicketLine), summary="Write on a ticket")
def comment(request: Asked, number: Id, body: Words) -> TicketLine:
    """Also to its twins in trackers."""
    the_ticket(request.auth.person, number)
    tickets.comment(number, body.text, request.auth.person, request.auth.now, door="api")
    return show_ticket(request, number)


@router.get(
    "/{number}/comments", auth=may("read"), response=answers(Listed[MessageLine]), summary="Read what was written"
)
def list_comments(request: Asked, number: Id, after: After = "", limit: Limit = 50) -> Listed[MessageLine]:
    """In the order in which it was written."""
    return messages_of(the_ticket(request.auth.person, number), after, limit)


@router.get(
    "/{number}/log", auth=may("read"), response=answers(Listed[EventLine]), summary="Read what happened, and why"
)
def list_log(request: Asked, number: Id, after: After = "", limit: Limit = 50) -> Listed[EventLine]:
    """Every change with its reason."""
    return log_of(the_ticket(request.auth.person, number), after, limit)


@router.put("/{number}/priority", auth=may("write"), response=answers(TicketLine), summary="Put it where you want it")
def set_priority(request: Asked, number: Id, body: Placed) -> TicketLine:
    """With the reason, which stands beside it."""
    the_ticket(request.auth.person, number)
    tickets.set_priority(number, body.level, body.why, request.auth.person, request.auth.now)
    return show_ticket(request, number)


@router.post("/{number}/links", auth=may("write"), response=answers(LinkLine, 201), summary="Link it to another")
def link(request: Asked, number: Id, body: NewLink) -> Status[LinkLine]:
    """Read from this one: T-1 blocks T-2."""
    the_ticket(request.auth.person, number)
    the_ticket(request.auth.person, body.target)
    made = tickets.link(number, body.target, body.kind, request.auth.person, request.auth.now)
    return Status(201, LinkLine(source=made.source_id, kind=made.kind, target=made.target_id))


@router.delete("/{number}/links", auth=may("write"), response=answers(LinkLine), summary="Take a link away")
def unlink(request: Asked, number: Id, target: Id, kind: Link) -> LinkLine:
    """Read from this one, as it was made; both tickets say so. A quick fix without its lasting fix ages in the open."""
    the_ticket(request.auth.person, number)
    the_ticket(request.auth.person, target)
    gone = tickets.unlink(number, target, kind, request.auth.person, request.auth.now)
    return LinkLine(source=gone.source_id, kind=gone.kind, target=gone.target_id)


@router.post(
    "/{number}/pair", auth=may("write"), response=answers(TicketLine), summary="Close a quick fix with its pair"
)
def close_quick_fix(request: Asked, number: Id, body: Paired) -> TicketLine:
    """With its lasting fix (`lasting` or a `title` for a new one), or the reason why there is none."""
    row = the_ticket(request.auth.person, number)
    if body.lasting:
        the_ticket(request.auth.person, body.lasting)
    new = Written(body.title, kind="lasting_fix", labels=tuple(row.labels), service=row.service) if body.title else None
    ticket_pairs.close_quick_fix(
        number, request.auth.person, request.auth.now, lasting=body.lasting or new, reason=body.reason
    )
    return show_ticket(request, number)


@router.post(
    "/{number}/happened", auth=may("answer"), response=answers(EventLine, 201), summary="Words that it happened again"
)
def happened(request: Asked, number: Id, body: NewOccurrence) -> Status[EventLine]:
    """A tracking ticket gathers each time; `at` is when, without it now."""
    the_ticket(request.auth.person, number)
    caller = request.auth
    line = tracking.happened(number, body.text, body.at or caller.now, caller.person, caller.now)
    return Status(201, EventLine.of(line))


@router.post("/{number}/time", auth=may("answer"), response=answers(TicketLine), summary="Log time really spent")
def log_time(request: Asked, number: Id, body: Spent) -> TicketLine:
    """It counts for the sprint's shares of feature and operations work."""
    row = the_ticket(request.auth.person, number)
    work_clock.log_time(row, body.minutes, request.auth.person, request.auth.now, body.note)
    return show_ticket(request, number)

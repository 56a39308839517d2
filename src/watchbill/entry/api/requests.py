"""Requests: what people ask of a team, the conversation, who has the ball, what was promised."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import Field, StringConstraints

from watchbill.actions import (
    once,
    support,
    turning_away,
)
from watchbill.actions.asked import Asked as AskedFor
from watchbill.actions.requesters import Asker
from watchbill.db.models import Person, SupportRequest
from watchbill.db.queries import REQUESTS
from watchbill.entry.api.asked_lists import Asking, Mark, listed
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.communities import community_named
from watchbill.entry.api.desk_lines import (
    MessageLine,
    RequestLine,
    TwinLine,
    VendorCaseLine,
    log_of,
    messages_of,
    twins_of,
)
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_person, the_service, the_team
from watchbill.entry.api.words import (
    ONCE_KEY,
    EventLine,
    Given,
    Id,
    Instant,
    Line,
    LongText,
    Name,
    OnceKey,
    Slug,
    Text,
    Title,
    Word,
    demand_given,
    up_to,
)

router = Router(tags=["Requests"])
SHOWN = ("team", "requester", "community", "service", "assignee")
Said = Annotated[str, up_to(100_000, 1)]
Ball = Literal["us", "requester", "vendor"]


class NewRequest(Given):
    """What somebody asks. Without `requester_name` and `requester_email` it is the caller who asks."""

    team: Slug
    title: Title
    text: LongText = ""
    request_class: Word = ""
    service: Slug | None = None
    environment: Word = ""
    component: Name = ""
    impact: Literal["", "one", "several", "team", "everyone", "security"] = ""
    requester_name: Name = ""
    requester_email: Annotated[str, StringConstraints(max_length=254)] = ""
    at: Instant | None = Field(None, description="When they asked, if that was earlier.")
    is_logged: bool = Field(default=False, description="Logged by a member for somebody: it is the member's at once.")


class Answer(Given):
    """A message to the requester, and who has the ball afterwards."""

    text: Said
    waits_on: Ball = "requester"


class Words(Given):
    """What is written."""

    text: Said


class Ended(Given):
    """How it ended, and what the requester is told besides."""

    outcome: Literal["answered", "done", "duplicate", "spam"] = "done"
    text: LongText = ""


class ChangedRequest(Given):
    """What is not given stays."""

    title: Title | None = None
    request_class: Word | None = None
    service: Slug | None = None
    environment: Word | None = None
    component: Name | None = None
    impact: Literal["", "one", "several", "team", "everyone", "security"] | None = None
    community: Slug | None = None


class Receiver(Given):
    """Who has it; null: nobody."""

    person: Id | None


class Passed(Given):
    """Who has the ball, and why."""

    waits_on: Ball
    why: Line = ""


class Placed(Given):
    """A level of the team's order with its reason; an empty level gives it back to the table."""

    level: Word
    why: Line = ""


class Why(Given):
    """A reason."""

    why: Text = ""


class WholeRequest(RequestLine):
    """A request with where it is in outside systems and what vendors it waits for."""

    twins: list[TwinLine]
    vendor_cases: list[VendorCaseLine]
    tickets: list[int]


def the_request(person: Person, number: int) -> SupportRequest:
    """Read one request of the caller's teams; raises Http404."""
    rows = SupportRequest.objects.filter(team__in=teams_of(person)).select_related(*SHOWN)
    return find_one(rows, number, "request")


def show_request(request: Asked, number: int) -> RequestLine:
    """Show a request as it stands now; raises Http404."""
    return RequestLine.of(the_request(request.auth.person, number))


@router.get("", auth=may("read"), response=answers(Listed[RequestLine]), summary="List requests, by a query")
def list_requests(
    request: Asked, team: Slug = "", query: Asking = "", after: Mark = "", limit: Limit = 50
) -> Listed[RequestLine]:
    """Fields: state, class, waits_on, assignee, requester, community, service, due, late, opened, text ~ "words" and more."""
    rows = SupportRequest.objects.filter(team__in=chosen_teams(request.auth.person, team)).select_related(*SHOWN)
    return listed(rows, query, REQUESTS, (), request.auth, after, limit, RequestLine.of)


@router.post("", auth=may("answer"), response=answers(RequestLine, 201), summary="Ask a team for something")
def ask(request: Asked, body: NewRequest, idempotency_key: OnceKey = ONCE_KEY) -> Status[RequestLine]:
    """A team of yours; a member logs what others asked. Promises begin at once. Strangers use the team's public page."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    asked = AskedFor(
        body.title,
        body.text,
        request_class=body.request_class,
        door="logged" if body.is_logged else "api",
        service=the_service(caller.person, body.service) if body.service else None,
        environment=body.environment,
        component=body.component,
        impact=body.impact,
        at=body.at,
    )
    named = bool(body.requester_name or body.requester_email)
    asker = Asker(body.requester_name, body.requester_email) if named else Asker(person=caller.person)

    def act() -> int:
        if named or body.is_logged:
            return support.log_for_them(team, asker, asked, caller.person, caller.now).pk
        return support.open_request(team, asker, asked, caller.now).pk

    number = once.once(idempotency_key, "ask", caller.person, caller.now, act)
    return Status(201, show_request(request, number))


@router.get("/{number}", auth=may("read"), response=answers(WholeRequest), summary="Read one request")
def read(request: Asked, number: Id) -> WholeRequest:
    """With its twins in outside systems, its cases at vendors and its tickets."""
    row = the_request(request.auth.person, number)
    return WholeRequest(
        **RequestLine.of(row).model_dump(),
        twins=twins_of(row),
        vendor_cases=[VendorCaseLine.of(case) for case in row.vendor_cases.order_by("id")],
        tickets=list(row.tickets.order_by("id").values_list("pk", flat=True)),
    )


@router.get(
    "/{number}/messages", auth=may("read"), response=answers(Listed[MessageLine]), summary="Read the conversation"
)
def list_messages(request: Asked, number: Id, after: After = "", limit: Limit = 50) -> Listed[MessageLine]:
    """In the order in which it was written; notes of the team among it."""
    return messages_of(the_request(request.auth.person, number), after, limit)


@router.get(
    "/{number}/log", auth=may("read"), response=answers(Listed[EventLine]), summary="Read what happened, and why"
)
def list_log(request: Asked, number: Id, after: After = "", limit: Limit = 50) -> Listed[EventLine]:
    """Every decision with its reason."""
    return log_of(the_request(request.auth.person, number), after, limit)


@router.post("/{number}/answer", auth=may("answer"), response=answers(RequestLine), summary="Answer the requester")
def answer(request: Asked, number: Id, body: Answer) -> RequestLine:
    """The first answer keeps the promise of a first response."""
    the_request(request.auth.person, number)
    support.answer(number, body.text, request.auth.person, request.auth.now, waits_on=body.waits_on, door="api")
    return show_request(request, number)


@router.post("/{number}/note", auth=may("answer"), response=answers(RequestLine), summary="Write for the team alone")
def note(request: Asked, number: Id, body: Words) -> RequestLine:
    """The requester never sees it."""
    the_request(request.auth.person, number)
    support.note(number, body.text, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/take", auth=may("answer"), response=answers(RequestLine), summary="Take a request")
def take(request: Asked, number: Id) -> RequestLine:
    """It is yours."""
    the_request(request.auth.person, number)
    support.take(number, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/assign", auth=may("write"), response=answers(RequestLine), summary="Give a request to somebody")
def assign(request: Asked, number: Id, body: Receiver) -> RequestLine:
    """To a member of the team, or to nobody."""
    the_request(request.auth.person, number)
    to = the_person(request.auth.person, body.person) if body.person else None
    support.assign(number, to, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/ball", auth=may("answer"), response=answers(RequestLine), summary="Say whom it waits for")
def pass_ball(request: Asked, number: Id, body: Passed) -> RequestLine:
    """The clock stands still while it waits for the requester or a vendor."""
    the_request(request.auth.person, number)
    support.pass_ball(number, body.waits_on, body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.patch("/{number}", auth=may("write"), response=answers(RequestLine), summary="Change what a request is about")
def change(request: Asked, number: Id, body: ChangedRequest) -> RequestLine:
    """Promises and priority follow its class, service and impact."""
    row = the_request(request.auth.person, number)
    values: dict[str, object] = body.model_dump(exclude_unset=True)
    if "service" in values:
        values["service"] = the_service(request.auth.person, body.service) if body.service else None
    if "community" in values:
        values["community"] = community_named(row.team, body.community)
    demand_given(values, *(set(values) - {"service", "community"}))
    support.change(number, values, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.put("/{number}/priority", auth=may("write"), response=answers(RequestLine), summary="Put it where you want it")
def set_priority(request: Asked, number: Id, body: Placed) -> RequestLine:
    """With the reason, which stands beside it."""
    the_request(request.auth.person, number)
    support.set_priority(number, body.level, body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/resolve", auth=may("answer"), response=answers(RequestLine), summary="Resolve a request")
def resolve(request: Asked, number: Id, body: Ended) -> RequestLine:
    """The requester is told and may say no; after the team's silence it closes."""
    the_request(request.auth.person, number)
    support.resolve(number, body.outcome, body.text, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/reopen", auth=may("answer"), response=answers(RequestLine), summary="Open a request again")
def reopen(request: Asked, number: Id, body: Why) -> RequestLine:
    """Its clocks go on."""
    the_request(request.auth.person, number)
    support.reopen(number, body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/turn-away", auth=may("answer"), response=answers(RequestLine), summary="Turn it away politely")
def turn_away(request: Asked, number: Id, body: Words) -> RequestLine:
    """Not now, please raise it there: counted, and said in the team's own words."""
    the_request(request.auth.person, number)
    turning_away.turn_away(number, body.text, request.auth.person, request.auth.now)
    return show_request(request, number)

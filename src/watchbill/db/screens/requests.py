"""What the pages of requests show: the inbox by filters, one request with all that belongs to it, the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Prefetch, Q, QuerySet

from watchbill.db import desk_search, facts
from watchbill.db.models import (
    Attachment,
    Community,
    Event,
    ExpertAsk,
    Export,
    ExternalRef,
    Message,
    Person,
    Service,
    SupportRequest,
    Team,
    Ticket,
    VendorCase,
    WorkLog,
)
from watchbill.db.screens.visible import sees_team

ROWS = 50
OPEN_MOST = 5000
LINES = 200
COUNTED = 99
NOW_MOST = 12
TABS = ("unassigned", "mine", "open", "waiting", "resolved", "all")
OPEN_TABS = frozenset({"unassigned", "mine", "open", "waiting"})
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Filters:
    """What the inbox is narrowed to; the empty word means all."""

    tab: str = "open"
    team: str = ""
    request_class: str = ""
    service: str = ""
    community: str = ""
    text: str = ""


def find_request(person: Person, number: int) -> SupportRequest | None:
    """Find a request that somebody may see, with what its page says of it; None also for one of others.

    Whoever was asked for help with it sees it too.
    """
    rows = SupportRequest.objects.select_related(
        "team", "team__product_manager", "requester", "community", "service", "assignee", "opened_by"
    )
    found = rows.filter(pk=number).first()
    if found is None or sees_team(person, found.team_id):
        return found
    return found if ExpertAsk.objects.filter(request=found, person=person).exists() else None


def list_requests(person: Person, teams: Sequence[int] | None, filters: Filters, after: str) -> list[SupportRequest]:
    """Read one screen of requests, and one more, which tells that there are more; `after` is the key of a row.

    What is open is few: found first, sorted here in the teams' own order, then by the next deadline; a word may stand
    anywhere in it. The past is newest first, each team asked by itself, so that its index gives its newest rows; it is
    searched by whole words, of the conversation too, the last of which may be the beginning of one.
    """
    if filters.tab in OPEN_TABS:
        return _open_screen(person, teams, filters, after)
    before = int(after) if after.isdigit() else None
    found = [row for team in _each(teams) for row in _past(person, team, filters, before)[: ROWS + 1]]
    return sorted(found, key=lambda row: -row.pk)[: ROWS + 1]


def _each(teams: Sequence[int] | None) -> Sequence[int | None]:
    return [None] if teams is None else teams


def _every(teams: Sequence[int] | None) -> Sequence[int]:
    return list(Team.objects.values_list("pk", flat=True)) if teams is None else teams


def _past(person: Person, team: int | None, filters: Filters, before: int | None) -> QuerySet[SupportRequest]:
    teams = None if team is None else [team]
    if not filters.text or _number_in(filters.text) is not None:
        return desk_search.newest_first(_narrow(_of(teams), person, filters), before)
    rows = _narrow(_of(teams), person, replace(filters, text=""))
    return desk_search.newest_first(desk_search.join_found(rows, [filters.text], teams), before)


def _open_screen(person: Person, teams: Sequence[int] | None, filters: Filters, after: str) -> list[SupportRequest]:
    columns = ("pk", "rank", "due_at")
    rows = _narrow(_of(_every(teams)), person, filters).order_by().values_list(*columns)[:OPEN_MOST]
    keys = sorted((rank, due or NEVER, pk) for pk, rank, due in rows)
    start = _read_key(after)
    chosen = [pk for *rest, pk in keys if start is None or (*rest, pk) > start][: ROWS + 1]
    found = {row.pk: row for row in _of(None).filter(pk__in=chosen)}
    return [found[pk] for pk in chosen if pk in found]


def key_of(request: SupportRequest, tab: str) -> str:
    """Give the place of a row in its list, for the address of the next screen."""
    if tab not in OPEN_TABS:
        return str(request.pk)
    return f"{request.rank}-{((request.due_at or NEVER) - EPOCH) // TICK}-{request.pk}"


def _read_key(text: str) -> tuple[int, datetime, int] | None:
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdigit() and len(part) < 19 for part in parts):
        return None
    rank, due, number = (int(part) for part in parts)
    return (rank, EPOCH + min(due, (NEVER - EPOCH) // TICK) * TICK, number)


def every_request(person: Person, teams: Sequence[int] | None, filters: Filters, most: int) -> Iterator[SupportRequest]:
    """Read all requests of a filtered list, screen by screen, so that no answer holds them all."""
    after, given = "", 0
    while given < most:
        rows = list_requests(person, teams, filters, after)
        yield from rows[:ROWS]
        given += len(rows[:ROWS])
        if len(rows) <= ROWS:
            return
        after = key_of(rows[ROWS - 1], filters.tab)


def requests_of(team: Team) -> QuerySet[SupportRequest]:
    """Read the requests of a team, in no order yet."""
    return _of([team.pk])


def _of(teams: Sequence[int] | None) -> QuerySet[SupportRequest]:
    rows = SupportRequest.objects.select_related("team", "requester", "community", "service", "assignee")
    return rows if teams is None else rows.filter(team__in=teams)


def _narrow(rows: QuerySet[SupportRequest], person: Person, filters: Filters) -> QuerySet[SupportRequest]:
    match filters.tab:
        case "unassigned":
            rows = rows.filter(state="open", assignee=None)
        case "mine":
            rows = rows.filter(state="open", assignee=person)
        case "waiting":
            rows = rows.filter(state="open").exclude(waiting_on="us")
        case "resolved":
            rows = rows.exclude(state="open")
        case "open":
            rows = rows.filter(state="open")
    equal = {
        "team__slug": filters.team,
        "request_class": filters.request_class,
        "service__slug": filters.service,
        "community__slug": filters.community,
    }
    rows = rows.filter(**{name: value for name, value in equal.items() if value})
    return rows.filter(_holds(filters.text)) if filters.text else rows


def _number_in(text: str) -> int | None:
    number = text.strip().lower().removeprefix("r-")
    return int(number) if number.isdecimal() and len(number) < 16 else None


def _holds(text: str) -> Q:
    number = _number_in(text)
    if number is not None:
        return Q(pk=number)
    words = Q()
    for word in text.split()[:8]:
        words &= (
            Q(title__icontains=word)
            | Q(requester__name__icontains=word)
            | Q(requester__email__icontains=word)
            | Q(component__icontains=word)
        )
    return words


def count_unassigned(person: Person) -> int:
    """Count the open requests of somebody's teams that nobody has, up to 99 (INT-08)."""
    rows = SupportRequest.objects.filter(team__memberships__person=person, state="open", assignee=None)
    return len(rows.values_list("pk", flat=True)[:COUNTED])


def count_tab(person: Person, teams: Sequence[int] | None, tab: str) -> int:
    """Count one tab, up to 99."""
    return len(_narrow(_of(_every(teams)), person, Filters(tab=tab)).order_by().values_list("pk", flat=True)[:COUNTED])


def requests_now(person: Person, watched: Sequence[int]) -> list[SupportRequest]:
    """Read what asks for somebody now: what nobody has and what is late where they are on watch, and their own.

    What nobody has comes first, then what is late, then in the team's order (INT-08).
    """
    # Each half names the state, so that each is answered by an index of what is open.
    watch = Q(team__in=watched, state="open") & (Q(assignee=None) | Q(is_late=True))
    mine = Q(assignee=person, state="open") & (Q(waiting_on="us") | Q(is_late=True))
    rows = list(_of(None).filter(watch | mine).order_by("rank", "due_at", "id")[: NOW_MOST * 4])
    rows.sort(key=lambda row: (row.assignee_id is not None, not row.is_late, row.rank, row.due_at or NEVER, row.pk))
    return rows[:NOW_MOST]


def members_of(teams: Sequence[int]) -> list[Person]:
    """Read who may have a request of these teams."""
    rows = Person.objects.filter(
        is_active=True, memberships__team__in=teams, memberships__role__in=facts.SERVING
    ).distinct()
    return list(rows.order_by("name"))


def services_of(team: Team) -> list[Service]:
    """Read the services that a team supports."""
    return list(Service.objects.filter(team=team, archived_at=None).order_by("tier", "name"))


def communities_of(teams: Sequence[int]) -> list[Community]:
    """Read the communities of these teams."""
    return list(Community.objects.filter(team__in=teams, archived_at=None).order_by("name"))


@dataclass
class Story:
    """All that belongs to one request."""

    messages: list[Message] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    elsewhere: list[ExternalRef] = field(default_factory=list)
    vendor_cases: list[VendorCase] = field(default_factory=list)
    asks: list[ExpertAsk] = field(default_factory=list)
    work: list[WorkLog] = field(default_factory=list)
    running: list[WorkLog] = field(default_factory=list)
    unsent: list[Export] = field(default_factory=list)
    timeline: list[Event] = field(default_factory=list)
    earlier: list[SupportRequest] = field(default_factory=list)


def tell_request(request: SupportRequest) -> Story:
    """Read all that belongs to one request."""
    work = list(WorkLog.objects.filter(request=request).select_related("person").order_by("-id")[:LINES])
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk).order_by("-id")[:LINES]
    return Story(
        messages=messages_of(request),
        tickets=list(Ticket.objects.filter(request=request).select_related("assignee").order_by("id")),
        elsewhere=list(
            ExternalRef.objects.filter(subject_kind="request", subject_id=request.pk).select_related("connection")
        ),
        vendor_cases=list(VendorCase.objects.filter(request=request).order_by("closed_at", "-id")),
        asks=list(ExpertAsk.objects.filter(request=request).select_related("person", "asked_by").order_by("id")),
        work=[one for one in work if one.ended_at],
        running=[one for one in work if one.ended_at is None],
        unsent=list(
            Export.objects.filter(subject_kind="request", subject_id=request.pk, state="failed").order_by("-id")[:5]
        ),
        timeline=list(lines),
        earlier=list(
            SupportRequest.objects.filter(requester_id=request.requester_id).exclude(pk=request.pk).order_by("-id")[:5]
        ),
    )


def messages_of(request: SupportRequest, *, public: bool = False) -> list[Message]:
    """Read a conversation, oldest first, with the names of its files and not their content; `public`: without notes."""
    files = Prefetch("attachments", Attachment.objects.defer("content").order_by("id"))
    rows = Message.objects.filter(request=request)
    rows = rows.filter(direction__in=("in", "out")) if public else rows
    newest = rows.select_related("author").prefetch_related(files).order_by("-id")[:LINES]
    return list(reversed(newest))


def find_attachment(request: SupportRequest, number: int, *, public: bool = False) -> Attachment | None:
    """Find a file of a request; `public`: not one of a note."""
    rows = Attachment.objects.filter(message__request=request, pk=number)
    return (rows.filter(message__direction__in=("in", "out")) if public else rows).first()


def running_clock(person: Person) -> WorkLog | None:
    """Read the clock of somebody that runs, wherever it does."""
    return WorkLog.objects.filter(person=person, ended_at=None).select_related("request", "ticket").first()

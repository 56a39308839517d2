"""Pages: open one by hand, follow it, answer it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import paging
from watchbill.actions.once import once
from watchbill.core import explanation
from watchbill.db.models import Event, Outgoing, Page, Service, Team
from watchbill.db.screens import alerts as screen
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, pages_of, teams_of, the_page, the_person
from watchbill.entry.api.words import (
    ONCE_KEY,
    EventLine,
    Given,
    Id,
    Instant,
    Line,
    OnceKey,
    PersonRef,
    ServiceRef,
    Slug,
    TeamRef,
    Text,
)
from watchbill.kit.errors import Refused

router = Router(tags=["Pages"])
MOST_LINES = 500


class PageLine(BaseModel):
    """A page: a demand on a person to acknowledge."""

    id: int
    alert: int | None = Field(description="The alert it is for; null: somebody opened it by hand.")
    title: str
    details: str
    severity: str
    urgency: str
    state: str = Field(description="climbing, acknowledged, snoozed, exhausted or resolved.")
    team: TeamRef
    service: ServiceRef | None
    ladder: str
    step: int = Field(description="The last rung that was asked, from 0; -1: none yet.")
    opened_at: datetime
    opened_by: PersonRef | None
    answered_at: datetime | None
    answered_by: PersonRef | None
    until: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, page: Page) -> PageLine:
        """Show a page."""
        return cls(
            id=page.pk,
            alert=page.group_id,
            title=page.title,
            details=page.details,
            severity=page.severity,
            urgency=page.urgency,
            state=page.state,
            team=TeamRef.of(page.team),
            service=ServiceRef.of(page.service) if page.service else None,
            ladder=str(page.ladder.get("name", "")),
            step=page.step,
            opened_at=page.opened_at,
            opened_by=PersonRef.maybe(page.opened_by),
            answered_at=page.answered_at,
            answered_by=PersonRef.maybe(page.answered_by),
            until=page.until,
            closed_at=page.closed_at,
        )


class Notification(BaseModel):
    """One message to one address, its state, and what the vendor said."""

    id: int
    page: int
    person: PersonRef
    channel: str
    address: str
    state: str = Field(description="waiting, sent, failed or dropped.")
    why: str
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    attempt: int
    answer: str

    @classmethod
    def of(cls, row: Outgoing) -> Notification:
        """Show a message, without its words and its link."""
        return cls(
            id=row.pk,
            page=row.subject_id,
            person=PersonRef.of(row.person),
            channel=row.channel,
            address=row.address.label,
            state=row.state,
            why=row.why,
            created_at=row.created_at,
            due_at=row.due_at,
            finished_at=row.finished_at,
            attempt=row.attempt,
            answer=row.answer,
        )


class Reason(BaseModel):
    """One link of the chain of reasons; `at` null: it has not happened yet and may never."""

    at: datetime | None
    text: str

    @classmethod
    def of(cls, reason: explanation.Reason) -> Reason:
        """Show a reason."""
        return cls(at=reason.at, text=reason.text)


class PageWhole(PageLine):
    """A page with its timeline and every notification."""

    why: list[Reason] = Field(description="The whole chain, oldest first, and what follows if nobody answers.")
    timeline: list[EventLine]
    notifications: list[Notification]


class NewPage(Given):
    """Whom to ask, and for what: `to` by name, else the service's ladder, else the team's."""

    title: Line
    details: Text = ""
    team: Slug = ""
    service: Slug = ""
    to: Id | None = None
    urgency: Literal["important", "default"] = "important"


class Snooze(Given):
    """Until when nobody is asked."""

    until: Instant


class Reassignment(Given):
    """Who is asked to take it."""

    to: Id


def notifications_of(pages: Sequence[int]) -> list[Notification]:
    """Read every message of these pages, oldest first."""
    rows = Outgoing.objects.filter(subject_kind="page", subject_id__in=pages).select_related("person", "address")
    return [Notification.of(row) for row in rows.order_by("pk")[:MOST_LINES]]


@router.get("", auth=may("read"), response=answers(Listed[PageLine]), summary="List pages, newest first")
def list_pages(
    request: Asked,
    team: Slug = "",
    state: Literal["", "open", "climbing", "acknowledged", "snoozed", "exhausted", "resolved"] = "",
    mine: bool = False,
    after: After = "",
    limit: Limit = 50,
) -> Listed[PageLine]:
    """`state=open` is every state but resolved; `mine` are those that you answered or that asked you."""
    caller = request.auth
    rows = pages_of(caller.person)
    if team:
        rows = rows.filter(team__in=chosen_teams(caller.person, team))
    if state == "open":
        rows = rows.filter(closed_at=None)
    elif state:
        rows = rows.filter(state=state)
    if mine:
        asked = Outgoing.objects.filter(person=caller.person, subject_kind="page", purpose="page").values("subject_id")
        rows = rows.filter(pk__in=asked) | rows.filter(answered_by=caller.person)
    return by_id(rows, after, limit, PageLine.of, newest_first=True)


@router.post("", auth=may("answer"), response=answers(PageLine, 201), summary="Page a person, a service or a team")
def open_page(
    request: Asked,
    body: NewPage,
    idempotency_key: OnceKey = ONCE_KEY,
) -> Status[PageLine]:
    """With the header Idempotency-Key a retry gives the page that was opened first, and nobody is asked twice."""
    caller = request.auth
    team, service = _whom(body)
    to = the_person(caller.person, body.to) if body.to else None

    def act() -> int:
        words = {"details": body.details, "urgency": body.urgency}
        page = paging.page_people(team, body.title, caller.person, caller.now, service=service, to=to, **words)
        return page.pk

    number = once(idempotency_key, "page people", caller.person, caller.now, act)
    return Status(201, PageLine.of(the_page(caller.person, number)))


def _whom(body: NewPage) -> tuple[Team, Service | None]:
    """Find whom to page. Any team may be paged by whoever has an account, though its pages are its own."""
    service = None
    if body.service:
        service = Service.objects.select_related("team").filter(slug=body.service, archived_at=None).first()
        if service is None:
            raise Refused(f"there is no service “{body.service}”", "service")
    if not body.team:
        if service is None:
            raise Refused("say which service or which team is to answer", "team")
        return service.team, service
    team = Team.objects.filter(slug=body.team, archived_at=None).first()
    if team is None:
        raise Refused(f"there is no team “{body.team}”", "team")
    return team, service


@router.get("/{number}", auth=may("read"), response=answers(PageWhole), summary="Read one page, with its timeline")
def read_page(request: Asked, number: Id) -> PageWhole:
    """With every step. Every notification with its state and the vendor's answer is shown to the team alone."""
    person = request.auth.person
    page = the_page(person, number)
    is_theirs = teams_of(person).filter(pk=page.team_id).exists()
    lines = Event.objects.filter(subject_kind="page", subject_id=page.pk).order_by("pk")[:MOST_LINES]
    return PageWhole(
        **dict(PageLine.of(page)),
        why=[Reason.of(reason) for reason in screen.tell_page(page, request.auth.now).because],
        timeline=[EventLine.of(line) for line in lines],
        notifications=notifications_of([page.pk]) if is_theirs else [],
    )


@router.post(
    "/{number}/acknowledge", auth=may("answer"), response=answers(PageLine), summary="Take responsibility for a page"
)
def acknowledge(request: Asked, number: Id) -> PageLine:
    """The climb stops; after the team's time it asks again. A second time changes nothing."""
    caller = request.auth
    paging.acknowledge(the_page(caller.person, number).pk, caller.person, caller.now)
    return PageLine.of(the_page(caller.person, number))


@router.post("/{number}/resolve", auth=may("answer"), response=answers(PageLine), summary="Close a page and its alert")
def resolve(request: Asked, number: Id) -> PageLine:
    """A resolved one stays as it is, so a retry is safe."""
    caller = request.auth
    paging.resolve(the_page(caller.person, number).pk, caller.person, caller.now)
    return PageLine.of(the_page(caller.person, number))


@router.post(
    "/{number}/snooze", auth=may("answer"), response=answers(PageLine), summary="Ask nobody for a page until a time"
)
def snooze(request: Asked, number: Id, body: Snooze) -> PageLine:
    """At most a week ahead; then the climb starts over."""
    caller = request.auth
    paging.snooze(the_page(caller.person, number).pk, caller.person, body.until, caller.now)
    return PageLine.of(the_page(caller.person, number))


@router.post(
    "/{number}/reassign", auth=may("answer"), response=answers(PageLine), summary="Ask one person to take a page"
)
def reassign(request: Asked, number: Id, body: Reassignment) -> PageLine:
    """They are asked at once; if they do not answer the ladder goes on."""
    caller = request.auth
    page = the_page(caller.person, number)
    paging.reassign(page.pk, the_person(caller.person, body.to), caller.person, caller.now)
    return PageLine.of(the_page(caller.person, number))


@router.post(
    "/{number}/help", auth=may("answer"), response=answers(PageLine), summary="Ask the next rung for help at once"
)
def ask_for_help(request: Asked, number: Id) -> PageLine:
    """Whoever has the page keeps it until somebody else answers."""
    caller = request.auth
    paging.ask_for_help(the_page(caller.person, number).pk, caller.person, caller.now)
    return PageLine.of(the_page(caller.person, number))

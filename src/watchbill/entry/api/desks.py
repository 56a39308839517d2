"""A team's desk: its public page, the questions that are answered on it, the messages in the team's own words.

What only the requester does (to escalate by the published path, to confirm, to rate) is done on the requester's own
page, whose address is in every message to them; no token speaks for them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import desk_settings
from watchbill.db.models import CannedResponse, Desk, FaqEntry, Person, Team
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.visible import find_one, the_service, the_team
from watchbill.entry.api.words import Given, Id, Name, PersonRef, ServiceRef, Slug, TeamRef, Word, up_to
from watchbill.kit.errors import Refused

router = Router(tags=["Desks"])
PageText = Annotated[str, up_to(desk_settings.LONGEST_TEXT)]
Position = Annotated[int, Field(ge=0, le=10_000, description="Its place on the page; 0 comes first.")]
Question = Annotated[str, up_to(200, 1)]
Written = Annotated[str, up_to(desk_settings.LONGEST_TEXT, 1)]


class Contact(Given):
    """A named contact of the published path; with an account they are told by Watchbill."""

    name: Annotated[str, up_to(120)] = ""
    how: Annotated[str, up_to(200)] = ""
    person: Id | None = None


class DeskLine(BaseModel):
    """What a team's public page says, and where mail to it arrives."""

    team: TeamRef
    is_public: bool
    what: str
    how_long: str
    escalation: str
    contacts: list[dict[str, Any]]
    mail_address: str
    changed_at: datetime | None

    @classmethod
    def of(cls, team: Team) -> DeskLine:
        """Show a team's desk; one that nobody set up is empty."""
        row = Desk.objects.filter(team=team).first() or Desk(team=team)
        plain = ("is_public", "what", "how_long", "escalation", "contacts", "mail_address", "changed_at")
        return cls(team=TeamRef.of(team), **{name: getattr(row, name) for name in plain})


class DeskChange(Given):
    """What is to change; what is not given stays as it is."""

    is_public: bool = False
    what: PageText = ""
    how_long: PageText = ""
    escalation: PageText = ""
    contacts: list[Contact] = Field(default=[], max_length=desk_settings.MOST_CONTACTS)
    mail_address: Annotated[str, up_to(254)] = ""


class FaqLine(BaseModel):
    """A question as people ask it, and its answer."""

    id: int
    question: str
    answer: str
    service: ServiceRef | None
    position: int
    changed_at: datetime
    changed_by: PersonRef | None

    @classmethod
    def of(cls, row: FaqEntry) -> FaqLine:
        """Show a question."""
        service = ServiceRef.of(row.service) if row.service else None
        plain = ("question", "answer", "position", "changed_at")
        values = {name: getattr(row, name) for name in plain}
        return cls(id=row.pk, service=service, changed_by=PersonRef.maybe(row.changed_by), **values)


class NewFaq(Given):
    """A question with its answer."""

    question: Question
    answer: Written
    service: Slug | None = None


class FaqChange(Given):
    """What is to change; what is not given stays as it is."""

    question: Question = ""
    answer: Written = ""
    service: Slug | None = None
    position: Position = 0


class CannedLine(BaseModel):
    """A message of the team's own, with fields such as {requester}."""

    id: int
    kind: str
    name: str
    text: str
    changed_at: datetime
    changed_by: PersonRef | None

    @classmethod
    def of(cls, row: CannedResponse) -> CannedLine:
        """Show a message."""
        values = {name: getattr(row, name) for name in ("kind", "name", "text", "changed_at")}
        return cls(id=row.pk, changed_by=PersonRef.maybe(row.changed_by), **values)


class NewCanned(Given):
    """A ready message; the oldest of a kind is what Watchbill itself sends."""

    kind: Word = "other"
    name: Name
    text: Written


class CannedChange(Given):
    """What is to change; what is not given stays as it is."""

    kind: Word = ""
    name: Name = ""
    text: Written = ""


def _the_entry(person: Person, slug: str, number: int) -> FaqEntry:
    rows = FaqEntry.objects.filter(team=the_team(person, slug), removed_at=None)
    return find_one(rows.select_related("team", "service", "changed_by"), number, "question")


def _the_canned(person: Person, slug: str, number: int) -> CannedResponse:
    rows = CannedResponse.objects.filter(team=the_team(person, slug), removed_at=None)
    return find_one(rows.select_related("team", "changed_by"), number, "message")


def _faq_values(person: Person, body: NewFaq | FaqChange) -> dict[str, Any]:
    values = body.model_dump(exclude_unset=True)
    if "service" in values:
        values["service"] = the_service(person, body.service) if body.service else None
    return values


@router.get("/{slug}", auth=may("read"), response=answers(DeskLine), summary="Read a team's desk")
def read(request: Asked, slug: Slug) -> DeskLine:
    """What its public page says, its path of escalation, its mail address."""
    return DeskLine.of(the_team(request.auth.person, slug))


@router.patch("/{slug}", auth=may("write"), response=answers(DeskLine), summary="Change a team's desk")
def change(request: Asked, slug: Slug, body: DeskChange) -> DeskLine:
    """For owners. `contacts` replaces the whole list."""
    caller = request.auth
    team = the_team(caller.person, slug)
    desk_settings.change_desk(team, body.model_dump(exclude_unset=True), caller.person, caller.now)
    return DeskLine.of(team)


@router.get("/{slug}/faq", auth=may("read"), response=answers(list[FaqLine]), summary="List the questions on the page")
def list_faq(request: Asked, slug: Slug) -> list[FaqLine]:
    """In the order of the page."""
    rows = FaqEntry.objects.filter(team=the_team(request.auth.person, slug), removed_at=None)
    return [FaqLine.of(row) for row in rows.select_related("service", "changed_by").order_by("position", "id")]


@router.post("/{slug}/faq", auth=may("write"), response=answers(FaqLine, 201), summary="Add a question")
def add_faq(request: Asked, slug: Slug, body: NewFaq) -> Status[FaqLine]:
    """At the end of the page."""
    caller = request.auth
    team = the_team(caller.person, slug)
    made = desk_settings.add_faq(team, _faq_values(caller.person, body), caller.person, caller.now)
    return Status(201, FaqLine.of(made))


@router.patch("/{slug}/faq/{number}", auth=may("write"), response=answers(FaqLine), summary="Change a question")
def change_faq(request: Asked, slug: Slug, number: Id, body: FaqChange) -> FaqLine:
    """`position` moves it among the others."""
    caller = request.auth
    entry = _the_entry(caller.person, slug, number)
    return FaqLine.of(desk_settings.change_faq(entry, _faq_values(caller.person, body), caller.person, caller.now))


@router.delete("/{slug}/faq/{number}", auth=may("write"), response=answers(FaqLine), summary="Take a question away")
def remove_faq(request: Asked, slug: Slug, number: Id) -> FaqLine:
    """From the page; the log keeps it."""
    caller = request.auth
    entry = _the_entry(caller.person, slug, number)
    desk_settings.remove_faq(entry, caller.person, caller.now)
    return FaqLine.of(entry)


@router.get("/{slug}/messages", auth=may("read"), response=answers(list[CannedLine]), summary="List ready messages")
def list_messages(request: Asked, slug: Slug) -> list[CannedLine]:
    """The team's own, by name; of a kind without one, the words of Watchbill hold."""
    rows = CannedResponse.objects.filter(team=the_team(request.auth.person, slug), removed_at=None)
    return [CannedLine.of(row) for row in rows.select_related("changed_by").order_by("name", "id")]


@router.post("/{slug}/messages", auth=may("write"), response=answers(CannedLine, 201), summary="Add a ready message")
def add_message(request: Asked, slug: Slug, body: NewCanned) -> Status[CannedLine]:
    """With fields such as {requester}; one that there is not is refused, with those that there are."""
    caller = request.auth
    made = desk_settings.add_canned(the_team(caller.person, slug), body.model_dump(), caller.person, caller.now)
    return Status(201, CannedLine.of(made))


@router.patch(
    "/{slug}/messages/{number}", auth=may("write"), response=answers(CannedLine), summary="Change a ready message"
)
def change_message(request: Asked, slug: Slug, number: Id, body: CannedChange) -> CannedLine:
    """The log keeps the words before."""
    caller = request.auth
    values = body.model_dump(exclude_unset=True)
    if values.get("kind") == "":
        raise Refused("leave it out to keep it as it is", "kind")
    canned = _the_canned(caller.person, slug, number)
    return CannedLine.of(desk_settings.change_canned(canned, values, caller.person, caller.now))


@router.delete(
    "/{slug}/messages/{number}", auth=may("write"), response=answers(CannedLine), summary="Take a ready message away"
)
def remove_message(request: Asked, slug: Slug, number: Id) -> CannedLine:
    """Without one of the team's own, the words of Watchbill hold."""
    caller = request.auth
    canned = _the_canned(caller.person, slug, number)
    desk_settings.remove_canned(canned, caller.person, caller.now)
    return CannedLine.of(canned)

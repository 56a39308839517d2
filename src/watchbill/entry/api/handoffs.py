"""Handoffs of a watch: what is handed on, asked and answered about it, witnessed, accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import Field

from watchbill.actions import handoff
from watchbill.core.handoff import PARTS
from watchbill.db.models import Handoff, HandoffItem, HandoffQuestion, HandoffWitness, Person
from watchbill.db.screens import handoff as screen
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import find_one, people_of, the_rotation, the_team
from watchbill.entry.api.words import (
    Given,
    Id,
    Instant,
    PersonRef,
    RotationRef,
    Shown,
    Slug,
    TeamRef,
    Text,
    Word,
    demand_given,
    up_to,
)
from watchbill.kit.errors import Refused

router = Router(tags=["Handoffs"])
Said = Annotated[str, up_to(10_000)]
State = Literal["", "draft", "handed_on", "accepted", "dropped"]
How = Literal["", "meeting", "call", "chat", "notes"]


class NewHandoff(Given):
    """Which watch is handed on: that of the caller in this seat, else of whoever stands there."""

    rotation: Slug
    seat: Word


class Summary(Given):
    """The most important in words; `version` is that of the handoff that was read."""

    summary: Said
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]


class Acceptance(Given):
    """How it was handed over (empty: as the team does it), that the order is clear, who of the team was there."""

    how: How = ""
    confirms: bool = False
    witnesses: Annotated[list[Id], Field(max_length=50)] = []


class HandoffWhy(Given):
    """Why it is not needed."""

    why: Annotated[str, up_to(2000)] = ""


class Seen(Given):
    """Who was there; null: the caller."""

    person: Id | None = None


class NewItem(Given):
    """A line that no fact gave."""

    title: Annotated[str, up_to(200, 1)]
    detail: Said = ""


class ItemMarks(Given):
    """What is said of a line; what is not given stays. `note` also stands on its ticket or request."""

    is_first: bool | None = None
    keeps: bool | None = None
    note: Said | None = None


class NewQuestion(Given):
    """What is asked, about one line or, with null, about the whole."""

    text: Text
    item: Id | None = None


class QuestionAnswer(Given):
    """The answer."""

    text: Text


class ItemLine(Shown):
    """A line: its part, what it is about (`about`, `about_id`), the instant that matters next and what happens then."""

    id: int
    part: str
    about: str
    about_id: int
    title: str
    detail: str
    priority: str
    at: datetime | None
    at_words: str
    note: str
    is_first: bool
    keeps: bool
    is_over: bool
    added_by: PersonRef | None


class QuestionLine(Shown):
    """A question, about the line `item` or the whole, and its answer; empty: not answered yet."""

    id: int
    item: int | None
    asker: PersonRef | None
    text: str
    at: datetime
    answer: str
    answered_by: PersonRef | None
    answered_at: datetime | None

    @classmethod
    def of(cls, row: HandoffQuestion) -> QuestionLine:
        """Show a question."""
        return cls.read(row, item=row.item_id)


class WitnessLine(Shown):
    """Somebody of the team who was there."""

    person: PersonRef
    at: datetime
    noted_by: PersonRef | None

    @classmethod
    def of(cls, row: HandoffWitness) -> WitnessLine:
        """Show a witness."""
        return cls.read(row)


class HandoffLine(Shown):
    """A handoff: of which watch, from whom to whom; `state` is draft, handed_on, accepted or dropped."""

    id: int
    team: TeamRef
    rotation: RotationRef
    seat: str
    leaver: PersonRef
    comer: PersonRef | None
    began_at: datetime
    starts_at: datetime
    ends_at: datetime
    due_at: datetime
    state: str
    mode: str
    how: str
    summary: str
    version: int
    order_confirmed: bool
    drafted_at: datetime
    handed_on_at: datetime | None
    accepted_at: datetime | None
    accepted_by: PersonRef | None
    settled_at: datetime | None = Field(description="When what followed the one who left was given on.")

    @classmethod
    def of(cls, row: Handoff) -> HandoffLine:
        """Show a handoff."""
        return cls.read(row)


class WholeHandoff(HandoffLine):
    """A handoff with its lines by part and order, questions and witnesses."""

    items: list[ItemLine]
    questions: list[QuestionLine]
    witnesses: list[WitnessLine]


def the_handoff(person: Person, number: int) -> Handoff:
    """Read a handoff of the caller's teams; raises Http404."""
    return find_one(screen.find(person, screen.Filters()), number, "handoff")


def _whole(person: Person, number: int) -> WholeHandoff:
    row = the_handoff(person, number)
    order = list(PARTS)
    items = sorted(row.items.select_related("added_by"), key=lambda one: (order.index(one.part), one.position, one.pk))
    asked = row.questions.select_related("asker", "answered_by").order_by("id")
    seen = row.witnesses.select_related("person", "noted_by").order_by("id")
    return WholeHandoff(
        **HandoffLine.of(row).model_dump(),
        items=[ItemLine.read(one) for one in items],
        questions=[QuestionLine.of(one) for one in asked],
        witnesses=[WitnessLine.of(one) for one in seen],
    )


@router.get("", auth=may("read"), response=answers(Listed[HandoffLine]), summary="List handoffs, newest first")
def list_handoffs(
    request: Asked,
    team: Slug = "",
    rotation: Slug = "",
    person: Id | None = None,
    state: State = "",
    since: Instant | None = None,
    until: Instant | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Listed[HandoffLine]:
    """Of a person whichever side they stood on; of shifts that ended from `since` until `until`."""
    caller = request.auth.person
    if team:
        the_team(caller, team)
    if rotation:
        the_rotation(caller, rotation)
    filters = screen.Filters(team, rotation, person, state, since, until)
    return by_id(screen.find(caller, filters), after, limit, HandoffLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(WholeHandoff, 201), summary="Begin a handoff")
def begin(request: Asked, body: NewHandoff) -> Status[WholeHandoff]:
    """Before its time, or where the team drafts none by itself; one that stands is given as it is."""
    caller = request.auth
    made = handoff.begin(the_rotation(caller.person, body.rotation), body.seat, caller.person, caller.now)
    return Status(201, _whole(caller.person, made.pk))


@router.get("/{number}", auth=may("read"), response=answers(WholeHandoff), summary="Read a handoff")
def read(request: Asked, number: Id) -> WholeHandoff:
    """With its lines, questions and witnesses."""
    return _whole(request.auth.person, number)


@router.patch("/{number}", auth=may("write"), response=answers(WholeHandoff), summary="Say the most important in words")
def summary(request: Asked, number: Id, body: Summary) -> WholeHandoff:
    """Refused when somebody else changed it since this version."""
    caller = request.auth
    the_handoff(caller.person, number)
    handoff.write_summary(number, body.summary, body.version, caller.person, caller.now)
    return _whole(caller.person, number)


@router.post("/{number}/redraft", auth=may("write"), response=answers(WholeHandoff), summary="Draft a handoff anew")
def redraft(request: Asked, number: Id) -> WholeHandoff:
    """From what stands now; what was written on it stays."""
    caller = request.auth
    the_handoff(caller.person, number)
    handoff.redraft(number, caller.person, caller.now)
    return _whole(caller.person, number)


@router.post("/{number}/hand-on", auth=may("write"), response=answers(WholeHandoff), summary="Hand it on")
def hand_on(request: Asked, number: Id) -> WholeHandoff:
    """Drafted anew from what stands now; the one who comes is told."""
    caller = request.auth
    the_handoff(caller.person, number)
    handoff.hand_on(number, caller.person, caller.now)
    return _whole(caller.person, number)


@router.post("/{number}/accept", auth=may("write"), response=answers(WholeHandoff), summary="Accept a handoff")
def accept(request: Asked, number: Id, body: Acceptance) -> WholeHandoff:
    """From then, and from the end of the shift, nothing of it follows the one who left."""
    caller = request.auth
    the_handoff(caller.person, number)
    seen = [_person(caller.person, one) for one in body.witnesses]
    handoff.accept(number, caller.person, caller.now, how=body.how, confirms=body.confirms, witnesses=seen)
    return _whole(caller.person, number)


def _person(caller: Person, number: int) -> Person:
    found = people_of(caller).filter(pk=number).first()
    if found is None:
        raise Refused(f"there is no person {number}", "witnesses")
    return found


@router.post("/{number}/drop", auth=may("write"), response=answers(WholeHandoff), summary="Say that it is not needed")
def drop(request: Asked, number: Id, body: HandoffWhy) -> WholeHandoff:
    """Nobody leaves after all, or it was said otherwise."""
    caller = request.auth
    the_handoff(caller.person, number)
    handoff.drop(number, body.why, caller.person, caller.now)
    return _whole(caller.person, number)


@router.post("/{number}/witnesses", auth=may("answer"), response=answers(WitnessLine), summary="Note who was there")
def witness(request: Asked, number: Id, body: Seen) -> WitnessLine:
    """Oneself; others are noted by those who hand over."""
    caller = request.auth
    the_handoff(caller.person, number)
    whom = _person(caller.person, body.person) if body.person else caller.person
    return WitnessLine.of(handoff.witness(number, whom, caller.person, caller.now))


@router.post(
    "/{number}/questions", auth=may("answer"), response=answers(QuestionLine, 201), summary="Ask about a handoff"
)
def ask(request: Asked, number: Id, body: NewQuestion) -> Status[QuestionLine]:
    """About a line that is a ticket or a request, the question stands there too."""
    caller = request.auth
    the_handoff(caller.person, number)
    return Status(
        201, QuestionLine.of(handoff.ask_about(number, body.item, body.text, caller.person, caller.now))
    )  # fmt: skip


@router.post(
    "/{number}/questions/{question}/answer", auth=may("answer"), response=answers(QuestionLine), summary="Answer a question"
)  # fmt: skip
def answer(request: Asked, number: Id, question: Id, body: QuestionAnswer) -> QuestionLine:
    """Where it was asked too."""
    caller = request.auth
    find_one(the_handoff(caller.person, number).questions.all(), question, "question")
    return QuestionLine.of(handoff.answer(question, body.text, caller.person, caller.now))


@router.post("/{number}/items", auth=may("write"), response=answers(ItemLine, 201), summary="Add a line")
def add_item(request: Asked, number: Id, body: NewItem) -> Status[ItemLine]:
    """One that no fact gave."""
    caller = request.auth
    the_handoff(caller.person, number)
    return Status(201, ItemLine.read(handoff.add_item(number, body.title, body.detail, caller.person, caller.now)))


@router.patch("/{number}/items/{item}", auth=may("write"), response=answers(ItemLine), summary="Mark or note a line")
def change_item(request: Asked, number: Id, item: Id, body: ItemMarks) -> ItemLine:
    """That it comes first, that the one who leaves keeps it, a note that also stands on its ticket or request."""
    caller = request.auth
    row = _the_item(caller.person, number, item)
    demand_given(body.model_dump(exclude_unset=True), "is_first", "keeps", "note")
    if body.note is not None:
        row = handoff.note_item(item, body.note, caller.person, caller.now)
    if body.is_first is not None or body.keeps is not None:
        row = handoff.mark_item(item, caller.person, caller.now, is_first=body.is_first, keeps=body.keeps)
    return ItemLine.read(row)


@router.delete("/{number}/items/{item}", auth=may("write"), response=answers(WholeHandoff), summary="Take a line away")
def remove_item(request: Asked, number: Id, item: Id) -> WholeHandoff:
    """Only one that a person added."""
    caller = request.auth
    _the_item(caller.person, number, item)
    handoff.remove_item(item, caller.person, caller.now)
    return _whole(caller.person, number)


def _the_item(person: Person, number: int, item: int) -> HandoffItem:
    return find_one(the_handoff(person, number).items.select_related("added_by"), item, "line")

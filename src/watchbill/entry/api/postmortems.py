"""Post-mortems: read them, write their sections, their actions, where they go; bring in reports from elsewhere."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal

from django.db.models import QuerySet
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import action_items, postmortem_sections, postmortems, publishing, report_import
from watchbill.actions.action_items import Wanted
from watchbill.actions.postmortem_files import file_name, report_of
from watchbill.core.reports.write import write_markdown, write_myst
from watchbill.db.models import ActionItem, Person, PostMortem
from watchbill.db.postmortem_facts import actions_of, open_revisions, readable_by
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, the_person, the_team
from watchbill.entry.api.words import Day, Given, Id, LongText, PersonRef, Slug, TeamRef, Title, up_to
from watchbill.kit.errors import Refused

router = Router(tags=["Post-mortems"])
State = Literal["draft", "in_review", "reviewed", "published"]
Kind = Literal["process", "documentation", "technical"]
Purpose = Literal["prevent", "detect", "mitigate"]
Target = Literal["page", "git", "confluence", "chat"]


class PostMortemLine(BaseModel):
    """A post-mortem as it stands."""

    id: int
    incident: int
    team: TeamRef
    title: str
    state: str
    owner: PersonRef | None
    due_at: datetime | None
    publish_by: datetime | None
    meeting_at: datetime | None
    public_url: str = Field(description="Empty: it has no public page.")
    is_exercise: bool

    @classmethod
    def of(cls, row: PostMortem) -> PostMortemLine:
        """Show a row."""
        return cls(
            id=row.pk,
            incident=row.incident_id,
            team=TeamRef.of(row.team),
            title=row.title,
            state=row.state,
            owner=PersonRef.of(row.owner) if row.owner else None,
            due_at=row.due_at,
            publish_by=row.publish_by,
            meeting_at=row.meeting_at,
            public_url=publishing.public_url(row) if row.is_public else "",
            is_exercise=row.incident.is_exercise,
        )


class SectionLine(BaseModel):
    """A section; send `version` back with what you write."""

    id: int
    key: str
    heading: str
    text: str
    version: int


class ActionLine(BaseModel):
    """An action, which is a ticket."""

    id: int
    ticket: int
    title: str
    is_done: bool
    kind: str
    purpose: str
    is_smallest: bool

    @classmethod
    def of(cls, item: ActionItem) -> ActionLine:
        """Show a row."""
        return cls(
            id=item.pk,
            ticket=item.ticket_id,
            title=item.ticket.title,
            is_done=item.ticket.stage == "done",
            kind=item.kind,
            purpose=item.purpose,
            is_smallest=item.is_smallest,
        )


class AsideLine(BaseModel):
    """Words that met another's in the same place, and wait to be settled."""

    id: int
    section: int
    text: str


class PublicationLine(BaseModel):
    """Where it was published, and how far that is."""

    target: str
    state: str
    url: str
    answer: str


class WholePostMortem(PostMortemLine):
    """A post-mortem with its sections, its actions and where it stands."""

    impact: dict[str, str]
    sections: list[SectionLine]
    set_aside: list[AsideLine]
    actions: list[ActionLine]
    publications: list[PublicationLine]
    is_changed: bool = Field(description="The public page shows an earlier version: publish again.")
    missing: list[str] = Field(description="What is missing before it is reviewed.")
    not_understood: list[str] = Field(description="What could not be read of an imported report.")


class FileLine(BaseModel):
    """A post-mortem as a file."""

    name: str
    text: str


class NewPostMortem(Given):
    """Begin one for an incident."""

    incident: Id
    why: Annotated[str, up_to(500)] = ""


class WrittenSection(Given):
    """What you made of version `version`."""

    text: LongText
    version: Annotated[int, Field(ge=0, le=2_000_000_000)]


class Settled(WrittenSection):
    """One text, made of the section and of what was set aside."""

    revision: Id


class SavedLine(BaseModel):
    """What became of it: `set_aside` names the revision in which your words are kept when they met another's."""

    section: SectionLine
    was_merged: bool
    set_aside: int | None


class MovedPostMortem(Given):
    """Where it goes; back needs a reason."""

    state: State
    why: Annotated[str, up_to(500)] = ""


class NewAction(Given):
    """An action: one `line` as in the meeting, or its parts."""

    line: Annotated[str, up_to(300)] = ""
    title: Title | None = None
    text: LongText = ""
    owner: Id | None = None
    due_on: Day | None = None
    kind: Kind = "technical"
    purpose: Purpose = "prevent"
    is_smallest: bool = False


class Published(Given):
    """Where it goes; empty: where the team's rule says."""

    targets: Annotated[list[Target], Field(max_length=4)] = []


class NewReport(Given):
    """The file of a report."""

    team: Slug
    name: Annotated[str, up_to(255, 1)]
    content: Annotated[str, Field(max_length=30_000_000, description="The bytes, in base64.")]


class ImportedLine(BaseModel):
    """What became of a file."""

    postmortem: int
    title: str
    is_new: bool
    guesses: list[str]
    not_understood: list[str]


def _rows(person: Person) -> QuerySet[PostMortem]:
    return readable_by(person).select_related("team", "incident", "owner", "reviewed_by")


def _the(request: Asked, number: int) -> PostMortem:
    return find_one(_rows(request.auth.person), number, "post-mortem")


def _line(request: Asked, number: int) -> PostMortemLine:
    return PostMortemLine.of(_the(request, number))


@router.get("", auth=may("read"), response=answers(Listed[PostMortemLine]), summary="List post-mortems")
def list_postmortems(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[PostMortemLine]:
    """The newest first; those of private incidents only for who may see them."""
    rows = _rows(request.auth.person)
    if team:
        rows = rows.filter(team__in=chosen_teams(request.auth.person, team))
    return by_id(rows, after, limit, PostMortemLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(PostMortemLine, 201), summary="Begin one for an incident")
def begin(request: Asked, body: NewPostMortem) -> Status[PostMortemLine]:
    """From what the record tells; one that stands already is given back."""
    made = postmortems.begin_by_hand(body.incident, request.auth.person, request.auth.now, body.why)
    return Status(201, _line(request, made.pk))


@router.post("/import", auth=may("write"), response=answers(ImportedLine, 201), summary="Bring in a report")
def import_report(request: Asked, body: NewReport) -> Status[ImportedLine]:
    """Markdown or PDF; the same file a second time makes nothing new."""
    team = the_team(request.auth.person, body.team)
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("send the bytes of the file in base64", "content") from None
    done = report_import.import_file(team, content, body.name, request.auth.person, request.auth.now)
    line = ImportedLine(
        postmortem=done.postmortem.pk,
        title=done.postmortem.title,
        is_new=done.is_new,
        guesses=[f"line {one.line}: {one.text}: {one.why}" for one in done.guesses],
        not_understood=[f"line {one.line}: {one.text}: {one.why}" for one in done.not_understood],
    )
    return Status(201, line)


@router.get("/{number}", auth=may("read"), response=answers(WholePostMortem), summary="Read one")
def read(request: Asked, number: Id) -> WholePostMortem:
    """With its sections, what was set aside, its actions, and where it was published."""
    row = _the(request, number)
    return WholePostMortem(
        **PostMortemLine.of(row).model_dump(),
        impact={name: str(value) for name, value in row.impact.items()},
        sections=[
            SectionLine(id=one.pk, key=one.key, heading=one.heading, text=one.text, version=one.version)
            for one in row.sections.order_by("position", "id")
        ],
        set_aside=[AsideLine(id=one.pk, section=one.section_id, text=one.text) for one in open_revisions(row)],
        actions=[ActionLine.of(item) for item in actions_of(row)],
        publications=[
            PublicationLine(target=one.publication.target, state=one.state, url=one.publication.url, answer=one.answer)
            for one in publishing.standings(row)
        ],
        is_changed=row.is_public and publishing.is_changed(row),
        missing=postmortems.missing_of(row, "reviewed", request.auth.now),
        not_understood=[f"line {one['line']}: {one['text']}: {one['why']}" for one in row.not_understood],
    )


@router.get("/{number}/file", auth=may("read"), response=answers(FileLine), summary="Take it along as a file")
def as_file(request: Asked, number: Id, style: Literal["markdown", "myst"] = "markdown") -> FileLine:
    """Markdown that loses nothing, or MyST as 2i2c publishes it. Importing it again gives the same record."""
    row = _the(request, number)
    text = (write_myst if style == "myst" else write_markdown)(report_of(row))
    return FileLine(name=file_name(row, "md"), text=text)


def _saved(saved: postmortem_sections.Saved) -> SavedLine:
    one = saved.section
    line = SectionLine(id=one.pk, key=one.key, heading=one.heading, text=one.text, version=one.version)
    aside = saved.set_aside.pk if saved.set_aside else None
    return SavedLine(section=line, was_merged=saved.was_merged, set_aside=aside)


@router.put(
    "/{number}/sections/{section}", auth=may("answer"), response=answers(SavedLine), summary="Write in a section"
)
def write_section(request: Asked, number: Id, section: Id, body: WrittenSection) -> SavedLine:
    """Against the version that you began from: nothing that others wrote meanwhile is lost, and nothing of yours."""
    row = find_one(_the(request, number).sections.all(), section, "section")
    return _saved(postmortem_sections.save(row.pk, body.text, body.version, request.auth.person, request.auth.now))


@router.post("/{number}/settle", auth=may("answer"), response=answers(SavedLine), summary="Settle words set aside")
def settle(request: Asked, number: Id, body: Settled) -> SavedLine:
    """Send one text that was made of both."""
    row = find_one(open_revisions(_the(request, number)), body.revision, "revision")
    return _saved(postmortem_sections.settle(row.pk, body.text, body.version, request.auth.person, request.auth.now))


@router.post("/{number}/move", auth=may("answer"), response=answers(PostMortemLine), summary="Move it on, or back")
def move(request: Asked, number: Id, body: MovedPostMortem) -> PostMortemLine:
    """All that is missing is said at once."""
    _the(request, number)
    postmortems.move(number, body.state, request.auth.person, request.auth.now, body.why)
    return _line(request, number)


@router.post("/{number}/actions", auth=may("write"), response=answers(ActionLine, 201), summary="Add an action")
def add_action(request: Asked, number: Id, body: NewAction) -> Status[ActionLine]:
    """It becomes a ticket of kind action."""
    _the(request, number)
    caller = request.auth
    if body.line:
        item = action_items.add_line(number, body.line, caller.person, caller.now)
    elif body.title:
        owner = the_person(caller.person, body.owner) if body.owner else None
        wanted = Wanted(body.title, body.text, owner, body.due_on, body.kind, body.purpose, "", body.is_smallest)
        item = action_items.add(number, wanted, caller.person, caller.now)
    else:
        raise Refused("give a line, or a title", "title")
    return Status(201, ActionLine.of(item))


@router.post("/{number}/publish", auth=may("write"), response=answers(PostMortemLine), summary="Publish it")
def publish(request: Asked, number: Id, body: Published) -> PostMortemLine:
    """Where the team's rule says, or to `targets`; without names."""
    _the(request, number)
    publishing.publish(number, request.auth.person, request.auth.now, targets=body.targets)
    return _line(request, number)

"""What comes in and goes out of the API about a post-mortem."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from watchbill.actions import publishing
from watchbill.db.models import ActionItem, PostMortem, PostMortemAttendee
from watchbill.entry.api.words import (
    Day,
    Given,
    Id,
    Instant,
    LongText,
    Name,
    PersonRef,
    Shown,
    Slug,
    TeamRef,
    Title,
    up_to,
)

State = Literal["draft", "in_review", "reviewed", "published"]
Kind = Literal["process", "documentation", "technical"]
Purpose = Literal["prevent", "detect", "mitigate"]
Target = Literal["page", "git", "confluence", "chat"]


class PostMortemLine(Shown):
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
    meeting_minutes: int | None
    public_url: str = Field(description="Empty: it has no public page.")
    is_exercise: bool

    @classmethod
    def of(cls, row: PostMortem) -> PostMortemLine:
        """Show a row."""
        return cls.read(
            row,
            incident=row.incident_id,
            public_url=publishing.public_url(row) if row.is_public else "",
            is_exercise=row.incident.is_exercise,
        )


class SectionLine(Shown):
    """A section; send `version` back with what you write."""

    id: int
    key: str
    heading: str
    text: str
    version: int


class ActionLine(Shown):
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
        ticket = item.ticket
        return cls.read(item, ticket=ticket.pk, title=ticket.title, is_done=ticket.stage == "done")


class AsideLine(BaseModel):
    """Words that met another's in the same place, and wait to be settled."""

    id: int
    section: int
    text: str


class AttendeeLine(Shown):
    """Somebody who is asked to the meeting: a colleague, or a guest by name and address."""

    id: int
    person: PersonRef | None
    name: str
    email: str
    is_required: bool
    why: str

    @classmethod
    def of(cls, row: PostMortemAttendee) -> AttendeeLine:
        """Show a row."""
        return cls.read(row)


class PublicationLine(BaseModel):
    """Where it was published, and how far that is."""

    id: int
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
    attendees: list[AttendeeLine]
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
    connection: Id | None = Field(None, description="Which repository or wiki; null: the first that fits.")


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


class ChangedPostMortem(Given):
    """What changes; what is not given stays, null takes the owner or the date away."""

    title: Annotated[str, up_to(200, 1)] | None = None
    owner: Id | None = None
    due_at: Instant | None = None


class ImpactFigures(Given):
    """Numbers of the impact by what they count; an empty one is taken away."""

    impact: Annotated[dict[Annotated[str, up_to(120, 1)], Annotated[str, up_to(120)]], Field(max_length=100)]


class PlannedMeeting(Given):
    """When the meeting is; null minutes: as the team's rule says."""

    at: Instant
    minutes: Annotated[int, Field(ge=5, le=480)] | None = None


class PostMortemWhy(Given):
    """Why."""

    why: Annotated[str, up_to(500)] = ""


class NewAttendee(Given):
    """Who is asked to the meeting: a person, or a guest by name and address."""

    person: Id | None = None
    name: Name = ""
    email: Annotated[str, up_to(254)] = ""
    is_required: bool = True


class ChangedAction(Given):
    """What an action is for; what is not given stays."""

    kind: Kind | None = None
    purpose: Purpose | None = None
    is_smallest: bool | None = None


class ActionPlace(Given):
    """Its place in the list, 0 first."""

    place: Annotated[int, Field(ge=0, le=10_000)]

"""What a team's backlog says: epics against their dates, what is to be groomed, what lies, who is asked how often."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import epics, experts, grooming, routing, stale, ticket_pairs, tracking
from watchbill.actions.access import require
from watchbill.actions.epics import Outlook, Part
from watchbill.actions.grooming import Groomed, Topic
from watchbill.actions.tickets import Written
from watchbill.core.wallclock import whole_days
from watchbill.core.workload import Progress
from watchbill.db import ticket_facts
from watchbill.db.models import Team, Ticket
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import TicketLine
from watchbill.entry.api.errors import answers
from watchbill.entry.api.sprints import the_sprint
from watchbill.entry.api.tickets import Kind, Points, show_ticket, the_ticket
from watchbill.entry.api.visible import the_alert, the_service, the_team
from watchbill.entry.api.words import Day, Given, Id, LongText, Name, PersonRef, Slug, Text, Title, Word
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span

router = Router(tags=["Backlog"])
of_tickets = Router(tags=["Tickets"])
of_alerts = Router(tags=["Alerts"])
MOST_DAYS = timedelta(days=3 * 366)
Labels = Annotated[list[Word], Field(max_length=20)]


class TicketRef(BaseModel):
    """A ticket, in short."""

    id: int
    reference: str
    title: str
    kind: str
    stage: str
    points: int | None
    assignee: PersonRef | None
    seat: str

    @classmethod
    def of(cls, row: Ticket) -> TicketRef:
        """Show a ticket in short."""
        values = {name: getattr(row, name) for name in ("title", "kind", "stage", "points", "seat")}
        return cls(id=row.pk, reference=f"T-{row.pk}", assignee=PersonRef.maybe(row.assignee), **values)


class NewPart(Given):
    """One part of an epic."""

    title: Title
    points: Points | None = None
    kind: Kind = "task"


class Parts(Given):
    """The parts of an epic."""

    parts: list[NewPart] = Field(min_length=1, max_length=epics.MOST_PARTS)


class ProgressLine(BaseModel):
    """How far an epic is."""

    parts: int
    done_parts: int
    points: int
    done_points: int
    unsized: int = Field(description="Parts without points.")

    @classmethod
    def of(cls, found: Progress) -> ProgressLine:
        """Show how far it is."""
        return cls.model_validate(found, from_attributes=True)


class OutlookLine(BaseModel):
    """An open epic against its date at the team's pace."""

    epic: TicketRef
    progress: ProgressLine
    state: str = Field(description="late, tight, unknown (no pace, or parts without points), undated or calm.")
    due_on: date | None
    days_left: int | None
    days_needed: int | None

    @classmethod
    def of(cls, found: Outlook) -> OutlookLine:
        """Show an outlook."""
        return cls(
            epic=TicketRef.of(found.epic),
            progress=ProgressLine.of(found.progress),
            state=found.state,
            due_on=found.due_on,
            days_left=found.slack.days_left,
            days_needed=found.slack.days_needed,
        )


class TopicLine(BaseModel):
    """A ticket to talk about: why now, and what was decided the last time."""

    ticket: TicketRef
    why: str
    last: str

    @classmethod
    def of(cls, found: Topic) -> TopicLine:
        """Show a topic."""
        return cls(ticket=TicketRef.of(found.ticket), why=found.why, last=found.last)


class AgendaLines(BaseModel):
    """The two sections of grooming, and the epics with what burns first on top."""

    feature: list[TopicLine]
    operations: list[TopicLine]
    epics: list[OutlookLine]
    more: bool = Field(description="A section was cut.")


class Decided(Given):
    """What was decided: plan (in `sprint`), later (from `until`), drop (with a `note`), split (in `parts`)."""

    decision: Literal["plan", "later", "drop", "split"]
    sprint: Id | None = None
    points: Points | None = None
    note: Text = ""
    until: Day | None = None
    parts: list[NewPart] = Field(default=[], max_length=epics.MOST_PARTS)


class UnpairedLine(BaseModel):
    """A quick fix that nobody follows up; its age is since it was done, or since it was written."""

    ticket: TicketRef
    is_done: bool
    age_seconds: int
    is_old: bool


class UnpairedLines(BaseModel):
    """The quick fixes without a lasting fix and without a reason, the oldest first."""

    items: list[UnpairedLine]
    old: int
    more: bool


class StaleLine(BaseModel):
    """A ticket that nobody touched for long."""

    ticket: TicketRef
    since: datetime
    days: int
    why: str


class ForStandup(BaseModel):
    """A request that the team talks about next."""

    request: int
    title: str
    why: str


class ShareLine(BaseModel):
    """How often somebody was asked to take work on."""

    person: PersonRef
    asked: int
    took: int
    in_a_row: int
    percent: int


class MedianLine(BaseModel):
    """The median time of a stage."""

    stage: str
    seconds: int


class MedianLines(BaseModel):
    """How long the tickets that were done in a time typically stayed in each stage."""

    stages: list[MedianLine]
    count: int
    capped: bool = Field(description="Only the newest were measured.")


class NewSpinOff(Given):
    """A ticket that came out of another."""

    title: Title
    text: LongText = ""
    kind: Kind = "task"
    link: Literal["spin_off_of", "lasting_fix_of", "blocks", "relates_to"] = "spin_off_of"


class OccurrenceLine(BaseModel):
    """One time it happened."""

    at: datetime
    text: str
    by: str
    alert: int | None


class WatchFor(Given):
    """An alert group's key, or words of its title, of a service; an empty key ends it."""

    service: Slug | None = None
    key: Name = ""


class AboutAlert(Given):
    """What somebody writes about an alert."""

    title: Title = ""
    text: LongText = ""
    kind: Kind = "task"
    points: Points | None = None
    labels: Labels = []
    runbook: Name = Field("", description="The section of the runbook that resolved it.")
    solved: bool = True
    seat: Word = ""


def _days(team: Team, since: date, until: date) -> Span:
    if not since <= until <= since + MOST_DAYS:
        raise Refused(f"the last day comes after the first, at most {MOST_DAYS.days} days", "until")
    return whole_days(since, until, team.zone)


def _parts(given: list[NewPart]) -> list[Part]:
    return [Part(part.title, part.points, part.kind) for part in given]


@router.get("/{slug}/epics", auth=may("read"), response=answers(list[OutlookLine]), summary="See epics and their dates")
def list_epics(request: Asked, slug: Slug) -> list[OutlookLine]:
    """The open ones, what burns first on top."""
    return [OutlookLine.of(one) for one in epics.outlook(the_team(request.auth.person, slug), request.auth.now)]


@router.get("/{slug}/grooming", auth=may("read"), response=answers(AgendaLines), summary="See what is to be groomed")
def agenda(request: Asked, slug: Slug) -> AgendaLines:
    """Open, in no sprint, and not put off: features and operations apart."""
    found = grooming.agenda(the_team(request.auth.person, slug), request.auth.now)
    return AgendaLines(
        feature=[TopicLine.of(one) for one in found.feature],
        operations=[TopicLine.of(one) for one in found.operations],
        epics=[OutlookLine.of(one) for one in found.epics],
        more=found.more,
    )


@router.get("/{slug}/unpaired", auth=may("read"), response=answers(UnpairedLines), summary="See unpaired quick fixes")
def unpaired(request: Asked, slug: Slug) -> UnpairedLines:
    """They age in the open."""
    found = ticket_pairs.unpaired(the_team(request.auth.person, slug), request.auth.now)
    items = [
        UnpairedLine(
            ticket=TicketRef.of(row.ticket),
            is_done=row.done,
            age_seconds=row.age // timedelta(seconds=1),
            is_old=row.is_old,
        )
        for row in found.rows
    ]
    return UnpairedLines(items=items, old=found.old, more=found.more)


@router.get("/{slug}/stale", auth=may("read"), response=answers(list[StaleLine]), summary="See what lies too long")
def list_stale(request: Asked, slug: Slug, mine: bool = False) -> list[StaleLine]:
    """In any lane; with `mine` in yours and that of your seats. The oldest first."""
    caller = request.auth
    found = stale.stale(the_team(caller.person, slug), caller.person if mine else None, caller.now)
    return [StaleLine(ticket=TicketRef.of(one.ticket), since=one.since, days=one.days, why=one.why) for one in found]


@router.get("/{slug}/asking", auth=may("read"), response=answers(list[ShareLine]), summary="See who is asked how often")
def asking(request: Asked, slug: Slug, since: Day, until: Day) -> list[ShareLine]:
    """How asking was spread over the team, who was asked most first."""
    team = the_team(request.auth.person, slug)
    require(request.auth.person, team, "member", "see who is asked how often")
    days = _days(team, since, until)
    return [
        ShareLine(
            person=PersonRef.of(one.person), asked=one.asked, took=one.took, in_a_row=one.in_a_row, percent=one.percent
        )
        for one in experts.spread(team, days.start, days.end)
    ]


@router.get("/{slug}/times", auth=may("read"), response=answers(MedianLines), summary="See how long tickets take")
def medians(request: Asked, slug: Slug, since: Day, until: Day) -> MedianLines:
    """The median time in each stage of what was done in between."""
    team = the_team(request.auth.person, slug)
    days = _days(team, since, until)
    found = ticket_facts.medians(team, days.start, days.end)
    stages = [MedianLine(stage=stage, seconds=length // timedelta(seconds=1)) for stage, length in found.stages.items()]
    return MedianLines(stages=stages, count=found.count, capped=found.capped)


@router.get("/{slug}/standup", auth=may("read"), response=answers(list[ForStandup]), summary="See the standup's list")
def standup(request: Asked, slug: Slug) -> list[ForStandup]:
    """The open requests that the team talks about next, with why."""
    found = routing.standup_list(the_team(request.auth.person, slug))
    return [ForStandup(request=row.pk, title=row.title, why=why) for row, why in found]


@of_tickets.get(
    "/{number}/progress", auth=may("read"), response=answers(ProgressLine), summary="See how far an epic is"
)
def progress(request: Asked, number: Id) -> ProgressLine:
    """By its parts and their points."""
    return ProgressLine.of(epics.progress(the_ticket(request.auth.person, number)))


@of_tickets.post("/{number}/parts", auth=may("write"), response=answers(list[TicketRef], 201), summary="Split an epic")
def split(request: Asked, number: Id, body: Parts) -> Status[list[TicketRef]]:
    """Each part is a ticket with the labels, service and community of the epic."""
    caller = request.auth
    the_ticket(caller.person, number)
    made = epics.split(number, _parts(body.parts), caller.person, caller.now)
    return Status(201, [TicketRef.of(part) for part in made])


@of_tickets.post("/{number}/epic", auth=may("write"), response=answers(TicketLine), summary="Make a ticket an epic")
def make_epic(request: Asked, number: Id) -> TicketLine:
    """It is too big for one ticket; split it next."""
    caller = request.auth
    the_ticket(caller.person, number)
    epics.make_epic(number, caller.person, caller.now)
    return show_ticket(request, number)


@of_tickets.post("/{number}/groom", auth=may("write"), response=answers(TicketLine), summary="Decide about a ticket")
def groom(request: Asked, number: Id, body: Decided) -> TicketLine:
    """What grooming decided is carried out and stands on its record."""
    caller = request.auth
    the_ticket(caller.person, number)
    sprint = the_sprint(caller.person, body.sprint) if body.sprint else None
    decided = Groomed(body.decision, sprint, body.points, body.note, body.until, _parts(body.parts))
    grooming.groom(number, decided, caller.person, caller.now)
    return show_ticket(request, number)


@of_tickets.post(
    "/{number}/spin-off", auth=may("write"), response=answers(TicketLine, 201), summary="Write what came out of it"
)
def spin_off(request: Asked, number: Id, body: NewSpinOff) -> Status[TicketLine]:
    """A ticket of its own, linked to this one."""
    caller = request.auth
    the_ticket(caller.person, number)
    written = Written(body.title, body.text, body.kind)
    made = ticket_pairs.spin_off(number, written, caller.person, caller.now, kind=body.link)
    return Status(201, show_ticket(request, made.pk))


@of_tickets.get(
    "/{number}/occurrences", auth=may("read"), response=answers(list[OccurrenceLine]), summary="See when it happened"
)
def occurrences(request: Asked, number: Id) -> list[OccurrenceLine]:
    """Each time, the latest first."""
    found = tracking.occurrences(the_ticket(request.auth.person, number))
    return [
        OccurrenceLine(at=one.at, text=one.text, by=one.who, alert=one.group.pk if one.group else None) for one in found
    ]


@of_tickets.put("/{number}/watches", auth=may("write"), response=answers(TicketLine), summary="Let it gather alerts")
def watch_for(request: Asked, number: Id, body: WatchFor) -> TicketLine:
    """A tracking ticket gathers each alert like this by itself."""
    caller = request.auth
    the_ticket(caller.person, number)
    service = the_service(caller.person, body.service) if body.service else None
    tracking.watch_for(number, service, body.key, caller.person, caller.now)
    return show_ticket(request, number)


@of_alerts.post(
    "/{number}/ticket", auth=may("answer"), response=answers(TicketLine, 201), summary="Write a ticket about an alert"
)
def write_about(request: Asked, number: Id, body: AboutAlert) -> Status[TicketLine]:
    """For the work that it asked for, solved already or not; it names the runbook that helped."""
    caller = request.auth
    group = the_alert(caller.person, number)
    values = body.model_dump() | {"labels": tuple(body.labels)}
    made = ticket_pairs.from_alert(group.pk, ticket_pairs.Solved(**values), caller.person, caller.now)
    return Status(201, show_ticket(request, made.pk))

"""Updates of an incident: what each audience was told, and the next one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import incident_eyes, incident_updates
from watchbill.actions.desk import desk_of
from watchbill.actions.incident_updates import Said
from watchbill.actions.incidents import require_member
from watchbill.db.incident_facts import seen_by
from watchbill.db.models import Incident, IncidentUpdate, Person
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import find_one
from watchbill.entry.api.words import Given, Id, Instant, PersonRef, Shown, Word, up_to

router = Router(tags=["Incident updates"])
Parts = Annotated[dict[Word, Annotated[str, up_to(5_000)]], Field(max_length=50)]


class ToOne(Given):
    """What one audience is told: each part by its key, when it hears next (null: by the team's cadence)."""

    audience: Word
    parts: Parts
    next_update_at: Instant | None = None
    no_next: bool = False
    state: Word = Field("", description="identified, when the cause is known; empty: the usual word.")


class NewUpdates(Given):
    """One or several audiences, each in its own words; all of it is told, or nothing."""

    said: Annotated[list[ToOne], Field(min_length=1, max_length=20)]


class CorrectedUpdate(Given):
    """What the audience should have been told; `state` as it was then, when that was wrong too."""

    parts: Parts
    state: Word = ""


class UpdatePreview(BaseModel):
    """How an update would read, and what in it is perhaps not meant for those who read it."""

    audience: str
    text: str
    worries: list[str]


class UpdateLine(Shown):
    """What was said to one audience; `corrects` names the update that it puts right."""

    id: int
    incident: int
    audience: str
    state: str
    parts: list[list[str]]
    text: str
    at: datetime
    next_update_at: datetime | None
    author: str
    corrects: int | None

    @classmethod
    def of(cls, row: IncidentUpdate) -> UpdateLine:
        """Show an update."""
        return cls.read(row, incident=row.incident_id, author=row.author_name, corrects=row.corrects_id)


class HeardLine(BaseModel):
    """One audience: when it heard last, by when it hears next, and whether that is late."""

    audience: str
    title: str
    heard_at: datetime | None
    next_update_at: datetime | None
    is_late: bool


class ReaderLine(BaseModel):
    """Somebody who responds: when they last had its page open, and whether they wrote or saw the newest update."""

    person: PersonRef
    seen_at: datetime | None
    knows_newest: bool


class WhoHeard(BaseModel):
    """Who has heard of an incident, and who of those who respond has looked."""

    audiences: list[HeardLine]
    readers: list[ReaderLine]


def _incident(person: Person, number: int) -> Incident:
    return find_one(Incident.objects.filter(seen_by(person)).distinct(), number, "incident")


@router.get("/{number}/updates", auth=may("read"), response=answers(Listed[UpdateLine]), summary="List its updates")
def list_updates(
    request: Asked, number: Id, audience: Word = "", after: After = "", limit: Limit = 50
) -> Listed[UpdateLine]:
    """To one audience or to all, newest first."""
    rows = IncidentUpdate.objects.filter(incident=_incident(request.auth.person, number))
    return by_id(rows.filter(audience=audience) if audience else rows, after, limit, UpdateLine.of, newest_first=True)


@router.get("/{number}/heard", auth=may("read"), response=answers(WhoHeard), summary="Read who has heard")
def heard(request: Asked, number: Id) -> WhoHeard:
    """Each audience in the team's order, also one that heard nothing yet."""
    caller = request.auth
    incident = _incident(caller.person, number)
    updates = list(incident.updates.order_by("id"))
    named = incident.members.select_related("person").order_by("joined_at", "id")
    told = incident_eyes.told_of(incident, desk_of(incident.team, caller.now), caller.now, updates)
    return WhoHeard(
        audiences=[
            HeardLine(
                audience=one.hearing.key,
                title=one.hearing.audience.title,
                heard_at=one.last.at if one.last else None,
                next_update_at=one.promise.due_at if one.promise else None,
                is_late=one.is_late,
            )
            for one in told
        ],
        readers=[
            ReaderLine(person=PersonRef.of(one.person), seen_at=one.seen_at, knows_newest=one.knows_newest)
            for one in incident_eyes.readers_of(named, updates)
        ],
    )


@router.post("/{number}/updates", auth=may("write"), response=answers(list[UpdateLine], 201), summary="Write updates")
def write(request: Asked, number: Id, body: NewUpdates) -> Status[list[UpdateLine]]:
    """They leave at once by the ways that each audience has; the next one is promised."""
    caller = request.auth
    incident = _incident(caller.person, number)
    rows = incident_updates.write_updates(incident.pk, [_said(one) for one in body.said], caller.person, caller.now)
    return Status(201, [UpdateLine.of(row) for row in rows])


@router.post(
    "/{number}/updates/preview",
    auth=may("read"),
    response=answers(list[UpdatePreview]),
    summary="Look before telling",
)
def preview(request: Asked, number: Id, body: NewUpdates) -> list[UpdatePreview]:
    """Nothing is written and nobody is told."""
    caller = request.auth
    incident = _incident(caller.person, number)
    require_member(caller.person, incident, "write an update")
    shown = [
        (one.audience, incident_updates.preview(incident, _said(one), caller.person, caller.now)) for one in body.said
    ]
    return [UpdatePreview(audience=audience, text=text, worries=worries) for audience, (text, worries) in shown]


def _said(one: ToOne) -> Said:
    return Said(one.audience, one.parts, one.next_update_at, one.state, one.no_next)


@router.post(
    "/{number}/updates/{update}/correct", auth=may("write"), response=answers(UpdateLine, 201), summary="Put one right"
)
def correct(request: Asked, number: Id, update: Id, body: CorrectedUpdate) -> Status[UpdateLine]:
    """The audience is told again; what was said stays readable."""
    caller = request.auth
    found = find_one(IncidentUpdate.objects.filter(incident=_incident(caller.person, number)), update, "update")
    right = incident_updates.correct(found.pk, body.parts, caller.person, caller.now, body.state)
    return Status(201, UpdateLine.of(right))

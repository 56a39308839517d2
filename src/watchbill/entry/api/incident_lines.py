"""What comes in and goes out of the API about an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from watchbill.actions import incidents
from watchbill.core.incidents import MILESTONES
from watchbill.db.models import Incident
from watchbill.entry.api.words import (
    Given,
    Id,
    Instant,
    LongText,
    PersonRef,
    ServiceRef,
    Slug,
    TeamRef,
    Text,
    Word,
    up_to,
)

Condition = Literal["operational", "degraded", "partial_outage", "major_outage"]
Title = Annotated[str, up_to(200, 1)]
Why = Annotated[str, up_to(1000)]


class NewIncident(Given):
    """What somebody says when they declare: a title and what people feel are enough; times may lie in the past."""

    team: Slug
    title: Title
    impact: Annotated[str, up_to(10_000, 1)]
    impact_kind: Word = Field("", description="A key of the team's table of impacts; severity follows from it.")
    severity: Word = Field("", description="A key of the team's table; wins over what follows from the impact.")
    services: Annotated[list[Slug], Field(max_length=50)] = []
    condition: Condition = Field("degraded", description="How the services are.")
    started_at: Instant | None = None
    detected_at: Instant | None = None
    detection_source: Literal["alert", "requester", "member", "vendor"] = "member"
    is_private: bool = False
    is_exercise: bool = False
    alert: Id | None = Field(None, description="The alert that it began with.")
    page: Id | None = Field(None, description="The page that it began with.")
    request: Id | None = Field(None, description="The request that it began with.")
    why: Why = ""


class NewEntry(Given):
    """A line for the timeline; `at` is when it happened."""

    text: Annotated[str, up_to(20_000, 1)]
    kind: Literal["note", "observation", "hypothesis", "ruled_out", "decision", "action", "command"] = "note"
    at: Instant | None = None
    link: Annotated[str, up_to(500)] = ""


class CorrectedLine(Given):
    """What a line should say, and why; the line itself stands."""

    text: Annotated[str, up_to(20_000, 1)]
    why: Why = ""
    at: Instant | None = None


class MovedIncident(Given):
    """Where it stands now; `at` is when it came to stand so."""

    state: Literal["acknowledged", "mitigated", "resolved", "closed", "active"]
    at: Instant | None = None
    words: Text = Field("", description="Of a reopened or a closed one: the reason.")


class TickedStep(Given):
    """Whether a step of the protocol is done."""

    is_done: bool = True


class Milestone(Given):
    """When a milestone really was, and how that is known."""

    milestone: Literal["started", "detected", "declared", "acknowledged", "mitigated", "resolved", "closed"]
    at: Instant | None
    why: Annotated[str, up_to(1000, 1)]


class IncidentSeverity(Given):
    """What people feel by the team's table, or how bad it is by hand."""

    impact_kind: Word = ""
    severity: Word = ""
    why: Why = ""


class TouchedService(Given):
    """How a service is because of it."""

    service: Slug
    condition: Condition


class ChangedIncident(Given):
    """What changes; what is not given stays."""

    title: Title | None = None
    impact: LongText | None = None
    summary: LongText | None = None
    call_url: Annotated[str, up_to(500)] | None = None
    owner: Id | None = None


class Called(Given):
    """Who is called in."""

    person: Id


class Privacy(Given):
    """Who sees it: those named in it and the team's owners, or the team."""

    is_private: bool
    why: Annotated[str, up_to(1000, 1)]


class IncidentLine(BaseModel):
    """An incident. Times are milestones: event times, as they stand."""

    id: int
    reference: str
    team: TeamRef
    title: str
    impact: str
    impact_kind: str
    state: str
    outcome: str
    severity: str
    priority: str
    priority_why: str
    is_private: bool
    is_exercise: bool
    detection_source: str
    service: ServiceRef | None
    owner: PersonRef | None
    started_at: datetime
    detected_at: datetime | None
    declared_at: datetime
    acknowledged_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    next_update_at: datetime | None
    call_url: str
    channel_url: str

    @classmethod
    def of(cls, row: Incident) -> IncidentLine:
        """Show an incident."""
        return cls(**_plain(row))


class TouchedLine(BaseModel):
    """A service that it touches, and how it is."""

    service: ServiceRef
    condition: str


class StepLine(BaseModel):
    """A step of the protocol."""

    key: str
    text: str
    is_required: bool
    done_at: datetime | None


class WholeIncident(IncidentLine):
    """An incident with what it touches, its protocol, who responds, and what is missing before it can be closed."""

    summary: str
    services: list[TouchedLine]
    steps: list[StepLine]
    responders: list[PersonRef]
    missing: list[str]

    @classmethod
    def whole(cls, row: Incident, now: datetime) -> WholeIncident:
        """Show an incident and all around it."""
        members = row.members.filter(left_at=None).select_related("person").order_by("id")
        touched = row.touched.select_related("service").order_by("id")
        return cls(
            **_plain(row),
            summary=row.summary,
            services=[TouchedLine(service=ServiceRef.of(one.service), condition=one.condition) for one in touched],
            steps=[
                StepLine(key=one.key, text=one.text, is_required=one.is_required, done_at=one.done_at)
                for one in row.steps.order_by("position")
            ],
            responders=[PersonRef.of(one.person) for one in members],
            missing=incidents.missing_of(row, now) if row.state != "closed" else [],
        )


def _plain(row: Incident) -> dict[str, Any]:
    names = (
        "title", "impact", "impact_kind", "state", "outcome", "severity", "priority", "priority_why", "is_private",
        "is_exercise", "detection_source", "next_update_at", "call_url", "channel_url",
    )  # fmt: skip
    return {
        "id": row.pk,
        "reference": f"I-{row.pk}",
        "team": TeamRef.of(row.team),
        "service": ServiceRef.of(row.service) if row.service else None,
        "owner": PersonRef.maybe(row.owner),
        **{name: getattr(row, name) for name in names},
        **{f"{name}_at": getattr(row, f"{name}_at") for name in MILESTONES},
    }

"""The shapes of requests, tickets and what is written on them, as the API shows them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from watchbill.db.models import (
    Attachment,
    Event,
    ExternalRef,
    Message,
    Requester,
    SupportRequest,
    Ticket,
    VendorCase,
)
from watchbill.entry.api.paging_by_key import Listed, by_id
from watchbill.entry.api.words import EventLine, PersonRef, Ref, ServiceRef, TeamRef


class CommunityRef(Ref):
    """A community, in short."""

    slug: str
    name: str


class RequesterRef(BaseModel):
    """Who asks."""

    id: int
    name: str
    email: str

    @classmethod
    def of(cls, requester: Requester) -> RequesterRef:
        """Show a requester."""
        return cls(id=requester.pk, name=str(requester), email=requester.email)


class SprintRef(Ref):
    """A sprint, in short."""

    id: int
    name: str


class RequestLine(BaseModel):
    """A request: who asks, who has the ball, what is promised next."""

    id: int
    reference: str
    team: TeamRef
    title: str
    request_class: str
    state: str
    waits_on: str
    outcome: str
    approval: str
    door: str
    requester: RequesterRef
    community: CommunityRef | None
    service: ServiceRef | None
    environment: str
    component: str
    impact: str
    assignee: PersonRef | None
    priority: str
    priority_why: str
    opened_at: datetime
    first_response_at: datetime | None
    first_response_due_at: datetime | None
    due_at: datetime | None = Field(description="The next promise that runs out; null while the clock stands still.")
    due_what: str
    is_late: bool
    last_message_at: datetime
    last_message_by: str
    spent_seconds: int
    resolved_at: datetime | None
    closed_at: datetime | None
    rating: int | None
    rating_comment: str

    @classmethod
    def of(cls, row: SupportRequest) -> RequestLine:
        """Show a request."""
        return cls(
            id=row.pk,
            reference=f"R-{row.pk}",
            team=TeamRef.of(row.team),
            title=row.title,
            request_class=row.request_class,
            state=row.state,
            waits_on=row.waiting_on,
            outcome=row.outcome,
            approval=row.approval,
            door=row.door,
            requester=RequesterRef.of(row.requester),
            community=CommunityRef.maybe(row.community),
            service=ServiceRef.of(row.service) if row.service else None,
            environment=row.environment,
            component=row.component,
            impact=row.impact,
            assignee=PersonRef.maybe(row.assignee),
            priority=row.priority,
            priority_why=row.priority_why,
            opened_at=row.opened_at,
            first_response_at=row.first_response_at,
            first_response_due_at=row.first_response_due_at,
            due_at=row.due_at,
            due_what=row.due_what,
            is_late=row.is_late,
            last_message_at=row.last_message_at,
            last_message_by=row.last_message_by,
            spent_seconds=row.spent_seconds,
            resolved_at=row.resolved_at,
            closed_at=row.closed_at,
            rating=row.rating,
            rating_comment=row.rating_comment,
        )


class AttachmentLine(BaseModel):
    """A file that came with a message; its bytes are at `/requests/{id}/files/{file}/` in the pages."""

    id: int
    name: str
    media_type: str
    size: int

    @classmethod
    def of(cls, row: Attachment) -> AttachmentLine:
        """Show a file."""
        return cls(id=row.pk, name=row.name, media_type=row.media_type, size=row.size)


class MessageLine(BaseModel):
    """What somebody wrote: `in` from the requester, `out` to them, `note` for the team alone."""

    id: int
    direction: str
    door: str
    by: str
    by_id: int | None
    text: str
    folded: str
    at: datetime
    files: list[AttachmentLine]

    @classmethod
    def of(cls, row: Message) -> MessageLine:
        """Show a message."""
        return cls(
            id=row.pk,
            direction=row.direction,
            door=row.door,
            by=row.author_name,
            by_id=row.author_id,
            text=row.text,
            folded=row.folded,
            at=row.at,
            files=[AttachmentLine.of(file) for file in row.attachments.all()],
        )


class TwinLine(BaseModel):
    """Where it is in an outside system, and how far the two are in step."""

    system: str
    connection: str
    ref: str
    url: str
    sync: str
    their_state: str
    synced_at: datetime | None
    error: str

    @classmethod
    def of(cls, row: ExternalRef) -> TwinLine:
        """Show a twin."""
        return cls(
            system=row.connection.connector,
            connection=row.connection.name,
            ref=row.ref,
            url=row.url,
            sync=row.sync,
            their_state=row.their_state,
            synced_at=row.synced_at,
            error=row.error,
        )


class VendorCaseLine(BaseModel):
    """A third party's ticket that we wait for."""

    id: int
    vendor: str
    reference: str
    contact: str
    url: str
    note: str
    opened_at: datetime
    heard_at: datetime | None
    remind_at: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, row: VendorCase) -> VendorCaseLine:
        """Show a case."""
        return cls.model_validate(row, from_attributes=True)


class TicketLine(BaseModel):
    """A ticket: what, whose, where it stands."""

    id: int
    reference: str
    team: TeamRef
    kind: str
    title: str
    text: str
    work: str = Field(description="feature or operations, by the team's labels.")
    stage: str
    stage_at: datetime
    outcome: str
    points: int | None
    labels: list[str]
    priority: str
    priority_why: str
    service: ServiceRef | None
    community: CommunityRef | None
    request: int | None
    assignee: PersonRef | None
    seat: str = Field(description="The seat on watch that has it: whoever stands the watch then.")
    epic: int | None
    sprint: SprintRef | None
    is_unplanned: bool
    starts_on: date | None
    due_on: date | None
    spent_seconds: int
    no_pair_why: str
    created_at: datetime
    changed_at: datetime
    done_at: datetime | None

    @classmethod
    def of(cls, row: Ticket) -> TicketLine:
        """Show a ticket."""
        return cls(
            id=row.pk,
            reference=f"T-{row.pk}",
            team=TeamRef.of(row.team),
            kind=row.kind,
            title=row.title,
            text=row.text,
            work=row.work_kind,
            stage=row.stage,
            stage_at=row.stage_at,
            outcome=row.outcome,
            points=row.points,
            labels=[str(label) for label in row.labels],
            priority=row.priority,
            priority_why=row.priority_why,
            service=ServiceRef.of(row.service) if row.service else None,
            community=CommunityRef.maybe(row.community),
            request=row.request_id,
            assignee=PersonRef.maybe(row.assignee),
            seat=row.seat,
            epic=row.epic_id,
            sprint=SprintRef.maybe(row.sprint),
            is_unplanned=row.is_unplanned,
            starts_on=row.starts_on,
            due_on=row.due_on,
            spent_seconds=row.spent_seconds,
            no_pair_why=row.no_pair_why,
            created_at=row.created_at,
            changed_at=row.changed_at,
            done_at=row.done_at,
        )


def messages_of(row: SupportRequest | Ticket, after: str, limit: int) -> Listed[MessageLine]:
    """List what was written on a request or a ticket, in the order in which it was written."""
    return by_id(row.messages.prefetch_related("attachments"), after, limit, MessageLine.of)


def log_of(row: SupportRequest | Ticket, after: str, limit: int) -> Listed[EventLine]:
    """List what happened to a request or a ticket, and why."""
    return by_id(Event.objects.filter(**_subject(row)), after, limit, EventLine.of)


def twins_of(row: SupportRequest | Ticket) -> list[TwinLine]:
    """Show where a request or a ticket stands in outside systems."""
    return [TwinLine.of(ref) for ref in ExternalRef.objects.filter(**_subject(row)).select_related("connection")]


def _subject(row: SupportRequest | Ticket) -> dict[str, object]:
    return {"subject_kind": "ticket" if isinstance(row, Ticket) else "request", "subject_id": row.pk}

"""Services: what is supported, the monitors that speak of it, and what none of them understood."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import alerts, catalogue
from watchbill.actions.access import role_of
from watchbill.db.models import Inbox, Person, Service
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, services_of, the_person, the_service, the_team
from watchbill.entry.api.words import Given, Id, Line, Name, PersonRef, Slug, TeamRef, Text, Word, up_to

router = Router(tags=["Services"])
LONGEST_SHOWN = 20_000
Url = Annotated[str, up_to(2000)]
Contact = Annotated[str, up_to(2000)]


class Link(Given):
    """A page about the service: dashboard, alarms, policies, runbook, source or other."""

    kind: Word = "other"
    title: Annotated[str, up_to(120)] = ""
    url: Url


class LadderRef(BaseModel):
    """A ladder, in short."""

    id: int
    name: str


class ServiceLine(BaseModel):
    """A service: what, where, by whom, and which ladder answers for it."""

    slug: str
    name: str
    description: str
    team: TeamRef
    environment: str
    host: str
    vendor: str
    vendor_contact: str
    tier: int = Field(description="1 (most important) to 4.")
    leadership_contact: PersonRef | None
    links: list[Link]
    ladder: LadderRef | None
    created_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, row: Service) -> ServiceLine:
        """Show a service."""
        plain = ("slug", "name", "description", "environment", "host", "vendor", "vendor_contact", "tier")
        return cls(
            **{name: getattr(row, name) for name in plain},
            team=TeamRef.of(row.team),
            leadership_contact=PersonRef.maybe(row.leadership_contact),
            links=[Link.model_validate(link) for link in row.links],
            ladder=LadderRef(id=row.ladder.pk, name=row.ladder.name) if row.ladder else None,
            created_at=row.created_at,
            archived_at=row.archived_at,
        )


class ServiceChange(Given):
    """What is to change; what is not given stays as it is."""

    name: Name = ""
    description: Text = ""
    environment: Word = ""
    host: Name = ""
    vendor: Name = ""
    vendor_contact: Contact = ""
    tier: Annotated[int, Field(ge=1, le=4)] = 2
    leadership_contact: Id | None = None
    links: list[Link] = Field(default=[], max_length=50)
    ladder: Id | None = None


class NewService(ServiceChange):
    """A new service of a team."""

    team: Slug
    name: Name


class Payload(BaseModel):
    """One payload that no monitor understood, as it came."""

    id: int
    service: str
    connection: int
    monitor: str
    received_at: datetime
    sender: str
    error: str
    body: str = Field(
        description="As text, at most 20,000 characters; empty for who does not own the team: it may hold the key."
    )


class Replayed(BaseModel):
    """How many payloads are read again."""

    count: int


def _values(service: Service) -> dict[str, Any]:
    names = [*catalogue.TEXT_FIELDS, "tier", "links"]
    return {name: getattr(service, name) for name in names} | {
        "ladder": service.ladder_id,
        "leadership_contact": service.leadership_contact_id,
    }


def _changes(person: Person, body: ServiceChange) -> dict[str, Any]:
    values = body.model_dump(exclude_unset=True)
    if values.get("leadership_contact"):
        the_person(person, values["leadership_contact"])
    return values


@router.get("", auth=may("read"), response=answers(Listed[ServiceLine]), summary="List services")
def list_services(
    request: Asked, team: Slug = "", search: Line = "", archived: bool = False, after: After = "", limit: Limit = 50
) -> Listed[ServiceLine]:
    """Those in use, or those that are archived; `search` looks at the name."""
    person = request.auth.person
    rows = services_of(person).filter(archived_at__isnull=not archived, team__in=chosen_teams(person, team))
    rows = rows.filter(name__icontains=search) if search else rows
    return by_id(rows, after, limit, ServiceLine.of)


@router.post("", auth=may("write"), response=answers(ServiceLine, 201), summary="Add a service to a team")
def add(request: Asked, body: NewService) -> Status[ServiceLine]:
    """For owners of the team."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    values = _changes(caller.person, body)
    del values["team"]
    service = catalogue.add_service(team, values, caller.person, caller.now)
    return Status(201, ServiceLine.of(the_service(caller.person, service.slug)))


@router.get("/{slug}", auth=may("read"), response=answers(ServiceLine), summary="Read one service")
def read(request: Asked, slug: Slug) -> ServiceLine:
    """Also one that is archived."""
    return ServiceLine.of(the_service(request.auth.person, slug))


@router.patch("/{slug}", auth=may("write"), response=answers(ServiceLine), summary="Change a service")
def change(request: Asked, slug: Slug, body: ServiceChange) -> ServiceLine:
    """What is not given stays. Another ladder counts for pages opened afterwards."""
    caller = request.auth
    service = the_service(caller.person, slug)
    catalogue.change_service(service, _values(service) | _changes(caller.person, body), caller.person, caller.now)
    return ServiceLine.of(the_service(caller.person, slug))


@router.post("/{slug}/archive", auth=may("write"), response=answers(ServiceLine), summary="Take a service out of use")
def archive(request: Asked, slug: Slug) -> ServiceLine:
    """Its history stays; its monitors are refused at the door."""
    caller = request.auth
    catalogue.archive_service(the_service(caller.person, slug), caller.person, caller.now)
    return ServiceLine.of(the_service(caller.person, slug))


@router.post("/{slug}/restore", auth=may("write"), response=answers(ServiceLine), summary="Bring a service back")
def restore(request: Asked, slug: Slug) -> ServiceLine:
    """Undoes `archive`."""
    caller = request.auth
    catalogue.archive_service(the_service(caller.person, slug), caller.person, caller.now, archived=False)
    return ServiceLine.of(the_service(caller.person, slug))


@router.get(
    "/{slug}/not-understood",
    auth=may("read"),
    response=answers(Listed[Payload]),
    summary="List a service's payloads that no monitor understood",
)
def not_understood(request: Asked, slug: Slug, after: After = "", limit: Limit = 50) -> Listed[Payload]:
    """Newest first, as they came, each with its reason."""
    person = request.auth.person
    return payloads([the_service(person, slug)], person, after, limit)


@router.post(
    "/{slug}/replay", auth=may("write"), response=answers(Replayed), summary="Read again what was not understood"
)
def replay(request: Asked, slug: Slug) -> Replayed:
    """After a fix of the mapping; the payloads keep their order. What still is not understood comes back."""
    caller = request.auth
    return Replayed(count=alerts.replay(the_service(caller.person, slug), caller.person, caller.now))


def payloads(services: list[Service], person: Person, after: str, limit: int) -> Listed[Payload]:
    """Read what no monitor understood, of these services; what came stands there for the owners, as on the pages."""
    slugs = {service.pk: service.slug for service in services}
    owned = {team.pk for team in {service.team for service in services} if role_of(person, team) == "owner"}
    open_to_them = {service.pk for service in services if service.team_id in owned}
    rows = Inbox.objects.filter(service_id__in=slugs, state__gt=Inbox.PARSED)

    def show(row: Inbox) -> Payload:
        return Payload(
            id=row.pk,
            service=slugs[row.service_id],
            connection=row.connection_id,
            monitor=row.monitor,
            received_at=row.received_at,
            sender=row.sender,
            error=row.error,
            body=bytes(row.body).decode("utf-8", "replace")[:LONGEST_SHOWN] if row.service_id in open_to_them else "",
        )

    return by_id(rows, after, limit, show, newest_first=True)

"""Status pages: made and changed by owners; an incident published, ended and withdrawn. What the public reads is at /status/."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import status_incidents, statuspage
from watchbill.actions.access import role_of
from watchbill.actions.status_subscriptions import count_of
from watchbill.db.models import Person, PublicIncident, StatusComponent, StatusPage
from watchbill.db.status_facts import components_of
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, services_of, teams_of, the_team
from watchbill.entry.api.words import Given, Id, Name, Slug, TeamRef, Title, up_to

router = Router(tags=["Status pages"])
Intro = Annotated[str, up_to(4000)]
Why = Annotated[str, up_to(500)]


class NewStatusPage(Given):
    """A page of a team; without a slug it is made of the title."""

    team: Slug
    title: Name
    slug: str = Field("", max_length=50)
    intro: Intro = ""
    is_public: bool = False


class PageChange(Given):
    """What changes of a page; what is not given stays."""

    title: Name | None = None
    slug: str | None = Field(None, max_length=50)
    intro: Intro | None = None
    is_public: bool | None = None
    is_archived: bool | None = None


class NewComponent(Given):
    """A service, and what the public calls it."""

    service: Slug
    name: Name = ""
    group: Name = ""
    description: Annotated[str, up_to(200)] = ""


class ChangedComponent(Given):
    """What the public calls it; what is not given stays."""

    name: Name | None = None
    group: Name | None = None
    description: Annotated[str, up_to(200)] | None = None


class ComponentOrder(Given):
    """The ids of components in their order; those not named follow."""

    order: Annotated[list[Id], Field(max_length=statuspage.MOST_COMPONENTS)]


class PublicTitle(Given):
    """The title that the public reads."""

    title: Title


class Publishing(Given):
    """An incident, and the title that the public reads."""

    incident: Id
    title: Title


class Withdrawing(Given):
    """Why it is taken off; the public does not see it."""

    why: Why


class ComponentLine(BaseModel):
    """What stands on a page."""

    id: int
    service: str
    name: str
    group: str
    description: str

    @classmethod
    def of(cls, row: StatusComponent) -> ComponentLine:
        """Show a component."""
        return cls(id=row.pk, service=row.service.slug, name=row.name, group=row.group, description=row.description)


class StatusPageLine(BaseModel):
    """A page; `url` holds its key and is for owners, when it is not public."""

    id: int
    team: TeamRef
    slug: str
    title: str
    intro: str
    is_public: bool
    is_archived: bool
    url: str | None
    subscribers: dict[str, int] | None = Field(description="How many hear of it, by kind; null: for owners to know.")
    components: list[ComponentLine]

    @classmethod
    def of(cls, row: StatusPage, reader: Person) -> StatusPageLine:
        """Show a page to somebody."""
        owns = role_of(reader, row.team) == "owner"
        return cls(
            id=row.pk,
            team=TeamRef.of(row.team),
            slug=row.slug,
            title=row.title,
            intro=row.intro,
            is_public=row.is_public,
            is_archived=row.archived_at is not None,
            url=statuspage.address_of(row) if row.is_public or owns else None,
            subscribers=count_of(row, reader) if owns else None,
            components=[ComponentLine.of(one) for one in components_of(row)],
        )


class PublishedLine(BaseModel):
    """An incident on a page."""

    id: int
    page: int
    incident: int
    title: str
    published_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: PublicIncident) -> PublishedLine:
        """Show what was published."""
        return cls(
            id=row.pk,
            page=row.page_id,
            incident=row.incident_id,
            title=row.title,
            published_at=row.published_at,
            ended_at=row.ended_at,
        )


def the_page(person: Person, number: int) -> StatusPage:
    """Read one page of the caller's teams; raises Http404."""
    rows = StatusPage.objects.filter(team__in=teams_of(person)).select_related("team")
    return find_one(rows, number, "status page")


@router.get("", auth=may("read"), response=answers(Listed[StatusPageLine]), summary="List status pages")
def list_pages(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[StatusPageLine]:
    """Each with what stands on it."""
    person = request.auth.person
    rows = StatusPage.objects.filter(team__in=chosen_teams(person, team)).select_related("team")
    return by_id(rows, after, limit, lambda row: StatusPageLine.of(row, person))


@router.post("", auth=may("write"), response=answers(StatusPageLine, 201), summary="Make a status page")
def create(request: Asked, body: NewStatusPage) -> Status[StatusPageLine]:
    """For owners; it is open to whoever has its link until it is public."""
    caller = request.auth
    made = statuspage.create(
        the_team(caller.person, body.team), body.model_dump(exclude={"team"}), caller.person, caller.now
    )
    return Status(201, StatusPageLine.of(made, caller.person))


@router.get("/{number}", auth=may("read"), response=answers(StatusPageLine), summary="Read a status page's settings")
def read(request: Asked, number: Id) -> StatusPageLine:
    """What the public sees of it is at /status/<slug>/summary.json."""
    return StatusPageLine.of(the_page(request.auth.person, number), request.auth.person)


@router.patch(
    "/{number}", auth=may("write"), response=answers(StatusPageLine), summary="Change or archive a status page"
)
def change(request: Asked, number: Id, body: PageChange) -> StatusPageLine:
    """For owners."""
    caller = request.auth
    values = {name: value for name, value in body.model_dump(exclude={"is_archived"}).items() if value is not None}
    page = statuspage.change(the_page(caller.person, number), values, caller.person, caller.now)
    if body.is_archived is not None:
        page = statuspage.archive(page, caller.person, caller.now, is_archived=body.is_archived)
    return StatusPageLine.of(page, caller.person)


@router.post("/{number}/renew-link", auth=may("write"), response=answers(StatusPageLine), summary="Give it a new link")
def renew_link(request: Asked, number: Id) -> StatusPageLine:
    """The old one opens nothing any more."""
    caller = request.auth
    page = statuspage.renew_key(the_page(caller.person, number), caller.person, caller.now)
    return StatusPageLine.of(page, caller.person)


@router.post(
    "/{number}/components", auth=may("write"), response=answers(StatusPageLine, 201), summary="Put a service on a page"
)
def add_component(request: Asked, number: Id, body: NewComponent) -> Status[StatusPageLine]:
    """Under the name that the public knows."""
    caller = request.auth
    page = the_page(caller.person, number)
    service = services_of(caller.person).filter(slug=body.service, team=page.team_id).first()
    if service is None:
        raise Http404("there is no such service")
    values = {name: value for name, value in body.model_dump(exclude={"service"}).items() if value}
    statuspage.add_component(page, service, values, caller.person, caller.now)
    return Status(201, StatusPageLine.of(page, caller.person))


@router.put(
    "/{number}/components",
    auth=may("write"),
    response=answers(StatusPageLine),
    summary="Put what stands on it in order",
)
def order(request: Asked, number: Id, body: ComponentOrder) -> StatusPageLine:
    """As the public reads it."""
    caller = request.auth
    page = the_page(caller.person, number)
    statuspage.order_components(page, body.order, caller.person, caller.now)
    return StatusPageLine.of(page, caller.person)


def _component(page: StatusPage, number: int) -> StatusComponent:
    rows = StatusComponent.objects.filter(page=page, removed_at=None).select_related("page__team", "service")
    return find_one(rows, number, "component")


@router.patch(
    "/{number}/components/{component}",
    auth=may("write"),
    response=answers(StatusPageLine),
    summary="Rename a component",
)
def change_component(request: Asked, number: Id, component: Id, body: ChangedComponent) -> StatusPageLine:
    """For the public; the service keeps its name."""
    caller = request.auth
    page = the_page(caller.person, number)
    values = {name: value for name, value in body.model_dump().items() if value is not None}
    statuspage.change_component(_component(page, component), values, caller.person, caller.now)
    return StatusPageLine.of(page, caller.person)


@router.delete(
    "/{number}/components/{component}", auth=may("write"), response=answers(StatusPageLine), summary="Take one off"
)
def remove_component(request: Asked, number: Id, component: Id) -> StatusPageLine:
    """The public no longer sees it there."""
    caller = request.auth
    page = the_page(caller.person, number)
    statuspage.remove_component(_component(page, component), caller.person, caller.now)
    return StatusPageLine.of(page, caller.person)


@router.post(
    "/{number}/incidents", auth=may("answer"), response=answers(PublishedLine, 201), summary="Publish an incident"
)
def publish(request: Asked, number: Id, body: Publishing) -> Status[PublishedLine]:
    """Under a title for the public, with its public updates. A private one and an exercise never are."""
    caller = request.auth
    page = the_page(caller.person, number)
    row = status_incidents.publish(body.incident, page, body.title, caller.person, caller.now)
    return Status(201, PublishedLine.of(row))


def _published(person: Person, number: int, incident: int) -> int:
    page = the_page(person, number)
    row = PublicIncident.objects.filter(page=page, incident=incident, withdrawn_at=None).first()
    if row is None:
        raise Http404("it is not on this page")
    return row.pk


@router.patch(
    "/{number}/incidents/{incident}",
    auth=may("answer"),
    response=answers(PublishedLine),
    summary="Give it another title",
)
def rename(request: Asked, number: Id, incident: Id, body: PublicTitle) -> PublishedLine:
    """The one that the public reads."""
    caller = request.auth
    found = _published(caller.person, number, incident)
    return PublishedLine.of(status_incidents.rename(found, body.title, caller.person, caller.now))


@router.post(
    "/{number}/incidents/{incident}/end", auth=may("answer"), response=answers(PublishedLine), summary="Say it is over"
)
def end(request: Asked, number: Id, incident: Id) -> PublishedLine:
    """Before the incident itself is resolved."""
    caller = request.auth
    found = _published(caller.person, number, incident)
    return PublishedLine.of(status_incidents.end(found, caller.person, caller.now))


@router.post(
    "/{number}/incidents/{incident}/withdraw",
    auth=may("answer"),
    response=answers(PublishedLine),
    summary="Take an incident off a page",
)
def withdraw(request: Asked, number: Id, incident: Id, body: Withdrawing) -> PublishedLine:
    """With its updates and its part of the history."""
    caller = request.auth
    found = _published(caller.person, number, incident)
    return PublishedLine.of(status_incidents.withdraw(found, body.why, caller.person, caller.now))

"""Planned work: what is ahead and under way, and each step that is told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import notices
from watchbill.db.models import Notice, Person, Service, Team
from watchbill.db.notice_facts import conflicts_of, notices_seen_by
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, the_team
from watchbill.entry.api.words import Given, Id, LongText, Name, Slug, TeamRef, up_to
from watchbill.kit.errors import Refused

router = Router(tags=["Planned work"])
Title = Annotated[str, up_to(200)]
Told = Annotated[str, Field(max_length=10_000)]


class NewNotice(Given):
    """Planned work; `services` by their slugs, `audiences` team, communities, leadership, public, community:<slug>."""

    team: Slug
    title: Title
    text: LongText
    starts_at: datetime
    ends_at: datetime
    services: Annotated[list[Slug], Field(max_length=50)] = []
    audiences: Annotated[list[Name], Field(max_length=50)] | None = Field(
        None, description="null: those of the team's rule."
    )


class ChangedNotice(Given):
    """What changes of planned work; what is not given stays."""

    title: Title | None = None
    text: LongText | None = None
    services: Annotated[list[Slug], Field(max_length=50)] | None = None
    audiences: Annotated[list[Name], Field(max_length=50)] | None = None


class NoticeWords(Given):
    """What is said besides; empty: what the notice says."""

    text: Told = ""


class Ends(NoticeWords):
    """Until when it takes."""

    ends_at: datetime


class Times(Ends):
    """When it comes instead."""

    starts_at: datetime


class NoticeWhy(Given):
    """Why it does not take place."""

    why: Told = ""


class ConflictLine(BaseModel):
    """An incident or other planned work on the same services at this time."""

    kind: str
    id: int
    title: str
    services: str


class NoticeLine(BaseModel):
    """Planned work; `state` is draft, announced, in_progress, done or cancelled."""

    id: int
    team: TeamRef
    title: str
    text: str
    state: str
    starts_at: datetime
    ends_at: datetime
    announced_at: datetime | None
    began_at: datetime | None
    finished_at: datetime | None
    audiences: list[str]
    services: list[str]

    @classmethod
    def of(cls, row: Notice) -> NoticeLine:
        """Show planned work."""
        plain = (
            "title",
            "text",
            "state",
            "starts_at",
            "ends_at",
            "announced_at",
            "began_at",
            "finished_at",
            "audiences",
        )
        services = list(row.services.order_by("name").values_list("slug", flat=True))
        values = {name: getattr(row, name) for name in plain}
        return cls(id=row.pk, team=TeamRef.of(row.team), services=services, **values)


class WholeNotice(NoticeLine):
    """Planned work with what stands in its way."""

    conflicts: list[ConflictLine]


def the_notice(person: Person, number: int) -> Notice:
    """Read planned work of the caller's teams; raises Http404."""
    return find_one(Notice.objects.filter(notices_seen_by(person)).select_related("team"), number, "notice")


@router.get("", auth=may("read"), response=answers(Listed[NoticeLine]), summary="List planned work, newest first")
def list_notices(
    request: Asked, team: Slug = "", state: Slug = "", after: After = "", limit: Limit = 50
) -> Listed[NoticeLine]:
    """Of one team or all of the caller's; in one state or any."""
    rows = Notice.objects.filter(team__in=chosen_teams(request.auth.person, team)).select_related("team")
    return by_id(rows.filter(state=state) if state else rows, after, limit, NoticeLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(NoticeLine, 201), summary="Plan work")
def draft(request: Asked, body: NewNotice) -> Status[NoticeLine]:
    """Nobody is told before it is announced."""
    team = the_team(request.auth.person, body.team)
    values = _values(body.model_dump(exclude={"team"}), team)
    return Status(201, NoticeLine.of(notices.draft(team, values, request.auth.person, request.auth.now)))


def _values(given: dict[str, Any], team: Team) -> dict[str, Any]:
    """Give what was said, with the team's services instead of their slugs; raises Refused for one that it does not have."""
    values = {name: value for name, value in given.items() if value is not None}
    if "services" in values:
        known = {one.slug: one for one in Service.objects.filter(team=team, slug__in=values["services"])}
        missing = [slug for slug in values["services"] if slug not in known]
        if missing:
            raise Refused(f"{team} has no service {missing[0]!r}", "services")
        values["services"] = list(known.values())
    return values


@router.get("/{number}", auth=may("read"), response=answers(WholeNotice), summary="Read planned work")
def read(request: Asked, number: Id) -> WholeNotice:
    """With the incidents and other planned work on its services at its time."""
    row = the_notice(request.auth.person, number)
    found = [ConflictLine(**one.__dict__) for one in conflicts_of(row, request.auth.person)]
    return WholeNotice(**NoticeLine.of(row).model_dump(), conflicts=found)


@router.patch("/{number}", auth=may("write"), response=answers(NoticeLine), summary="Change planned work")
def change(request: Asked, number: Id, body: ChangedNotice) -> NoticeLine:
    """Its words, services and audiences; nobody is told. When it is changes by its steps."""
    caller = request.auth
    values = _values(body.model_dump(), the_notice(caller.person, number).team)
    return NoticeLine.of(notices.change(number, values, caller.person, caller.now))


@router.post("/{number}/announce", auth=may("write"), response=answers(NoticeLine), summary="Announce planned work")
def announce(request: Asked, number: Id) -> NoticeLine:
    """Everybody who should know is told, and reminded before it starts."""
    the_notice(request.auth.person, number)
    return NoticeLine.of(notices.announce(number, request.auth.person, request.auth.now))


@router.post("/{number}/begin", auth=may("write"), response=answers(NoticeLine), summary="Begin planned work")
def begin(request: Asked, number: Id, body: NoticeWords) -> NoticeLine:
    """Its services are under maintenance from now."""
    the_notice(request.auth.person, number)
    return NoticeLine.of(notices.begin(number, request.auth.person, request.auth.now, body.text))


@router.post("/{number}/extend", auth=may("write"), response=answers(NoticeLine), summary="Let it take longer")
def extend(request: Asked, number: Id, body: Ends) -> NoticeLine:
    """Those who know hear the new end."""
    the_notice(request.auth.person, number)
    return NoticeLine.of(notices.extend(number, body.ends_at, request.auth.person, request.auth.now, body.text))


@router.post("/{number}/reschedule", auth=may("write"), response=answers(NoticeLine), summary="Move planned work")
def reschedule(request: Asked, number: Id, body: Times) -> NoticeLine:
    """Those who know hear when it comes instead."""
    the_notice(request.auth.person, number)
    caller = request.auth
    return NoticeLine.of(notices.reschedule(number, body.starts_at, body.ends_at, caller.person, caller.now, body.text))


@router.post("/{number}/done", auth=may("write"), response=answers(NoticeLine), summary="End planned work")
def done(request: Asked, number: Id, body: NoticeWords) -> NoticeLine:
    """Its services work as before."""
    the_notice(request.auth.person, number)
    return NoticeLine.of(notices.done(number, request.auth.person, request.auth.now, body.text))


@router.post("/{number}/cancel", auth=may("write"), response=answers(NoticeLine), summary="Call planned work off")
def cancel(request: Asked, number: Id, body: NoticeWhy) -> NoticeLine:
    """Those who know hear why."""
    the_notice(request.auth.person, number)
    return NoticeLine.of(notices.cancel(number, body.why, request.auth.person, request.auth.now))

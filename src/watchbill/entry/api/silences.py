"""Silences: hold alerts back for a time, with a reason; see first what one would cover."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import BaseModel, Field, StringConstraints

from watchbill.actions import silences
from watchbill.db.models import Person, Service, Silence, Team
from watchbill.entry.api.alerts import AlertLine
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_service, the_team
from watchbill.entry.api.words import Given, Id, Instant, Name, PersonRef, ServiceRef, Slug, TeamRef, up_to
from watchbill.kit.errors import Refused

router = Router(tags=["Silences"])
MOST_SHOWN = 200


class Matcher(Given):
    """One condition on an alert's labels; a missing label is the empty text."""

    label: Annotated[Name, StringConstraints(min_length=1)]
    operator: Literal["=", "!=", "=~", "!~"] = "="
    value: Name = ""


class SilenceLine(BaseModel):
    """A silence: who, why, until when."""

    id: int
    team: TeamRef
    service: ServiceRef | None
    matchers: list[Matcher]
    why: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    created_by: PersonRef | None
    ended_at: datetime | None
    ended_by: PersonRef | None

    @classmethod
    def of(cls, row: Silence) -> SilenceLine:
        """Show a silence."""
        return cls(
            id=row.pk,
            team=TeamRef.of(row.team),
            service=ServiceRef.of(row.service) if row.service else None,
            matchers=[Matcher.model_validate(matcher) for matcher in row.matchers],
            why=row.why,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            created_at=row.created_at,
            created_by=PersonRef.maybe(row.created_by),
            ended_at=row.ended_at,
            ended_by=PersonRef.maybe(row.ended_by),
        )


class Scope(Given):
    """What a silence covers: a service of a team, or what its matchers say, or both. One of the two names is enough."""

    team: Slug = ""
    service: Slug = ""
    matchers: list[Matcher] = Field(default=[], max_length=20)


class NewSilence(Scope):
    """What to silence, why, and until when; without `starts_at` it starts now."""

    why: Annotated[str, up_to(500, 1)]
    starts_at: Instant | None = None
    ends_at: Instant


def _where(person: Person, scope: Scope) -> tuple[Team, Service | None]:
    service = the_service(person, scope.service) if scope.service else None
    if scope.team:
        return the_team(person, scope.team), service
    if service is None:
        raise Refused("say which service or which team", "team")
    return service.team, service


def _the_silence(person: Person, number: int) -> Silence:
    rows = Silence.objects.filter(team__in=teams_of(person)).select_related("team", "service", "created_by", "ended_by")
    return find_one(rows, number, "silence")


@router.get("", auth=may("read"), response=answers(Listed[SilenceLine]), summary="List silences, newest first")
def list_silences(
    request: Asked,
    team: Slug = "",
    service: Slug = "",
    state: Literal["", "now", "coming", "over"] = "",
    after: After = "",
    limit: Limit = 50,
) -> Listed[SilenceLine]:
    """`state` is now (in force), coming or over."""
    caller = request.auth
    rows = Silence.objects.filter(team__in=chosen_teams(caller.person, team))
    if service:
        rows = rows.filter(service=the_service(caller.person, service))
    live = rows.filter(ended_at=None, ends_at__gt=caller.now)
    match state:
        case "now":
            rows = live.filter(starts_at__lte=caller.now)
        case "coming":
            rows = live.filter(starts_at__gt=caller.now)
        case "over":
            rows = rows.exclude(pk__in=live.values("pk"))
    shown = rows.select_related("team", "service", "created_by", "ended_by")
    return by_id(shown, after, limit, SilenceLine.of, newest_first=True)


@router.post("/preview", auth=may("read"), response=answers(list[AlertLine]), summary="See what a silence would cover")
def preview(request: Asked, body: Scope) -> list[AlertLine]:
    """The open alerts that a silence like this would hold back, newest first, at most 200. Nothing is changed."""
    team, service = _where(request.auth.person, body)
    matchers = [matcher.model_dump() for matcher in body.matchers]
    silences.check_scope(team, service, matchers)
    return [AlertLine.of(group) for group in silences.covered_groups(team, service, matchers)[:MOST_SHOWN]]


@router.post("", auth=may("write"), response=answers(SilenceLine, 201), summary="Hold alerts back for a time")
def add(request: Asked, body: NewSilence) -> Status[SilenceLine]:
    """What fires already and is covered is held back too; when it ends the policy is asked again."""
    caller = request.auth
    team, service = _where(caller.person, body)
    silence = silences.add_silence(
        team,
        caller.person,
        caller.now,
        service=service,
        matchers=[matcher.model_dump() for matcher in body.matchers],
        why=body.why,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )
    return Status(201, SilenceLine.of(_the_silence(caller.person, silence.pk)))


@router.get("/{number}", auth=may("read"), response=answers(SilenceLine), summary="Read one silence")
def read(request: Asked, number: Id) -> SilenceLine:
    """Also one that is over."""
    return SilenceLine.of(_the_silence(request.auth.person, number))


@router.post("/{number}/end", auth=may("write"), response=answers(SilenceLine), summary="End a silence early")
def end(request: Asked, number: Id) -> SilenceLine:
    """What it held back and still fires is looked at again at once."""
    caller = request.auth
    silences.end_silence(_the_silence(caller.person, number), caller.person, caller.now)
    return SilenceLine.of(_the_silence(caller.person, number))

"""The log and the inbox: what happened, and what arrived that nobody understood."""

from __future__ import annotations

from typing import Literal

from django.db.models import Q, QuerySet
from ninja import Router

from watchbill.db.incident_facts import hidden_from
from watchbill.db.models import Event, Person
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.services import Payload, payloads
from watchbill.entry.api.visible import chosen_teams, services_of, teams_of
from watchbill.entry.api.words import EventLine, Id, Instant, Slug, Word

router = Router(tags=["Log"])
inbox = Router(tags=["Log"])
Kind = Literal[
    "",
    "alert",
    "page",
    "service",
    "silence",
    "rotation",
    "ladder",
    "team",
    "person",
    "instance",
    "incident",
    "handoff",
    "log_entry",
]


@router.get("", auth=may("read"), response=answers(Listed[EventLine]), summary="Read the log, newest first")
def read_log(
    request: Asked,
    team: Slug = "",
    subject_kind: Kind = "",
    subject_id: Id | None = None,
    kind: Word = "",
    since: Instant | None = None,
    until: Instant | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Listed[EventLine]:
    """What happened, to what, by whom, and why: of your teams and of yourself; `kind` such as page.acknowledged."""
    person = request.auth.person
    rows = Event.objects.filter(team__in=chosen_teams(person, team)) if team else _visible(person)
    rows = rows.exclude(subject_kind="incident", subject_id__in=hidden_from(person).values("pk"))
    rows = rows.filter(subject_kind=subject_kind) if subject_kind else rows
    rows = rows.filter(subject_id=subject_id) if subject_id else rows
    rows = rows.filter(kind=kind) if kind else rows
    rows = rows.filter(at__gte=since) if since else rows
    rows = rows.filter(at__lt=until) if until else rows
    return by_id(rows, after, limit, EventLine.of, newest_first=True)


def _visible(person: Person) -> QuerySet[Event]:
    if person.is_superuser:
        return Event.objects.all()
    mine = Q(subject_kind="person", subject_id=person.pk, team=None)
    return Event.objects.filter(Q(team__in=teams_of(person)) | mine)


@inbox.get("", auth=may("read"), response=answers(Listed[Payload]), summary="List every payload not understood")
def read_inbox(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[Payload]:
    """Of all services of your teams, newest first."""
    person = request.auth.person
    services = list(services_of(person).filter(team__in=chosen_teams(person, team)))
    return payloads(services, person, after, limit)

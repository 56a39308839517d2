"""Read what a status page is made of: only what was published, announced or said for the public."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from watchbill.core import statuspage
from watchbill.core.statuspage import Component, Facts, Spell, Update
from watchbill.core.updates import render
from watchbill.db.models import (
    IncidentUpdate,
    Notice,
    NoticeUpdate,
    PublicIncident,
    ServiceCondition,
    StatusComponent,
    StatusPage,
)

PUBLIC = "public"
TOLD = ("announced", "in_progress", "done", "cancelled")
# A day more than is shown: the first day of a zone may begin before that of UTC.
BACK = timedelta(days=statuspage.DAYS + 1)
MOST_INCIDENTS = 200


def facts_of(page: StatusPage, now: datetime) -> Facts:
    """Read a page: its components, what was published on it in the last 90 days, and the planned work it announced."""
    components = components_of(page)
    incidents = published_on(page, now)
    notices = notices_of(page, components, now)
    return Facts(
        title=page.title,
        intro=page.intro,
        zone=page.team.zone,
        components=[Component(one.pk, one.name, one.since, one.group, one.description) for one in components],
        spells=_spells(components, incidents, notices, now),
        incidents=_incidents(incidents),
        notices=_notices(notices, components),
    )


def components_of(page: StatusPage) -> list[StatusComponent]:
    """Read what stands on a page, in its order."""
    rows = StatusComponent.objects.filter(page=page, removed_at=None).select_related("service")
    return list(rows.order_by("position", "id"))


def published_on(page: StatusPage, now: datetime) -> list[PublicIncident]:
    """Read the incidents of a page that are open or began lately, but for those that the public may not see."""
    rows = PublicIncident.objects.filter(page=page, withdrawn_at=None).filter(public_incident())
    lately = Q(ended_at=None) | Q(ended_at__gt=now - BACK)
    return list(rows.filter(lately).select_related("incident").order_by("-since")[:MOST_INCIDENTS])


def public_incident(prefix: str = "incident__") -> Q:
    """Give the incidents of which the public may hear at all: no exercise, nothing private."""
    return Q(**{f"{prefix}is_private": False, f"{prefix}is_exercise": False})


def notices_of(page: StatusPage, components: Iterable[StatusComponent], now: datetime) -> list[Notice]:
    """Read the planned work that a page announces: for the public, and about a service that stands on it or about none."""
    services = {one.service_id for one in components}
    rows = Notice.objects.filter(team=page.team_id, state__in=TOLD, ends_at__gt=now - BACK)
    rows = rows.prefetch_related("services", "updates").order_by("starts_at")
    return [one for one in rows if PUBLIC in one.audiences and is_about(one, services)]


def is_about(notice: Notice, services: set[int]) -> bool:
    """Tell whether planned work is about one of some services; what names none is about all."""
    named = {one.pk for one in notice.services.all()}
    return not named or bool(named & services)


def _spells(
    components: list[StatusComponent], incidents: list[PublicIncident], notices: list[Notice], now: datetime
) -> list[Spell]:
    place = {one.service_id: one.pk for one in components}
    public = {one.incident_id: one.pk for one in incidents}
    because = Q(incident__in=public) | Q(notice__in=[one.pk for one in notices])
    rows = ServiceCondition.objects.filter(because, service__in=place)
    rows = rows.filter(Q(ends_at=None) | Q(ends_at__gt=now - BACK)).order_by("starts_at")
    return [
        Spell(
            place[row.service_id],
            row.condition,
            row.starts_at,
            row.ends_at,
            public[row.incident_id] if row.incident_id else None,
            row.notice_id,
        )
        for row in rows
    ]


def _incidents(rows: list[PublicIncident]) -> list[statuspage.Incident]:
    said: dict[int, list[Update]] = defaultdict(list)
    updates = IncidentUpdate.objects.filter(audience=PUBLIC, incident__in=[row.incident_id for row in rows])
    for one in updates.order_by("id"):
        # Not `text`: a mail's words hold the incident's own title.
        said[one.incident_id].append(Update(one.pk, one.state, render(one.parts), one.at, one.corrects_id))
    return [
        statuspage.Incident(
            id=row.pk,
            title=row.title,
            since=row.since,
            published_at=row.published_at,
            ended_at=row.ended_at,
            updates=said[row.incident_id],
            is_exercise=row.incident.is_exercise,
            is_private=row.incident.is_private,
            is_withdrawn=row.withdrawn_at is not None,
        )
        for row in rows
    ]


def _notices(rows: list[Notice], components: list[StatusComponent]) -> list[statuspage.Notice]:
    place = {one.service_id: one.pk for one in components}
    return [
        statuspage.Notice(
            id=row.pk,
            title=row.title,
            text=row.text,
            state=row.state,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            components=[place[one.pk] for one in row.services.all() if one.pk in place],
            updates=[_notice_update(one) for one in row.updates.all()],
        )
        for row in rows
    ]


def _notice_update(one: NoticeUpdate) -> Update:
    """Give that something was said and when; its words name services as the team calls them, and stay inside."""
    return Update(one.pk, one.state, "", one.at)

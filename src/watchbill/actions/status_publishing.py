"""Put an incident on a status page, show there what is said in public, and let the page's subscribers hear of it, each once.

Whoever writes an update for the public calls `on_public_update`, whoever tells of planned work `on_notice_update`, both in
the transaction that wrote it. `status_incidents` is for what people do.
"""

from __future__ import annotations

from datetime import datetime

from watchbill.actions import exports, status_changes
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.statuspage import subject_of
from watchbill.db.models import (
    Incident,
    IncidentUpdate,
    NoticeUpdate,
    Person,
    PublicIncident,
    ServiceCondition,
    StatusComponent,
    StatusPage,
)
from watchbill.db.status_facts import PUBLIC, components_of, is_about
from watchbill.kit.errors import Refused
from watchbill.rules import status_page

TELL = "status_tell"
OVER = {"resolved", "closed"}


def subject_of_incident(incident: Incident) -> Subject:
    """Give the log's name for an incident."""
    return Subject("incident", incident.pk, incident.team_id)


def pages_for(incident: Incident) -> list[StatusPage]:
    """Read the pages on which an incident can be published: those of its team."""
    return list(StatusPage.objects.filter(team=incident.team_id, archived_at=None).order_by("title", "id"))


def put_on(incident: Incident, page: StatusPage, title: str, person: Person | None, now: datetime) -> PublicIncident:
    """Put a locked incident on a page; no person: by the team\'s rule. Raises Refused when it stands there."""
    row = PublicIncident.objects.filter(page=page, incident=incident).first()
    if row is not None and row.withdrawn_at is None:
        raise Refused(f"it is on {page} already", "page")
    if row is None:
        row = PublicIncident(page=page, incident=incident)
    row.title, row.since, row.withdrawn_at = title, incident.started_at, None
    row.published_at, row.published_by = now, person
    row.ended_at = (incident.resolved_at or now) if incident.state in OVER else None
    row.save()
    actor = Actor.of(person) if person else WATCHBILL
    said = f"{actor.name} put it on {page} as “{title}”"
    record(subject_of_incident(incident), "incident.published", said, now, actor, {"page": page.pk})
    status_changes.page_changed(page.pk)
    last = IncidentUpdate.objects.filter(incident=incident, audience=PUBLIC).order_by("-id").first()
    tell(row, "update" if last else "published", last.pk if last else row.pk, now)
    return row


def on_public_update(update: IncidentUpdate, now: datetime, desk: Desk | None = None) -> None:
    """Show an update for the public of a locked incident where it is published; publish it when the team's rule says so."""
    incident = update.incident
    if update.audience != PUBLIC or incident.is_private or incident.is_exercise:
        return
    _publish_by_rule(incident, desk or desk_of(incident.team, now), now)
    rows = PublicIncident.objects.select_related("page").filter(incident=incident, withdrawn_at=None)
    for row in rows:
        if update.state in OVER and row.ended_at is None:
            row.ended_at = update.at
            row.save(update_fields=["ended_at"])
        status_changes.page_changed(row.page_id)
        tell(row, "update", update.pk, now)


def _publish_by_rule(incident: Incident, desk: Desk, now: datetime) -> None:
    rule = status_page.Settings.model_validate(desk.rule("status_page"))
    touched = touched_by(incident)
    for page in pages_for(incident):
        names = [one.name for one in components_of(page) if one.service_id in touched]
        title = status_page.decide(names, rule)
        if title and not PublicIncident.objects.filter(page=page, incident=incident).exists():
            put_on(incident, page, title[:200], None, now)


def touched_by(incident: Incident) -> set[int]:
    """Read the ids of the services that an incident touches, or touched."""
    named = set(incident.touched.values_list("service", flat=True))
    return named | set(ServiceCondition.objects.filter(incident=incident).values_list("service", flat=True))


def on_notice_update(said: NoticeUpdate, now: datetime) -> None:
    """Show what was said of planned work on the team's pages, and tell their subscribers, when it is for the public."""
    notice = said.notice
    if PUBLIC not in notice.audiences:
        return
    for page in StatusPage.objects.filter(team=notice.team_id, archived_at=None).order_by("pk"):
        services = set(StatusComponent.objects.filter(page=page, removed_at=None).values_list("service", flat=True))
        if is_about(notice, services):
            status_changes.page_changed(page.pk)
            put_telling(page, "notice", said.pk, f"planned work: {notice.title}", now)


def tell(row: PublicIncident, what: str, number: int, now: datetime) -> None:
    """Let the subscribers of a page hear of something about an incident, each once."""
    put_telling(row.page, what, number, row.title, now, public=row.pk)


def put_telling(page: StatusPage, what: str, number: int, why: str, now: datetime, public: int | None = None) -> None:
    """Let the subscribers of a page hear of something, each once; `what` is update, published, ended or notice."""
    exports.put(
        subject_of(page),
        TELL,
        f"status-{page.pk}-{what}-{number}",
        why[:500],
        now,
        payload={"what": what, "id": number, "public": public},
    )

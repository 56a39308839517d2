"""An incident on a status page: published under a title for the public, ended, withdrawn. An exercise or a private one never is.

Whoever writes an update for the public calls `on_public_update`, whoever tells of planned work `on_notice_update`, both in
the transaction that wrote it: the pages are drawn anew, and their subscribers hear of it, each once.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import exports, incidents, status_changes
from watchbill.actions.checking import check_text
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import WATCHBILL, Actor, record
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


def pages_for(incident: Incident) -> list[StatusPage]:
    """Read the pages on which an incident can be published: those of its team."""
    return list(StatusPage.objects.filter(team=incident.team_id, archived_at=None).order_by("title", "id"))


def publish(incident_id: int, page: StatusPage, title: str, person: Person, now: datetime) -> PublicIncident:
    """Put an incident on a page under a title for the public, with what was said in public. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        incidents.require_member(person, incident, "put an incident on the status page")
        _demand_publishable(incident, page)
        checked = check_text({"title": title}, "title", 200, "write a title that the public may read")
        return _publish(incident, page, checked, person, now)


def _demand_publishable(incident: Incident, page: StatusPage) -> None:
    if incident.is_private:
        raise Refused("it is private: nothing of it goes on a status page")
    if incident.is_exercise:
        raise Refused("it is an exercise: the public hears nothing of it")
    if incident.outcome:
        raise Refused(f"it ended as {incident.outcome.replace('_', ' ')}: there is nothing to publish")
    if page.team_id != incident.team_id or page.archived_at is not None:
        raise Refused("choose a page of the team", "page")


def _publish(incident: Incident, page: StatusPage, title: str, person: Person | None, now: datetime) -> PublicIncident:
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
    record(incidents.subject_of(incident), "incident.published", said, now, actor, {"page": page.pk})
    status_changes.page_changed(page.pk)
    last = IncidentUpdate.objects.filter(incident=incident, audience=PUBLIC).order_by("-id").first()
    _tell(row, "update" if last else "published", last.pk if last else row.pk, now)
    return row


def rename(public_id: int, title: str, person: Person, now: datetime) -> PublicIncident:
    """Change the title that the public reads. Raises Refused, NotAllowed."""
    with transaction.atomic():
        row = _locked(public_id, person, "change what the public reads")
        row.title = check_text({"title": title}, "title", 200, "write a title that the public may read")
        row.save(update_fields=["title"])
        said = f"{person} named it “{row.title}” on {row.page}"
        record(incidents.subject_of(row.incident), "incident.public_title", said, now, Actor.of(person))
        status_changes.page_changed(row.page_id)
    return row


def end(public_id: int, person: Person, now: datetime) -> PublicIncident:
    """Say in public that it is over, before the incident is. Raises Refused, NotAllowed."""
    with transaction.atomic():
        row = _locked(public_id, person, "end an incident on the status page")
        if row.ended_at is not None:
            raise Refused("it is over in public already")
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        said = f"{person} ended it on {row.page}"
        record(incidents.subject_of(row.incident), "incident.public_ended", said, now, Actor.of(person))
        status_changes.page_changed(row.page_id)
        _tell(row, "ended", row.pk, now)
    return row


def withdraw(public_id: int, why: str, person: Person, now: datetime) -> PublicIncident:
    """Take an incident off a page, with its updates and its part of the history. Raises Refused, NotAllowed."""
    with transaction.atomic():
        row = _locked(public_id, person, "take an incident off the status page")
        if not why.strip():
            raise Refused("say why: the timeline keeps it", "why")
        row.withdrawn_at = now
        row.save(update_fields=["withdrawn_at"])
        said = f"{person} took it off {row.page}: {why.strip()}"
        record(incidents.subject_of(row.incident), "incident.withdrawn", said, now, Actor.of(person))
        status_changes.page_changed(row.page_id)
    return row


def _locked(public_id: int, person: Person, what: str) -> PublicIncident:
    row = PublicIncident.objects.select_related("page").filter(pk=public_id, withdrawn_at=None).first()
    if row is None:
        raise Refused("it is not on this page")
    incident = incidents.lock(row.incident_id)
    incidents.require_member(person, incident, what)
    row = PublicIncident.objects.select_related("page__team").get(pk=public_id)
    if row.withdrawn_at is not None:
        raise Refused("it is not on this page")
    row.incident = incident
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
        _tell(row, "update", update.pk, now)


def _publish_by_rule(incident: Incident, desk: Desk, now: datetime) -> None:
    rule = status_page.Settings.model_validate(desk.rule("status_page"))
    touched = touched_by(incident)
    for page in pages_for(incident):
        names = [one.name for one in components_of(page) if one.service_id in touched]
        title = status_page.decide(names, rule)
        if title and not PublicIncident.objects.filter(page=page, incident=incident).exists():
            _publish(incident, page, title[:200], None, now)


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


def _tell(row: PublicIncident, what: str, number: int, now: datetime) -> None:
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

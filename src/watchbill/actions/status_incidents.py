"""An incident on a status page: published under a title for the public, ended, withdrawn. An exercise or a private one never is."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import incidents, status_changes
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, record
from watchbill.actions.status_publishing import put_on, tell
from watchbill.db.models import Incident, Person, PublicIncident, StatusPage
from watchbill.kit.errors import Refused


def publish(incident_id: int, page: StatusPage, title: str, person: Person, now: datetime) -> PublicIncident:
    """Put an incident on a page under a title for the public, with what was said in public. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        incidents.require_member(person, incident, "put an incident on the status page")
        _demand_publishable(incident, page)
        checked = check_text({"title": title}, "title", 200, "write a title that the public may read")
        return put_on(incident, page, checked, person, now)


def _demand_publishable(incident: Incident, page: StatusPage) -> None:
    if incident.is_private:
        raise Refused("it is private: nothing of it goes on a status page")
    if incident.is_exercise:
        raise Refused("it is an exercise: the public hears nothing of it")
    if incident.outcome:
        raise Refused(f"it ended as {incident.outcome.replace('_', ' ')}: there is nothing to publish")
    if page.team_id != incident.team_id or page.archived_at is not None:
        raise Refused("choose a page of the team", "page")


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
        tell(row, "ended", row.pk, now)
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

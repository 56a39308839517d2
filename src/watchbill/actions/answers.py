"""Answers to an alert as a whole: through its open page when it has one, else on the alert itself.

An alert that was silenced, listed as due or only recorded pages nobody, yet somebody may take it or close it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import paging
from watchbill.actions.access import require
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.paging import lock_service
from watchbill.db.models import AlertGroup, Event, Page, Person
from watchbill.kit.errors import Refused

LONGEST_NOTE = 10_000


def subject_of(group: AlertGroup) -> Subject:
    """Give the log's name for an alert group."""
    return Subject("alert", group.pk, group.team_id)


def open_page_of(group: AlertGroup) -> Page | None:
    """Read the page that asks for an alert group now; None: nobody is asked."""
    return Page.objects.filter(group=group, closed_at=None).first()


def the_open_page(group: AlertGroup) -> Page:
    """Read the page that asks for an alert group now; raises Refused when there is none."""
    page = open_page_of(group)
    if page is None:
        over = "it is resolved" if group.state == "resolved" else "nobody was paged for it"
        raise Refused(f"alert {group.pk} has no page to answer: {over}")
    return page


def acknowledge_alert(group: AlertGroup, person: Person, now: datetime) -> None:
    """Take responsibility for an alert, and for its page if it has one; raises Refused once resolved, NotAllowed."""
    page = open_page_of(group)
    if page is not None:
        paging.acknowledge(page.pk, person, now)
        return
    with transaction.atomic():
        group = _lock(group, person, "acknowledge this alert")
        if group.state == "resolved":
            raise Refused(f"alert {group.pk} is resolved: there is nothing left to acknowledge")
        if group.state == "acknowledged" and group.acknowledged_by_id == person.pk:
            return
        group.state, group.acknowledged_by, group.acknowledged_at = "acknowledged", person, now
        group.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
        why = f"{person} acknowledged, nobody was paged"
        record(subject_of(group), "alert.acknowledged", why, now, Actor.of(person))


def resolve_alert(group: AlertGroup, person: Person, now: datetime) -> None:
    """Close an alert, and its page if it has one; a resolved one stays as it is. Raises NotAllowed."""
    page = open_page_of(group)
    if page is not None:
        paging.resolve(page.pk, person, now)
        return
    with transaction.atomic():
        group = _lock(group, person, "resolve this alert")
        if group.state == "resolved":
            return
        group.state, group.resolved_at, group.firing_count, group.snoozed_until = "resolved", now, 0, None
        group.save(update_fields=["state", "resolved_at", "firing_count", "snoozed_until"])
        group.alerts.filter(state="firing").update(state="resolved", ended_at=now)
        record(subject_of(group), "alert.resolved", f"resolved by {person}", now, Actor.of(person))


def add_note(group: AlertGroup, text: str, person: Person, now: datetime) -> Event:
    """Write a note on an alert's timeline; raises Refused when it is empty or too long, NotAllowed."""
    require(person, group.team, "member", "write on this alert")
    if len(text) > LONGEST_NOTE:
        raise Refused(f"at most {LONGEST_NOTE} characters, this has {len(text)}", "text")
    if not check_text({"text": text}, "text", LONGEST_NOTE):
        raise Refused("write something", "text")
    with transaction.atomic():
        return record(subject_of(group), "alert.note", text.strip(), now, Actor.of(person))


def _lock(group: AlertGroup, person: Person, what: str) -> AlertGroup:
    """Lock the service first, as placing does, then the group."""
    require(person, group.team, "member", what)
    lock_service(group.service_id)
    return AlertGroup.objects.select_related("team").select_for_update(of=("self",)).get(pk=group.pk)

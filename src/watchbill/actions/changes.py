"""Changes that a tool reports: a line on the service's record, shown beside the alerts that follow it."""

from __future__ import annotations

from watchbill.actions.log import Actor, Subject, record
from watchbill.core.signals import Change
from watchbill.db.models import Inbox, Service

CHANGE_NOTE = '{"change": true}'


def note_change(service: Service, change: Change, row: Inbox) -> None:
    """Write a change on its service's record, at the time that its tool gives, or when it arrived.

    A time ahead of its arrival is a clock that goes wrong, or a plan: what was reported had not happened later than that.
    """
    at = min(change.at or row.received_at, row.received_at)
    data = {
        "inbox": row.pk,
        "source": change.source,
        "description": change.description,
        "links": [list(link) for link in change.links],
    }
    by = Actor(None, change.source or "a tool")
    record(Subject("service", service.pk, service.team_id), "change.reported", change.title, at, by, data)

"""Tell the status pages that something changed which they may show, and end on them what has ended.

Whatever changes an incident, a notice or what was said of them calls this: a page is drawn anew when its `version` moves.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from watchbill.db.models import Incident, Notice, PublicIncident, StatusPage
from watchbill.db.wake import refresh_pages


def page_changed(*pages: int) -> None:
    """Let pages be drawn anew once the present transaction is committed."""
    # In the order of their ids, as everybody locks them.
    for number in sorted(set(pages)):
        StatusPage.objects.filter(pk=number).update(version=F("version") + 1)
    if pages:
        refresh_pages()


def incident_changed(incident: Incident) -> None:
    """Let the pages on which an incident was published be drawn anew."""
    page_changed(*PublicIncident.objects.filter(incident=incident).values_list("page", flat=True))


def notice_changed(notice: Notice) -> None:
    """Let the pages of a notice's team be drawn anew."""
    page_changed(*StatusPage.objects.filter(team=notice.team_id, archived_at=None).values_list("pk", flat=True))


def keep(incident: Incident, now: datetime) -> None:
    """Keep the pages in step with a locked incident: what is over there is over in public."""
    if incident.state in {"resolved", "closed"}:
        at = incident.resolved_at or now
        PublicIncident.objects.filter(incident=incident, ended_at=None).update(ended_at=at)
    incident_changed(incident)


def reopened(incident: Incident, only: Collection[int] | None = None) -> None:
    """Let a locked incident go on in public where it had ended; `only` names where, None: everywhere."""
    ended = PublicIncident.objects.filter(incident=incident).exclude(ended_at=None)
    (ended if only is None else ended.filter(pk__in=only)).update(ended_at=None)
    incident_changed(incident)

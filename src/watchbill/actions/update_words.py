"""The words of updates and notices: the team's own ready message of a kind where it wrote one, ours otherwise (COM-05)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from watchbill.core.updates import EXERCISE, promise_words, render
from watchbill.core.wording import INCIDENT_FIELDS, NOTICE_FIELDS, fill
from watchbill.db.models import CannedResponse, Incident, Notice, Team

STATE_WORDS = {
    "investigating": "we are looking into it",
    "identified": "we know what it is",
    "monitoring": "it works again, and we keep watching",
    "resolved": "it is over",
}

# With the words until a team writes its own.
INCIDENT_KINDS = {
    "incident_first": "{title}\n\n{impact}\n\nWe have noticed it and are on it.\n\n{next_update}\n\n{team}",
    "incident_update": "{title}: {state}.\n\n{parts}\n\n{next_update}\n\n{team}",
    "incident_resolved": "{title}: {state}.\n\n{parts}\n\nAll is normal since {ended}.\n\n{team}",
}
NOTICE_KINDS = {
    "notice_announced": "Planned work: {title}\n\nFrom {starts} until {ends}.\nTouched: {services}.\n\n{text}\n\n{team}",
    "notice_reminder": "A reminder of planned work: {title}\n\nIt starts {starts} and ends {ends}.\nTouched: {services}.\n\n{text}\n\n{team}",
    "notice_moved": "Planned work has moved: {title}\n\nIt now starts {starts} and ends {ends}.\n\n{text}\n\n{team}",
    "notice_begun": "Planned work has begun: {title}\n\nIt ends {ends}.\nTouched: {services}.\n\n{text}\n\n{team}",
    "notice_extended": "Planned work takes longer: {title}\n\nIt now ends {ends}.\n\n{text}\n\n{team}",
    "notice_done": "Planned work is done: {title}\n\n{text}\n\n{team}",
    "notice_cancelled": "Planned work is called off: {title}\n\nIt was to start {starts}.\n\n{text}\n\n{team}",
}  # fmt: skip
KINDS = {**INCIDENT_KINDS, **NOTICE_KINDS}
# What the fields of each kind are: a ready message that names another is refused.
FIELDS = {**dict.fromkeys(INCIDENT_KINDS, INCIDENT_FIELDS), **dict.fromkeys(NOTICE_KINDS, NOTICE_FIELDS)}


def words_of(team: Team, kind: str, fields: Mapping[str, str]) -> str:
    """Give the words of a kind, filled; lines that have nothing to say leave no hole."""
    own = CannedResponse.objects.filter(team=team, kind=kind, removed_at=None).order_by("id").first()
    filled = fill(own.text if own else KINDS[kind], fields)
    return "\n\n".join(part.strip() for part in filled.split("\n\n") if part.strip())


def incident_text(
    incident: Incident,
    kind: str,
    state: str,
    parts: Sequence[Sequence[str]],
    next_at: datetime | None,
    author: str,
) -> str:
    """Write what an audience reads about an incident."""
    fields = {
        "title": named(incident),
        "impact": incident.impact,
        "state": STATE_WORDS[state],
        "parts": render(parts),
        "next_update": promise_words(next_at, incident.team.zone),
        "team": str(incident.team),
        "me": author,
        "started": at_wall(incident.started_at, incident.team.zone),
        "ended": at_wall(incident.resolved_at, incident.team.zone),
    }
    return words_of(incident.team, kind, fields)


def named(incident: Incident) -> str:
    """Give an incident's title; of an exercise every message begins by saying so."""
    return f"{EXERCISE if incident.is_exercise else ''}{incident.title}"


def notice_text(notice: Notice, kind: str, said: str, author: str) -> str:
    """Write what people read about planned work."""
    zone = notice.team.zone
    fields = {
        "title": notice.title,
        "text": said,
        "starts": at_wall(notice.starts_at, zone),
        "ends": at_wall(notice.ends_at, zone),
        "services": ", ".join(str(one) for one in notice.services.order_by("name")) or "see below",
        "team": str(notice.team),
        "me": author,
    }
    return words_of(notice.team, kind, fields)


def at_wall(at: datetime | None, zone: str) -> str:
    """Say a time on the wall of a zone; nothing when there is none."""
    return f"{at.astimezone(ZoneInfo(zone)):%A %d %B, %H:%M} ({zone})" if at else ""


def link_of(kind: str, number: int) -> str:
    """Give the whole address of an incident or a notice, for those who may open it."""
    return f"{settings.WATCHBILL_URL.rstrip('/')}/{kind}s/{number}/"

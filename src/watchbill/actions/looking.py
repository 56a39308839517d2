"""Two duties that no alarm asks for: to look at the consoles (DUT-02), and to say which calls one regrets (DUT-08).

A look is a line in the team's log, with what was seen. A regret is one too: nobody is blamed, the review reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from watchbill.actions.access import require
from watchbill.actions.log import Actor, Subject, record
from watchbill.core.wallclock import MIDNIGHT, day_of, start_instant
from watchbill.db.models import AlertGroup, Event, Person, Service, SupportRequest, Team
from watchbill.kit.errors import Refused

LONGEST = 2000
MOST_SHOWN = 200
LOOKED, REGRETTED = "team.looked", "judgement.regretted"


@dataclass(frozen=True)
class Console:
    """A service with the places where it can be looked at."""

    service: Service
    links: tuple[dict[str, str], ...]


def consoles(team: Team) -> list[Console]:
    """Read the dashboards and alarm pages of a team's services, the most important service first."""
    services = Service.objects.filter(team=team, archived_at=None).order_by("tier", "name")
    shown = [
        (one, tuple(link for link in one.links if link.get("kind") in {"dashboard", "alarms"})) for one in services
    ]
    return [Console(service, links) for service, links in shown if links]


def last_look(team: Team, now: datetime) -> Event | None:
    """Read who looked at the consoles today, in the team's zone."""
    midnight = start_instant(day_of(now, team.zone), MIDNIGHT, team.zone)
    lines = Event.objects.filter(subject_kind="team", subject_id=team.pk, kind=LOOKED, at__gte=midnight)
    return lines.order_by("-id").first()


def look(team: Team, seen: str, person: Person, now: datetime) -> Event:
    """Say that somebody looked at the consoles, and what they saw, if anything. Raises Refused, NotAllowed."""
    require(person, team, "member", "look after the consoles")
    seen = _checked(seen, "seen")
    said = f"{person} looked at the consoles: {seen or 'nothing unusual'}"
    return record(Subject("team", team.pk, team.pk), LOOKED, said, now, Actor.of(person))


def regret(work: AlertGroup | SupportRequest, text: str, person: Person, now: datetime) -> Event:
    """Say that one would decide differently now, such as to call for help; the review reads it. Raises Refused, NotAllowed."""
    require(person, work.team, "member", "say what you would do differently")
    text = _checked(text, "text")
    if not text:
        raise Refused("say what you would do differently", "text")
    kind = "alert" if isinstance(work, AlertGroup) else "request"
    with transaction.atomic():
        return record(
            Subject(kind, work.pk, work.team_id), REGRETTED, text, now, Actor.of(person), {"title": work.title}
        )


def regrets(team: Team, since: datetime, until: datetime) -> list[Event]:
    """Read the calls that people would make differently, said between two instants, the latest first."""
    lines = Event.objects.filter(team=team, kind=REGRETTED, at__gte=since, at__lt=until)
    return list(lines.order_by("-id")[:MOST_SHOWN])


def _checked(text: str, field: str) -> str:
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise Refused(f"at most {LONGEST} characters", field)
    return text

"""Turning work away politely: "not now, please raise it here", in the team's words, and counted (DUT-09).

What interrupts is not turned away, unless the team left its class to the discretion of whoever is on watch (DUT-19).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from watchbill.actions import request_mail, support
from watchbill.actions.access import require
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import WATCHBILL, Actor
from watchbill.actions.request_words import words_for
from watchbill.core import support as decisions
from watchbill.db.models import Person, SupportRequest, Team
from watchbill.db.support_facts import request_fact
from watchbill.kit.errors import Refused
from watchbill.rules import request_classes, request_ends


def words_to_turn_away(request: SupportRequest, person: Person, now: datetime) -> str:
    """Give the words that `turn_away` sends when nobody writes others: the team's own, or ours."""
    return words_for("not_now", request, desk_of(request.team, now), me=str(person))


def turn_away(request_id: int, text: str, person: Person, now: datetime) -> SupportRequest:
    """Turn a request away in `text`, or in the team's words; a reply opens it again. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "turn a request away")
        desk = desk_of(request.team, now)
        _demand_may_wait(request, desk)
        request_mail.write(request, text.strip() or words_to_turn_away(request, person, now), now, person)
        end(request, "turned_away", str(person), desk, now, Actor.of(person))
    return request


def _demand_may_wait(request: SupportRequest, desk: Desk) -> None:
    level = desk.order.levels.get(request.priority)
    held = request_classes.decide(request.request_class, desk.classes)
    if level is not None and level.interrupts and not held.at_discretion:
        raise Refused(
            f"{level.title} comes before planned work: it is not turned away."
            " If it is less urgent, change its priority first, with the reason."
        )


def end(
    request: SupportRequest, outcome: str, who: str, desk: Desk, now: datetime, actor: Actor = WATCHBILL
) -> SupportRequest:
    """Resolve a locked request without the words of "resolved": it was turned away, refused, or is noise."""
    silence = request_ends.decide(desk.ends)
    effects = decisions.resolve(request_fact(request), outcome, who, silence, desk.coverage, now)
    support.apply(request, effects, desk, now, actor)
    return request


def count_turned_away(team: Team, since: datetime, until: datetime) -> int:
    """Count the requests that were turned away in a time and not opened again (DUT-09)."""
    return _turned_away(team, since, until).count()


def turned_away_by_month(team: Team, since: datetime, until: datetime) -> dict[date, int]:
    """Count them by month of the team's calendar, oldest first; a month is named by its first day."""
    zone = ZoneInfo(team.zone)
    found = Counter(
        at.astimezone(zone).date().replace(day=1)
        for at in _turned_away(team, since, until).values_list("resolved_at", flat=True)
        if at is not None
    )
    month, last = since.astimezone(zone).date().replace(day=1), until.astimezone(zone).date()
    counted: dict[date, int] = {}
    while month <= last:
        counted[month] = found[month]
        month = (month + timedelta(days=32)).replace(day=1)
    return counted


def _turned_away(team: Team, since: datetime, until: datetime) -> QuerySet[SupportRequest]:
    return SupportRequest.objects.filter(
        team=team, outcome="turned_away", resolved_at__gte=since, resolved_at__lt=until
    )

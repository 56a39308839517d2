"""Read how much help a community had in a month: the time that was logged, running clocks included."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from watchbill.db.models import Community, WorkLog
from watchbill.kit.spans import Span


def month_of(now: datetime, zone: str) -> Span:
    """Give the month of a team's calendar that contains `now`."""
    local = now.astimezone(ZoneInfo(zone))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return Span(first.astimezone(now.tzinfo), following.astimezone(now.tzinfo))


def used_on(community: Community, month: Span, exempt: Collection[str], now: datetime) -> timedelta:
    """Add up the time of a month that counts for a community: all but that on requests whose class is `exempt`."""
    return used_on_each([community.pk], month, exempt, now)[community.pk]


def used_on_each(
    communities: Collection[int], month: Span, exempt: Collection[str], now: datetime
) -> dict[int, timedelta]:
    """Add up the time of a month that counts, for each of these communities.

    The class is that of today: an advice that turned out to be an incident gives its minutes back.
    """
    logs = WorkLog.objects.filter(
        community__in=communities, started_at__gte=month.start, started_at__lt=month.end, counts=True
    ).annotate(of_class=Coalesce(F("request__request_class"), F("ticket__request__request_class")))
    used = dict.fromkeys(communities, timedelta())
    sums = logs.filter(ended_at__isnull=False).values_list("community", "of_class").annotate(total=Sum("seconds"))
    for community, of_class, total in sums:
        if of_class not in exempt:
            used[community] += timedelta(seconds=total)
    for community, of_class, started in logs.filter(ended_at=None).values_list("community", "of_class", "started_at"):
        if of_class not in exempt:
            used[community] += max(now - started, timedelta())
    return used

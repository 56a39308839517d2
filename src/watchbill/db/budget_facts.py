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
    """Add up the time of a month that counts: all but that on requests whose class is `exempt`.

    The class is that of today: an advice that turned out to be an incident gives its minutes back.
    """
    logs = WorkLog.objects.filter(
        community=community, started_at__gte=month.start, started_at__lt=month.end, counts=True
    ).annotate(of_class=Coalesce(F("request__request_class"), F("ticket__request__request_class")))
    sums = logs.filter(ended_at__isnull=False).values_list("of_class").annotate(total=Sum("seconds"))
    seconds = sum(total for of_class, total in sums if of_class not in exempt)
    running = logs.filter(ended_at=None).values_list("of_class", "started_at")
    live = (max(now - started, timedelta()) for of_class, started in running if of_class not in exempt)
    return timedelta(seconds=seconds) + sum(live, timedelta())

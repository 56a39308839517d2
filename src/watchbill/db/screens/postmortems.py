"""What the pages of post-mortems show. Every path begins with what the reader may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from watchbill.db.incident_facts import seen_by
from watchbill.db.models import ActionItem, Event, Incident, Person, PostMortem, Team
from watchbill.db.postmortem_facts import owed, readable_by

PAGE = 50
MOST = 200
QUARTERS = timedelta(days=184)
LATELY = timedelta(days=7)


def find_postmortem(person: Person, number: int) -> PostMortem | None:
    """Find a post-mortem that somebody may read; None also for one of others, or of a private incident."""
    rows = readable_by(person).select_related("team__manager", "team__product_manager", "team__fallback")
    return rows.select_related("incident", "owner", "reviewed_by", "published_by").filter(pk=number).first()


def page_of(person: Person, team: Team | None, before: int | None) -> tuple[list[PostMortem], int | None]:
    """Read a page of post-mortems, the newest first, and what asks for the next page."""
    rows = readable_by(person).select_related("incident", "owner", "team").order_by("-id")
    rows = rows.filter(team=team) if team else rows
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


@dataclass(frozen=True)
class Debt:
    """What a team owes from the last quarters: actions that are open, those overdue first; reports not published."""

    actions: Sequence[ActionItem]
    reports: Sequence[PostMortem]
    lately: Sequence[PostMortem]


def debt_of(person: Person, teams: Sequence[int], now: datetime) -> Debt:
    """Read what teams owe; what somebody may not see is not counted for them."""
    since = now - QUARTERS
    readable = readable_by(person).filter(incident__is_exercise=False, team__in=teams)
    actions = ActionItem.objects.filter(postmortem__in=readable).exclude(ticket__stage="done")
    rows = actions.select_related("ticket__assignee", "ticket__sprint", "postmortem__incident", "ticket__team")
    recent = rows.filter(postmortem__incident__started_at__gte=since)
    reports = readable.filter(owed(teams), incident__started_at__gte=since).select_related("incident", "owner", "team")
    lately = readable.filter(changed_at__gte=now - LATELY).exclude(state="draft").select_related("incident", "team")
    return Debt(
        actions=list(recent.order_by("ticket__due_on", "id")[:MOST]),
        reports=list(reports.order_by("due_at", "id")[:MOST]),
        lately=list(lately.order_by("-id")[:MOST]),
    )


def incidents_between(person: Person, teams: Sequence[int], since: datetime, until: datetime) -> QuerySet[Incident]:
    """Give the incidents of teams that began from `since` to before `until`, as far as somebody may see them."""
    return Incident.objects.filter(seen_by(person), team__in=teams, started_at__gte=since, started_at__lt=until)


@dataclass(frozen=True)
class Story:
    """What happened to a post-mortem, the latest first; apart, which message about it left by which way."""

    lines: list[Event]
    messages: list[Event]


def read_story(postmortem: PostMortem) -> Story:
    """Read what happened to a post-mortem."""
    rows = Event.objects.filter(subject_kind="postmortem", subject_id=postmortem.pk).order_by("-id")
    is_message = Q(kind__startswith="delivery.") | Q(kind="postmortem.mailed")
    return Story(list(rows.exclude(is_message)[:MOST]), list(rows.filter(is_message)[:MOST]))

"""Silences: hold alerts back for a time, with a reason; what fires already is held back too.

A silence that begins closes the pages of what it covers, each with the reason on the record, so that nobody climbs a
ladder for something that the team has decided not to hear. When it ends, early or not, the policy is asked again
about whatever of it still fires: a page then opens anew. Beginning is the work of a timer, alert by alert, so that
a silence over a storm holds no lock for long and one of the future is no special case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from watchbill.actions import alerts as alert_actions
from watchbill.actions import paging
from watchbill.actions.access import require
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.core import alerts
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Person, Service, Silence, Team
from watchbill.kit.errors import Refused

LONGEST = timedelta(days=90)
FURTHEST = timedelta(days=365)


def subject_of(silence: Silence) -> Subject:
    """Give the log's name for a silence."""
    return Subject("silence", silence.pk, silence.team_id)


def add_silence(
    team: Team,
    person: Person,
    now: datetime,
    *,
    service: Service | None,
    matchers: Sequence[Mapping[str, Any]],
    why: str,
    starts_at: datetime | None,
    ends_at: datetime,
) -> Silence:
    """Hold back the alerts of a team, or of one service, whose labels meet every matcher; for members.

    `starts_at` None or past means now. Raises Refused naming the field, NotAllowed.
    """
    require(person, team, "member", "silence alerts")
    starts = max(starts_at or now, now)
    _check_times(starts, ends_at, now)
    if not 0 < len(why.strip()) <= 500:
        raise Refused("say why, so that whoever looks for the alert understands: at most 500 characters", "why")
    written = check_scope(team, service, matchers)
    with transaction.atomic():
        silence = Silence.objects.create(
            team=team,
            service=service,
            matchers=written,
            why=why.strip(),
            starts_at=starts,
            ends_at=ends_at,
            created_at=now,
            created_by=person,
        )
        record(subject_of(silence), "silence.added", f"{person}: {silence.why}", now, Actor.of(person))
        set_timer(subject_of(silence), "silence_begins", starts)
    return silence


def _check_times(starts: datetime, ends: datetime, now: datetime) -> None:
    if ends <= starts:
        raise Refused("a silence ends after it starts, and in the future", "ends_at")
    if ends - starts > LONGEST:
        raise Refused(
            f"a silence lasts at most {LONGEST.days} days: what is never wanted is mended at its source", "ends_at"
        )
    if starts - now > FURTHEST:
        raise Refused("a silence starts within a year", "starts_at")


def check_scope(team: Team, service: Service | None, matchers: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Check what a silence covers and give its matchers in their stored form; raises Refused naming the field."""
    if service is not None and service.team_id != team.pk:
        raise Refused(f"{service} is no service of {team}", "service")
    if len(matchers) > 20:
        raise Refused("at most 20 matchers", "matchers")
    read = alerts.read_matchers(matchers)
    if service is None and not read:
        raise Refused(f"this would silence everything of {team}: choose a service or name a label", "matchers")
    return [{"label": one.label, "operator": one.operator, "value": one.value} for one in read]


def end_silence(silence: Silence, person: Person, now: datetime) -> None:
    """End a silence early: what it held back and still fires is looked at again at once. Raises Refused, NotAllowed."""
    require(person, silence.team, "member", "end this silence")
    with transaction.atomic():
        changed = Silence.objects.filter(pk=silence.pk, ended_at=None, ends_at__gt=now).update(
            ended_at=now, ended_by=person
        )
        if not changed:
            raise Refused("this silence is over already")
        silence.refresh_from_db()
        clear_timer(subject_of(silence), "silence_begins")
        record(subject_of(silence), "silence.ended", f"{person} ended it early", now, Actor.of(person))
        for pk in _held_with(silence):
            set_timer(Subject("alert", pk, silence.team_id), "silence_over", now)


def _held_with(silence: Silence) -> list[int]:
    """Read what a silence holds back, and what another one holds back that may have needed it for some of its alerts."""
    held = AlertGroup.objects.filter(team=silence.team, silence__isnull=False).exclude(state="resolved")
    return list(held.filter(Q(silence=silence) | Q(alert_count__gt=1)).order_by("id").values_list("pk", flat=True))


def covered_groups(
    team: Team, service: Service | None, matchers: Sequence[Mapping[str, Any]], limit: int = 1000
) -> list[AlertGroup]:
    """Read which open alerts a silence like this would cover, newest first; raises Refused for a wrong matcher."""
    read = alerts.read_matchers(matchers)
    groups = facts.open_groups(team, service, limit)
    labels = facts.all_labels_of(groups)
    return [group for group in groups if all(_covers(read, one) for one in labels[group.pk])]


def _covers(matchers: Sequence[alerts.Matcher], labels: Mapping[str, str]) -> bool:
    return all(matcher.holds(labels) for matcher in matchers)


def begin_silence(claim: Claim, now: datetime) -> None:
    """Hold back what fires already and is covered, one alert a transaction; doing it twice changes nothing."""
    silence = Silence.objects.select_related("team", "service").filter(pk=claim.subject_id).first()
    if silence is not None and silence.ended_at is None and silence.ends_at > now:
        for group in _touched_groups(silence, now):
            _hold_back(group.pk, now)
    with transaction.atomic():
        finish(claim)


def _touched_groups(silence: Silence, now: datetime) -> list[AlertGroup]:
    """Read the open alerts that the silences in force hold back, now that this one is among them."""
    silences = facts.silences_of(silence.team, now)
    groups = facts.open_groups(silence.team, silence.service, 100_000)
    labels = facts.all_labels_of(groups)
    holding = {group.pk: alerts.silence_of_group(labels[group.pk], group.service_id, silences, now) for group in groups}
    return [group for group in groups if (held := holding[group.pk]) and held.id != group.silence_id]


def _hold_back(group_id: int, now: datetime) -> None:
    with transaction.atomic():
        group = alert_actions.lock_group(group_id)
        labels = facts.all_labels_of([group])[group.pk]
        held = alerts.silence_of_group(labels, group.service_id, facts.silences_of(group.team, now), now)
        if group.state == "resolved" or held is None or held.id == group.silence_id:
            return
        why = f"silenced by {held.by}: {held.why}"
        paging.close_for_groups([group], why, now)
        # Who had taken it is free again: when the silence ends somebody is asked anew.
        group.state, group.acknowledged_by, group.acknowledged_at, group.snoozed_until = "firing", None, None, None
        group.silence_id = held.id
        group.save(update_fields=["state", "acknowledged_by", "acknowledged_at", "snoozed_until", "silence"])
        record(alert_actions.subject_of(group), "alert.silenced", why, now, data={"silence": held.id})
        clear_timer(alert_actions.subject_of(group), "coverage_starts")
        set_timer(alert_actions.subject_of(group), "silence_over", held.ends_at)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("silence", "silence_begins"): begin_silence,
}

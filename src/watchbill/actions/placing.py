"""Place a batch of signals of one team's services: in memory first, then few statements, then what the policy asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from watchbill.actions import paging, returning
from watchbill.actions.asking import Asking
from watchbill.actions.log import Actor, Subject, event_of
from watchbill.actions.timers import set_timers
from watchbill.core import alerts
from watchbill.core.signals import Signal
from watchbill.db import facts
from watchbill.db.models import Alert, AlertGroup, Event, Inbox, Service
from watchbill.kit.effects import Record
from watchbill.rules import alert_grouping, severity_response

LABELS_MOST = 64
PAGES = frozenset({"page_now", "page_in_coverage"})
ASKED_AT_ONCE = 100


def digest(text: str) -> str:
    """Give a short, fixed-length name for a key or fingerprint of any length."""
    return (
        text
        if len(text) <= 64 and text.isascii() and text.isprintable()
        else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    )


Place = tuple[int, str]


class Batch:
    """The signals of locked services of one team, placed one after the other.

    Holds what is open in memory so that 500 signals cost a handful of statements. `place` keeps the order;
    `write` stores; `respond` asks the policy about groups that are new or became worse.
    """

    def __init__(self, services: Sequence[Service], signals: Sequence[tuple[int, Signal]], now: datetime) -> None:
        self.services = {service.pk: service for service in services}
        self.team = services[0].team
        self.now = now
        self.policy = facts.policy_of(self.team)
        rules: Mapping[str, Any] = self.policy.get("rules", {})
        self.grouping = alert_grouping.Settings.model_validate(rules.get("alert_grouping", {}))
        self.severity = severity_response.Settings.model_validate(rules.get("severity_response", {}))
        self.silences = facts.silences_of(self.team, now)
        self._decided: dict[str, severity_response.Decision] = {}
        self._load(signals)
        self.touched: dict[int, AlertGroup] = {}
        self.changed: dict[int, Alert] = {}
        self.lines: list[tuple[AlertGroup, Event]] = []
        self.to_ask: dict[int, AlertGroup] = {}
        self.cleared: dict[int, AlertGroup] = {}
        self.taken: dict[int, tuple[AlertGroup, str]] = {}
        self.returned: dict[int, tuple[AlertGroup, alerts.Answer, str]] = {}

    def _load(self, signals: Sequence[tuple[int, Signal]]) -> None:
        # Each service with each key: what this finds too much is not asked for, and one statement serves all.
        fingerprints = {digest(signal.fingerprint) for _, signal in signals}
        keys = {self._key_of(signal)[0] for _, signal in signals}
        lately = self.now - timedelta(minutes=self.grouping.flapping_minutes)
        firing = Alert.objects.filter(service__in=self.services, fingerprint__in=fingerprints, state="firing")
        self.firing = {(alert.service_id, alert.fingerprint): alert for alert in firing.select_related("group")}
        self.open = {_place_of(alert.group): alert.group for alert in self.firing.values()}
        for group in AlertGroup.objects.filter(service__in=self.services, key__in=keys).exclude(state="resolved"):
            self.open.setdefault(_place_of(group), group)
        for alert in self.firing.values():
            alert.group = self.open[_place_of(alert.group)]
        past = AlertGroup.objects.filter(
            service__in=self.services, key__in=keys, state="resolved", resolved_at__gt=lately
        )
        self.left = {_place_of(group): group for group in past.order_by("id") if _place_of(group) not in self.open}
        for group in (*self.open.values(), *self.left.values()):
            group.service = self.services[group.service_id]
        groups = [group.pk for group in (*self.open.values(), *self.left.values())]
        known = Alert.objects.filter(group__in=groups, fingerprint__in=fingerprints)
        self.known = {(alert.group_id, alert.fingerprint): alert for alert in known}
        self.known.update({(alert.group_id, alert.fingerprint): alert for alert in self.firing.values()})

    def _key_of(self, signal: Signal) -> tuple[str, str]:
        group, why = alert_grouping.decide(signal.group, signal.fingerprint, signal.labels, self.grouping)
        return digest(group), why

    def place(self, signal: Signal, row: Inbox) -> None:
        """Place one signal: find or make its group, count it, and note what must follow."""
        fingerprint, (name, grouped) = digest(signal.fingerprint), self._key_of(signal)
        key = row.service_id, name
        alert = self.firing.get((row.service_id, fingerprint))
        place, why = alerts.place(
            signal,
            alert_is_firing=alert is not None,
            group_is_open=key in self.open,
            left_lately=key in self.left,
        )
        by = Actor(None, row.monitor)
        match place:
            case "stray":
                return
            case "clears":
                self._clear(alert, signal, why, by)  # type: ignore[arg-type]
            case "acknowledges":
                self._acknowledge(alert, why, by)  # type: ignore[arg-type]
            case "repeats":
                self._repeat(alert, signal, by)  # type: ignore[arg-type]
            case _:
                self._fire(signal, fingerprint, key, why, grouped, place, row)

    def _decide(self, word: str) -> severity_response.Decision:
        if word not in self._decided:
            self._decided[word] = severity_response.decide(word, self.severity, self.now)
        return self._decided[word]

    def _fire(
        self, signal: Signal, fingerprint: str, key: Place, why: str, grouped: str, place: str, row: Inbox
    ) -> None:
        decision = self._decide(signal.severity)
        by = Actor(None, row.monitor)
        group = self.open.get(key)
        if group is None and place == "flaps":
            group = self._reopen(key, grouped, by)
        elif group is None:
            group = self._open_group(signal, key, decision)
            data = {"inbox": row.pk, "monitor": row.monitor, "parsed": signal.title, "severity_word": signal.severity}
            self._line(group, "alert.opened", f"{why}; {grouped}; {decision.why}", by, data)
        else:
            self._line(group, "alert.joined", f"{signal.title}: {why}; {grouped}", by)
        self._add_alert(group, signal, fingerprint)
        group.firing_count += 1
        self._touch(group)
        if group.silence_id is not None:
            # What holds back the others may not cover this one.
            self.to_ask[id(group)] = group
        self._worsen(group, decision)

    def _open_group(self, signal: Signal, key: Place, decision: severity_response.Decision) -> AlertGroup:
        group = AlertGroup(
            team=self.team,
            service=self.services[key[0]],
            key=key[1],
            title=signal.title[:1024],
            severity=decision.severity,
            response=decision.respond,
            urgency=decision.urgency,
            state="firing",
            opened_at=self.now,
            last_at=self.now,
            due_at=decision.due_at,
        )
        self.open[key] = group
        self.to_ask[id(group)] = group
        return group

    def _reopen(self, key: Place, grouped: str, by: Actor) -> AlertGroup:
        group = self.open[key] = self.left.pop(key)
        answer = returning.answer_of(group, self.policy.get("rules", {}))
        goes_on, why = alerts.come_back(answer, timedelta(minutes=self.grouping.flapping_minutes), self.now)
        self._line(group, "alert.flapped", f"{why}; {grouped}", by)
        group.resolved_at = None
        group.restarts += 1
        self.cleared.pop(id(group), None)
        if goes_on and answer is not None:
            group.state = "acknowledged"
            self._line(group, "alert.acknowledged", why)
            self.returned[id(group)] = (group, answer, why)
        else:
            group.state, group.acknowledged_by, group.acknowledged_at, group.snoozed_until = "firing", None, None, None
            self.to_ask[id(group)] = group
        return group

    def _add_alert(self, group: AlertGroup, signal: Signal, fingerprint: str) -> None:
        known = self.known.get((_number(group), fingerprint))
        if known is not None:
            known.group = group
            known.state, known.ended_at, known.count = "firing", None, known.count + 1
            alert = known
        else:
            alert = Alert(
                group=group,
                service_id=group.service_id,
                fingerprint=fingerprint,
                title=signal.title[:1024],
                severity=signal.severity[:40],
                source=signal.source[:255],
                description=signal.description,
                labels=dict(list(signal.labels.items())[:LABELS_MOST]),
                links=[list(link) for link in signal.links],
                state="firing",
                started_at=signal.started_at,
                first_at=self.now,
            )
            group.alert_count += 1
        alert.last_at = self.now
        self.firing[group.service_id, fingerprint] = alert
        self.changed[id(alert)] = alert

    def _worsen(self, group: AlertGroup, decision: severity_response.Decision) -> None:
        """Raise the group to the severity of its worst alert; a worse one asks the policy again."""
        order = self.severity
        if severity_response.rank(decision.severity, order) >= severity_response.rank(group.severity, order):
            return
        self._line(group, "alert.worsened", f"from {group.severity} to {decision.severity}")
        group.severity, group.response, group.urgency = decision.severity, decision.respond, decision.urgency
        group.due_at = decision.due_at
        self.to_ask[id(group)] = group

    def _repeat(self, alert: Alert, signal: Signal, by: Actor) -> None:
        alert.count += 1
        alert.last_at = self.now
        alert.description = signal.description or alert.description
        self.changed[id(alert)] = alert
        self._touch(alert.group)
        self._worsen(alert.group, self._decide(signal.severity))

    def _clear(self, alert: Alert, signal: Signal, why: str, by: Actor) -> None:
        group = alert.group
        del self.firing[group.service_id, alert.fingerprint]
        alert.state, alert.ended_at, alert.last_at = "resolved", signal.ended_at or self.now, self.now
        self.changed[id(alert)] = alert
        self.known[(_number(group), alert.fingerprint)] = alert
        group.firing_count = max(group.firing_count - 1, 0)
        self._touch(group)
        if group.firing_count:
            self._line(group, "alert.cleared_one", f"{alert.title}: {why}; {group.firing_count} still fire", by)
            return
        group.state, group.resolved_at = "resolved", self.now
        self._line(group, "alert.resolved", f"{why}, and nothing else in this group fires", by)
        del self.open[_place_of(group)]
        self.left[_place_of(group)] = group
        self.to_ask.pop(id(group), None)
        self.returned.pop(id(group), None)
        self.cleared[id(group)] = group

    def _acknowledge(self, alert: Alert, why: str, by: Actor) -> None:
        group = alert.group
        self._touch(group)
        if group.state == "firing":
            group.state, group.acknowledged_at = "acknowledged", self.now
            self._line(group, "alert.acknowledged", why, by)
            self.to_ask.pop(id(group), None)  # what comes worse after this asks again
            self.taken[id(group)] = (group, by.name)

    def _touch(self, group: AlertGroup) -> None:
        group.signal_count += 1
        group.last_at = self.now
        self.touched[id(group)] = group

    def _line(
        self, group: AlertGroup, kind: str, why: str, by: Actor | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        subject = Subject("alert", group.pk or 0, group.team_id)
        self.lines.append((group, event_of(subject, kind, why, self.now, by or Actor(None, "Watchbill"), data)))

    def write(self) -> None:
        """Store groups, alerts and lines. Ended alerts are written before new ones, so that "open once" holds."""
        self._note_the_quiet()
        groups = list(self.touched.values())
        _store(AlertGroup, [g for g in groups if g.pk], GROUP_FIELDS)
        AlertGroup.objects.bulk_create([g for g in groups if not g.pk], batch_size=200)
        for alert in self.changed.values():
            alert.group_id = alert.group.pk
        changed = list(self.changed.values())
        _store(Alert, [a for a in changed if a.pk and a.state != "firing"], ALERT_FIELDS)
        _store(Alert, [a for a in changed if a.pk and a.state == "firing"], ALERT_FIELDS)
        Alert.objects.bulk_create([a for a in changed if not a.pk], batch_size=200)
        for group, line in self.lines:
            line.subject_id = group.pk
        Event.objects.bulk_create([line for _, line in self.lines], batch_size=250)

    def _note_the_quiet(self) -> None:
        """Note what is new and pages nobody among the batch's own lines: no statement, and no timer, for each."""
        for key, group in list(self.to_ask.items()):
            if group.pk or group.response in PAGES or self.silences:
                continue
            for effect in alerts.respond(
                group.response, silence=None, in_coverage=True, coverage_starts=None, due_at=group.due_at
            ):
                if isinstance(effect, Record):
                    self._line(group, effect.kind, effect.why, data=effect.data)
            del self.to_ask[key]

    def respond(self) -> None:
        """Close the pages of what is over, stop those that somebody took, and ask the policy about the rest.

        In a storm the first hundred groups are asked about here, together; each of the others gets a timer that is
        due at once, so that the door, answers and other workers never wait for thousands of pages.
        """
        paging.close_for_groups(list(self.cleared.values()), "the monitor", self.now)
        for group, answer, why in self.returned.values():
            returning.let_page_go_on(group, answer, why, self.now)
        for name in {name for _, name in self.taken.values()}:
            paging.acknowledge_for_groups([g for g, by in self.taken.values() if by == name], name, self.now)
        asked = list(self.to_ask.values())
        later = [group for group in asked[ASKED_AT_ONCE:] if group.state == "firing"]
        put_off = {id(group) for group in later}
        self.ask_policy([group for group in asked if id(group) not in put_off])
        set_timers([(Subject("alert", group.pk, group.team_id), "look", self.now) for group in later])

    def ask_policy(self, groups: Sequence[AlertGroup], after: str = "") -> None:
        """Ask what groups that are new, worse, or no longer silenced ask of the team, and do it."""
        Asking(self.team, self.policy, self.silences, self.now).ask(groups, after)


GROUP_FIELDS = [
    "title", "severity", "response", "urgency", "state", "last_at", "due_at", "silence_id", "acknowledged_at",
    "acknowledged_by_id", "snoozed_until", "resolved_at", "alert_count", "firing_count", "signal_count", "restarts",
]  # fmt: skip
ALERT_FIELDS = ["description", "state", "ended_at", "last_at", "count"]


def _store(model: type[AlertGroup] | type[Alert], rows: list[Any], fields: list[str]) -> None:
    """Write changed rows: one row is an update; many are an upsert by key, ten times faster than bulk_update's CASE."""
    if len(rows) == 1:
        rows[0].save(update_fields=[field.removesuffix("_id") for field in fields])
    elif rows:
        model.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[field.removesuffix("_id") for field in fields],
            batch_size=200,
        )


def _place_of(group: AlertGroup) -> Place:
    """Name a group by what it has for itself while it is open: its service and its key."""
    return group.service_id, group.key


def _number(group: AlertGroup) -> int:
    """Name a group within a batch, also before it is stored: ids of the database are positive."""
    return group.pk or -id(group)

"""Ask a team's policy about alert groups, many at once, and do what it answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from watchbill.actions import paging
from watchbill.actions.effects import Tray, carry_out
from watchbill.actions.log import Subject, event_of, write_lines
from watchbill.core import alerts
from watchbill.core.paging import ASKING
from watchbill.db import facts
from watchbill.db.models import Alert, AlertGroup, Page, Team
from watchbill.kit.effects import Record

LOOKED_AGAIN = {"silence_over": "the silence is over", "coverage_starts": "coverage has begun"}


class Asking:
    """What the policy is asked with, read once: a team's policy, coverage and silences at one moment."""

    def __init__(self, team: Team, policy: dict[str, Any], silences: Sequence[alerts.Silence], now: datetime) -> None:
        self.team = team
        self.silences = silences
        self.now = now
        coverage = facts.coverage_of(team, policy, now)
        self.covered = facts.is_covered(coverage, now)
        self.coverage_starts = facts.coverage_starts(coverage, now)

    def ask(self, groups: Sequence[AlertGroup], after: str = "") -> None:
        """Ask about groups of the team, whose services are locked, and page, wait or note, as the policy answers."""
        pages = {p.group_id: p for p in Page.objects.filter(group__in=[g.pk for g in groups], closed_at=None)}
        # A page that asks already goes on; what became worse opens another, whose ladder and urgency are its own.
        asked = [g for g in groups if not (p := pages.get(g.pk)) or p.state not in ASKING or p.severity != g.severity]
        # Nothing but silences speaks of labels.
        labels = facts.all_labels_of(asked) if self.silences else {}
        tray, to_page = Tray(), list[tuple[AlertGroup, str]]()
        for group in asked:
            self._decide(group, labels.get(group.pk, []), after, tray, to_page)
        tray.store()
        self._page(to_page, pages)

    def _decide(
        self,
        group: AlertGroup,
        labels: Sequence[Mapping[str, str]],
        after: str,
        tray: Tray,
        to_page: list[tuple[AlertGroup, str]],
    ) -> None:
        silence = alerts.silence_of_group(labels, group.service_id, self.silences, self.now)
        effects = alerts.respond(
            group.response,
            silence=silence,
            in_coverage=self.covered,
            coverage_starts=self.coverage_starts,
            due_at=group.due_at,
        )
        if silence and group.silence_id == silence.id and not after:
            effects = [effect for effect in effects if not isinstance(effect, Record)]  # said before
        if group.silence_id != (silence.id if silence else None):
            group.silence_id = silence.id if silence else None
            group.save(update_fields=["silence"])
        if after:
            tray.write(event_of(_subject_of(group), "alert.looked_again", LOOKED_AGAIN[after], self.now))

        def open_page(arguments: Mapping[str, Any]) -> None:
            to_page.append((group, f"{group.severity} {arguments['why']}"))

        carry_out(effects, group, _subject_of(group), self.now, starters={"page.open": open_page}, tray=tray)

    def _page(self, to_page: Sequence[tuple[AlertGroup, str]], pages: Mapping[int | None, Page]) -> None:
        if not to_page:
            return
        worse = [group for group, _ in to_page if group.pk in pages]
        paging.close_for_groups(worse, "a worse alert, which opens a new page", self.now)
        for group, _ in to_page:
            self._let_fire(group)
        first = _first_alerts([group.pk for group, _ in to_page])
        openings = [(self._opening(group, first.get(group.pk)), why) for group, why in to_page]
        opened = paging.open_pages(self.team, openings, self.now)
        write_lines(
            [
                event_of(_subject_of(group), "alert.paged", f"page {page.pk}: {why}", self.now, data={"page": page.pk})
                for (group, why), page in zip(to_page, opened, strict=True)
            ]
        )

    def _let_fire(self, group: AlertGroup) -> None:
        """Let a group fire again that somebody had answered: its new page asks."""
        if group.state != "firing":
            group.state, group.acknowledged_by, group.acknowledged_at = "firing", None, None
            group.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])

    def _opening(self, group: AlertGroup, first: Alert | None) -> paging.Opening:
        return paging.Opening(
            title=group.title,
            details=first.description if first else "",
            severity=group.severity,
            urgency=group.urgency,
            group=group,
            service=group.service,
        )


def _first_alerts(groups: Collection[int]) -> dict[int, Alert]:
    """Read the first alert of each of these groups: one seek in the index for each, one statement for all."""
    first = Alert.objects.filter(group=OuterRef("pk")).order_by("id").values("pk")[:1]
    ids = AlertGroup.objects.filter(pk__in=groups).annotate(first=Subquery(first)).values("first")
    return {alert.group_id: alert for alert in Alert.objects.filter(pk__in=ids)}


def _subject_of(group: AlertGroup) -> Subject:
    return Subject("alert", group.pk, group.team_id)

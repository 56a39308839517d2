"""What the pages of alerts show: the list by filters, one alert with everything that belongs to it, and the CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet

from watchbill.core import paging
from watchbill.core.explanation import Line, Reason, Received, explain
from watchbill.db import facts
from watchbill.db.models import (
    Alert,
    AlertGroup,
    Event,
    Inbox,
    MonitorConnection,
    Outgoing,
    Page,
    Person,
    Service,
    Silence,
    Team,
)
from watchbill.db.screens.services import changes_before
from watchbill.db.search import search

ROWS = 50
INSIDE = 50
LINES = 200
OPEN_MOST = 5000
OPEN_STATES = frozenset({"open", "firing", "acknowledged", "silenced"})
STATES = ("open", "firing", "acknowledged", "silenced", "resolved", "all")


@dataclass(frozen=True)
class Filters:
    """What a list of alerts is narrowed to; the empty word means all. `since` and `until` are instants."""

    state: str = "open"
    severity: str = ""
    service: str = ""
    team: str = ""
    mine: bool = False
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


def list_groups(person: Person, teams: Sequence[int] | None, filters: Filters, before: int | None) -> list[AlertGroup]:
    """Read one screen of alerts, newest first, and one more, which tells that there are more.

    What is open is few: it is found first and sorted here, so that no plan walks the past to find it. Of the past each
    team is asked by itself: its index gives its newest rows without sorting those of all.
    """
    if filters.service:
        # A service is of one team: the others need not be asked.
        owners = Service.objects.filter(slug=filters.service).values_list("team_id", flat=True)
        teams = [team for team in owners if teams is None or team in teams]
    if filters.text:
        return list(_narrow(_of_teams(teams), person, filters, teams, before)[: ROWS + 1])
    if filters.state in OPEN_STATES:
        found = _narrow(_of_teams(_every(teams)), person, filters, teams, before).order_by()
        newest = sorted(found.values_list("pk", flat=True)[:OPEN_MOST], reverse=True)[: ROWS + 1]
        return list(_of_teams(None).filter(pk__in=newest).order_by("-id"))
    if filters.mine or teams is None:
        groups = _taken(person, teams) if filters.mine else _of_teams(None)
        return list(_narrow(groups, person, filters, teams, before)[: ROWS + 1])
    rows = [g for team in teams for g in _narrow(_of_teams([team]), person, filters, [team], before)[: ROWS + 1]]
    return sorted(rows, key=lambda group: -group.pk)[: ROWS + 1]


def _every(teams: Sequence[int] | None) -> Sequence[int]:
    return list(Team.objects.values_list("pk", flat=True)) if teams is None else teams


def every_group(person: Person, teams: Sequence[int] | None, filters: Filters, most: int) -> Iterator[AlertGroup]:
    """Read all alerts of a filtered list, newest first, screen by screen, so that no answer holds them all."""
    before: int | None = None
    given = 0
    while given < most:
        groups = list_groups(person, teams, filters, before)
        yield from groups[:ROWS]
        given += len(groups[:ROWS])
        if len(groups) <= ROWS:
            return
        before = groups[ROWS - 1].pk


def _of_teams(teams: Sequence[int] | None) -> QuerySet[AlertGroup]:
    groups = AlertGroup.objects.select_related("team", "service", "acknowledged_by", "silence")
    return groups if teams is None else groups.filter(team__in=teams)


def _taken(person: Person, teams: Sequence[int] | None) -> QuerySet[AlertGroup]:
    """Read what somebody took: found by the person, whose index is short, not by the team, whose past is long."""
    groups = _of_teams(None).filter(acknowledged_by=person)
    return groups if teams is None else groups.alias(of_team=F("team_id") + 0).filter(of_team__in=teams)


def _narrow(
    groups: QuerySet[AlertGroup], person: Person, filters: Filters, teams: Sequence[int] | None, before: int | None
) -> QuerySet[AlertGroup]:
    match filters.state:
        case "open":
            groups = groups.exclude(state="resolved")
        case "silenced":
            groups = groups.exclude(state="resolved").filter(silence__isnull=False)
        case "firing" | "acknowledged":
            groups = groups.exclude(state="resolved").filter(state=filters.state)
        case "resolved":
            groups = groups.filter(state="resolved")
    equal = {"severity": filters.severity, "service__slug": filters.service, "team__slug": filters.team}
    groups = groups.filter(**{name: value for name, value in equal.items() if value})
    if filters.mine:
        groups = groups.filter(acknowledged_by=person)
    if filters.since:
        groups = groups.filter(opened_at__gte=filters.since)
    if filters.until:
        groups = groups.filter(opened_at__lt=filters.until)
    if filters.text:
        return search(groups, filters.text, teams, before)
    return (groups.filter(pk__lt=before) if before else groups).order_by("-id")


@dataclass
class Told:
    """One notification of a page."""

    row: Outgoing
    address: str


@dataclass
class Rung:
    """One rung of a page's ladder: whom it asks now, when it did, how long it waits."""

    number: int
    targets: list[str]
    people: str
    wait: timedelta
    state: str
    at: datetime | None = None
    why: str = ""


@dataclass
class Story:
    """Everything that one alert's, or one page's, own page shows."""

    group: AlertGroup | None
    page: Page | None
    alerts: list[Alert] = field(default_factory=list)
    more_alerts: int = 0
    links: list[tuple[str, str]] = field(default_factory=list)
    because: list[Reason] = field(default_factory=list)
    rungs: list[Rung] = field(default_factory=list)
    notifications: list[Outgoing] = field(default_factory=list)
    timeline: list[Event] = field(default_factory=list)
    earlier: list[AlertGroup] = field(default_factory=list)
    earlier_pages: list[Page] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)

    @property
    def description(self) -> str:
        """Give the words of the first alert, or of the page."""
        if self.alerts:
            return self.alerts[0].description
        return self.page.details if self.page else ""

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels of the first firing alert."""
        first = next((alert for alert in self.alerts if alert.state == "firing"), None) or (
            self.alerts[0] if self.alerts else None
        )
        return {str(name): str(value) for name, value in first.labels.items()} if first else {}


def tell_group(group: AlertGroup, now: datetime, monitors: dict[str, str]) -> Story:
    """Read everything about one alert; `monitors` gives each tool's name as a person reads it."""
    pages = list(
        Page.objects.filter(group=group)
        .select_related("answered_by", "team", "service", "team__fallback")
        .order_by("-id")[:10]
    )
    story = Story(group, pages[0] if pages else None, earlier_pages=pages[1:])
    story.alerts = list(Alert.objects.filter(group=group).order_by("state", "-last_at")[:INSIDE])
    story.more_alerts = max(group.alert_count - len(story.alerts), 0)
    story.links = _links(story.alerts, group)
    alert_lines = _lines("alert", group.pk)
    page_lines = _fill_page(story, now)
    story.because = _why(alert_lines, page_lines, story, monitors)
    story.timeline = sorted([*alert_lines, *page_lines], key=lambda line: (line.at, line.pk), reverse=True)[:LINES]
    story.earlier = similar(group)
    story.changes = changes_before(group)
    return story


def tell_page(page: Page, now: datetime) -> Story:
    """Read everything about a page that no alert opened."""
    story = Story(None, page)
    lines = _fill_page(story, now)
    story.because = _why([], lines, story, {})
    story.timeline = list(reversed(lines))
    return story


def _fill_page(story: Story, now: datetime) -> list[Event]:
    page = story.page
    if page is None:
        return []
    lines = _lines("page", page.pk)
    rows = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk).select_related("person", "address")
    story.notifications = list(rows.order_by("-id")[:100])
    story.rungs = _rungs(page, lines, now)
    return lines


def _lines(kind: str, number: int) -> list[Event]:
    """Read the newest lines of a subject, oldest first."""
    rows = Event.objects.filter(subject_kind=kind, subject_id=number).order_by("-id")[:LINES]
    lines = list(rows)[::-1]
    if len(lines) == LINES:
        first = Event.objects.filter(subject_kind=kind, subject_id=number).order_by("id")[:5]
        lines = [*first, *lines]
    return lines


def _why(alert: list[Event], page: list[Event], story: Story, monitors: dict[str, str]) -> list[Reason]:
    ahead = []
    following = [rung for rung in story.rungs if rung.state == "ahead"]
    current = next((rung for rung in story.rungs if rung.state == "asked" and rung.at), None)
    if story.page and story.page.state == "climbing" and current and current.at:
        then = "; then ".join(rung.people for rung in following) or "the team's fallback person"
        ahead = [Reason(current.at + current.wait, f"if nobody answers: {then}")]
    if story.page and story.page.until and story.page.closed_at is None:
        ahead = [Reason(story.page.until, "asks again, if it still fires by then")]
    return explain(_received(alert, monitors), [_line(e) for e in alert], [_line(e) for e in page], ahead)


def _line(event: Event) -> Line:
    return Line(event.at, event.kind, event.why, event.actor_name, event.data)


def _received(lines: list[Event], monitors: dict[str, str]) -> Received | None:
    opened = next((line for line in lines if line.kind == "alert.opened" and line.data.get("inbox")), None)
    row = Inbox.objects.defer("body").filter(pk=opened.data["inbox"]).first() if opened else None
    if row is None:
        return None
    name = MonitorConnection.objects.filter(pk=row.connection_id).values_list("name", flat=True).first()
    return Received(row.received_at, monitors.get(row.monitor, row.monitor), name or "")


def _rungs(page: Page, lines: list[Event], now: datetime) -> list[Rung]:
    """Read a page's ladder: what was asked when, and whom the rungs ahead would ask at this moment."""
    ladder = paging.read_ladder(page.ladder["steps"], page.ladder["repeat"])
    targets = [target for step in ladder.steps for target in step.targets]
    moment = facts.moment_of(page.team, facts.policy_of(page.team), now, targets)
    names = facts.names_of({p for reach in moment.reach.values() for p in reach.people})
    asked = {line.data["step"]: line for line in lines if line.kind == "page.step" and "step" in line.data}
    skipped = {line.data["step"]: line for line in lines if line.kind == "page.step_skipped" and "step" in line.data}
    rungs = []
    for number, step in enumerate(ladder.steps):
        people = dict.fromkeys(names[p] for target in step.targets for p in moment.reach[target].people)
        rung = Rung(number + 1, list(step.targets), ", ".join(people) or "nobody", step.wait, "ahead")
        line = asked.get(number) or skipped.get(number)
        if line is not None and number <= page.step:
            rung.state = "asked" if number == page.step else "climbed"
            rung.at, rung.why = line.at, line.why
            if line.kind == "page.step_skipped":
                rung.state = "skipped"
        else:
            rung.why = paging.why_not(step, facts.page_fact(page), moment) or "; ".join(
                moment.reach[target].why for target in step.targets
            )
        if page.closed_at and rung.state == "ahead":
            rung.state = "not needed"
        rungs.append(rung)
    return rungs


def _links(alerts: Sequence[Alert], group: AlertGroup) -> list[tuple[str, str]]:
    """Gather the links of the alerts and their service, runbooks first (PAG-05), each once."""
    service = [(str(link.get("title")), str(link.get("url"))) for link in group.service.links]
    found = [(str(name), str(url)) for alert in alerts for name, url in alert.links]
    links = {url: name for name, url in reversed([*found, *service])}
    pairs = [(name, url) for url, name in reversed(links.items())]
    return sorted(pairs, key=lambda pair: "runbook" not in pair[0].lower())[:20]


def similar(group: AlertGroup) -> list[AlertGroup]:
    """Find what this looks like: earlier alerts of the same key, then those of the same service with the same words."""
    earlier = AlertGroup.objects.filter(pk__lt=group.pk).select_related("service", "acknowledged_by")
    same = list(earlier.filter(service=group.service_id, key=group.key).order_by("-id")[:5])
    if len(same) < 3:
        words = " ".join(word for word in group.title.split() if not any(sign.isdigit() for sign in word))
        known = {group.pk, *(one.pk for one in same)}
        alike = search(earlier.filter(service=group.service_id), f"{words} ", [group.team_id], group.pk)[:8]
        same += [one for one in alike if one.pk not in known]
    return same[:5]


def members_of(page_or_group: Any) -> list[Person]:
    """List who may be asked to take it: the active members of the team."""
    return list(
        Person.objects.filter(
            memberships__team=page_or_group.team_id, memberships__role__in=facts.SERVING, is_active=True
        ).order_by("name", "id")
    )


def silences_in_force(silences: QuerySet[Silence], now: datetime) -> list[Silence]:
    """Read the silences that hold now or will, those that end first at the top."""
    return list(silences.filter(ended_at=None, ends_at__gt=now).order_by("ends_at")[:200])


def silences_past(silences: QuerySet[Silence], now: datetime) -> list[Silence]:
    """Read the newest silences that are over."""
    over = silences.exclude(ended_at=None, ends_at__gt=now)
    return list(over.order_by("-id")[:30])

"""What Now shows: who is on watch, what needs the reader, what is due, what is about to go wrong.

Nothing here counts a whole table: open alerts, open pages and what was not understood each have an index of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchbill.db.models import (
    AlertGroup,
    Inbox,
    Outgoing,
    Page,
    Person,
    Service,
    Shift,
    Team,
)

ROWS = 40
DUE = 20
OPEN_MOST = 5000
AHEAD = timedelta(days=14)


@dataclass
class Need:
    """One open alert, or a page that no alert opened, with what makes it the reader's."""

    group: AlertGroup | None
    page: Page | None
    asks_me: Outgoing | None = None

    @property
    def at(self) -> datetime:
        """Give when it began."""
        return self.group.opened_at if self.group else self.page.opened_at  # type: ignore[union-attr]


@dataclass(frozen=True)
class Unread:
    """A service with payloads that no monitor understood; `many` when there are more than were counted."""

    service: Service
    count: int
    many: bool


@dataclass
class Now:
    """Everything on the page."""

    shifts: list[Shift] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    more: bool = False
    due: list[AlertGroup] = field(default_factory=list)
    waiting: list[AlertGroup] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    undelivered: list[Outgoing] = field(default_factory=list)
    watched: bool = False


def read_now(person: Person, teams: Sequence[Team], order: Mapping[int, Sequence[str]], now: datetime) -> Now:
    """Read the page; `order` gives each team's severities, most severe first."""
    ids = [team.pk for team in teams]
    page = Now(shifts=shifts_between(ids, now, now + AHEAD), watched=_has_services(ids))
    asks_me = _asking(person)
    burning, listed = _find_open(ids, order)
    page.more = len(burning) > ROWS
    rows = _read_groups([*burning[:ROWS], *listed[:DUE]])
    groups = [rows[pk] for pk in burning[:ROWS] if pk in rows]
    page.due = [rows[pk] for pk in listed[:DUE] if pk in rows]
    known = {group.pk for group in groups}
    pages = _pages(ids, list(asks_me), known)
    needs = [Need(group, pages.pop(("group", group.pk), None)) for group in groups]
    needs += [Need(one.group, one) for one in pages.values()]
    page.waiting = [need.group for need in needs if need.group and need.page is None and _waits(need.group)]
    page.needs = [need for need in needs if need.page or need.group not in page.waiting]
    for need in page.needs:
        need.asks_me = asks_me.get(need.page.pk) if need.page and need.page.state in {"climbing", "exhausted"} else None
    page.needs.sort(key=lambda need: _place(need, order))
    page.unread = unread_payloads(ids)
    page.undelivered = undelivered(person, now)
    return page


def _has_services(teams: list[int]) -> bool:
    return Service.objects.filter(team__in=teams, archived_at=None).exists()


def shifts_between(teams: list[int], start: datetime, end: datetime) -> list[Shift]:
    """Read the published shifts of these teams that touch the interval."""
    rows = Shift.objects.filter(
        rotation__team__in=teams, rotation__archived_at=None, ends_at__gt=start, starts_at__lt=end
    )
    return list(
        rows.select_related("person", "rotation", "rotation__team").order_by(
            "rotation__team__name", "rotation__id", "seat", "starts_at"
        )
    )


QUIET = ("list_due", "record")


def _find_open(teams: list[int], order: Mapping[int, Sequence[str]]) -> tuple[list[int], list[int]]:
    """Find what is open: what belongs under "Needs you", most severe and oldest first, and what is listed as due.

    Few columns, sorted here: asked to sort, a database prefers an index that walks through every alert there ever was.
    """
    columns = ("pk", "team", "severity", "state", "response", "silence", "due_at", "opened_at")
    rows = AlertGroup.objects.filter(team__in=teams).exclude(state="resolved").order_by().values_list(*columns)
    burning, listed = [], []
    for pk, team, severity, state, response, silence, due_at, opened_at in rows[:OPEN_MOST]:
        if silence is not None:
            continue
        if state == "firing" and response == "list_due":
            listed.append((due_at or opened_at, pk))
        elif state != "firing" or response not in QUIET:
            burning.append((_rank(severity, order.get(team, ())), state != "firing", opened_at, pk))
    return [row[-1] for row in sorted(burning)], [row[-1] for row in sorted(listed)]


def _rank(severity: str, severities: Sequence[str]) -> int:
    return severities.index(severity) if severity in severities else len(severities)


def _read_groups(numbers: list[int]) -> dict[int, AlertGroup]:
    rows = AlertGroup.objects.select_related("team", "service", "acknowledged_by", "silence").filter(pk__in=numbers)
    return {group.pk: group for group in rows}


def _waits(group: AlertGroup) -> bool:
    return group.state == "firing" and group.response == "page_in_coverage"


def _asking(person: Person) -> dict[int, Outgoing]:
    """Read the newest messages that asked somebody, by page, the newest of each."""
    rows = Outgoing.objects.filter(person=person).select_related("address").order_by("-id")[:200]
    asked: dict[int, Outgoing] = {}
    for row in rows:
        if row.purpose == "page" and row.subject_kind == "page":
            asked.setdefault(row.subject_id, row)
    return asked


def _pages(teams: list[int], asked: list[int], groups: set[int]) -> dict[tuple[str, int], Page]:
    """Read the open pages of these groups, those without a group, and those of other teams that ask the reader."""
    rows = Page.objects.filter(closed_at=None).select_related(
        "answered_by", "team", "service", "group", "group__service"
    )
    found = [
        *rows.filter(team__in=teams, group__in=groups),
        *rows.filter(team__in=teams, group=None)[:ROWS],
        *rows.filter(pk__in=asked).exclude(team__in=teams),
    ]
    return {("group", p.group_id) if p.group_id in groups else ("page", p.pk): p for p in found}


def _place(need: Need, order: Mapping[int, Sequence[str]]) -> tuple[int, int, int, datetime]:
    team = need.group.team_id if need.group else need.page.team_id  # type: ignore[union-attr]
    severity = need.group.severity if need.group else need.page.severity  # type: ignore[union-attr]
    rank = _rank(severity, order.get(team, ())) if severity else 0
    state = need.group.state if need.group else need.page.state  # type: ignore[union-attr]
    return (rank, 0 if need.asks_me else 1, 0 if state in {"firing", "climbing", "exhausted"} else 1, need.at)


def unread_payloads(teams: list[int], most: int = 500) -> list[Unread]:
    """Find the services with payloads that no monitor understood, counting at most `most` of them all."""
    services = {s.pk: s for s in Service.objects.filter(team__in=teams, archived_at=None).select_related("team")}
    rows = list(Inbox.objects.filter(service_id__in=services, state__gt=1).values_list("service_id", flat=True)[:most])
    counts = {pk: rows.count(pk) for pk in dict.fromkeys(rows)}
    return [Unread(services[pk], count, len(rows) == most) for pk, count in counts.items()]


def undelivered(person: Person, now: datetime) -> list[Outgoing]:
    """Read the reader's own messages of the last week that could not be delivered."""
    newest = Outgoing.objects.filter(person=person).select_related("address").order_by("-id")[:200]
    week = now - timedelta(days=7)
    return [row for row in newest if row.state == "failed" and row.created_at > week][:5]

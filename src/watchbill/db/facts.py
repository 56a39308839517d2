"""Read what decisions need: who stands the watch, what a target means now, a team's policy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from watchbill.core import alerts, delivery, paging
from watchbill.core import coverage as hours
from watchbill.core.coverage import Coverage
from watchbill.core.rota.holidays import public_holidays
from watchbill.db.models import (
    Alert,
    AlertGroup,
    ContactAddress,
    Membership,
    NotificationRule,
    Page,
    Person,
    Policy,
    Service,
    Shift,
    Silence,
    Team,
)

SERVING = ("owner", "member")


def policy_of(team: Team) -> dict[str, Any]:
    """Read the settings of a team's newest policy; a team without one gets every rule's defaults."""
    policy = Policy.objects.filter(team=team).order_by("-version").first()
    return policy.settings if policy else {}


def coverage_of(team: Team, policy: dict[str, Any], now: datetime) -> Coverage | None:
    """Read a team's coverage windows with its public holidays around `now`; None: the team covers all hours."""
    written = policy.get("coverage")
    if not written:
        return None
    return hours.from_json({"zone": team.zone, "windows": written, "holidays": holidays_of(team, now)})


def holidays_of(team: Team, now: datetime) -> list[str]:
    """Read the public holidays of a team's calendar around `now`, as ISO dates."""
    if not team.holiday_country:
        return []
    years = (now.year - 1, now.year, now.year + 1)
    return [day.isoformat() for day in public_holidays(team.holiday_country, team.holiday_subdivision, years)]


def is_covered(coverage: Coverage | None, now: datetime) -> bool:
    """Tell whether coverage holds now."""
    return hours.covers(coverage, now)


def coverage_starts(coverage: Coverage | None, now: datetime) -> datetime | None:
    """Give when coverage next starts; None when it always holds or never will."""
    return hours.next_start(coverage, now)


def shifts_now(team: Team, now: datetime) -> list[Shift]:
    """Read the published shifts of a team that contain `now`: one seek in the index per rotation."""
    return list(
        Shift.objects.filter(
            rotation__team=team, rotation__archived_at=None, ends_at__gt=now, starts_at__lte=now
        ).select_related("person", "rotation")
    )


class Reached(dict[str, paging.Reach]):
    """Who each target stands for at one moment, read when it is asked for: most climbs ask one rung of many."""

    def __init__(self, team: Team, now: datetime) -> None:
        super().__init__()
        self.team = team
        self.now = now
        self.serving = shifts_now(team, now)

    def expect(self, targets: Iterable[str]) -> None:
        """Read the people named among `targets` in one statement: a storm may name one person on each page."""
        named = {name for kind, _, name in (target.partition(":") for target in targets) if kind == "person"}
        wanted = [int(name) for name in named if name.isdigit() and f"person:{name}" not in self]
        for person in Person.objects.filter(pk__in=wanted, is_active=True) if len(wanted) > 1 else ():
            self[f"person:{person.pk}"] = _people([person], f"{person}")

    def __missing__(self, target: str) -> paging.Reach:
        """Read a target that was not asked for before, and keep it."""
        self[target] = _reach(target, self.team, self.serving, self.now)
        return self[target]


def moment_of(
    team: Team, policy: dict[str, Any], now: datetime, targets: Iterable[str] = (), likely: Iterable[str] = ()
) -> paging.Moment:
    """Gather the facts of the moment for a climb: weekday, coverage, and who each target stands for.

    `targets` are read at once, for a page that lists them; a climb reads the others as it meets them. The people among
    those that it is `likely` to meet are read together.
    """
    coverage = coverage_of(team, policy, now)
    reach = Reached(team, now)
    reach.expect(likely)
    for target in targets:
        reach[target]
    return paging.Moment(
        weekday=now.astimezone(ZoneInfo(team.zone)).weekday(),
        in_coverage=is_covered(coverage, now),
        reach=reach,
    )


def _reach(target: str, team: Team, serving: list[Shift], now: datetime) -> paging.Reach:
    kind, _, name = target.partition(":")
    match kind:
        case "person":
            person = Person.objects.filter(pk=int(name), is_active=True).first() if name.isdigit() else None
            return _people(
                [person] if person else [], f"{person}" if person else f"person {name} has no active account"
            )
        case "seat":
            return _seat(name, serving)
        case "next":
            return _next(name, team, serving, now)
        case "team":
            return _whole_team(team)
        case _:
            fallback = team.fallback if team.fallback and team.fallback.is_active else None
            if fallback is None:
                return paging.Reach((), "the team has no fallback person")
            return _people([fallback], f"{fallback} is the team's fallback person")


def _people(people: list[Person], why: str) -> paging.Reach:
    return paging.Reach(tuple(person.pk for person in people), why)


def _is_seat(shift: Shift, name: str) -> bool:
    rotation, slash, seat = name.rpartition("/")
    return shift.seat == seat and (not slash or shift.rotation.slug == rotation)


def _seat(name: str, serving: list[Shift]) -> paging.Reach:
    standing = [shift for shift in serving if _is_seat(shift, name) and shift.person and shift.person.is_active]
    if not standing:
        return paging.Reach((), f"nobody stands the watch as {name} now")
    people = [shift.person for shift in standing if shift.person]
    return _people(people, "; ".join(f"{shift.person} is {shift.seat} on watch" for shift in standing))


def _next(name: str, team: Team, serving: list[Shift], now: datetime) -> paging.Reach:
    """The next person on watch in that seat who is not on watch in it now."""
    rotation, slash, seat = name.rpartition("/")
    now_on = {shift.person_id for shift in serving if _is_seat(shift, name)}
    coming = Shift.objects.filter(
        rotation__team=team, rotation__archived_at=None, seat=seat, starts_at__gt=now, person__is_active=True
    ).exclude(person_id__in=[person for person in now_on if person])
    if slash:
        coming = coming.filter(rotation__slug=rotation)
    shift = coming.select_related("person").order_by("starts_at").first()
    if shift is None or shift.person is None:
        return paging.Reach((), f"nobody else follows as {seat}")
    return _people([shift.person], f"{shift.person} is next on watch as {seat}")


def _whole_team(team: Team) -> paging.Reach:
    members = Membership.objects.filter(team=team, role__in=SERVING, person__is_active=True).select_related("person")
    people = [member.person for member in members.order_by("id")]
    if not people:
        return paging.Reach((), "the team has no members")
    return _people(people, f"all hands: {', '.join(str(person) for person in people)}")


def page_fact(page: Page) -> paging.Page:
    """Give what paging decides on. Whoever has left is not asked again for what they answered."""
    name = str(page.answered_by) if page.answered_by else ""
    answered_by = page.answered_by_id if page.answered_by and page.answered_by.is_active else None
    return paging.Page(page.state, page.severity, page.urgency, page.step, page.round, answered_by, name)


def usable_addresses(person: int) -> list[delivery.Address]:
    """Read a person's verified addresses; one that failed for good counts only when no other is left.

    Whoever has left has none.

    A mail server that refuses everybody for an hour must not make everybody unreachable for ever.
    """
    return _usable(list(_verified({person})))


def _verified(people: Collection[int]) -> QuerySet[ContactAddress]:
    rows = ContactAddress.objects.filter(
        person__in=people, person__is_active=True, verified_at__isnull=False, removed_at=None
    )
    return rows.only("id", "person_id", "channel", "failed_at").order_by("id")


def _usable(rows: Sequence[ContactAddress]) -> list[delivery.Address]:
    working = [row for row in rows if row.failed_at is None]
    return [delivery.Address(row.pk, row.channel) for row in working or rows]


@dataclass
class Ways:
    """How one person is reached: the addresses that count, and their rules by urgency."""

    addresses: list[delivery.Address] = field(default_factory=list)
    rules: dict[str, list[delivery.Rule]] = field(default_factory=dict)


def ways_to(people: Collection[int]) -> dict[int, Ways]:
    """Read how each of these people is reached, in two statements."""
    ways = {person: Ways() for person in people}
    verified: dict[int, list[ContactAddress]] = {person: [] for person in people}
    for address in _verified(people):
        verified[address.person_id].append(address)
    for person, rows in verified.items():
        ways[person].addresses = _usable(rows)
    for rule in NotificationRule.objects.filter(person__in=people).order_by("after_seconds", "id"):
        known = ways[rule.person_id].rules.setdefault(rule.urgency, [])
        known.append(delivery.Rule(rule.address_id, timedelta(seconds=rule.after_seconds)))
    return ways


def silences_of(team: Team, now: datetime) -> list[alerts.Silence]:
    """Read the silences of a team that are in force."""
    rows = Silence.objects.filter(team=team, ends_at__gt=now, starts_at__lte=now, ended_at=None).select_related(
        "created_by"
    )
    return [
        alerts.Silence(
            row.pk,
            row.service_id,
            alerts.read_matchers(row.matchers),
            row.starts_at,
            row.ends_at,
            row.why,
            str(row.created_by or "somebody"),
        )
        for row in rows
    ]


def open_groups(team: Team, service: Service | None, limit: int) -> list[AlertGroup]:
    """Read the open alerts of a team, or of one of its services, newest first."""
    groups = AlertGroup.objects.filter(team=team).exclude(state="resolved").select_related("service")
    return list((groups.filter(service=service) if service else groups).order_by("-opened_at")[:limit])


def labels_of(groups: list[int]) -> dict[int, dict[str, str]]:
    """Read, for each of these groups, the labels of its first firing alert: silences speak of them."""
    labels: dict[int, dict[str, str]] = {}
    for start in range(0, len(groups), 500):
        rows = Alert.objects.filter(group__in=groups[start : start + 500], state="firing").order_by("-id")
        for group, found in rows.values_list("group_id", "labels"):
            labels[group] = {str(name): str(value) for name, value in found.items()}
    return labels


def all_labels_of(groups: Sequence[AlertGroup]) -> dict[int, list[dict[str, str]]]:
    """Read, for each of these groups, the labels of every alert that fires in it, as silences see them."""
    severity = {group.pk: group.severity for group in groups}
    labels: dict[int, list[dict[str, str]]] = {pk: [] for pk in severity}
    numbers = list(severity)
    for start in range(0, len(numbers), 500):
        rows = Alert.objects.filter(group__in=numbers[start : start + 500], state="firing").order_by("id")
        for group, found in rows.values_list("group_id", "labels"):
            labels[group].append({"severity": severity[group], **{str(k): str(v) for k, v in found.items()}})
    return {group: found or [{"severity": severity[group]}] for group, found in labels.items()}


def names_of(people: Iterable[int]) -> dict[int, str]:
    """Read the names of people by their ids."""
    return {person.pk: str(person) for person in Person.objects.filter(pk__in=set(people))}

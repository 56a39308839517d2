"""What the pages of teams and people show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from watchbill.core.paging import WEEKDAYS
from watchbill.core.people import Change, changes_between
from watchbill.db.models import Ladder, Membership, Person, Policy, Rotation, Shift, Team

VERSIONS = 20
PEOPLE = 50


@dataclass(frozen=True)
class Version:
    """One version of a policy, and what it changed from the one before."""

    policy: Policy
    changes: list[Change]


@dataclass(frozen=True)
class Rung:
    """One step of a ladder in words: whom it asks, when it counts, how long it waits."""

    whom: str
    when: str
    wait_minutes: int


def teams_for(person: Person) -> list[Team]:
    """Read the teams that a person may see, with the number of members."""
    teams = Team.objects.annotate(members=Count("memberships", filter=Q(memberships__person__is_active=True)))
    if not person.is_superuser:
        teams = teams.filter(pk__in=Membership.objects.filter(person=person).values("team_id"))
    return list(teams.order_by("archived_at", "name"))


def members_of(team: Team) -> list[Membership]:
    """Read who belongs to a team, by name."""
    return list(Membership.objects.filter(team=team).select_related("person").order_by("person__name", "id"))


def choosable_people(team: Team | None = None) -> list[tuple[int, str]]:
    """List the people whom a form of a team may name: its members first, then everybody else with an account."""
    people = list(Person.objects.filter(is_active=True).order_by("name", "id"))
    inside = set(Membership.objects.filter(team=team).values_list("person_id", flat=True)) if team else set()
    names = [str(person) for person in people]
    rows = [
        (person.pk, f"{person} ({person.email})" if names.count(str(person)) > 1 else str(person)) for person in people
    ]
    return sorted(rows, key=lambda row: row[0] not in inside)


def serving_people(team: Team, named: Iterable[int]) -> list[tuple[int, str]]:
    """List the people whom a step may ask by name: those who serve in the team, and those named already."""
    inside = Q(memberships__team=team, memberships__role__in=("owner", "member"), is_active=True)
    people = Person.objects.filter(inside | Q(pk__in=list(named))).distinct().order_by("name", "id")
    return [(person.pk, str(person)) for person in people]


def on_watch(team: Team, now: datetime) -> list[Shift]:
    """Read who stands the watch of a team now, seat by seat."""
    rows = Shift.objects.filter(
        rotation__team=team, rotation__archived_at=None, ends_at__gt=now, starts_at__lte=now
    ).select_related("person", "rotation")
    return list(rows.order_by("rotation__name", "seat"))


def rotations_of(team: Team) -> list[Rotation]:
    """Read the rotations of a team that are in use."""
    return list(Rotation.objects.filter(team=team, archived_at=None).order_by("name"))


def ladders_of(team: Team) -> list[Ladder]:
    """Read the ladders of a team, those in use first, with the number of services that page with them."""
    services = Count("services", filter=Q(services__archived_at=None))
    return list(Ladder.objects.filter(team=team).annotate(services_using=services).order_by("archived_at", "name"))


def seats_of(team: Team) -> list[tuple[str, str]]:
    """List the seats that a ladder may name, with words; one that two rotations have is named with its rotation."""
    found: dict[str, list[Rotation]] = {}
    for rotation in rotations_of(team):
        newest = rotation.revisions.order_by("-version").first()
        names = [seat["name"] for seat in newest.settings.get("seats", [])] if newest else []
        published = Shift.objects.filter(rotation=rotation).order_by("seat").values_list("seat", flat=True).distinct()
        for seat in dict.fromkeys([*names, *published]):
            found.setdefault(seat, []).append(rotation)
    return [
        (f"{rotation.slug}/{seat}", f"{plain(seat)} ({rotation})") if len(rotations) > 1 else (seat, plain(seat))
        for seat, rotations in found.items()
        for rotation in rotations
    ]


def plain(seat: str) -> str:
    """Say a seat's name without underscores."""
    return seat.replace("_", " ")


def rungs_of(ladder: Ladder) -> list[Rung]:
    """Say a ladder in words."""
    numbers = {target.partition(":")[2] for step in ladder.steps for target in step.get("targets", ())}
    names = dict(Person.objects.filter(pk__in=[n for n in numbers if n.isdigit()]).values_list("pk", "name"))
    return [
        Rung(
            ", ".join(target_in_words(target, names) for target in step.get("targets", ())),
            conditions_in_words(step.get("when") or {}),
            step.get("wait_minutes", 5),
        )
        for step in ladder.steps
    ]


def target_in_words(target: str, names: dict[int, str]) -> str:
    """Say whom a step asks."""
    kind, _, name = target.partition(":")
    seat = plain(name.rpartition("/")[2])
    match kind:
        case "person":
            return names.get(int(name), f"person {name}") if name.isdigit() else name
        case "seat":
            return f"{seat} on watch"
        case "next":
            return f"next {seat}"
        case "team":
            return "the whole team"
        case _:
            return "the fallback person"


def conditions_in_words(when: dict[str, object]) -> str:
    """Say when a step counts; empty: always."""
    words = []
    if when.get("severities"):
        words.append("for " + ", ".join(_items(when["severities"])))
    if when.get("weekdays"):
        words.append("on " + ", ".join(WEEKDAYS[int(day)] for day in _items(when["weekdays"])))
    if when.get("in_coverage") is not None:
        words.append("in coverage hours" if when["in_coverage"] else "outside coverage hours")
    return "; ".join(words)


def _items(value: object) -> Iterable[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def newest_policy(team: Team) -> Policy | None:
    """Read the policy in force."""
    return Policy.objects.filter(team=team).select_related("adopted_by").order_by("-version").first()


def versions_of(team: Team) -> list[Version]:
    """Read the versions of a team's policy, the newest first, each with what it changed."""
    rows = list(Policy.objects.filter(team=team).select_related("adopted_by").order_by("-version")[: VERSIONS + 1])
    older: list[Policy | None] = [*rows[1:], None]
    versions = [
        Version(policy, changes_between(before.settings, policy.settings) if before else [])
        for policy, before in zip(rows, older, strict=True)
    ]
    return versions[:VERSIONS]


def people_list(words: str = "", after: str = "") -> list[Person]:
    """Read the people of the instance by e-mail, those that match `words`; `after` is the e-mail a page ended with."""
    rows: QuerySet[Person] = Person.objects.prefetch_related("memberships__team").order_by("email")
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(email__icontains=words))
    if after:
        rows = rows.filter(email__gt=after)
    return list(rows[:PEOPLE])

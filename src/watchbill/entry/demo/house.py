"""The three teams of the demo, what they support, and the monitors that speak of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from watchbill.actions import catalogue, ladders, teams
from watchbill.db.models import (
    AlertGroup,
    Membership,
    MonitorConnection,
    Page,
    Person,
    Rotation,
    Service,
    StatusPage,
    Team,
)
from watchbill.entry.demo.payloads import OWN_MAPPING, WRITERS, Trouble
from watchbill.entry.demo.people import CAST
from watchbill.entry.demo.stage import Stage

# name, zone, preset, owner, manager, product manager, holiday country and part
TEAMS: dict[str, tuple[str, str, str, str, str, str, str, str]] = {
    "platform": ("Platform", "Europe/London", "oncall-remodel", "anselm", "petra", "zofia", "GB", "ENG"),
    "payments": ("Payments", "Europe/London", "laa-ops", "kwame", "petra", "ingrid", "GB", "ENG"),
    "research": ("Research Hub", "UTC", "hub-support", "aroha", "petra", "imani", "", ""),
}

# team, name, environment, host, vendor, vendor's contact, tier, monitor, what it is
SERVICES: dict[str, tuple[str, str, str, str, str, str, int, str, str]] = {
    "gateway": (
        "platform", "Gateway", "production", "north-1", "Larchwood Cloud", "support@larchwood.example, contract 4417",
        1, "alertmanager", "Every request from outside comes through here: TLS, routing, limits.",
    ),
    "registry": (
        "platform", "Image registry", "production", "north-1", "", "", 2, "alertmanager",
        "Images for builds and deploys. Down means: nobody can deploy, nothing that runs is hurt.",
    ),
    "farm": (
        "platform", "Build farm", "production", "north-2", "", "", 3, "events_v2",
        "Forty machines that build and test. Slow is a nuisance, not an incident.",
    ),
    "staging": (
        "platform", "Staging", "staging", "north-2", "", "", 4, "alertmanager",
        "Where everybody breaks things on purpose.",
    ),
    "checkout": (
        "payments", "Checkout", "production", "north-1", "", "", 1, "grafana",
        "Takes the order and the money. Minutes count.",
    ),
    "ledger": (
        "payments", "Ledger database", "production", "db-north", "", "", 1, "alertmanager",
        "The books. Never restart it without a DBA.",
    ),
    "cards": (
        "payments", "Card acquirer", "production", "theirs", "Bluefin Acquiring",
        "Duty desk +00 555 0142, day and night; say merchant 20-771", 1, "events_v2",
        "What the banks answer. We can only ask, wait and switch to the second route.",
    ),
    "hub": (
        "research", "Notebook hub", "production", "south-1", "Larchwood Cloud", "support@larchwood.example", 2,
        "alertmanager", "Notebooks for eleven communities of researchers.",
    ),
    "login": (
        "research", "Login portal", "production", "south-1", "Keyring ID", "status.keyring.example, ask for tier 2", 1,
        "events_v2", "Who cannot sign in cannot work.",
    ),
    "archive": (
        "research", "Data archive", "production", "tape-south", "", "", 3, "generic",
        "Finished data sets, on tape, watched by a script of our own.",
    ),
}  # fmt: skip


@dataclass
class House:
    """Everything the story can touch: people, teams and ways in, by short names."""

    stage: Stage
    people: dict[str, Person]
    teams: dict[str, Team] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    ways: dict[str, MonitorConnection] = field(default_factory=dict)
    scripts: dict[str, Callable[[Page], None]] = field(default_factory=dict)
    fired_at: dict[str, datetime] = field(default_factory=dict)
    pages: dict[str, StatusPage] = field(default_factory=dict)

    def fire(self, *troubles: Trouble) -> None:
        """Let a monitor say that something is wrong."""
        for trouble in troubles:
            self.fired_at.setdefault(trouble.fingerprint, self.stage.now)
        self._say(troubles, "firing")

    def clear(self, *troubles: Trouble) -> None:
        """Let a monitor say that it is over."""
        self._say(troubles, "resolved")
        for trouble in troubles:
            self.fired_at.pop(trouble.fingerprint, None)

    def _say(self, troubles: Sequence[Trouble], state: str) -> None:
        way, now = self.ways[troubles[0].way], self.stage.now
        since = self.fired_at.get(troubles[0].fingerprint, now) - timedelta(seconds=40)
        self.stage.arrives(way, WRITERS[way.monitor](troubles, state, since, now))

    def lasts(self, minutes: float, *troubles: Trouble) -> None:
        """Let something be wrong for so many minutes from now."""
        self.fire(*troubles)
        self.stage.after(minutes, lambda: self.clear(*troubles))

    def group(self, trouble: Trouble) -> AlertGroup | None:
        """Read the newest alert of this trouble's title that is not over."""
        service = self.services[trouble.way]
        open_ones = AlertGroup.objects.filter(service=service, alerts__title=trouble.title).exclude(state="resolved")
        return open_ones.order_by("-id").first()

    def rotation(self, team: str) -> Rotation:
        """Read a team's first rotation."""
        return Rotation.objects.filter(team=self.teams[team]).select_related("team").order_by("id")[0]


def build(stage: Stage, people: dict[str, Person]) -> House:
    """Make the teams from their presets, then services, monitors and one ladder that is Payments' own."""
    house = House(stage, people)
    for key in TEAMS:
        house.teams[key] = _make_team(house, key)
    _add_own_ladder(house)
    for key in SERVICES:
        _add_service(house, key)
    admin = people["noor"]
    catalogue.change_connection(house.ways["archive"], OWN_MAPPING, people["aroha"], stage.now)
    for key in ("payments", "research"):
        teams.remove_member(Membership.objects.get(team=house.teams[key], person=admin), admin, stage.now)
    return house


def _make_team(house: House, key: str) -> Team:
    name, zone, preset, owner, manager, product, country, part = TEAMS[key]
    people, now, admin = house.people, house.stage.now, house.people["noor"]
    members = [people[role.key] for role in CAST if role.team == key]
    team = teams.create_team(name, zone, preset, admin, now, members=members, fallback=people[owner])
    _give_roles(team, people[owner], people[manager], admin, now)
    values: dict[str, Any] = {"name": name, "zone": zone, "holiday_country": country, "holiday_subdivision": part}
    values |= {"fallback": people[owner].pk, "manager": people[manager].pk, "product_manager": people[product].pk}
    return teams.change_team(team, values, admin, now)


def _give_roles(team: Team, owner: Person, manager: Person, admin: Person, now: datetime) -> None:
    teams.add_member(team, manager, {"role": "observer"}, admin, now)
    skills = {role.email: role.skills for role in CAST}
    for membership in Membership.objects.filter(team=team).exclude(person=manager).select_related("person", "team"):
        role = "owner" if membership.person_id in {owner.pk, admin.pk} else "member"
        values = {"role": role, "skills": list(skills[membership.person.email])}
        teams.change_member(membership, values, admin, now)


def _add_own_ladder(house: House) -> None:
    steps = [
        {"targets": ["seat:dba"], "wait_minutes": 10, "when": {"in_coverage": True}},
        {"targets": ["seat:engineer", "seat:evening"], "wait_minutes": 10},
        {"targets": [f"person:{house.people['kwame'].pk}"], "wait_minutes": 15},
        {"targets": ["team"], "wait_minutes": 20, "when": {"severities": ["critical"]}},
    ]
    ladders.add_ladder(
        house.teams["payments"], "Books: the DBA first", steps, 2, house.people["kwame"], house.stage.now
    )


def _add_service(house: House, key: str) -> None:
    team_key, name, environment, host, vendor, contact, tier, monitor, what = SERVICES[key]
    team, now = house.teams[team_key], house.stage.now
    owner = house.people[TEAMS[team_key][3]]
    choice = "Books: the DBA first" if key == "ledger" else "Standard"
    values = {
        "name": name,
        "description": what,
        "environment": environment,
        "host": host,
        "vendor": vendor,
        "vendor_contact": contact,
        "tier": tier,
        "ladder": team.ladders.get(name=choice).pk,
        "leadership_contact": house.people["petra"].pk if tier == 1 else None,
        "links": _links(key, vendor),
    }
    house.services[key] = catalogue.add_service(team, values, owner, now)
    title = {"generic": "Our own tape script"}.get(monitor, "")
    house.ways[key] = catalogue.connect_monitor(house.services[key], monitor, title, owner, now)


def _links(key: str, vendor: str) -> list[dict[str, str]]:
    links = [
        {"kind": "dashboard", "title": "Dashboard", "url": f"https://grafana.demo.example/d/{key}"},
        {"kind": "alarms", "title": "Alarm rules", "url": f"https://grafana.demo.example/alerting/{key}"},
        {"kind": "runbook", "title": "Runbook", "url": f"https://wiki.demo.example/runbooks/{key}"},
    ]
    slug = vendor.split(maxsplit=1)[0].lower() if vendor else ""
    status = {"kind": "other", "title": f"{vendor}: status", "url": f"https://status.{slug}.example/"}
    return [*links, status] if vendor else links

"""How the demo's people move their watches: holidays, swaps, a standup that moved, a policy that was changed."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta

from watchbill.actions import rota, silences, teams
from watchbill.db import facts, rota_facts
from watchbill.db.models import Override, Shift
from watchbill.entry.demo.house import House
from watchbill.entry.demo.people import NEWCOMER, add_mail, invite
from watchbill.entry.demo.stage import Act
from watchbill.entry.demo.story import ago

# who, first and last day from the present, kind, why, how many days ahead it was said
AWAY: tuple[tuple[str, int, int, str, str, int], ...] = (
    ("yuki", -40, -27, "vacation", "walking in the hills", 12),
    ("ingrid", -22, -21, "sick", "", 0),
    ("sunniva", -60, -50, "vacation", "the boat", 20),
    ("rafael", 6, 16, "vacation", "home for the holidays", 31),
    ("tariq", 3, 4, "away", "a course on query plans", 12),
    ("zofia", 20, 27, "vacation", "", 30),
)
# team, days from the present, who takes it, why, whether it is taken back a day later
SWAPS: tuple[tuple[str, int, str, str, bool], ...] = (
    ("platform", -33, "mateo", "swap: the dentist, and I owe you one", False),
    ("platform", -19, "zofia", "concert in the evening", False),
    ("payments", -15, "kwame", "school run", False),
    ("research", -25, "imani", "the steward has a cold", True),
    ("payments", 2, "chidi", "moving house", False),
)


def arrange(house: House) -> None:
    """Lay out everything that moves a watch."""
    stage, people = house.stage, house.people
    stage.after(90, lambda: add_mail(stage, people["noor"], "noor@pocket.example", "the phone", 120))
    stage.after(95, lambda: add_mail(stage, people["mateo"], "mateo@oldmail.example", "old mailbox", 60))
    today = stage.end.date()
    for name, first, last, kind, why, early in AWAY:
        days = (today + timedelta(days=first), today + timedelta(days=last))
        stage.at(ago(house, early - first, "09:10"), _say_away(house, name, days, kind, why))
    for team, day, name, why, back in SWAPS:
        stage.at(ago(house, 3 - day, "16:40"), _swap(house, team, day, name, why, back=back))
    stage.at(ago(house, 34, "10:20"), lambda: _standup_moves(house))
    stage.at(ago(house, 43, "15:05"), lambda: _policy_changes(house))
    stage.at(ago(house, 41, "08:55"), lambda: _load_test(house))
    stage.at(ago(house, 3, "10:05"), lambda: _newcomer(house))


def _say_away(house: House, name: str, days: tuple[date, date], kind: str, why: str) -> Act:
    person = house.people[name]
    return lambda: rota.add_absence(person, *days, person, house.stage.now, kind=kind, why=why)


def _swap(house: House, team: str, day: int, name: str, why: str, *, back: bool) -> Act:
    """Somebody takes the shift that another has at noon of a day."""

    def act() -> None:
        stage, rotation, taker = house.stage, house.rotation(team), house.people[name]
        noon = (stage.end + timedelta(days=day)).replace(hour=12, minute=0, second=0, microsecond=0)
        shifts = Shift.objects.filter(rotation=rotation, starts_at__lte=noon, ends_at__gt=noon, person__isnull=False)
        shift = shifts.exclude(person=taker).order_by("id").first()
        if shift is None:
            return  # a day on which nobody is on watch
        start, end = max(shift.starts_at, noon - timedelta(hours=6)), min(shift.ends_at, noon + timedelta(hours=18))
        override = rota.add_override(rotation, taker, start, end, taker, stage.now, seat=shift.seat, why=why)
        if back:
            stage.after(20 * 60, lambda: _take_back(house, override))

    return act


def _take_back(house: House, override: Override) -> None:
    rota.remove_override(override, override.person, house.stage.now)


def _standup_moves(house: House) -> None:
    rotation = house.rotation("platform")
    settings = deepcopy(rota_facts.newest_revision(rotation).settings) | {"handoff_at": "09:30"}
    rota.change_rotation(
        rotation, settings, "the standup moved to half past nine", house.people["anselm"], house.stage.now
    )


def _policy_changes(house: House) -> None:
    """The review after the night on which nobody answered: an acknowledgement holds shorter, nights flap longer."""
    team = house.teams["payments"]
    settings = deepcopy(facts.policy_of(team))
    settings["rules"]["acknowledgement_expires"] = {"minutes": 45}
    settings["rules"]["page_exhausted"] = {"again_after_minutes": 20}
    why = "nobody heard the page when the acquirer was down: ask again sooner"
    teams.adopt_policy(team, settings, house.people["kwame"], why, house.stage.now)


def _load_test(house: House) -> None:
    """A week in which Staging may fail: silenced, and ended a day early."""
    stage, mateo = house.stage, house.people["mateo"]
    silence = silences.add_silence(
        house.teams["platform"], mateo, stage.now,
        service=house.services["staging"], matchers=[], why="load test of the new cache",
        starts_at=None, ends_at=stage.now + timedelta(days=7),
    )  # fmt: skip
    stage.after(6 * 24 * 60, lambda: silences.end_silence(silence, mateo, stage.now))


def _newcomer(house: House) -> None:
    """Wren joins, gets a first watch by day, and has not proven an address yet."""
    stage, owner = house.stage, house.people["anselm"]
    team = house.teams["platform"]
    wren = invite(stage, NEWCOMER, house.people["noor"], by_mail=False)
    teams.add_member(team, wren, {"role": "member", "skills": []}, owner, stage.now)
    house.people["wren"] = wren
    first = (stage.end + timedelta(days=3)).replace(hour=9, minute=30, second=0, microsecond=0)
    last = first + timedelta(hours=8)
    rota.add_override(
        house.rotation("platform"), wren, first, last, owner, stage.now, seat="primary", why="first watch, by day"
    )

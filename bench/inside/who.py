"""The measuring part of `bench.who`."""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter

from django.test import Client

from bench.inside import cast
from bench.table import ms, percentile, show
from watchbill.actions import rota, tokens
from watchbill.core.rota import turns
from watchbill.db import rota_facts
from watchbill.db.models import Person, Rotation, Shift, Team
from watchbill.entry import clock
from watchbill.entry.api.who import watches
from watchbill.kit.spans import Span

KINDS: tuple[dict[str, object], ...] = (
    {},
    {"unit": "day"},
    {"unit": "working_day", "seats": [{"name": "engineer"}, {"name": "second"}]},
    {"unit": "week", "every": 2, "seats": [{"name": "engineer"}, {"name": "second", "offset": 1}]},
)
SAMPLE = 40


def main() -> int:
    """Build the rotations, publish them again, ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, required=True)
    size = parser.parse_args().size
    chance, now = random.Random(1), clock.now()
    cast.build(1, people=8, now=now)
    team, owner = Team.objects.get(), Person.objects.order_by("id")[0]
    people = list(Person.objects.values_list("pk", flat=True))
    made = _time(size - 1, lambda n: _create(team, owner, people, n))
    rotations = list(Rotation.objects.select_related("team").order_by("id"))
    tomorrow = _time(len(rotations), lambda n: rota.publish(rotations[n], now + timedelta(days=1)))
    seeks = _time(2000, lambda _: _seek(chance.choice(rotations), now + timedelta(days=chance.randrange(2, 300))))
    together = _time(5, lambda _: watches(rotations, now + timedelta(days=3)))
    pages = _time(10, _asker(owner))
    rows = [
        _line("make, and publish 400 days", made),
        _line("publish again a day later", tomorrow),
        _line("who, one rotation at a random instant", seeks),
        _line(f"who, all {len(rotations):,} at once", together),
        _line("GET /api/who, a page of 200", pages),
    ]
    wrong = _compare(chance.sample(rotations, min(SAMPLE, len(rotations))), now + timedelta(days=1))
    published = Shift.objects.count()
    title = f"Who is on watch: {len(rotations):,} rotations, {published:,} published shifts"
    show(f"{title}, {os.environ['WATCHBILL_BENCH_DATABASE']}", ("", "times", "p50", "p99", "in all"), rows)
    print(f"  {SAMPLE} rotations against the calculator, ten instants each: {wrong or 'no difference'}")
    return 1 if wrong else 0


def _create(team: Team, owner: Person, people: list[int], number: int) -> None:
    order = people[number % len(people) :] + people[: number % len(people)]
    settings = cast.rotation_settings(order[:6], **KINDS[number % len(KINDS)])
    rota.create_rotation(team, f"Rotation {number}", settings, owner, clock.now())


def _seek(rotation: Rotation, at: datetime) -> list[Shift]:
    rows = Shift.objects.filter(rotation=rotation, ends_at__gt=at, starts_at__lte=at)
    return list(rows.select_related("person"))


def _asker(owner: Person) -> Callable[[int], None]:
    """Give what asks the API as a program does, through Django's handler, without the network."""
    _, text = tokens.create_token(owner, "bench", ["read"], None, clock.now())
    client = Client(headers={"Authorization": f"Bearer {text}"})

    def ask(_: int) -> None:
        answer = client.get("/api/who?limit=200")
        if answer.status_code != 200:
            raise SystemExit(f"/api/who answered {answer.status_code}: {answer.content[:300]!r}")

    return ask


def _time(times: int, act: Callable[[int], object]) -> list[float]:
    took = []
    for number in range(times):
        started = perf_counter()
        act(number)
        took.append(perf_counter() - started)
    return took


def _line(what: str, took: list[float]) -> tuple[str, ...]:
    return (what, f"{len(took):,}", ms(percentile(took, 0.5)), ms(percentile(took, 0.99)), ms(sum(took)))


def _compare(rotations: list[Rotation], now: datetime) -> str:
    """Hold the published rows against the calculator."""
    different = 0
    for rotation in rotations:
        plan = rota_facts.plan_of(rotation, now)
        for days in range(1, 300, 30):
            at = now + timedelta(days=days, hours=5)
            moment = Span(at, at + timedelta(seconds=1))
            planned = turns.shifts(plan.rotation, plan.overrides, plan.absences, moment, plan.checkpoint)
            told = {(shift.seat, shift.person) for shift in planned if shift.person}
            stored = {(row.seat, row.person_id) for row in _seek(rotation, at) if row.person_id}
            different += told != stored
    return f"{different} answers differ" if different else ""


if __name__ == "__main__":
    sys.exit(main())

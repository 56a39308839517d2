"""The measuring part of `bench.processing`."""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time

from bench.inside import cast
from bench.table import at_least, show
from watchbill.actions import alerts, timers
from watchbill.db.models import Alert, AlertGroup, Event, Inbox, MonitorConnection, Outgoing, Page, Timer
from watchbill.entry.worker.handlers import HANDLERS
from watchbill.entry.worker.loop import CLAIM, READ

GOAL = 2000
Mix = Callable[[int, list[MonitorConnection]], "Expected"]


@dataclass(frozen=True)
class Expected:
    """What must be there afterwards."""

    signals: int
    rows: int
    alerts: int
    groups: int
    pages: int


def many_groups(size: int, ways: list[MonitorConnection]) -> Expected:
    """One service: every signal an alert of its own, in 200 groups of which each fifth is critical."""
    groups = min(200, size)
    payloads = [
        (ways[0], cast.alertmanager(f"group-{n % groups}", [cast.one_alert(n, _severity(n % groups))]))
        for n in range(size)
    ]
    return Expected(size, cast.arrive(payloads), size, groups, sum(_severity(n) == "critical" for n in range(groups)))


def _severity(group: int) -> str:
    return "warning" if group % 5 else "critical"


def many_services(size: int, ways: list[MonitorConnection]) -> Expected:
    """A hundred services, four keys each, of which one is critical; they take turns."""
    payloads = [(ways[n % 100], cast.event(f"key-{n // 100 % 4}", _quarter(n // 100 % 4))) for n in range(size)]
    groups = min(size, 400)
    return Expected(size, cast.arrive(payloads), groups, groups, min(size, 100))


def _quarter(key: int) -> str:
    return "warning" if key else "critical"


def storm(size: int, ways: list[MonitorConnection]) -> Expected:
    """One key, again and again."""
    return Expected(size, cast.arrive((ways[0], cast.event("storm")) for _ in range(size)), 1, 1, 1)


def fire(size: int, ways: list[MonitorConnection]) -> Expected:
    """Notifications of a hundred alerts each, all critical."""
    posts = max(size // 100, 1)
    payloads = [(ways[0], cast.alertmanager(f"group-{post}", _hundred(post, "firing"))) for post in range(posts)]
    return Expected(posts * 100, cast.arrive(payloads), posts * 100, posts, posts)


def resolve(size: int, ways: list[MonitorConnection]) -> Expected:
    """What the mix before left firing is over."""
    posts = max(size // 100, 1)
    payloads = [
        (ways[0], cast.alertmanager(f"group-{post}", _hundred(post, "resolved"), "resolved")) for post in range(posts)
    ]
    return Expected(posts * 100, cast.arrive(payloads), posts * 100, posts, posts)


def _hundred(post: int, status: str) -> list[dict[str, object]]:
    return [cast.one_alert(post * 100 + n, "critical", status) for n in range(100)]


MIXES: dict[str, tuple[Mix, str]] = {
    "one service, 200 groups": (many_groups, "alertmanager"),
    "100 services, 400 keys": (many_services, "events_v2"),
    "storm of one key": (storm, "events_v2"),
    "posts of 100 alerts that fire": (fire, "alertmanager"),
    "the same posts, resolved": (resolve, "alertmanager"),
}


def empty() -> None:
    """Take away what the mix before left."""
    for model in (Inbox, Outgoing, Timer, Page, Alert, AlertGroup):
        model._base_manager.all().delete()
    Event.objects.filter(subject_kind__in=("alert", "page")).delete()


def work() -> None:
    """Do what the worker does, until nothing waits: the inbox, and the groups of a storm that were put off."""
    while True:
        waiting = alerts.read_together(limit=READ)
        for together in waiting:
            alerts.receive_together(together, cast.NOW)
        due = timers.claim_due(lambda: cast.NOW, CLAIM)
        for claim in due:
            HANDLERS[claim.subject_kind, claim.kind](claim, cast.NOW)
        if not waiting and not due:
            return


def count(expected: Expected) -> list[str]:
    """Compare what is there with what should be."""
    have = {
        "rows": Inbox.objects.filter(state=Inbox.PARSED).count(),
        "alerts": Alert.objects.count(),
        "groups": AlertGroup.objects.count(),
        "pages": Page.objects.count(),
        "signals": sum(AlertGroup.objects.values_list("signal_count", flat=True)),
    }
    if not Alert.objects.filter(state="firing").exists():
        have |= {"rows": have["rows"] // 2, "signals": have["signals"] // 2}  # they fired in the mix before
    wrong = [
        f"{name}: {n:,} instead of {getattr(expected, name):,}"
        for name, n in have.items()
        if n != getattr(expected, name)
    ]
    asked = Outgoing.objects.filter(purpose="page").count()
    return wrong if asked >= expected.pages else [*wrong, f"messages: {asked:,} for {expected.pages:,} pages"]


def main() -> int:
    """Measure each mix once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    ways = {"events_v2": cast.build(100)}
    ways["alertmanager"] = [cast.connect(ways["events_v2"][0].service, "alertmanager")]
    rows, bad = [], 0
    for name, (mix, monitor) in MIXES.items():
        if mix is not resolve:
            empty()
        expected = mix(given.size, ways[monitor])
        profile = cProfile.Profile() if given.profile else None
        started, cpu = perf_counter(), process_time()
        if profile:
            profile.runcall(work)
        else:
            work()
        seconds, cpu = perf_counter() - started, process_time() - cpu
        if profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        wrong = count(expected)
        bad += bool(wrong)
        rate = expected.signals / seconds
        rows.append(
            (
                name,
                f"{expected.signals:,}",
                f"{expected.groups:,}",
                f"{expected.pages:,}",
                f"{rate:,.0f}/s",
                f"{cpu / expected.signals * 1e6:,.0f} us",
                at_least(rate, GOAL),
                "; ".join(wrong) or "right",
            )
        )
    database = os.environ["WATCHBILL_BENCH_DATABASE"]
    head = ("mix", "signals", "groups", "pages", "signals", "CPU each", f"goal {GOAL:,}/s", "rows")
    show(f"Inbox to alerts and pages, one worker, {database}", head, rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

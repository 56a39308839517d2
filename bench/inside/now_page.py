"""The measuring part of `bench.now_page`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from time import perf_counter

from django.db import connection

from bench.inside import cast
from bench.inside.asking import HEAD, ask
from bench.inside.many import ago, copy_rows, settle
from bench.table import ms, show
from watchbill.actions import alerts
from watchbill.db import search
from watchbill.db.models import Alert, AlertGroup, MonitorConnection
from watchbill.entry import clock

OPEN = 200
SPACING = 30  # seconds between two alerts of the past: a million make a year


def main() -> int:
    """Write the past, then ask for each page so many times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    given = parser.parse_args()
    now = clock.now()
    started = perf_counter()
    ways = cast.build(20, now=now)
    _work(ways, "past", now, 1, "resolve")
    _multiply(given.size, now)
    print(f"\n{given.size:,} alerts of the past written in {ms(perf_counter() - started)}", flush=True)
    _work(ways, "open", now, OPEN, "")
    rows, bad = ask(_pages(), given.requests)
    wrong = _count(given.size)
    database = os.environ["WATCHBILL_BENCH_DATABASE"]
    show(f"Pages with {given.size:,} alerts behind them, {OPEN} open, {database}", HEAD, rows)
    print(f"  rows: {wrong or 'right'}")
    return 1 if wrong or bad else 0


def _work(ways: list[MonitorConnection], name: str, now: datetime, keys: int, then: str) -> None:
    """Let alerts fire through the engine, each tenth critical, and end at once if `then` says so."""
    for action in ("trigger", then) if then else ("trigger",):
        payloads = [
            (ways[n % 20], cast.event(f"{name}-{n}", "warning" if n % 10 else "critical", action)) for n in range(keys)
        ]
        cast.arrive(payloads, now)
        for service in alerts.services_waiting(50):
            alerts.receive(service, now)


def _multiply(size: int, now: datetime) -> None:
    """Copy the one resolved alert `size` times into the past; the search is filled at once instead of row by row."""
    group = AlertGroup.objects.get()
    alert = Alert.objects.get()
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER alert_search_write" if sqlite else "SET session_replication_role = replica")
        times = dict.fromkeys(("opened_at", "last_at", "resolved_at"), ago(SPACING))
        service = "(SELECT min(id) FROM watchbill_service) + i %% 20"
        changed = {"id": f"{group.pk} + i", "key": "'past-' || i", "service_id": service}
        cursor.execute(*copy_rows(group, changed, times, size, now))
        times = dict.fromkeys(("first_at", "last_at", "ended_at"), ago(SPACING))
        changed = {"id": f"{alert.pk} + i", "group_id": f"{group.pk} + i", "fingerprint": "'past-' || i"}
        cursor.execute(*copy_rows(alert, {**changed, "service_id": service}, times, size, now))
        cursor.execute(search.FILL[str(connection.vendor)])
        if not sqlite:
            cursor.execute("SET session_replication_role = DEFAULT")
    if sqlite:
        with connection.schema_editor() as editor:
            search.install(editor)
    settle("watchbill_alertgroup", "watchbill_alert")


def _pages() -> dict[str, str]:
    newest = AlertGroup.objects.order_by("-id").values_list("pk", flat=True)[0]
    old = AlertGroup.objects.order_by("id").values_list("pk", flat=True)[1]
    return {
        "Now": "/",
        "Alerts, open": "/alerts/",
        "Alerts, resolved": "/alerts/?state=resolved",
        "Alerts, all, far back": f"/alerts/?state=all&before={old + 500}",
        "Alerts, search": "/alerts/?state=all&text=trouble+past",
        "one alert": f"/alerts/{newest}/",
        "Services": "/services/",
        "Rota": "/rota/",
    }


def _count(size: int) -> str:
    have = (AlertGroup.objects.count(), Alert.objects.count())
    want = (size + 1 + OPEN, size + 1 + OPEN)
    return "" if have == want else f"{have} instead of {want}"


if __name__ == "__main__":
    sys.exit(main())

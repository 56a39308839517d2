"""The measuring part of `bench.now_page`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from time import perf_counter, thread_time

from django.db import connection
from django.db.models import Model
from django.test import Client

from bench.inside import cast
from bench.table import at_most, ms, percentile, show
from watchbill.actions import alerts
from watchbill.db import search
from watchbill.db.models import Alert, AlertGroup, MonitorConnection, Person
from watchbill.entry import clock

LIMIT = 0.050
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
    rows, bad = _ask(given.requests)
    wrong = _count(given.size)
    database = os.environ["WATCHBILL_BENCH_DATABASE"]
    head = ("page", "requests", "answered", "p50", "p99", "CPU p50", "statements", "goal p50 < 50 ms")
    show(f"Pages with {given.size:,} alerts behind them, {OPEN} open, {database}", head, rows)
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
        times = dict.fromkeys(("opened_at", "last_at", "resolved_at"), _moment)
        service = "(SELECT min(id) FROM watchbill_service) + i %% 20"
        changed = {"id": f"{group.pk} + i", "key": "'past-' || i", "service_id": service}
        cursor.execute(*_copy(group, changed, times, size, now))
        times = dict.fromkeys(("first_at", "last_at", "ended_at"), _moment)
        changed = {"id": f"{alert.pk} + i", "group_id": f"{group.pk} + i", "fingerprint": "'past-' || i"}
        cursor.execute(*_copy(alert, {**changed, "service_id": service}, times, size, now))
        cursor.execute(search.FILL[str(connection.vendor)])
        if not sqlite:
            cursor.execute("SET session_replication_role = DEFAULT")
    if sqlite:
        with connection.schema_editor() as editor:
            search.install(editor)
    _settle()


def _moment(now: datetime) -> str:
    if connection.vendor == "sqlite":
        return f"strftime('%Y-%m-%d %H:%M:%f000', '{now:%Y-%m-%d %H:%M:%S}', '-' || (({SPACING}) * (n.most - i)) || ' seconds')"
    return f"'{now.isoformat()}'::timestamptz - (n.most - i) * interval '{SPACING} seconds'"


def _copy(
    row: Model, changed: Mapping[str, str], times: Mapping[str, Callable[[datetime], str]], size: int, now: datetime
) -> tuple[str, list[int]]:
    """Give the statement that copies a row, with some columns computed from the number `i`, and its parameters."""
    table = row._meta.db_table
    columns = [field.column for field in row._meta.concrete_fields]
    computed = {**changed, **{name: moment(now) for name, moment in times.items()}}
    values = ", ".join(computed.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    series = (
        f"WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {size})"
        if connection.vendor == "sqlite"
        else f"WITH s AS (SELECT generate_series(1, {size}) AS i)"
    )
    most = f"(SELECT {size} AS most) n"
    return f'INSERT INTO "{table}" ({names}) {series} SELECT {values} FROM s, {most}, "{table}" t WHERE t.id = %s', [
        row.pk
    ]


def _settle() -> None:
    """Let PostgreSQL do what autovacuum does within the minute, and go on counting where the copies end."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("watchbill_alertgroup", "watchbill_alert"):
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            cursor.execute("VACUUM ANALYZE")


def _ask(requests: int) -> tuple[list[tuple[str, ...]], int]:
    browser = Client(raise_request_exception=False)
    browser.force_login(Person.objects.order_by("id")[0])
    newest = AlertGroup.objects.order_by("-id").values_list("pk", flat=True)[0]
    old = AlertGroup.objects.order_by("id").values_list("pk", flat=True)[1]
    pages = {
        "Now": "/",
        "Alerts, open": "/alerts/",
        "Alerts, resolved": "/alerts/?state=resolved",
        "Alerts, all, far back": f"/alerts/?state=all&before={old + 500}",
        "Alerts, search": "/alerts/?state=all&text=trouble+past",
        "one alert": f"/alerts/{newest}/",
        "Services": "/services/",
        "Rota": "/rota/",
    }
    rows: list[tuple[str, ...]] = []
    bad = 0
    for name, address in pages.items():
        took, cpu, answers = [], [], []
        for _ in range(requests + 3):
            started, worked = perf_counter(), thread_time()
            answers.append(browser.get(address).status_code)
            took.append(perf_counter() - started)
            cpu.append(thread_time() - worked)
        took, cpu, right = took[3:], cpu[3:], answers.count(200) == len(answers)
        bad += not right
        p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
        answered = "all 200" if right else f"{sorted(set(answers))}"
        statements = str(_statements(browser, address))
        figures = (ms(p50), ms(p99), ms(percentile(cpu, 0.5)), statements, at_most(p50, LIMIT))
        rows.append((name, str(len(took)), answered, *figures))
    return rows, bad


def _statements(browser: Client, address: str) -> int:
    connection.force_debug_cursor = True
    before = len(connection.queries_log)
    browser.get(address)
    connection.force_debug_cursor = False
    return len(connection.queries_log) - before


def _count(size: int) -> str:
    have = (AlertGroup.objects.count(), Alert.objects.count())
    want = (size + 1 + OPEN, size + 1 + OPEN)
    return "" if have == want else f"{have} instead of {want}"


if __name__ == "__main__":
    sys.exit(main())

"""Ask Django for pages, as a browser that is signed in would: how long each takes, and with how many statements."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter, thread_time

from django.db import connection
from django.test import Client

from bench.table import at_most, ms, percentile
from watchbill.db.models import Person

HEAD = ("page", "requests", "answered", "p50", "p99", "CPU p50", "statements", "goal p50 < 50 ms")
LIMIT = 0.050


def ask(pages: Mapping[str, str], requests: int) -> tuple[list[tuple[str, ...]], int]:
    """Ask for each page so many times; gives the rows of a table, and how many pages were not always 200."""
    browser = Client(raise_request_exception=False)
    browser.force_login(Person.objects.order_by("id")[0])
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

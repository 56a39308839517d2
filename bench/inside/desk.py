"""The measuring part of `bench.desk`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timedelta
from time import perf_counter, thread_time

from django.db import connection, transaction

from bench.inside import cast
from bench.inside.asking import HEAD, ask
from bench.inside.many import ago, copy_rows, settle
from bench.table import ms, show
from watchbill.actions import support, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.import_tickets import take_in_new
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.connectors import Issue
from watchbill.db import desk_search
from watchbill.db.models import Connection, ExternalRef, Person, Service, SupportRequest, Team, Ticket
from watchbill.entry import clock

OPEN = 200
PAGE = 100
SPACING = 30  # seconds between two requests of the past: a million make a year


def main() -> int:
    """Write the past and the present, then ask for each page so many times, then import."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--import", dest="imported", type=int, required=True)
    given = parser.parse_args()
    now = clock.now()
    started = perf_counter()
    cast.build(20, now=now)
    _multiply(given.size, now)
    print(f"\n{given.size:,} tickets and requests of the past written in {ms(perf_counter() - started)}", flush=True)
    _present(now)
    rows, bad = ask(_pages(), given.requests)
    wrong = _count(given.size)
    database = os.environ["WATCHBILL_BENCH_DATABASE"]
    show(f"Pages with {given.size:,} tickets and requests behind them, {OPEN} open, {database}", HEAD, rows)
    print(f"  rows: {wrong or 'right'}")
    wrong_import = _import(given.imported, now) if given.imported else ""
    return 1 if wrong or bad or wrong_import else 0


def _past(now: datetime) -> tuple[Ticket, SupportRequest]:
    team, person = Team.objects.get(), Person.objects.order_by("id")[0]
    service = Service.objects.order_by("id")[0]
    request = support.open_request(team, Asker("Ria", "ria@example.net"), Asked("Trouble of the past"), now)
    support.resolve(request.pk, "done", "It is mended.", person, now)
    written = Written("Trouble of the past", "It was mended.", labels=("operations",), points=2, service=service)
    ticket = tickets.add_ticket(team, written, person, now)
    return tickets.move(ticket.pk, "done", person, now), SupportRequest.objects.get(pk=request.pk)


def _multiply(size: int, now: datetime) -> None:
    """Copy one ticket that is done and one request that is closed `size` times into the past."""
    ticket, request = _past(now)
    SupportRequest.objects.filter(pk=request.pk).update(state="closed", closed_at=now)
    request.refresh_from_db()
    with connection.schema_editor() as editor:
        desk_search.uninstall(editor)
    service = "(SELECT min(id) FROM watchbill_service) + i %% 20"
    with connection.cursor() as cursor:
        times = dict.fromkeys(("created_at", "changed_at", "stage_at", "done_at"), ago(SPACING))
        people = "(SELECT min(id) FROM watchbill_person) + i %% 4"
        changed = {"id": f"{ticket.pk} + i", "service_id": service, "points": "i %% 8", "assignee_id": people}
        cursor.execute(*copy_rows(ticket, changed, times, size, now))
        times = dict.fromkeys(("opened_at", "last_message_at", "resolved_at", "closed_at"), ago(SPACING))
        cursor.execute(*copy_rows(request, {"id": f"{request.pk} + i", "service_id": service}, times, size, now))
    with connection.schema_editor() as editor:
        desk_search.install(editor)
    settle("watchbill_ticket", "watchbill_supportrequest")


def _present(now: datetime) -> None:
    """Open work, through the actions: on the watch, with people, in every stage."""
    team, people = Team.objects.get(), list(Person.objects.order_by("id")[:4])
    services = list(Service.objects.order_by("id"))
    for n in range(OPEN):
        seat, who = ("engineer", None) if n % 3 == 0 else ("", people[n % 4])
        written = Written(
            f"Open trouble {n}", "See above.", labels=("feature",) if n % 4 else ("operations",),
            points=n % 8, service=services[n % 20], assignee=who, seat=seat,
        )  # fmt: skip
        ticket = tickets.add_ticket(team, written, people[0], now - timedelta(days=n % 30))
        if n % 3:
            tickets.move(ticket.pk, ("in_progress", "waiting")[n % 2], people[0], now)
        asked = Asked(f"Open request {n}", "Please look.", service=services[n % 20])
        request = support.open_request(
            team, Asker(f"Ria {n}", f"ria{n}@example.net"), asked, now - timedelta(hours=n % 90)
        )
        if n % 2:
            support.take(request.pk, people[n % 4], now)


def _pages() -> dict[str, str]:
    ticket = Ticket.objects.order_by("-id").values_list("pk", flat=True)[0]
    request = SupportRequest.objects.order_by("-id").values_list("pk", flat=True)[0]
    team = Team.objects.get().slug
    return {
        "Requests, inbox": "/requests/",
        "Requests, open": "/requests/?tab=open",
        "Requests, all": "/requests/?tab=all",
        "Requests, search": "/requests/?tab=all&q=trouble+past",
        "Requests, by query": "/requests/asked/?q=state+%3D+closed+order+by+resolved+desc",
        "one request": f"/requests/{request}/",
        "Board": f"/board/?team={team}",
        "Tickets": "/tickets/",
        "Tickets, by query": f"/tickets/?team={team}&q=stage+%3D+done+and+points+%3E+3+order+by+done+desc",
        "Tickets, search": f"/tickets/?team={team}&q=text+~+%22trouble+past%22",
        "one ticket": f"/tickets/{ticket}/",
        "Grooming": f"/grooming/?team={team}",
        "Sprints": f"/sprints/?team={team}",
        "What do I do now?": "/next/",
        "Now": "/",
    }


def _import(size: int, now: datetime) -> str:
    """Take in so many issues, a hundred a page, as a tracker's pages give them; then the first pages once more."""
    team, person = Team.objects.get(), Person.objects.order_by("id")[0]
    connection_row = Connection.objects.create(
        team=team,
        connector="jira",
        name="Bench",
        settings={},
        key="",
        key_hash="bench",
        created_at=now,
        created_by=person,
    )
    before = Ticket.objects.count()
    started, worked = perf_counter(), thread_time()
    for first in range(0, size, PAGE):
        with transaction.atomic():
            take_in_new(connection_row, _issues(first, min(PAGE, size - first), now), "imported", now)
    took, cpu = perf_counter() - started, thread_time() - worked
    again = 0
    for first in range(0, min(size, 10 * PAGE), PAGE):
        with transaction.atomic():
            again += take_in_new(connection_row, _issues(first, min(PAGE, size - first), now), "imported", now)
    made = Ticket.objects.count() - before
    head = ("tickets", "made", "twins", "made again", "took", "tickets/s", "CPU each")
    twins = ExternalRef.objects.filter(connection=connection_row).count()
    row = (f"{size:,}", f"{made:,}", f"{twins:,}", str(again), ms(took), f"{size / took:,.0f}", ms(cpu / size))
    show(f"An import, {PAGE} issues a page, {os.environ['WATCHBILL_BENCH_DATABASE']}", head, [row])
    wrong = "" if (made, twins, again) == (size, size, 0) else "rows are missing, or there twice"
    print(f"  rows: {wrong or 'right'}")
    return wrong


def _issues(first: int, count: int, now: datetime) -> list[Issue]:
    return [
        Issue(
            ref=f"OPS-{n}",
            title=f"Imported trouble {n}",
            text="As it was written there.",
            state=("To Do", "In Progress", "Done")[n % 3],
            kind="Task",
            labels=("operations",),
            created_at=now - timedelta(days=n % 900),
            updated_at=now - timedelta(days=n % 300),
        )
        for n in range(first, first + count)
    ]


def _count(size: int) -> str:
    have = (Ticket.objects.count(), SupportRequest.objects.count())
    want = (size + 1 + OPEN, size + 1 + OPEN)
    return "" if have == want else f"{have} instead of {want}"


if __name__ == "__main__":
    sys.exit(main())

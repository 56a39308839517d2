"""The measuring part of `bench.desk`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timedelta
from time import perf_counter

from django.db import connection

from bench.inside import cast
from bench.inside.asking import HEAD, ask
from bench.inside.many import ago, copy_rows, settle
from bench.table import ms, show
from watchbill.actions import support, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db import desk_search
from watchbill.db.models import Person, Service, SupportRequest, Team, Ticket
from watchbill.entry import clock

OPEN = 200
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
    return 1 if wrong or bad else 0


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
        changed = {"id": f"{ticket.pk} + i", "service_id": service, "points": "i %% 8"}
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
        "one request": f"/requests/{request}/",
        "Board": f"/board/?team={team}",
        "Tickets": "/tickets/",
        "Tickets, by query": f"/tickets/?team={team}&q=stage+%3D+done+and+points+%3E+3+order+by+done+desc",
        "Tickets, search": f"/tickets/?team={team}&q=text+~+%22trouble+past%22",
        "one ticket": f"/tickets/{ticket}/",
        "Grooming": f"/grooming/?team={team}",
        "What do I do now?": "/next/",
        "Now": "/",
    }


def _count(size: int) -> str:
    have = (Ticket.objects.count(), SupportRequest.objects.count())
    want = (size + 1 + OPEN, size + 1 + OPEN)
    return "" if have == want else f"{have} instead of {want}"


if __name__ == "__main__":
    sys.exit(main())

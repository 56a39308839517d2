"""Workers and answering people that run at the same time: as processes on PostgreSQL, as threads on SQLite.

    python -m tests.kill.crew '{"folder": ..., "database": ..., ...}'     # runs until the shared flag says stop

What they share is a folder: `clock` holds the present instant and the flag, `report` one JSON line for each thing
that somebody answered, and for each line that the program logged as an error.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Waiting
from threading import Thread
from typing import Any

import django
import structlog


class Shared:
    """The clock that the test moves and everybody reads, the flag that ends it all, and the common report."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "clock"
        self.report_path = folder / "report"
        if not self.path.exists():
            self.path.write_bytes(bytes(16))
        self.file = self.path.open("r+b")
        self.memory = mmap.mmap(self.file.fileno(), 16)

    def now(self) -> datetime:
        return datetime.fromtimestamp(struct.unpack_from("d", self.memory, 0)[0], UTC)

    def set(self, now: datetime) -> None:
        struct.pack_into("d", self.memory, 0, now.timestamp())

    def stop(self) -> None:
        self.memory[8] = 1

    @property
    def stopping(self) -> bool:
        return bool(self.memory[8])

    def tell(self, **what: Any) -> None:
        """Append one line; one write of a file opened for appending is never torn."""
        line = json.dumps({**what, "at": self.now().timestamp()}) + "\n"
        descriptor = os.open(self.report_path, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, line.encode())
        os.close(descriptor)

    def told(self) -> list[dict[str, Any]]:
        if not self.report_path.exists():
            return []
        return [json.loads(line) for line in self.report_path.read_text().splitlines()]


ANSWERS = ("page.acknowledged", "page.snoozed", "page.resolved")


@dataclass(frozen=True)
class Spec:
    """Who takes part."""

    folder: str
    database: str
    smtp: dict[str, Any]
    people: list[int]
    workers: int
    answerers: int
    seed: int
    helpers: int = 0


def run_worker(spec: Spec, shared: Shared, number: int) -> None:
    """Work as a node does, with NOTIFY to wake it, until the flag."""
    from django.db import connection  # noqa: PLC0415 - Django is set up first

    from watchbill.db.wake import Ear  # noqa: PLC0415
    from watchbill.egress import Allow, Client  # noqa: PLC0415
    from watchbill.entry.worker.loop import Worker  # noqa: PLC0415

    worker = Worker(shared.now, Client(Allow.read("127.0.0.0/8")))
    ear = Ear()
    if connection.vendor == "postgresql":
        ear.start()
    worker.start()
    while not shared.stopping:
        Waiting().wait(0.02)
    worker.stop(10)
    ear.stopping.set()


def run_answerer(spec: Spec, shared: Shared, number: int) -> None:
    """Answer pages at random, as people do: most take them, some snooze, hand on, ask for help or resolve."""
    from django.db import connections  # noqa: PLC0415 - Django is set up first

    from watchbill.db.models import Page, Person  # noqa: PLC0415

    chance = random.Random(spec.seed * 100 + number)
    people = list(Person.objects.filter(pk__in=spec.people).order_by("pk"))
    while not shared.stopping:
        asked = list(Page.objects.filter(closed_at=None).order_by("id").values_list("pk", flat=True)[:400])
        if asked:
            answer_one(chance.choice(asked), chance, people, shared)
        Waiting().wait(chance.random() * 0.03)
    connections.close_all()


def answer_one(page: int, chance: random.Random, people: list[Any], shared: Shared) -> None:
    from watchbill.actions import paging  # noqa: PLC0415 - Django is set up first
    from watchbill.db.models import Event  # noqa: PLC0415
    from watchbill.kit.errors import Refused  # noqa: PLC0415

    how = chance.choices(["acknowledge", "snooze", "reassign", "ask_for_help", "resolve"], [60, 8, 8, 8, 16])[0]
    person, now = chance.choice(people), shared.now()
    more: dict[str, list[Any]] = {
        "snooze": [now + timedelta(minutes=chance.randint(1, 2))],
        "reassign": [chance.choice(people)],
    }
    arguments = [person, *more.get(how, []), now] if how == "snooze" else [*more.get(how, []), person, now]
    try:
        getattr(paging, how)(page, *arguments)
    except Refused:
        return
    if how in {"acknowledge", "snooze", "resolve"}:
        # Whoever says the same twice is not written down twice: then the older line counts all the more.
        answers = Event.objects.filter(subject_kind="page", subject_id=page, kind__in=ANSWERS, actor=person)
        line = answers.order_by("-id").values_list("pk", flat=True).first()
        shared.tell(page=page, how=how, line=line or 0)


def run_helper(spec: Spec, shared: Shared, number: int) -> None:
    """Help with requests at random: take, answer, pass the ball, write tickets, resolve; requesters write meanwhile."""
    from django.db import connections  # noqa: PLC0415 - Django is set up first

    from watchbill.db.models import Person, SupportRequest  # noqa: PLC0415

    chance = random.Random(spec.seed * 100 + 50 + number)
    people = list(Person.objects.filter(pk__in=spec.people).order_by("pk"))
    while not shared.stopping:
        asked = list(SupportRequest.objects.exclude(state="closed").order_by("id").values_list("pk", flat=True)[:400])
        if asked:
            help_with(chance.choice(asked), chance, chance.choice(people), shared.now())
        Waiting().wait(chance.random() * 0.02)
    connections.close_all()


def help_with(request: int, chance: random.Random, person: Any, now: datetime) -> None:
    from watchbill.actions import request_timebox, support  # noqa: PLC0415 - Django is set up first
    from watchbill.actions.asked import Asked  # noqa: PLC0415
    from watchbill.actions.requesters import Asker  # noqa: PLC0415
    from watchbill.kit.errors import Refused  # noqa: PLC0415

    ball, again = chance.choice(["us", "requester", "vendor"]), Asked("The same", "It is still so.")
    asker = Asker(f"Ria {request % 7}", f"ria{request % 7}@example.net")
    ways: list[tuple[int, Callable[[], Any]]] = [
        (20, lambda: support.take(request, person, now)),
        (12, lambda: support.answer(request, "We look at it.", person, now, waits_on=ball)),
        (20, lambda: support.pass_ball(request, ball, "", person, now)),
        (16, lambda: support.hear(request, asker, again, now)),
        (6, lambda: request_timebox.make_ticket(request, {"points": 1}, person, now)),
        (4, lambda: support.resolve(request, "done", "", person, now)),
    ]
    try:
        chance.choices([way for _, way in ways], [weight for weight, _ in ways])[0]()
    except Refused:
        return


def log_to(shared: Shared) -> Callable[..., Any]:
    """Give a processor that reports what is logged as a warning or an error, and prints nothing."""

    def processor(_: Any, level: str, event: dict[str, Any]) -> Any:
        if level in {"error", "exception", "critical", "warning"}:
            shared.tell(log=str(event.get("event")), why=repr(event)[:2000], error=repr(sys.exc_info()[1]))
        raise structlog.DropEvent

    return processor


def watched(role: Callable[..., None], spec: Spec, shared: Shared, number: int) -> None:
    try:
        role(spec, shared, number)
    except BaseException as error:
        shared.tell(log="died", why=repr(error), error=repr(error))
        raise


def roles(spec: Spec) -> list[tuple[Callable[..., None], int]]:
    crew = ((run_worker, spec.workers), (run_answerer, spec.answerers), (run_helper, spec.helpers))
    return [(role, number) for role, many in crew for number in range(many)]


def as_threads(spec: Spec, shared: Shared) -> list[Thread]:
    threads = [Thread(target=watched, args=(role, spec, shared, number)) for role, number in roles(spec)]
    for thread in threads:
        thread.start()
    return threads


def as_processes(spec: Spec, shared: Shared) -> None:
    """Fork one process for each role, before any connection is made, and wait for all."""
    children = []
    for role, number in roles(spec):
        child = os.fork()
        if child == 0:
            try:
                structlog.configure(processors=[log_to(shared)])
                watched(role, spec, shared, number)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def main() -> None:
    from django.conf import settings  # noqa: PLC0415 - Django is set up first
    from django.db import connection  # noqa: PLC0415

    from watchbill import channels, monitors  # noqa: PLC0415
    from watchbill.entry.worker import loop  # noqa: F401, PLC0415 - loaded once, before the forks

    spec = Spec(**json.loads(sys.argv[1]))
    connection.settings_dict["NAME"] = spec.database
    settings.CHANNEL_SETTINGS = {"email": spec.smtp}
    channels.all_channels()
    monitors.all_monitors()
    as_processes(spec, Shared(Path(spec.folder)))


if __name__ == "__main__":
    django.setup()
    main()

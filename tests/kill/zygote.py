"""A process that is made to be killed: forks a child for each job, which may end itself with SIGKILL at a boundary.

    python -m tests.kill.zygote            # one job as JSON a line on stdin, one report a line on stdout

The zygote does the jobs that nobody kills itself, so that everything is loaded, and closes its connections, so that a
fork costs milliseconds and shares none. A child
counts boundaries: between each statement and the next, on each side of each COMMIT, after each connection is made,
on each side of the mail server's "250" for the message itself, of a mailbox's mark that it was read, and of each call
to a tracker. At the boundary whose number it was given it kills itself, as an OOM killer or a power switch would. The
product knows nothing of it: the hooks are Django's own `execute_wrapper`, the connections of the drivers, smtplib, and
the one way out for HTTP.
"""

from __future__ import annotations

import imaplib
import json
import os
import signal
import smtplib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import django

KILLED, SURVIVED = "killed", "survived"


class Boundaries:
    """Counts, and kills at the number given. `taken` holds while the vendor has a message that we have not marked."""

    def __init__(self, kill_at: int, report: int, only: tuple[str, ...] = ("",)) -> None:
        self.kill_at = kill_at
        self.only = only
        self.report = report
        self.count = 0
        self.taken = False

    def reach(self, name: str) -> None:
        if not any(part in name for part in self.only):
            return
        self.count += 1
        if self.count == self.kill_at:
            self.tell(KILLED, name)
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, how: str, where: str) -> None:
        said = {"how": how, "where": where, "count": self.count, "taken": self.taken}
        os.write(self.report, json.dumps(said).encode())

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        self.reach(f"before {name}")
        yield
        self.reach(f"after {name}")


class AtOnce(Executor):
    """Runs what is submitted before it returns, so that the boundaries have one order."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def watch(boundaries: Boundaries) -> None:
    """Put the hooks in: on every connection that Django opens in this process, and on the mail client."""
    from django.db import connection  # noqa: PLC0415 - Django is set up first
    from django.db.backends.signals import connection_created  # noqa: PLC0415

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = run(sql, params, many, context)
        # After one statement is before the next: between the two this process does nothing that others could see.
        where = "after" if context["connection"].in_atomic_block else "alone, after"
        boundaries.reach(f"{where} {sql[:60]}")
        return answer

    commit = connection._commit

    def commit_watched() -> Any:
        with boundaries.around("COMMIT"):
            return commit()

    def created(sender: Any, connection: Any, **_: Any) -> None:
        boundaries.reach("connected")

    connection.execute_wrappers.append(execute)
    connection._commit = commit_watched
    connection_created.connect(created, weak=False)
    data = smtplib.SMTP.data

    def data_watched(self: smtplib.SMTP, message: Any) -> tuple[int, bytes]:
        boundaries.reach("before the vendor")
        answer = data(self, message)
        boundaries.taken = answer[0] == 250
        boundaries.reach("after the vendor")
        return answer

    smtplib.SMTP.data = data_watched  # type: ignore[method-assign]
    uid = imaplib.IMAP4.uid

    def uid_watched(self: imaplib.IMAP4, command: str, *args: Any) -> Any:
        if command != "STORE":
            return uid(self, command, *args)
        with boundaries.around("the mailbox marks it"):
            return uid(self, command, *args)

    imaplib.IMAP4.uid = uid_watched  # type: ignore[method-assign]
    watch_http(boundaries)


def watch_http(boundaries: Boundaries) -> None:
    """Put the hook in where every call to a tracker leaves."""
    from watchbill.egress import Client  # noqa: PLC0415 - Django is set up first

    request = Client.request

    def request_watched(self: Client, method: str, url: str, **more: Any) -> Any:
        with boundaries.around(f"the tracker: {method}"):
            return request(self, method, url, **more)

    Client.request = request_watched  # type: ignore[assignment,method-assign]


def unmark(boundaries: Boundaries) -> None:
    """Watch for our own mark: the commit after the vendor's "250" ends the time in which a message may leave twice."""
    from django.db import connection  # noqa: PLC0415 - Django is set up first

    commit = connection._commit

    def commit_marks() -> Any:
        answer = commit()
        boundaries.taken = False
        return answer

    connection._commit = commit_marks


def work(job: dict[str, Any]) -> None:
    """The worker does whatever is due at the job's instant."""
    from watchbill.egress import Allow, Client  # noqa: PLC0415 - Django is set up first
    from watchbill.entry.worker.loop import Worker  # noqa: PLC0415

    now = datetime.fromisoformat(job["now"])
    worker = Worker(lambda: now, Client(Allow.read("127.0.0.0/8")))
    worker.pool = AtOnce()  # type: ignore[assignment]
    worker.desk.pool = AtOnce()
    worker.drain()


def answer(job: dict[str, Any]) -> None:
    """A person answers a page by the action that every door calls."""
    from watchbill.actions import paging  # noqa: PLC0415 - Django is set up first
    from watchbill.db.models import Person  # noqa: PLC0415

    person = Person.objects.get(pk=job["person"])
    getattr(paging, job["how"])(job["page"], person, datetime.fromisoformat(job["now"]))


def look(job: dict[str, Any]) -> None:
    """A worker looks into the mailbox."""
    from watchbill.entry.mail import polling  # noqa: PLC0415 - Django is set up first

    polling.look(lambda: datetime.fromisoformat(job["now"]))


def ask(job: dict[str, Any]) -> None:
    """Somebody without an account asks on the team's public page."""
    from watchbill.actions import public_asking  # noqa: PLC0415 - Django is set up first
    from watchbill.actions.asked import Asked  # noqa: PLC0415
    from watchbill.actions.requesters import Asker  # noqa: PLC0415
    from watchbill.db.models import Team  # noqa: PLC0415

    team, asked = Team.objects.get(pk=job["team"]), Asked(job["title"], "Since this morning.")
    now = datetime.fromisoformat(job["now"])
    public_asking.ask(team, Asker(job["name"], job["email"]), asked, "192.0.2.7", now)


def write_ticket(job: dict[str, Any]) -> None:
    """Whoever has a request writes its ticket."""
    from watchbill.actions import request_timebox  # noqa: PLC0415 - Django is set up first
    from watchbill.db.models import Person  # noqa: PLC0415

    person = Person.objects.get(pk=job["person"])
    request_timebox.make_ticket(job["request"], {"points": 2}, person, datetime.fromisoformat(job["now"]))


JOBS = {"work": work, "answer": answer, "look": look, "ask": ask, "write_ticket": write_ticket}


def prepare(job: dict[str, Any]) -> None:
    from django.conf import settings  # noqa: PLC0415 - Django is set up first
    from django.db import connection  # noqa: PLC0415

    connection.settings_dict["NAME"] = job["database"]
    options = connection.settings_dict["OPTIONS"]
    if "init_command" in options:
        # A process that is killed takes nothing from the system's cache with it, so nobody waits for the disk.
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    settings.CHANNEL_SETTINGS = {"email": job["smtp"]}


def run_here(job: dict[str, Any]) -> str:
    """Do a job in the zygote itself: nobody kills it, and whatever is loaded or cached meanwhile the children have."""
    from django.db import connection  # noqa: PLC0415 - Django is set up first

    prepare(job)
    JOBS[job["do"]](job)
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    return json.dumps({"how": SURVIVED, "where": "the zygote", "count": 0, "taken": False})


def run_child(job: dict[str, Any], report: int) -> None:
    prepare(job)
    boundaries = Boundaries(job["kill_at"], report, tuple(job.get("only", ("",))))
    unmark(boundaries)
    watch(boundaries)
    JOBS[job["do"]](job)
    boundaries.tell(SURVIVED, "the end")


def serve() -> None:
    """Fork a child for each line; tell what came of it."""
    for line in sys.stdin:
        job = json.loads(line)
        if job["kill_at"] == 0:
            print(run_here(job), flush=True)
            continue
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                run_child(job, writer)
            except BaseException as error:
                os.write(writer, json.dumps({"how": "broken", "where": repr(error)}).encode())
                raise
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        print(said, flush=True)


if __name__ == "__main__":
    django.setup()
    from watchbill import channels
    from watchbill.entry.worker import loop  # noqa: F401 - loaded once, before the forks

    channels.all_channels()
    serve()

"""What the kill tests share: a zygote whose children die, and moments of a story that can be gone back to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Waiting
from typing import Any

from django.conf import settings
from django.db import connection, transaction

# Within a transaction a death undoes it, at whichever statement: SQLite's runs show that for each of them, those on
# PostgreSQL, which are dearer, at the ends of each transaction, after what stands alone, and wherever somebody outside
# has heard.
EVERYWHERE, EDGES = [""], ["COMMIT", "alone", "vendor", "mailbox", "tracker"]
MOVED = ("inbox", "event", "timer", "outgoing", "page", "alertgroup", "alert")


@dataclass(frozen=True)
class Death:
    """How a child ended: at which boundary, and whether the vendor had taken what we had not marked yet."""

    how: str
    where: str
    count: int
    taken: bool


class Zygote:
    """The process that forks the children."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PGAPPNAME": "child",
        }
        command = [sys.executable, "-m", "tests.kill.zygote"]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, job: dict[str, Any], kill_at: int = 0) -> Death:
        """Run one job in a child that dies at its `kill_at`th boundary (0: never)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        smtp = settings.CHANNEL_SETTINGS["email"]
        database = str(connection.settings_dict["NAME"])
        where = EDGES if connection.vendor == "postgresql" else EVERYWHERE
        line = json.dumps({"only": where, **job, "kill_at": kill_at, "smtp": smtp, "database": database})
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        assert said["how"] != "broken", said
        wait_for_backends()
        return Death(**said)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def fewest_deaths() -> int:
    """Give how many boundaries a step has at the very least, so that hooks that no longer hold are noticed."""
    return 3 if connection.vendor == "postgresql" else 11


def wait_for_backends() -> None:
    """Wait until PostgreSQL has seen that a killed child is gone, and taken back what it had not committed."""
    if connection.vendor != "postgresql":
        return
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'child' AND datname = current_database()"
            )
            if cursor.fetchone() == (0,):
                return
        Waiting().wait(0.002)


class Moments:
    """Moments of the database that can be gone back to: copies of the tables that a story writes."""

    def __init__(self, tables: Sequence[str] = MOVED) -> None:
        self.kept: list[str] = []
        self.tables = tables

    def keep(self, name: str) -> None:
        self.kept.append(name)
        run(f"CREATE TABLE kept_{name}_{table} AS SELECT * FROM watchbill_{table}" for table in self.tables)

    def go_back(self, name: str) -> None:
        with transaction.atomic():
            run(f"DELETE FROM watchbill_{table}" for table in reversed(self.tables))
            run(f"INSERT INTO watchbill_{table} SELECT * FROM kept_{name}_{table}" for table in self.tables)

    def forget(self) -> None:
        run(f"DROP TABLE kept_{name}_{table}" for name in self.kept for table in self.tables)


def run(statements: Any) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@dataclass(frozen=True)
class Step:
    """One thing that a process does in the story, at one instant."""

    name: str
    at: datetime
    job: dict[str, Any]

    def as_job(self) -> dict[str, Any]:
        return {**self.job, "now": self.at.isoformat()}


def names(steps: Sequence[Step]) -> list[str]:
    return [step.name for step in steps]

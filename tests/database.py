"""The databases of a run: migrated once, and put back by copying, which costs far less than emptying and building anew.

The first process of a run that needs a migrated database makes it; whoever needs another takes a copy. A worker keeps
what its tests begin with, and puts it back after each. All of them are real databases with real commits: tests use
threads, processes and locks as the product does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.apps import apps
from django.db import connection
from django.db.models import AutoField

from tests.environment import SERVER, SHARED

MIGRATED = f"watchbill_migrated_{SHARED.name.rpartition('-')[2]}"
# What the migrations themselves write, and no test changes.
MADE_BY_MIGRATIONS = {"django_migrations", "django_content_type", "auth_permission"}
SEARCHED = ["alert_search", "ticket_search", "request_search"]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the lock of the run."""
    with (SHARED / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ask_server(sql: str) -> None:
    """Run a statement that no transaction may hold."""
    with psycopg.connect(SERVER, autocommit=True) as line:
        line.execute(sql)


def url_of(name: str) -> str:
    """Give the URL of a database of the run's server."""
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def migrate(**where: str) -> None:
    """Migrate a database in a process of its own, as settings are read once for each."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
        **where,
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "--skip-checks", "-v0"], env=environment, check=True)


def migrated_file() -> Path:
    """Give the SQLite file that every other is a copy of."""
    made = SHARED / "migrated" / "watchbill.sqlite3"
    with one_at_a_time():
        if not made.exists():
            folder = SHARED / "making"
            folder.mkdir()
            migrate(WATCHBILL_DATA=str(folder), WATCHBILL_DATABASE_URL="")
            folder.rename(made.parent)
    return made


def copy_file(to: Path) -> None:
    """Put a migrated database where there is none."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(migrated_file(), to)


def copy_database(name: str) -> None:
    """Make a migrated database on the run's PostgreSQL server."""
    with one_at_a_time():
        made = SHARED / "migrated-on-postgresql"
        if not made.exists():
            ask_server(f'CREATE DATABASE "{MIGRATED}"')
            migrate(WATCHBILL_DATABASE_URL=url_of(MIGRATED))
            made.touch()
    ask_server(f'CREATE DATABASE "{name}" TEMPLATE "{MIGRATED}"')


def drop_database(name: str) -> None:
    """Drop a database of the run's PostgreSQL server, whoever is connected."""
    ask_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class Kept:
    """Everything that stands in this worker's database at one moment, to begin a test with."""

    def __init__(self, name: str) -> None:
        self.name = name
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self.memory = sqlite3.connect(":memory:")
            connection.connection.backup(self.memory)
            return
        run(f"CREATE SCHEMA {name}")
        self.tables = [table for table in own_tables() if run(f'SELECT EXISTS (SELECT 1 FROM "{table}")') == [(True,)]]
        run(";".join(f'CREATE TABLE {name}."{table}" AS SELECT * FROM "{table}"' for table in self.tables))

    def put_back(self) -> None:
        """Make the database what it was, whatever stands in it now."""
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self.memory.backup(connection.connection, progress=refuse_to_wait)
            return
        # TRUNCATE would make new files for each table and index, however empty.
        run(
            "SET session_replication_role = replica;"
            + "".join(f'DELETE FROM "{table}";' for table in own_tables())
            + "".join(f'INSERT INTO "{table}" SELECT * FROM {self.name}."{table}";' for table in self.tables)
            + "SET session_replication_role = DEFAULT"
        )


def refuse_to_wait(status: int, *_: int) -> None:
    """Fail where somebody whom a test left behind still writes: SQLite would ask again for ever."""
    assert status not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}, "a transaction of a test is still open"


def run(statements: str) -> list[tuple[Any, ...]]:
    """Run statements on this worker's database, in one round trip; gives the rows of the last."""
    with connection.cursor() as cursor:
        cursor.execute(statements)
        return cursor.fetchall() if cursor.description else []


@cache
def own_tables() -> list[str]:
    """Give the tables that tests write."""
    named = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [*(table for table in named if table not in MADE_BY_MIGRATIONS), *SEARCHED]


def spread_numbers() -> None:
    """Let each table count from a thousand of its own, so that what takes one thing's number for another's finds nothing."""
    for number, model in enumerate(apps.get_models(include_auto_created=True), start=1):
        table, key = model._meta.db_table, model._meta.pk
        if not isinstance(key, AutoField) or table in MADE_BY_MIGRATIONS:
            continue
        if connection.vendor == "sqlite":
            run(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {number * 1000})")
        else:
            run(f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{key.column}'), {number * 1000})")

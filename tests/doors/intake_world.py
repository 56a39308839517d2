"""A door of its own for a test: a process that serves a fresh database, on a port that is listened on already."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests import database
from tests.environment import ON_POSTGRESQL

HERE = Path(__file__).parent
KEYS = {"events_v2": "e" * 32, "alertmanager": "a" * 32, "grafana": "f" * 32}


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SqliteStore:
    """The database file of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"WATCHBILL_DATA": str(folder), "WATCHBILL_DATABASE_URL": ""}

    @classmethod
    def make(cls, folder: Path, name: str, *, is_new: bool = False) -> SqliteStore:
        """Make one that is migrated and empty; a new one has not even a table."""
        if not is_new:
            database.copy_file(folder / "watchbill.sqlite3")
        return cls(folder)

    def copy(self, name: str) -> SqliteStore:
        return SqliteStore(Path(shutil.copytree(self.folder, self.folder.parent / name)))

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "watchbill.sqlite3", isolation_level=None)) as connection:
            return connection.execute(sql.replace("%s", "?"), values).fetchall()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Somebody outside keeps writing and does not end."""
        with closing(sqlite3.connect(self.folder / "watchbill.sqlite3", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    away = held

    def drop(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresqlStore:
    """The database of one test on a server."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        self.server, self.folder, self.name = url, folder, name
        self.url = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        self.environment = {"WATCHBILL_DATA": str(folder), "WATCHBILL_DATABASE_URL": self.url}

    @classmethod
    def make(cls, folder: Path, name: str, *, is_new: bool = False) -> PostgresqlStore:
        """Make one that is migrated and empty, on the run's server; a new one has not even a table."""
        store = cls(database.SERVER, folder, f"{name}_{os.getpid()}")
        if is_new:
            store.command(f'CREATE DATABASE "{store.name}"')
        else:
            database.copy_database(store.name)
        return store

    def copy(self, name: str) -> PostgresqlStore:
        store = PostgresqlStore(self.server, self.folder, f"door_{os.getpid()}_{name.replace('-', '_')}")
        self.command(f'CREATE DATABASE "{store.name}" TEMPLATE "{self.name}"')
        return store

    def command(self, sql: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def held(self) -> Iterator[None]:
        with psycopg.connect(self.url) as connection:
            connection.execute("LOCK TABLE watchbill_inbox IN EXCLUSIVE MODE")
            yield
            connection.rollback()

    @contextmanager
    def away(self) -> Iterator[None]:
        """The server ends every connection and takes none."""
        self.command(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false')
        self.command(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")
        yield
        self.command(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')

    def drop(self) -> None:
        self.command(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


Store = SqliteStore | PostgresqlStore
KIND: type[Store] = PostgresqlStore if ON_POSTGRESQL else SqliteStore


def make_store(folder: Path) -> Store:
    """Make the database that every test copies, in a process of its own: settings are read once per process."""
    folder.mkdir()
    store = KIND.make(folder, "door")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings", **store.environment}
    subprocess.run([sys.executable, HERE / "seed_intake.py", json.dumps(KEYS)], env=environment, check=True)
    return store


@dataclass
class Door:
    """A running server."""

    store: Store
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.set_inheritable(True)
        self.port: int = self.listener.getsockname()[1]
        self.process = self.serve()

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the server (again)."""
        fd = self.listener.fileno()
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings",
            "PYTHONPATH": str(HERE.parent.parent / "src"),
            **self.store.environment,
        }
        options = json.dumps({**self.options, "fd": fd})
        command = [sys.executable, str(HERE / "serve_intake.py"), options]
        self.process = subprocess.Popen(command, env=environment, pass_fds=[fd])
        return self.process

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.listener.close()

    def connect(self) -> http.client.HTTPConnection:
        if "certificate" in self.options:
            context = ssl.create_default_context(cafile=self.options["certificate"])
            return http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self,
        path: str,
        body: bytes | str | dict[str, Any] = b"",
        headers: dict[str, str] | None = None,
        method: str = "POST",
        line: http.client.HTTPConnection | None = None,
    ) -> Reply:
        """Send one request and wait for its answer."""
        connection = line or self.connect()
        try:
            data = json.dumps(body) if isinstance(body, dict) else body
            connection.request(method, path, data, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            if line is None:
                connection.close()

    def event(self, dedup_key: str = "disk", line: http.client.HTTPConnection | None = None, **more: Any) -> Reply:
        return self.ask("/v2/enqueue", event(dedup_key, **more), line=line)


def event(dedup_key: str = "disk", **more: Any) -> dict[str, Any]:
    """An event that PagerDuty would take."""
    return {
        "routing_key": KEYS["events_v2"],
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "payload": {"summary": "Disk full on db1", "source": "db1", "severity": "critical"},
        **more,
    }

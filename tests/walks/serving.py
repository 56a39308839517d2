"""Runs the real program for the walks: `watchbill serve` in a folder of its own, reached as its users reach it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.doors.intake_world import KIND, SqliteStore, Store
from tests.world import Mailbox, free_port

WATCHBILL = Path(sys.executable).parent / "watchbill"
# Generous: other tests may have every core for a while.
PATIENCE = 90


class Served:
    """A Watchbill that serves; `code` is the setup code it printed, if it was fresh."""

    def __init__(self, data: Path, store: Store | None = None, **environment: str) -> None:
        self.store = store or SqliteStore(data)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHBILL_", "DJANGO_"))}
        self.environment = {
            **kept,
            **self.store.environment,
            "WATCHBILL_ALLOW": "127.0.0.0/8,::1,localhost",
            "WATCHBILL_URL": self.url,
            **environment,
        }
        self.code = ""
        self.printed: list[str] = []
        self._ready = threading.Event()

    def start(self, *command: str, patience: float = PATIENCE) -> None:
        """Start it and wait until it answers."""
        arguments = [str(WATCHBILL), *(command or ("serve",)), "--port", str(self.port)]
        self.process = subprocess.Popen(arguments, env=self.environment, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(patience), "".join(self.printed)
        assert self.process.poll() is None, "".join(self.printed)
        wait_for(lambda: httpx2.get(self.url + "/readyz").status_code == 200)

    def _read(self) -> None:
        for line in self.process.stderr:
            self.printed.append(line)
            found = re.search(r"with this code: (\S+)", line)
            self.code = found.group(1) if found else self.code
            if "Watchbill listens on" in line:
                self._ready.set()
        self.process.wait()
        self._ready.set()  # it ended: nobody need wait for it any longer

    def stop(self) -> int:
        """Ask it to stop, as a service manager does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it now, if it has not ended."""
        self.process.kill()
        self.process.wait()

    def run(self, script: str, **values: Any) -> str:
        """Run a Python script beside it, with the same data; what it prints is given."""
        program = f"import watchbill.entry.boot\nvalues = {values!r}\n{script}"
        done = subprocess.run(
            [sys.executable, "-c", program], check=False, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def serving(data: Path, *, is_new: bool = False, **environment: str) -> Iterator[Served]:
    """Serve for the length of a test, on the kind of database of this run; a failed stop fails the test.

    `is_new`: the server finds no table, and makes them itself as on its very first day.
    """
    store = KIND.make(data, f"walk_{data.parent.name}", is_new=is_new)
    served = Served(data, store, **environment)
    try:
        served.start()
        yield served
        assert served.stop() == 0
    finally:
        served.kill()
        store.drop()


def wait_for(condition, seconds: float = PATIENCE) -> Any:
    """Wait until the world outside (a browser, a mail, another program) has come so far."""
    tick = threading.Event()
    for _ in range(int(seconds * 20)):
        try:
            found = condition()
        except (httpx2.TransportError, OSError):
            found = None
        if found:
            return found
        tick.wait(0.05)
    raise AssertionError(f"this did not come about within {seconds} s")


def newest_mail(mail_server: Mailbox, to: str, words: str) -> str:
    """Wait for a mail to somebody whose text has these words, and give its text."""

    def look() -> list[str]:
        texts = [m.get_body(("plain",)).get_content() for m in mail_server.messages if m["X-To"] == to]
        return [text for text in texts if words in text]

    return wait_for(look)[-1]

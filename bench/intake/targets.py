"""What is measured: each target is a running server, the load that suits it, and a way to count what it kept."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.intake.serve import AM_KEY, KEY
from bench.intake.stores import Store

ENQUEUE = "/v2/enqueue"
EXPECTED = {"alertmanager": "Debian: apt-get install prometheus-alertmanager", "wrk": "Debian: apt-get install wrk"}


@dataclass
class Running:
    """A server process and its port."""

    process: subprocess.Popen[bytes]
    port: int
    store: Store | None = None

    def cpu(self) -> float:
        """Give the seconds of CPU that the process has used, in all its threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Target:
    """One line of the table. `alerts` is how many alerts one request carries."""

    name: str
    server: Running
    kind: str
    path: str = ENQUEUE
    key: str = KEY
    alerts: int = 1

    def mark(self) -> int:
        """Give where the count begins."""
        if self.server.store is not None:
            return self.server.store.newest()
        return received(self.server.port) if "/api/" in self.path else 0

    def kept_since(self, mark: int) -> int | None:
        """Count what the server kept of the run; None when it keeps nothing."""
        if self.server.store is not None:
            return self.server.store.rows_after(mark)
        return (received(self.server.port) - mark) // self.alerts if "/api/" in self.path else None


def received(port: int) -> int:
    """Read Alertmanager's own count of alerts received."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = re.findall(r'^alertmanager_alerts_received_total\{status="firing",version="v2"\} (\S+)', text, re.MULTILINE)
    return int(float(found[0])) if found else 0


def start_python(kind: str, store: Store | None, extra: Mapping[str, str] | None = None) -> Running:
    """Start one of `serve`'s applications on a port that is listened on already; `extra` joins its environment."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.set_inheritable(True)
    command = [sys.executable, "-m", "bench.intake.serve", kind, str(listener.fileno())]
    environment = {**os.environ, **(store.environment if store else extra or {})}
    process = subprocess.Popen(command, env=environment, pass_fds=[listener.fileno()])
    port = listener.getsockname()[1]
    listener.close()
    return Running(process, port, store)


QUIET = "route: {receiver: nobody, group_by: [alertname], group_wait: 24h, group_interval: 24h}\nreceivers: [{name: nobody}]\n"


def start_alertmanager(folder: Path) -> Running:
    """Start Debian's Alertmanager with a route that tells nobody, so that it only takes alerts."""
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(QUIET)
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        raise SystemExit(f"no Alertmanager here. {EXPECTED['alertmanager']}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        program,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    return Running(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), port)


def wait_until_it_answers(server: Running) -> None:
    """Wait for the first connection that is served."""
    for _ in range(600):
        if server.process.poll() is not None:
            raise SystemExit(f"a server of the benchmark ended with {server.process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=30):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            server.process.poll()
            subprocess.run(["sleep", "0.1"], check=True)


def events(name: str, server: Running, *, storm: bool = False) -> Target:
    """Events v2, one a request."""
    return Target(name, server, "storm" if storm else "event")


def hundred(name: str, server: Running) -> Target:
    """Alertmanager's webhook with a hundred alerts."""
    return Target(name, server, "hundred", f"/in/alertmanager/{AM_KEY}", AM_KEY, alerts=100)


def to_alertmanager(name: str, server: Running, kind: str = "alert") -> Target:
    """Alerts as Prometheus posts them."""
    return Target(name, server, kind, "/api/v2/alerts", alerts=100 if kind == "post100" else 1)

"""One run of wrk against one target, and what it cost."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.intake.targets import EXPECTED, Target

SCRIPT = Path(__file__).with_name("load.lua")
_runs = count(1)


@dataclass
class Run:
    """The outcome of one run; times in milliseconds, CPU in microseconds for each accepted request."""

    accepts: int
    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float
    refused: int
    broken: int
    kept: int | None


def run(target: Target, connections: int, seconds: int) -> Run:
    """Load a target for some seconds and count."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit(f"no wrk here. {EXPECTED['wrk']}")
    server = target.server
    mark, cpu, database = target.mark(), server.cpu(), server.store.cpu() if server.store else 0.0
    address = f"http://127.0.0.1:{server.port}"
    load = [target.kind, target.path, target.key, f"{next(_runs):05d}"]
    command = [
        wrk,
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout=20s",
        "-s",
        str(SCRIPT),
        address,
        "--",
        *load,
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu = server.cpu() - cpu
    database = (server.store.cpu() if server.store else 0.0) - database
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\S+) (\S+)", text)
    if found is None:
        raise SystemExit(f"wrk said nothing that can be read:\n{text}")
    requests, refused, duration, broken = (int(found[number]) for number in range(1, 5))
    accepts = requests - refused
    each = 1e6 / max(1, accepts)
    return Run(
        accepts,
        accepts / (duration / 1e6),
        float(found[5]) / 1000,
        float(found[6]) / 1000,
        cpu * each,
        database * each,
        refused,
        broken,
        target.kept_since(mark),
    )


@dataclass
class Line:
    """The median of some runs of one target at one number of connections."""

    name: str
    connections: int
    alerts: int
    runs: list[Run]

    def median(self, field: str) -> float:
        return float(statistics.median(getattr(run, field) for run in self.runs))

    @property
    def rate(self) -> float:
        """Give the accepted requests a second."""
        return self.median("rate")

    @property
    def missing(self) -> int | None:
        """Count what was answered with 202 and is not there: must be nothing."""
        if any(run.kept is None for run in self.runs):
            return None
        return sum(max(0, run.accepts - (run.kept or 0)) for run in self.runs)

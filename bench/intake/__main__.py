"""python -m bench.intake: durable accepts a second and CPU for each, beside its peers, in one run on one machine.

Each figure is the median of interleaved rounds; the rates of one table compare, those of two machines do not.
A request that was not accepted is counted, and the rows are counted afterwards: `missing` must be 0.
"""

from __future__ import annotations

import argparse
import shutil
from contextlib import ExitStack
from pathlib import Path

from bench.intake.measure import Line, run
from bench.intake.stores import PostgresqlServer, PostgresqlStore, SqliteStore, Store, make_folder, slow_disk
from bench.intake.targets import (
    Running,
    Target,
    events,
    hundred,
    start_alertmanager,
    start_python,
    to_alertmanager,
    wait_until_it_answers,
)

NOTHING, ALERTMANAGER = "nothing (ASGI)", "Alertmanager"
JOINED = "nothing, our one write an answer"
SYNCED = "nothing but a synced file"


class Bench:
    """The servers of one run; all end with it."""

    def __init__(self, folder: Path, stack: ExitStack, options: argparse.Namespace) -> None:
        self.folder = folder
        self.stack = stack
        self.extra = slow_disk(folder, options.slow_fsync)
        self.options = options
        self.postgresql: PostgresqlServer | None = None

    def store(self, name: str) -> Store:
        """Make a database: `name` begins with sqlite or pg."""
        if name.startswith("sqlite"):
            return SqliteStore(self.folder / name, self.extra)
        if self.postgresql is None:
            self.postgresql = PostgresqlServer(self.folder / "postgresql", self.extra)
            self.stack.callback(self.postgresql.stop)
        return PostgresqlStore(self.folder / name, self.extra, self.postgresql)

    def started(self, server: Running) -> Running:
        """Wait for a server and end it with the run."""
        self.stack.callback(server.stop)
        wait_until_it_answers(server)
        return server

    def targets(self) -> list[Target]:
        """Start what was asked for."""
        options, targets = self.options, []
        doors = {name: self.started(start_python("door", self.store(name))) for name in options.databases}
        targets.append(events(NOTHING, self.started(start_python("nothing", None))))
        targets.append(events(JOINED, self.started(start_python("joined", None))))
        targets.append(events(SYNCED, self.started(start_python("synced", None, self.extra))))
        targets += [events(f"watchbill {name}", door) for name, door in doors.items()]
        alertmanager = self.started(start_alertmanager(self.folder / "am"))
        targets.append(to_alertmanager(ALERTMANAGER, alertmanager))
        if not options.no_plain:
            for name in options.databases:
                server = self.started(start_python("plain", self.store(f"{name}-plain")))
                targets.append(events(f"Django view {name}", server))
        if options.storm:
            targets += [events(f"watchbill {name}, one key", door, storm=True) for name, door in doors.items()]
            targets.append(to_alertmanager(f"{ALERTMANAGER}, one key", alertmanager, "alertstorm"))
        if options.preload:
            for name in options.databases:
                store = self.store(f"{name}-full")
                store.preload(options.preload)
                server = self.started(start_python("door", store))
                targets.append(events(f"watchbill {name}, {options.preload:.0e} rows there", server))
        if options.hundred:
            targets += [hundred(f"watchbill {name}, 100 alerts a post", door) for name, door in doors.items()]
            targets.append(to_alertmanager(f"{ALERTMANAGER}, 100 alerts a post", alertmanager, "post100"))
        return targets


def measure(targets: list[Target], options: argparse.Namespace) -> list[Line]:
    """Run all targets in turn, round by round, so that a change of the machine's mood meets all of them."""
    lines = [Line(target.name, c, target.alerts, []) for c in options.connections for target in targets]
    for target in targets:
        run(target, 16, 1)  # prepared statements, caches
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds} ...", flush=True)
        for line in lines:
            target = next(target for target in targets if target.name == line.name)
            line.runs.append(run(target, line.connections, options.seconds))
    return lines


HEAD = (
    f"{'':38}{'conn':>5}{'accepts/s':>11}{'alerts/s':>10}{'p50 ms':>8}{'p99 ms':>8}"
    f"{'CPU us':>8}{'+db us':>8}{'non-2xx':>9}{'broken':>8}{'missing':>9}{'/nothing':>10}{'/AM':>7}"
)


def print_table(lines: list[Line]) -> None:
    """Print every line with its ratios to the limit and to Alertmanager at the same number of connections."""
    print(HEAD)
    for line in lines:
        near = {other.name: other for other in lines if other.connections == line.connections}
        peer = near.get(line.name.replace("watchbill sqlite", ALERTMANAGER).replace("watchbill pg", ALERTMANAGER))
        peer = peer or near[ALERTMANAGER]
        missing = "-" if line.missing is None else str(line.missing)
        print(
            f"{line.name:38}{line.connections:>5}{line.rate:>11,.0f}{line.rate * line.alerts:>10,.0f}"
            f"{line.median('p50'):>8.2f}{line.median('p99'):>8.2f}{line.median('cpu'):>8.0f}{line.median('database_cpu'):>8.0f}"
            f"{sum(run.refused for run in line.runs):>9}{sum(run.broken for run in line.runs):>8}{missing:>9}"
            f"{line.rate / near[NOTHING].rate:>10.2f}{line.rate * line.alerts / (peer.rate * peer.alerts):>7.2f}"
        )


def read_options() -> argparse.Namespace:
    """Read what to measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, nargs="+", default=[64])
    parser.add_argument("--full", action="store_true", help="1, 16, 64, 256 connections, 5 rounds of 3 s")
    parser.add_argument("--databases", nargs="+", choices=["sqlite", "pg"], default=["sqlite", "pg"])
    parser.add_argument("--preload", type=int, default=0, metavar="ROWS", help="beside it with so many rows there")
    parser.add_argument("--storm", action="store_true", help="also: all requests have one key")
    parser.add_argument("--hundred", action="store_true", help="also: posts of 100 alerts")
    parser.add_argument("--slow-fsync", type=int, default=0, metavar="MS", help="every fsync takes so much longer")
    parser.add_argument("--no-plain", action="store_true", help="without the Django view")
    options = parser.parse_args()
    if options.full:
        options.rounds, options.seconds, options.connections = 5, 3, [1, 16, 64, 256]
    return options


def main() -> None:
    """Measure and print."""
    options, folder = read_options(), make_folder()
    try:
        with ExitStack() as stack:
            print_table(measure(Bench(folder, stack, options).targets(), options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("CPU us: of the server's process for each accept; +db: PostgreSQL's own. AM: Alertmanager, which keeps")
    print("alerts in memory. missing: answered with 202 and not in the database.")


if __name__ == "__main__":
    main()

"""The commands that run a server: all in one, or its parts alone."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

address = [
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", default=8000, show_default=True, help="Port to listen on."),
]


def _server(host: str = "127.0.0.1", port: int = 8000) -> Any:
    """Load the server once the environment is complete: without WATCHBILL_URL it is reached where it listens."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    os.environ.setdefault("WATCHBILL_URL", f"http://{shown}:{port}")
    import_module("watchbill.entry.boot")
    return import_module("watchbill.entry.server")


def _with_address(command: Any) -> Any:
    for option in reversed(address):
        command = option(command)
    return command


@click.command()
@_with_address
def serve(host: str, port: int) -> None:
    """Run everything in one process: pages, intake and worker."""
    _server(host, port).run(host, port, web=True, intake=True, worker=True)


@click.command()
@_with_address
@click.option("--no-intake", is_flag=True, help="Serve pages only.")
def web(host: str, port: int, *, no_intake: bool) -> None:
    """Run pages and intake; workers run elsewhere (needs PostgreSQL)."""
    _server(host, port).run(host, port, web=True, intake=not no_intake, worker=False)


@click.command()
@_with_address
def worker(host: str, port: int) -> None:
    """Run a worker; it answers /healthz, /readyz and /metrics on its port (needs PostgreSQL)."""
    _server(host, port).run(host, port, web=False, intake=False, worker=True)


@click.command()
def migrate() -> None:
    """Bring the database to this version's shape. `serve`, `web` and `worker` do it by themselves."""
    _server().prepare()


@click.command()
@_with_address
@click.option("--weeks", default=13, show_default=True, help="How much of a team's life to make.")
@click.option("--no-serve", is_flag=True, help="Make it, then stop.")
def demo(host: str, port: int, weeks: int, *, no_serve: bool) -> None:
    """Build a quarter of a team's life with a moving clock, then serve it."""
    os.environ["WATCHBILL_DEMO"] = "1"
    server = _server(host, port)
    server.prepare()
    import_module("watchbill.entry.demo").build(weeks)
    if not no_serve:
        server.run(host, port, web=True, intake=True, worker=True)

"""Serves the door alone, as a process of its own that tests may kill: python serve_intake.py '{"fd": 3, ...}'."""

import asyncio
import json
import socket
import sys

import django
import uvicorn


async def serve(options: dict) -> None:
    """Serve on the socket that the test listens on already, so that nobody needs to wait for a port."""
    from watchbill.actions.intake import Intake, open_writer  # noqa: PLC0415 - Django is set up first
    from watchbill.entry.intake.app import IntakeApp  # noqa: PLC0415

    limits = {name: options[name] for name in ("most_waiting", "most_bytes") if name in options}
    app = IntakeApp(Intake(open_writer(options.get("patience", 20.0)), **limits))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_level="warning",
        access_log=False,
        ssl_certfile=options.get("certificate"),
        ssl_keyfile=options.get("certificate_key"),
        timeout_graceful_shutdown=8,
    )
    await uvicorn.Server(config).serve(sockets=[socket.socket(fileno=options["fd"])])


if __name__ == "__main__":
    django.setup()
    asyncio.run(serve(json.loads(sys.argv[1])))

"""One server of the benchmark, as a process of its own: python -m bench.intake.serve door|nothing|joined|synced|plain FD."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import socket
import sys
import tempfile
from datetime import UTC, datetime
from typing import Any

import django
import uvicorn
from a2wsgi import WSGIMiddleware
from django.db import transaction
from django.http import HttpRequest, JsonResponse

from watchbill.entry.server_protocol import Protocol

KEY = "b" * 32
AM_KEY = "a" * 32


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer: the limit that the HTTP server sets."""
    if scope["type"] == "http":
        await read(receive)
        await answer(send)


async def read(receive: Any) -> bytes:
    """Read a body."""
    parts, message = [], {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def answer(send: Any) -> None:
    """Answer as Events v2 does."""
    body = b'{"status":"success","message":"Event processed","dedup_key":"00000000000000000000"}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Synced:
    """Append the body to a file, and answer once it is synced: the limit that the disk sets, with no database at all.

    Whoever comes while the disk works shares the next sync, as at our door.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self.waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self.syncs = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Keep one body and answer."""
        if scope["type"] != "http":
            return
        synced = asyncio.get_running_loop().create_future()
        self.waiting.append((await read(receive), synced))
        if not self.syncs:
            self.syncs = True
            self.task = asyncio.create_task(self.sync_on())
        await synced
        await answer(send)

    async def sync_on(self) -> None:
        """Sync until nobody waits."""
        while batch := self.waiting:
            self.waiting = []
            await asyncio.to_thread(self.write, b"".join(body for body, _ in batch))
            for _, synced in batch:
                synced.set_result(None)
        self.syncs = False

    def write(self, data: bytes) -> None:
        """Write and sync."""
        os.write(self.file.fileno(), data)
        os.fdatasync(self.file.fileno())


def plain_view(request: HttpRequest) -> JsonResponse:
    """What one would write first: a view, the ORM, a transaction for each request."""
    from watchbill.db.models import Inbox, MonitorConnection  # noqa: PLC0415 - after django.setup()
    from watchbill.monitors import events_v2  # noqa: PLC0415

    event = json.loads(request.body)
    errors = events_v2.check(event)
    if errors:
        return JsonResponse({"errors": errors}, status=400)
    key_hash = hashlib.sha256(event["routing_key"].encode()).hexdigest()
    with transaction.atomic():
        connection = MonitorConnection.objects.get(key_hash=key_hash, removed_at=None)
        Inbox.objects.create(
            received_at=datetime.now(UTC),
            service_id=connection.service_id,
            connection_id=connection.pk,
            monitor=connection.monitor,
            body=request.body,
            sender=request.META["REMOTE_ADDR"],
        )
    return JsonResponse({"status": "success", "dedup_key": event["dedup_key"]}, status=202)


def application(kind: str) -> Any:
    """Give the ASGI application to measure."""
    if kind in {"nothing", "joined"}:
        return nothing
    if kind == "synced":
        return Synced()
    django.setup()
    if kind == "plain":
        return WSGIMiddleware(plain_wsgi(), workers=10)
    from watchbill.entry.application import Application  # noqa: PLC0415
    from watchbill.entry.intake.app import IntakeApp  # noqa: PLC0415

    return Application(IntakeApp(), web=False)


def plain_wsgi() -> Any:
    """Django's WSGI handler with the one view and no middleware: as little of Django as there can be."""
    from django.conf import settings  # noqa: PLC0415
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    # Requests that wrk cuts off at the end of a run reach the view without a body; nobody waits for their 500.
    logging.disable()
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "bench.intake.plain_urls"
    return get_wsgi_application()


def seed() -> None:
    """Bring the database to its shape and write the two connections that the load uses."""
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0)
    from watchbill.actions.catalogue import hash_key  # noqa: PLC0415
    from watchbill.db.models import MonitorConnection, Service, Team  # noqa: PLC0415

    now = datetime.now(UTC)
    team = Team.objects.create(slug="bench", name="Bench", created_at=now)
    service = Service.objects.create(team=team, slug="bench", name="Bench", created_at=now)
    for monitor, key in (("events_v2", KEY), ("alertmanager", AM_KEY)):
        MonitorConnection.objects.create(
            service=service, monitor=monitor, name=monitor, key=key, key_hash=hash_key(key), created_at=now
        )


async def serve(kind: str, fd: int) -> None:
    """Serve with the settings that `watchbill serve` uses; what it is held against has uvicorn's own protocol."""
    config = uvicorn.Config(
        application(kind),
        loop="uvloop",
        http="httptools" if kind in {"nothing", "plain"} else Protocol,
        lifespan="on" if kind == "door" else "off",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        backlog=4096,
    )
    await uvicorn.Server(config).serve(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchbill.entry.settings")
    if sys.argv[1] == "seed":
        seed()
    else:
        with asyncio.Runner(loop_factory=__import__("uvloop").new_event_loop) as runner:
            runner.run(serve(sys.argv[1], int(sys.argv[2])))

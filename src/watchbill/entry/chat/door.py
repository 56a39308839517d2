"""What chats call: events, commands, buttons, transactions. On disk before it is answered, and answered within a second.

A command that only reads is answered in the same breath; everything else is stored and its answer follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import ModuleType
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from watchbill import connectors
from watchbill.actions import chat, chat_in, desk_inbox
from watchbill.actions.catalogue import hash_key
from watchbill.connectors import Heard
from watchbill.db.models import Connection
from watchbill.entry import clock
from watchbill.entry.bodies import read_body
from watchbill.kit.errors import DeliveryFailed, Unreadable

LARGEST = 1024 * 1024
ONE_MOMENT = "One moment."


@csrf_exempt
@require_http_methods(["POST", "PUT"])
def take(request: HttpRequest, connector: str, key: str, rest: str = "") -> HttpResponse:
    """Take what a chat says: 200 stored, 401 wrong key or signature, 413 too large, 503 try again."""
    rows = Connection.objects.select_related("team").filter(key_hash=hash_key(key), removed_at=None)
    connection = rows.filter(connector=connector).first()
    module = connectors.connectors_of("chat").get(connector)
    if connection is None or module is None:
        return _say(401, "This address belongs to no connection.")
    body = read_body(request, LARGEST)
    if body is None:
        return _say(413, f"At most {LARGEST // 1024} kB.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    now = clock.now()
    try:
        settings = connectors.read_settings(connector, connection.settings)
    except DeliveryFailed as failure:
        return _say(503, failure.message)
    if not module.verify(settings, headers, body, now):
        return _say(401, "The signature is wrong, or too old.")
    return _answer(module, connection, settings, headers, body, str(request.META.get("REMOTE_ADDR") or ""), now)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, connector: str, key: str, rest: str) -> HttpResponse:
    """Answer a homeserver that asks whether we have a user or a room: never; and whether we are here."""
    if rest == "ping":
        return JsonResponse({})
    return JsonResponse({"errcode": "M_NOT_FOUND"}, status=404)


def _answer(
    module: ModuleType,
    connection: Connection,
    settings: Any,
    headers: Mapping[str, str],
    body: bytes,
    sender: str,
    now: datetime,
) -> HttpResponse:
    kept = {name: headers[name][:200] for name in module.HEADERS if name in headers}
    first = _first(module, settings, kept, body)
    if first is not None and first.kind == "hello":
        return HttpResponse(first.answer, content_type="text/plain; charset=utf-8")
    at_once = chat.answer_at_once(connection, first, now) if first is not None else ""
    if at_once:
        return JsonResponse(module.answer(at_once))
    try:
        desk_inbox.store(connection.connector, connection.pk, body, {"headers": kept}, sender, now)
    except DatabaseError:
        return _say(503, "Nothing was stored: send it again.")
    return JsonResponse(module.answer(ONE_MOMENT) if first is not None and first.kind == "command" else {})


def _first(module: ModuleType, settings: Any, headers: Mapping[str, str], body: bytes) -> Heard | None:
    """Read what can be answered at once; what cannot be read is stored all the same, and shown."""
    try:
        found = module.parse(chat_in.read_body(body), headers, settings)
    except Unreadable:
        return None
    return found[0] if found else None


def _say(status: int, message: str) -> JsonResponse:
    return JsonResponse({"status": "error", "message": message}, status=status)


URLS = (
    path("chat/<slug:connector>/<str:key>/", take, name="chat"),
    path("chat/<slug:connector>/<str:key>", take),
    path("chat/<slug:connector>/<str:key>/_matrix/app/v1/transactions/<str:rest>", take),
    path("chat/<slug:connector>/<str:key>/_matrix/app/v1/<path:rest>", ask),
)

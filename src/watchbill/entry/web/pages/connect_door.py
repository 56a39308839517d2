"""The door of outside systems: a webhook with a good key and signature is on disk before it is answered with 202."""

from __future__ import annotations

from datetime import datetime

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from watchbill import connectors
from watchbill.actions import desk_inbox
from watchbill.actions.catalogue import hash_key
from watchbill.db.models import Connection
from watchbill.entry import clock
from watchbill.entry.bodies import read_body
from watchbill.kit.errors import DeliveryFailed

LARGEST = 2 * 1024 * 1024
PORTS = ("tracker", "helpdesk")


@csrf_exempt
@require_POST
def take_webhook(request: HttpRequest, key: str) -> JsonResponse:
    """Take one webhook: 202 stored, 401 wrong key or signature, 413 too large, 415 no JSON, 503 try again."""
    connection = Connection.objects.filter(key_hash=hash_key(key), removed_at=None).first()
    module = connectors.all_connectors().get(connection.connector) if connection else None
    if connection is None or module is None or module.PORT not in PORTS:
        return _say(401, "This address belongs to no connection.")
    if "json" not in (request.content_type or ""):
        return _say(415, "Send JSON: set the content type of the webhook to application/json.")
    body = read_body(request, LARGEST)
    if body is None:
        return _say(413, f"At most {LARGEST // 1024**2} MB.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    now = clock.now()
    try:
        settings = connectors.read_settings(connection.connector, connection.settings)
    except DeliveryFailed as failure:
        return _say(503, failure.message, retry_after="600")
    if not module.verify(settings, headers, body, now):
        return _say(401, "The signature is wrong: both sides need the same webhook secret.")
    return _store(request, connection, module.HEADERS, body, now)


def _store(
    request: HttpRequest, connection: Connection, wanted: tuple[str, ...], body: bytes, now: datetime
) -> JsonResponse:
    """Put it on disk with the headers that its reader needs; what is secret among them stays outside."""
    kept = {
        name: request.headers[name][:200]
        for name in wanted
        if name in request.headers and not name.endswith(("token", "signature", "signature-256"))
    }
    sender = str(request.META.get("REMOTE_ADDR") or "")
    try:
        number = desk_inbox.store(connection.connector, connection.pk, body, {"headers": kept}, sender, now)
    except DatabaseError:
        return _say(503, "Nothing was stored: send it again in a few seconds.", retry_after="5")
    return JsonResponse({"status": "accepted", "id": number}, status=202)


def _say(status: int, message: str, retry_after: str = "") -> JsonResponse:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return JsonResponse({"status": "error", "message": message}, status=status, headers=headers)


URLS = (path("connect/<str:key>/", take_webhook, name="connect-webhook"),)

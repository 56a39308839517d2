"""Read what a chat told us, from the inbox: each row in its order, as the connector understands it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from watchbill import connectors
from watchbill.actions import chat, desk_inbox
from watchbill.db.models import Inbox
from watchbill.kit.errors import Unreadable


def read(row: Inbox, now: datetime) -> None:
    """Read one row. Raises Unreadable for what is not of that chat."""
    connection = chat.demand_connection(row.connection_id)
    settings = connectors.read_settings(connection.connector, connection.settings)
    headers = json.loads(row.note).get("headers", {}) if row.note else {}
    module = connectors.all_connectors()[connection.connector]
    for heard in module.parse(read_body(bytes(row.body)), headers, settings):
        if heard.kind != "hello":
            chat.take(connection, heard, None, now)


def read_body(body: bytes) -> Any:
    """Read a body as JSON or, as slash commands come, as a form. Raises Unreadable."""
    try:
        if body.lstrip()[:1] in (b"{", b"["):
            return json.loads(body)
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is neither JSON nor a form: {str(error)[:200]}") from None


desk_inbox.READERS.update(dict.fromkeys(connectors.connectors_of("chat"), read))

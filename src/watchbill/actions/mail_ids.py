"""The Message-IDs of the mails that we write about requests: signed, so that only who received one can answer to it.

`<request-12.message-34.5f0c...@host>`: a reply or a bounce that names one finds its request without a look into any
table, and nobody writes into a stranger's request by counting.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "watchbill.message-id"
OURS = re.compile(r"<(request-(\d{1,18})\.(?:message|export)-\d{1,18})\.([0-9a-f]{16})@[^<>\s]*>")


def make_id(request_id: int, what: str, number: int) -> str:
    """Give the Message-ID of a mail about a request; `what` is message or export, `number` its row."""
    name = f"request-{request_id}.{what}-{number}"
    host = urlsplit(settings.WATCHBILL_URL).hostname or "watchbill"
    return f"<{name}.{_sign(name)}@{host}>"


def request_of(message_id: str) -> int | None:
    """Read which request a Message-ID of ours is about; None when it is not ours."""
    found = OURS.fullmatch(message_id)
    if found is None or not constant_time_compare(_sign(found[1]), found[3]):
        return None
    return int(found[2])


def _sign(name: str) -> str:
    return salted_hmac(SALT, name, algorithm="sha256").hexdigest()[:16]

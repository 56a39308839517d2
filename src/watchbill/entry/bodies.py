"""Read the body of what a stranger sends, and no more of it than is allowed."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest


def read_body(request: HttpRequest, most: int) -> bytes | None:
    """Read at most `most` bytes; None when there are more, or when the length it names is no number."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > most:
            return None
        body = request.read(most + 1)
    except (RequestDataTooBig, ValueError):
        return None
    return None if len(body) > most else body

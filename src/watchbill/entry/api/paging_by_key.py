"""Lists, paged by key: a page costs the same however far the list goes, and nothing is counted.

`next` is opaque: send it back as `after`. A list without `next` is at its end.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from pydantic import BaseModel, Field, StringConstraints

from watchbill.kit.errors import Refused

T = TypeVar("T")
M = TypeVar("M", bound=Model)
After = Annotated[
    str, StringConstraints(max_length=200), Field(description="`next` of the page before; nothing: the first page.")
]
Limit = Annotated[int, Field(ge=1, le=200, description="How many at most.")]
LARGEST = 2**63 - 1


class Listed(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(description="Send it as `after` for the next page; null: this is the last.")


def by_id(
    rows: QuerySet[M], after: str, limit: int, show: Callable[[M], T], *, newest_first: bool = False
) -> Listed[T]:
    """Give one page of rows by their id."""
    if after:
        (last,) = read_cursor(after, int)
        rows = rows.filter(pk__lt=last) if newest_first else rows.filter(pk__gt=last)
    found = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    return _listed(found, limit, lambda row: [row.pk], show)


def by_time(rows: QuerySet[M], field: str, after: str, limit: int, show: Callable[[M], T]) -> Listed[T]:
    """Give one page of rows, earliest first by a time of theirs, then by id."""
    if after:
        at, last = read_cursor(after, datetime, int)
        rows = rows.filter(Q(**{f"{field}__gt": at}) | Q(**{field: at, "pk__gt": last}))
    found = list(rows.order_by(field, "pk")[: limit + 1])
    return _listed(found, limit, lambda row: [getattr(row, field).isoformat(), row.pk], show)


def _listed(found: list[M], limit: int, key: Callable[[M], list[Any]], show: Callable[[M], T]) -> Listed[T]:
    more = len(found) > limit
    return Listed(
        items=[show(row) for row in found[:limit]], next=write_cursor(key(found[limit - 1])) if more else None
    )


def write_cursor(key: list[Any]) -> str:
    """Write the key of the last row as one opaque word."""
    return urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: type) -> list[Any]:
    """Read a key back; raises Refused for what is not a `next` of ours."""
    try:
        key = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(key, list) or len(key) != len(kinds):
            raise ValueError(key)
        return [_read(part, kind) for part, kind in zip(key, kinds, strict=True)]
    except (ValueError, TypeError, RecursionError):
        raise Refused("send `next` of the page before as it was given", "after") from None


def _read(part: Any, kind: type) -> Any:
    if kind is datetime:
        at = datetime.fromisoformat(part)
        if at.tzinfo is None:
            raise ValueError(part)
        return at
    if type(part) is not kind or (isinstance(part, int) and abs(part) > LARGEST):
        raise ValueError(part)
    return part

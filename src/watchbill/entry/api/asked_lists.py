"""Lists that are asked for in the query language of requests and tickets, paged by key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from pydantic import Field, StringConstraints

from watchbill.core.queries import LONGEST
from watchbill.db.by_key import is_newest_first
from watchbill.db.models import Shift
from watchbill.db.queries import Key, Language, Reader, keys_of, narrow, page_of
from watchbill.entry.api.auth import Caller
from watchbill.entry.api.paging_by_key import Listed
from watchbill.entry.api.words import up_to

T = TypeVar("T")
Row = TypeVar("Row", bound=Model)
Asking = Annotated[
    str,
    up_to(LONGEST),
    Field(description="Such as: stage = to_do and assignee = me order by due. Nothing: all, the newest first."),
]
Mark = Annotated[str, StringConstraints(max_length=2000), Field(description="`next` of the page before.")]


def listed(
    rows: QuerySet[Row],
    query: str,
    language: Language,
    otherwise: Sequence[Key],
    caller: Caller,
    after: str,
    limit: int,
    show: Callable[[Row], T],
) -> Listed[T]:
    """Give one page of what a query finds among `rows`; raises Refused at the place that cannot be read."""
    asked = language.read(query)
    keys = keys_of(asked, language, otherwise)
    rows = narrow(rows, asked, language, reader_of(caller), newest_first=is_newest_first(keys))
    found, mark = page_of(rows, keys, after, limit)
    return Listed(items=[show(row) for row in found], next=mark or None)


def reader_of(caller: Caller) -> Reader:
    """Say who asks: `me` and `my_seats` in a query are theirs, days are of their zone."""
    standing = Shift.objects.filter(
        rotation__archived_at=None, person=caller.person, starts_at__lte=caller.now, ends_at__gt=caller.now
    ).values_list("seat", "rotation__slug")
    seats = frozenset(name for seat, rotation in standing for name in (seat, f"{rotation}/{seat}"))
    return Reader(caller.person.pk, caller.person.zone, caller.now, seats)

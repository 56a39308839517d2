"""Read lists screen by screen: a list goes on after its last row by the values of that row, never by counting.

The values travel through an address as a mark. What holds nothing comes last, in a read of its own: so each read is in
the order of an index, on both databases.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet

from watchbill.db.desk_search import newest_first
from watchbill.kit.errors import Refused

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Key:
    """One column of an order; what holds nothing comes last."""

    column: str
    descending: bool = False
    nullable: bool = True


def page_of(rows: QuerySet[Row], keys: Sequence[Key], mark: str, most: int) -> tuple[list[Row], str]:
    """Read one screen of rows in the order of `keys` after `mark`, and the mark of the next; "" when there is none."""
    known = [replace(key, nullable=key.nullable and _may_be_empty(key.column, rows.model)) for key in keys]
    found = _read(rows, known, _read_mark(mark, known, rows.model), most + 1)
    if len(found) <= most:
        return found, ""
    return found[:most], _write_mark(found[most - 1], known)


def is_newest_first(keys: Sequence[Key]) -> bool:
    """Tell whether an order is that of the ids, the newest first."""
    return bool(keys) and keys[0].column == "pk" and keys[0].descending


def _read(rows: QuerySet[Row], keys: Sequence[Key], after: Sequence[Any] | None, most: int) -> list[Row]:
    first = keys[0]
    if is_newest_first(keys):
        return list(newest_first(rows, after[0] if after else None)[:most])
    if not first.nullable:
        return list(_beyond(rows, keys, after).order_by(*[_order(key) for key in keys])[:most])
    found: list[Row] = []
    if after is None or after[0] is not None:
        filled = rows.filter(**{f"{first.column}__isnull": False})
        found = _read(filled, [replace(first, nullable=False), *keys[1:]], after, most)
        after = None
    if len(found) < most:
        empty = rows.filter(**{f"{first.column}__isnull": True})
        found += _read(empty, keys[1:], after[1:] if after else None, most - len(found))
    return found


def _order(key: Key) -> Any:
    column = F(key.column)
    if not key.nullable:
        return column.desc() if key.descending else column.asc()
    return column.desc(nulls_last=True) if key.descending else column.asc(nulls_last=True)


def _beyond(rows: QuerySet[Row], keys: Sequence[Key], after: Sequence[Any] | None) -> QuerySet[Row]:
    """Keep the rows that come after the mark: equal in the first keys, and further in the next."""
    if after is None:
        return rows
    found, equal = Q(pk__in=[]), Q()
    for key, value in zip(keys, after, strict=True):
        if value is not None:
            further = Q(**{f"{key.column}__{'lt' if key.descending else 'gt'}": value})
            if key.nullable:
                further |= Q(**{f"{key.column}__isnull": True})
            found |= equal & further
            equal &= Q(**{key.column: value})
        else:
            equal &= Q(**{f"{key.column}__isnull": True})
    # Said twice: an index is entered at the first key's value, not walked from its beginning.
    start = {f"{keys[0].column}__{'lte' if keys[0].descending else 'gte'}": after[0]}
    return rows.filter(found, **start)


def _write_mark(row: Model, keys: Sequence[Key]) -> str:
    values = [_value_of(row, key.column) for key in keys]
    plain = [value.isoformat() if isinstance(value, date | datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _value_of(row: Any, column: str) -> Any:
    for part in column.split("__"):
        row = getattr(row, part, None)
    return row


def _read_mark(mark: str, keys: Sequence[Key], model: type[Model]) -> list[Any] | None:
    if not mark:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        if not isinstance(values, list):
            raise ValueError(mark)
        return [_read_value(value, key, model) for value, key in zip(values, keys, strict=True)]
    except (ValueError, TypeError, RecursionError, ValidationError):
        raise Refused("this page of the list is gone: begin at its first page", "after") from None


def _fields_of(column: str, model: type[Model]) -> list[Any]:
    fields: list[Any] = []
    for part in column.split("__"):
        owner = fields[-1].related_model if fields else model
        fields.append(owner._meta.pk if part == "pk" else owner._meta.get_field(part))
    return fields


def _may_be_empty(column: str, model: type[Model]) -> bool:
    return any(field.null for field in _fields_of(column, model))


def _read_value(value: Any, key: Key, model: type[Model]) -> Any:
    """Read one value of a mark as its column holds it: a mark comes from outside, whoever wrote it."""
    field = _fields_of(key.column, model)[-1]
    if value is None and key.nullable:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, str) and "\0" in value):
        raise ValueError(value)
    read = field.target_field.to_python(value) if field.is_relation else field.to_python(value)
    if isinstance(read, int) and abs(read) >= 2**63:
        raise ValueError(value)
    if isinstance(read, datetime) and read.tzinfo is None:
        raise ValueError(value)
    return read

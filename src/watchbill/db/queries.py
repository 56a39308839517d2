"""Ask the database what a query of `core.queries` says: its fields, its conditions, its order.

Conditions are said so that an index may answer them: a word of ours is compared as it stands, and a negation is one
of the row itself, never of a list of all others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import IContains

from watchbill.core import queries, support, tickets
from watchbill.core.queries import Ago, All, Among, Compare, Condition, Empty, Field, Not, Query, Some, Special, Value
from watchbill.db.by_key import Key as Key
from watchbill.db.by_key import page_of as page_of
from watchbill.db.desk_search import found_in, join_found
from watchbill.db.models import Community, Person, Service, SupportRequest, Ticket
from watchbill.db.search import read_words
from watchbill.kit.errors import Refused

Row = TypeVar("Row", bound=Model)
DAY = timedelta(days=1)

TICKET_FIELDS: dict[str, Field] = {
    "id": Field("number"),
    "kind": Field("word", tickets.KINDS),
    "stage": Field("word", tickets.STAGES),
    "outcome": Field("word", tickets.OUTCOMES),
    "work": Field("word", ("feature", "operations")),
    "points": Field("number"),
    "priority": Field("word"),
    "title": Field("text"),
    "text": Field("text", sorts=False),
    "label": Field("list", sorts=False),
    "assignee": Field("person"),
    "author": Field("person", sorts=False),
    "seat": Field("word"),
    "service": Field("word"),
    "environment": Field("word", sorts=False),
    "community": Field("word"),
    "epic": Field("number"),
    "sprint": Field("word"),
    "request": Field("number"),
    "unplanned": Field("flag", sorts=False),
    "created": Field("time"),
    "changed": Field("time"),
    "moved": Field("time"),
    "done": Field("time"),
    "due": Field("day"),
    "starts": Field("day"),
}
REQUEST_FIELDS: dict[str, Field] = {
    "id": Field("number"),
    "class": Field("word"),
    "state": Field("word", (support.OPEN, support.RESOLVED, support.CLOSED)),
    "waits_on": Field("word", support.BALLS),
    "outcome": Field("word", support.OUTCOMES),
    "door": Field("word"),
    "title": Field("text"),
    "text": Field("text", sorts=False),
    "priority": Field("word"),
    "requester": Field("text"),
    "community": Field("word"),
    "service": Field("word"),
    "environment": Field("word"),
    "component": Field("word"),
    "impact": Field("word"),
    "assignee": Field("person"),
    "opened": Field("time"),
    "changed": Field("time"),
    "due": Field("time"),
    "late": Field("flag", sorts=False),
    "resolved": Field("time"),
    "closed": Field("time"),
    "rating": Field("number"),
    "spent": Field("number"),
}
TICKET_ALIASES = {
    "key": "id", "type": "kind", "issuetype": "kind", "status": "stage", "resolution": "outcome", "summary": "title",
    "labels": "label", "reporter": "author", "creator": "author", "parent": "epic", "component": "service",
    "updated": "changed", "duedate": "due", "resolved": "done", "resolutiondate": "done", "storypoints": "points",
}  # fmt: skip
REQUEST_ALIASES = {
    "key": "id", "request_class": "class", "type": "class", "status": "state", "ball": "waits_on", "waiting": "waits_on",
    "summary": "title", "reporter": "requester", "created": "opened", "updated": "changed",
}  # fmt: skip

# Where a field stands: the column that is compared, and what an order by it sorts by when that differs.
_TICKET_COLUMNS = {
    "id": "pk", "work": "work_kind", "label": "labels", "author": "created_by", "service": "service__slug",
    "environment": "service__environment", "community": "community__slug", "epic": "epic_id", "sprint": "sprint__name",
    "request": "request_id", "unplanned": "is_unplanned", "created": "created_at", "changed": "changed_at",
    "moved": "stage_at", "done": "done_at", "due": "due_on", "starts": "starts_on",
}  # fmt: skip
_REQUEST_COLUMNS = {
    "id": "pk", "class": "request_class", "waits_on": "waiting_on", "requester": "requester__name",
    "community": "community__slug", "service": "service__slug", "opened": "opened_at", "changed": "last_message_at",
    "due": "due_at", "late": "is_late", "resolved": "resolved_at", "closed": "closed_at", "spent": "spent_seconds",
}  # fmt: skip
_ORDERS = {"priority": "rank", "assignee": "assignee__name"}
_TEXTS_THAT_MAY_BE_EMPTY = {"outcome", "priority", "seat", "environment", "component", "impact", "class", "door"}


@dataclass(frozen=True)
class Reader:
    """Who asks, in which zone, at which moment, and the seats in which they stand then.

    `teams` are those among whose rows they ask, when that is known: a search then does not walk what others wrote.
    """

    person: int
    zone: str
    now: datetime
    seats: frozenset[str] = frozenset()
    teams: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Language:
    """The fields of one subject, and where they stand."""

    fields: Mapping[str, Field]
    aliases: Mapping[str, str]
    columns: Mapping[str, str]
    model: type[Model]

    def read(self, text: str) -> Query:
        """Read a query about this subject; raises Refused at the place that cannot be read."""
        return queries.read_query(text, self.fields, self.aliases)


TICKETS = Language(TICKET_FIELDS, TICKET_ALIASES, _TICKET_COLUMNS, Ticket)
REQUESTS = Language(REQUEST_FIELDS, REQUEST_ALIASES, _REQUEST_COLUMNS, SupportRequest)


def narrow(
    rows: QuerySet[Row], query: Query, language: Language, reader: Reader, *, newest_first: bool = False
) -> QuerySet[Row]:
    """Keep the rows for which a query's condition holds; what the reader may see has been decided before.

    `newest_first` says that `page_of` will read them by their ids, the newest first: words are then sought in that
    order, and a million rows that hold them are not gathered to show the first fifty.
    """
    compiler = _Compiler(language, reader)
    match query.condition:
        case None:
            return rows
        case All(parts):
            every = list(parts)
        case condition:
            every = [condition]
    sought = [part for part in every if newest_first and _is_search(part)]
    rest = [compiler.condition(part) for part in every if part not in sought]
    if rest:
        rows = rows.filter(_join(Q.__and__, rest))
    texts = [str(part.value) for part in sought if isinstance(part, Compare)]
    return join_found(rows, texts, reader.teams) if texts else rows


def _is_search(part: Condition) -> bool:
    return isinstance(part, Compare) and part.operator == "~" and part.field in {"text", "title"}


class _Compiler:
    """Turns conditions into Django's."""

    def __init__(self, language: Language, reader: Reader) -> None:
        self.language = language
        self.reader = reader

    def condition(self, condition: Condition) -> Q:
        match condition:
            case All(parts):
                return _join(Q.__and__, [self.condition(part) for part in parts])
            case Some(parts):
                return _join(Q.__or__, [self.condition(part) for part in parts])
            case Not(part):
                return ~self.condition(part)
            case Among(field, values, negated):
                found = _join(Q.__or__, [self._equal(field, value) for value in values])
                return ~found if negated else found
            case Empty(field, negated):
                empty = self._empty(field)
                return ~empty if negated else empty
            case Compare(field, operator, value):
                return self._compare(field, operator, value)

    def _compare(self, field: str, operator: str, value: Value) -> Q:
        match operator:
            case "=":
                return self._equal(field, value)
            case "!=":
                # Django keeps the rows that hold nothing: they are not equal, though SQL does not know.
                return ~self._equal(field, value)
            case "~":
                return self._holds(field, str(value))
            case "!~":
                return ~self._holds(field, str(value))
            case _:
                return self._ordered(field, operator, value)

    def _column(self, field: str) -> str:
        return self.language.columns.get(field, field)

    def _empty(self, field: str) -> Q:
        column = self._column(field)
        if field == "label":
            return Q(labels=[])
        if field == "environment" and "__" in column:
            return Q(**{column: ""}) | Q(**{f"{column}__isnull": True})
        if field in _TEXTS_THAT_MAY_BE_EMPTY or self.language.fields[field].kind == "text":
            return Q(**{column: ""})
        return Q(**{f"{column}__isnull": True})

    def _equal(self, field: str, value: Value) -> Q:
        column, kind = self._column(field), self.language.fields[field].kind
        if isinstance(value, Special) and value.name == "me":
            return Q(**{column: self.reader.person})
        if isinstance(value, Special) and value.name == "my_seats":
            return Q(**{f"{column}__in": sorted(self.reader.seats)})
        match kind:
            case "person":
                text = str(value)
                people = Person.objects.filter(**{"email__iexact" if "@" in text else "name__iexact": text})
                return Q(**{f"{column}__in": people.values("pk")})
            case "list":
                return self._labelled(str(value))
            case "time" | "day":
                return self._within(column, kind, value)
            case "number" | "flag":
                return Q(**{column: value})
            case _:
                return self._named(field, column, str(value))

    def _named(self, field: str, column: str, text: str) -> Q:
        if field in {"service", "community"}:
            model: type[Service | Community] = Service if field == "service" else Community
            # The few of that name first, so that an index finds what is theirs.
            named: QuerySet[Any] = model._default_manager.filter(Q(slug__iexact=text) | Q(name__iexact=text))
            return Q(**{f"{field}__in": named.values("pk")})
        return Q(**{column if self.language.fields[field].values else f"{column}__iexact": text})

    def _labelled(self, label: str) -> Q:
        # As text, JSON holds a label between quotes: both databases can look into text, only one into JSON.
        quoted = json.dumps(label, ensure_ascii=connection.vendor == "sqlite")
        return Q(IContains(Cast(F("labels"), TextField()), quoted))

    def _holds(self, field: str, text: str) -> Q:
        if field in {"text", "title"}:
            return Q(pk__in=found_in(self.language.model, text)) if read_words(text) else Q(pk__in=[])
        column = self._column(field)
        if self.language.fields[field].kind == "person":
            column = f"{column}__name"
        return Q(**{f"{column}__icontains": text})

    def _within(self, column: str, kind: str, value: Value) -> Q:
        """A day stands for the whole of it."""
        if kind == "day":
            return Q(**{column: self._day(value)})
        start = self._instant(value)
        if isinstance(value, date) or value == Special("today"):
            return Q(**{f"{column}__gte": start, f"{column}__lt": self._midnight(self._day(value) + DAY)})
        return Q(**{column: start})

    def _ordered(self, field: str, operator: str, value: Value) -> Q:
        column, kind = self._column(field), self.language.fields[field].kind
        word = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}[operator]
        if kind == "number":
            return Q(**{f"{column}__{word}": value})
        if kind == "day":
            return Q(**{f"{column}__{word}": self._day(value)})
        whole = isinstance(value, date) or value == Special("today")
        if whole and operator in {"<=", ">"}:
            # Until the end of that day, or after it.
            after = self._midnight(self._day(value) + DAY)
            return Q(**{f"{column}__lt" if operator == "<=" else f"{column}__gte": after})
        return Q(**{f"{column}__{word}": self._instant(value)})

    def _day(self, value: Value) -> date:
        today = self.reader.now.astimezone(ZoneInfo(self.reader.zone)).date()
        match value:
            case date():
                return value
            case Ago(length):
                return _beyond(lambda: today - length)
            case _:
                return today

    def _instant(self, value: Value) -> datetime:
        match value:
            case Ago(length):
                return _beyond(lambda: self.reader.now - length)
            case Special("now"):
                return self.reader.now
            case _:
                return self._midnight(self._day(value))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.reader.zone))


Moment = TypeVar("Moment", date, datetime)


def _beyond(compute: Callable[[], Moment]) -> Moment:
    try:
        return compute()
    except OverflowError:
        raise Refused("this lies beyond the calendar", "query") from None


def _join(how: Callable[[Q, Q], Q], parts: Sequence[Q]) -> Q:
    joined = parts[0]
    for part in parts[1:]:
        joined = how(joined, part)
    return joined


def keys_of(query: Query, language: Language, otherwise: Sequence[Key]) -> tuple[Key, ...]:
    """Give the columns that a query sorts by, or `otherwise`; the id makes the order total."""
    found = [
        Key(_ORDERS.get(order.field, language.columns.get(order.field, order.field)), order.descending)
        for order in query.order
    ]
    keys = found or list(otherwise)
    return (*keys, Key("pk", keys[0].descending if keys else True, nullable=False))

"""A language of questions about tickets and requests, close to JQL: `stage = "in progress" and assignee = me order by due`.

    query    = condition? ("order by" field ("asc" | "desc")? ("," ...)*)?
    compare  = field  = != < <= > >= ~ !~  value | field (not)? in (value, ...) | field is (not)? empty
    value    = word | "text" | number | 2026-03-01 | -30d | 2w | today | now | me | my_seats

Words are read in any case; `and`, `or`, `not` and parentheses join conditions. `~` searches for words within a text. A
query is read against the fields that its subject has, so that what it asks for and the kind of each value are known
before a database sees it. Raises Refused at the place that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from watchbill.kit.errors import Refused

Kind = Literal["word", "text", "number", "time", "day", "person", "flag", "list"]
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~"]
LONGEST = 2000
YEARS = range(1900, 2200)
MOST_CONDITIONS = 50
DEEPEST = 50

_GRAMMAR = r"""
    start: [condition] [order]
    ?condition: conjunction (_OR conjunction)* -> any_of
    ?conjunction: negation (_AND negation)* -> all_of
    ?negation: _NOT negation -> negate
             | "(" condition ")"
             | compare
    compare: NAME OPERATOR value             -> comparison
           | NAME _IN "(" value ("," value)* ")"       -> member
           | NAME _NOT _IN "(" value ("," value)* ")"  -> no_member
           | NAME _IS _EMPTY                 -> is_empty
           | NAME _IS _NOT _EMPTY            -> is_filled
    value: TEXT | DAY | SPAN | NUMBER | NAME [_CALL] | SEAT
    order: _ORDER _BY key ("," key)*
    key: NAME [DIRECTION]

    _CALL: "()"
    _OR.3: /or\b/i
    _AND.3: /and\b/i
    _NOT.3: /not\b/i
    _IN.3: /in\b/i
    _IS.3: /is\b/i
    _EMPTY.3: /(empty|null)\b/i
    _ORDER.3: /order\b/i
    _BY.3: /by\b/i
    DIRECTION.3: /(asc|desc)\b/i
    OPERATOR: "!=" | "<=" | ">=" | "!~" | "=" | "<" | ">" | "~"
    TEXT: /"(\\.|[^"\\])*"/ | /'(\\.|[^'\\])*'/
    DAY.2: /\d{4}-\d{2}-\d{2}\b/
    SPAN.2: /-?\d+[hdw]\b/
    NUMBER.1: /-?\d+(?![\w-])/
    SEAT: /[A-Za-z_][\w-]*\/[\w-]+/
    NAME: /[^\W\d][\w.@+-]*/
    %ignore /\s+/
"""


@dataclass(frozen=True)
class Field:
    """A field that may be asked for: its kind, and for a word with few values those that there are."""

    kind: Kind
    values: tuple[str, ...] = ()
    sorts: bool = True


@dataclass(frozen=True)
class Ago:
    """So long before now; ahead of now when negative."""

    length: timedelta


@dataclass(frozen=True)
class Special:
    """A value that is known only when it is asked: me, my_seats, now, today."""

    name: Literal["me", "my_seats", "now", "today"]


Value = str | int | date | Ago | Special


@dataclass(frozen=True)
class Compare:
    """A field against one value."""

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True)
class Among:
    """A field that is one of some values, or none of them."""

    field: str
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True)
class Empty:
    """A field that holds nothing, or something."""

    field: str
    negated: bool = False


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Compare | Among | Empty | All | Some | Not


@dataclass(frozen=True)
class Order:
    """Sorted by a field."""

    field: str
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """A whole question; without a condition it asks for everything."""

    condition: Condition | None = None
    order: tuple[Order, ...] = ()


def read_query(text: str, fields: Mapping[str, Field], aliases: Mapping[str, str] | None = None) -> Query:
    """Read a query against the fields of its subject. Raises Refused saying where, and what there is instead."""
    if len(text) > LONGEST:
        raise Refused(f"a query has at most {LONGEST} characters", "query")
    if text.count("(") > DEEPEST or len(re.findall(r"\bnot\b", text, re.IGNORECASE)) > DEEPEST:
        raise Refused(f"a query has at most {DEEPEST} parentheses and as many “not”", "query")
    try:
        query: Query = _Reader(fields, aliases or {}).transform(_grammar().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, Refused):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise Refused(_explain(error, text), "query") from None
    if _count(query.condition) > MOST_CONDITIONS:
        raise Refused(f"a query has at most {MOST_CONDITIONS} conditions", "query")
    return query


@cache
def _grammar() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=True)


def _explain(error: UnexpectedInput, text: str) -> str:
    place = error.pos_in_stream if error.pos_in_stream is not None and error.pos_in_stream >= 0 else len(text)
    if isinstance(error, UnexpectedCharacters):
        return f"“{text[place : place + 12]}” at character {place + 1} cannot be read here"
    rest = text[place : place + 12].strip()
    if not rest or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        return "the query stops in the middle: a field, an operator such as = or ~, and a value belong together"
    return (
        f"“{rest}” at character {place + 1} was not expected; write a field, an operator and a value, joined by and, or"
    )


def _count(condition: Condition | None) -> int:
    match condition:
        case All(parts) | Some(parts):
            return sum(_count(part) for part in parts)
        case Not(part):
            return _count(part)
        case None:
            return 0
        case _:
            return 1


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Turn what the grammar found into a query, checking each field and value on the way."""

    def __init__(self, fields: Mapping[str, Field], aliases: Mapping[str, str]) -> None:
        super().__init__()
        self.fields = fields
        self.aliases = aliases

    def start(self, condition: Condition | None, order: tuple[Order, ...] | None) -> Query:
        return Query(condition, order or ())

    def any_of(self, *parts: Condition) -> Condition:
        return parts[0] if len(parts) == 1 else Some(parts)

    def all_of(self, *parts: Condition) -> Condition:
        return parts[0] if len(parts) == 1 else All(parts)

    def negate(self, part: Condition) -> Condition:
        return Not(part)

    def comparison(self, name: Token, operator: Token, value: Token) -> Condition:
        field = self._field(name)
        kind = self.fields[field].kind
        sign: Operator = str(operator)  # type: ignore[assignment]
        if sign in {"~", "!~"} and kind not in {"text", "word", "list", "person"}:
            raise Refused(f"{field} is no text: it cannot be searched with {sign}", "query")
        if sign in {"<", "<=", ">", ">="} and kind not in {"number", "time", "day"}:
            raise Refused(f"{field} has no order: ask for {field} = … or {field} in (…)", "query")
        searched = sign in {"~", "!~"}
        return Compare(field, sign, _text(value) if searched else self._value(field, value))

    def member(self, name: Token, *values: Token) -> Condition:
        field = self._field(name)
        return Among(field, tuple(self._value(field, value) for value in values))

    def no_member(self, name: Token, *values: Token) -> Condition:
        field = self._field(name)
        return Among(field, tuple(self._value(field, value) for value in values), negated=True)

    def is_empty(self, name: Token) -> Condition:
        return Empty(self._field(name))

    def is_filled(self, name: Token) -> Condition:
        return Empty(self._field(name), negated=True)

    def value(self, token: Token, *_: object) -> Token:
        return token

    def order(self, *keys: Order) -> tuple[Order, ...]:
        return keys

    def key(self, name: Token, direction: Token | None) -> Order:
        field = self._field(name)
        if not self.fields[field].sorts:
            raise Refused(f"{field} gives no order", "query")
        return Order(field, descending=direction is not None and direction.lower() == "desc")

    def _field(self, name: Token) -> str:
        word = name.lower()
        field = self.aliases.get(word, word)
        if field not in self.fields:
            raise Refused(f"there is no field “{name}”; there are {', '.join(sorted(self.fields))}", "query")
        return field

    def _value(self, field: str, token: Token) -> Value:
        known = self.fields[field]
        match known.kind:
            case "number":
                return _number(field, token)
            case "time" | "day":
                return _time(field, token)
            case "flag":
                return _flag(field, token)
            case "person":
                return Special("me") if _special(token) in {"me", "currentuser"} else _text(token)
            case _:
                if field == "seat" and _special(token) == "my_seats":
                    return Special("my_seats")
                return _word(field, token, known.values)


def _special(token: Token) -> str:
    return token.lower() if token.type == "NAME" else ""


def _text(token: Token) -> str:
    if token.type != "TEXT":
        return str(token)
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _word(field: str, token: Token, values: Sequence[str]) -> str:
    text = _text(token)
    if not values:
        return text
    plain = re.sub(r"[\s-]+", "_", text.strip().lower())
    if plain not in values:
        raise Refused(f"{field} is one of {', '.join(values)}; there is no “{text}”", "query")
    return plain


def _number(field: str, token: Token) -> int:
    text = re.sub(r"^[TtRr]-(?=\d)", "", _text(token))
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise Refused(f"{field} is a number; “{_text(token)}” is none", "query")
    return int(text)


def _flag(field: str, token: Token) -> int:
    word = _text(token).lower()
    if word not in {"yes", "no", "true", "false"}:
        raise Refused(f"{field} is yes or no", "query")
    return int(word in {"yes", "true"})


def _time(field: str, token: Token) -> Value:
    text = _text(token).lower()
    if token.type == "SPAN" or re.fullmatch(r"-?\d+[hdw]", text):
        return _span(text)
    if text in {"now", "today"}:
        return Special("now" if text == "now" else "today")
    try:
        day = date.fromisoformat(text)
        if day.year not in YEARS:
            raise Refused(f"{field}: the years are {YEARS[0]} to {YEARS[-1]}", "query")
        return day
    except ValueError:
        raise Refused(f"{field} is a day like 2026-03-01, or -7d, today, now; “{text}” is none", "query") from None


def _span(text: str) -> Ago:
    number = int(text[:-1])
    if abs(number) > 10_000:
        raise Refused(f"{text} is too far away", "query")
    unit = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[text[-1]]
    return Ago(-number * unit)

"""The parts that several answers share, and the types of what comes in: every text has its bounds, every time its zone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from django.db.models import Model
from ninja.params.functions import Header
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from watchbill.db.models import Event, Person
from watchbill.kit.errors import Refused

# PostgreSQL keeps no NUL character in a text.
_PLAIN = r"^[^\u0000]*$"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
MOST_JSON = 5000
LARGEST_NUMBER = 2**53


def up_to(longest: int, shortest: int | None = None) -> StringConstraints:
    """Bound a text that comes in, and keep out what a database would not take."""
    return StringConstraints(min_length=shortest, max_length=longest, pattern=_PLAIN)


Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[-a-z0-9_]{1,50}$")]
Word = Annotated[str, up_to(40)]
Name = Annotated[str, up_to(80)]
Line = Annotated[str, up_to(1024)]
Text = Annotated[str, up_to(10_000)]
Title = Annotated[str, up_to(300, 1)]
LongText = Annotated[str, up_to(100_000)]
Zone = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")]

OnceKey = Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]*$")]
ONCE_KEY: str = Header("", alias="Idempotency-Key", description="Makes a retry safe for a day: nothing is done twice.")


def _read_instant(value: Any) -> Any:
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("write a time as RFC 3339 with its zone, such as 2026-12-24T18:00:00Z")
    if not isinstance(value, str | datetime):
        raise ValueError("a time is a text, such as 2026-12-24T18:00:00Z")
    return value


def _check_instant(value: datetime) -> datetime:
    if value.tzinfo is None or not 2000 <= value.year < 2200:
        raise ValueError("the time lies between the years 2000 and 2199")
    return value.astimezone(UTC)


def _check_day(value: date) -> date:
    if not 2000 <= value.year < 2200:
        raise ValueError("the day lies between the years 2000 and 2199")
    return value


def _check_day_text(value: Any) -> Any:
    if not isinstance(value, date) and not (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)
    ):
        raise ValueError("write a day such as 2026-12-24")
    return value


Instant = Annotated[datetime, BeforeValidator(_read_instant), AfterValidator(_check_instant)]
Day = Annotated[date, BeforeValidator(_check_day_text), AfterValidator(_check_day)]


def check_json(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what a database would not keep: NUL characters, half characters, numbers without end."""
    left = [value]
    seen = 0
    todo: list[Any] = list(left)
    while todo:
        part = todo.pop()
        seen += 1
        if seen > MOST_JSON:
            raise ValueError(f"at most {MOST_JSON} parts")
        if isinstance(part, dict):
            todo += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            todo += part
        else:
            _check_leaf(part)
    return value


def _check_leaf(part: Any) -> None:
    if isinstance(part, str) and (len(part) > 100_000 or "\0" in part or (not part.isprintable() and _is_broken(part))):
        raise ValueError("a text has a character that cannot be kept, or is too long")
    if isinstance(part, int | float) and not isinstance(part, bool):
        if isinstance(part, float) and not math.isfinite(part):
            raise ValueError("a number is finite")
        if abs(part) > LARGEST_NUMBER:
            raise ValueError("a number is too large")


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


Json = Annotated[dict[str, JsonValue], AfterValidator(check_json)]


class Given(BaseModel):
    """What comes in: a name that is not known is refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


def demand_given(values: Mapping[str, Any], *names: str) -> None:
    """Refuse null for what is never empty; raises Refused naming the field."""
    for name in names:
        if values.get(name, "") is None:
            raise Refused("leave it out to keep it as it is", name)


class Shown(BaseModel):
    """What a row holds, under the same names; what it does not hold is given besides."""

    @classmethod
    def read(cls, row: Model, **more: Any) -> Self:
        """Show it."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields if name not in more} | more)


class Ref(BaseModel):
    """Something in short: what its row holds under the same names."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def of(cls, row: Model) -> Self:
        """Show it."""
        return cls.model_validate(row)

    @classmethod
    def maybe(cls, row: Model | None) -> Self | None:
        """Show it, or nothing."""
        return cls.of(row) if row else None


class PersonRef(Ref):
    """A person, in short; one without a name by their mail address."""

    id: int
    name: str

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"id": given.pk, "name": str(given)} if isinstance(given, Person) else given


class TeamRef(Ref):
    """A team, in short; `slug` is its name in addresses."""

    slug: str
    name: str


class ServiceRef(Ref):
    """A service, in short; `slug` is its name in addresses."""

    slug: str
    name: str


class RotationRef(Ref):
    """A rotation, in short; `slug` is its name in addresses."""

    slug: str
    name: str
    team: TeamRef


class EventLine(BaseModel):
    """One line of the log: what happened, to what, by whom, when, and why."""

    id: int
    at: datetime
    kind: str
    subject_kind: str
    subject_id: int
    by: str
    by_id: int | None
    why: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventLine:
        """Show a line."""
        return cls(
            id=event.pk,
            at=event.at,
            kind=event.kind,
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            by=event.actor_name,
            by_id=event.actor_id,
            why=event.why,
            data=event.data,
        )

"""Read plain data (JSON, YAML) field by field, so that a refusal names the field that is wrong.

`Fields` wraps one object of the data; `done()` refuses what nobody asked for, which finds misspelt names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from watchbill.kit.errors import Refused

REQUIRED: Any = object()
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Fields:
    """One object of plain data; every method reads one field and raises Refused with its dotted path."""

    def __init__(self, data: object, path: str = "") -> None:
        if not isinstance(data, Mapping):
            raise Refused(f"{path or 'this'} must be an object with named fields", path)
        self.data: Mapping[str, Any] = data
        self.path = path
        self._asked: set[str] = set()

    def at(self, name: str) -> str:
        """Give the dotted path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, what: str) -> Refused:
        """Make the refusal of one field."""
        return Refused(f"{self.at(name)} {what}", self.at(name))

    def raw(self, name: str, default: object = REQUIRED) -> Any:
        """Read a field as it stands."""
        self._asked.add(name)
        found = self.data.get(name, default)
        if found is REQUIRED:
            raise self.refuse(name, "is missing")
        return found

    def text(self, name: str, default: object = REQUIRED) -> str:
        """Read a text that is not empty (an empty default is allowed)."""
        found = self.raw(name, default)
        if not isinstance(found, str) or (not found.strip() and found != default):
            raise self.refuse(name, "must be a text")
        return found

    def text_or_none(self, name: str) -> str | None:
        """Read a text, or None when it is absent, null or empty."""
        return self.text(name) if self.raw(name, None) not in (None, "") else None

    def number(self, name: str, default: object = REQUIRED, least: int | None = None) -> int:
        """Read a whole number, at least `least`."""
        found = self.raw(name, default)
        if not isinstance(found, int) or isinstance(found, bool):
            raise self.refuse(name, "must be a whole number")
        if least is not None and found < least:
            raise self.refuse(name, f"must be at least {least}")
        return found

    def flag(self, name: str, default: object = REQUIRED) -> bool:
        """Read true or false."""
        found = self.raw(name, default)
        if not isinstance(found, bool):
            raise self.refuse(name, "must be true or false")
        return found

    def choice(self, name: str, options: Collection[str], default: object = REQUIRED) -> str:
        """Read one of a few words."""
        found = self.raw(name, default)
        if found not in options:
            raise self.refuse(name, f"must be one of {', '.join(options)}")
        return str(found)

    def day(self, name: str) -> date:
        """Read a date such as 2025-03-30."""
        return read_day(self.raw(name), self.at(name))

    def day_or_none(self, name: str) -> date | None:
        """Read a date, or None when it is absent or null."""
        return self.day(name) if self.raw(name, None) is not None else None

    def instant(self, name: str) -> datetime:
        """Read an instant with its offset, such as 2025-03-30T09:00:00+00:00."""
        found = self.raw(name)
        try:
            moment = datetime.fromisoformat(found)
        except (TypeError, ValueError):
            raise self.refuse(name, "must be an instant like 2025-03-30T09:00:00+00:00") from None
        if moment.tzinfo is None:
            raise self.refuse(name, "must say its offset from UTC")
        return moment

    def clock(self, name: str, default: object = REQUIRED) -> time:
        """Read a time of day such as "08:30"; in YAML it must be quoted, or it would be a number."""
        found = self.raw(name, default)
        try:
            at = found if isinstance(found, time) else time.fromisoformat(found)
        except (TypeError, ValueError):
            raise self.refuse(name, 'must be a time of day like "08:30", in quotes') from None
        if at.tzinfo is not None:
            raise self.refuse(name, "must not say an offset: the zone is said elsewhere")
        return at

    def weekday(self, name: str, default: object = REQUIRED) -> int:
        """Read a day of the week, by English name or as 0 (Monday) to 6."""
        return read_weekday(self.raw(name, default), self.at(name))

    def many(self, name: str, default: object = REQUIRED) -> Sequence[Any]:
        """Read a list."""
        found = self.raw(name, default)
        if not isinstance(found, list | tuple):
            raise self.refuse(name, "must be a list")
        return found

    def objects(self, name: str, default: object = REQUIRED) -> list[Fields]:
        """Read a list of objects, each knowing its own path."""
        return [Fields(item, f"{self.at(name)}.{place}") for place, item in enumerate(self.many(name, default))]

    def done(self) -> None:
        """Refuse the fields that nobody asked for."""
        for name in self.data:
            if name not in self._asked:
                raise self.refuse(str(name), f"is not known here; known are {', '.join(sorted(self._asked))}")


def read_day(found: object, path: str) -> date:
    """Read one date given as text (YAML gives it as a date already)."""
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    try:
        return date.fromisoformat(found)  # type: ignore[arg-type]  # what is no text is refused below
    except (TypeError, ValueError):
        raise Refused(f"{path} must be a date like 2025-03-30", path) from None


def read_weekday(found: object, path: str) -> int:
    """Read one day of the week, by English name (three letters are enough) or as 0 (Monday) to 6."""
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(WEEKDAYS):
        return found
    if isinstance(found, str) and len(found) >= 3:
        for number, name in enumerate(WEEKDAYS):
            if name.startswith(found.lower()):
                return number
    raise Refused(f"{path} must be a day of the week, like monday or 0", path)

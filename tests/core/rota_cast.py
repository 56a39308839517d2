"""The cast and small helpers of the rota tests."""

from datetime import UTC, date, datetime, time

from watchbill.core.coverage import Window
from watchbill.core.rota.pattern import Absence, Member, Override, Rotation, Shift
from watchbill.kit.spans import Span

NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gil", "Hana", "Ivo", "Jana", "Kai", "Lena", "Mara", "Nils")
ANA, BEN, CLEO, DAN, EVA = 1, 2, 3, 4, 5
WEEKDAYS = frozenset(range(5))
SUPPORT_HOURS = (Window(WEEKDAYS, time(8), time(18)),)


def people(count: int, **skills: str) -> tuple[Member, ...]:
    """The first so many of the cast; `Ana="dba engineer"` gives skills."""
    return tuple(
        Member(number, name, frozenset(skills.get(name, "").split())) for number, name in enumerate(NAMES[:count], 1)
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def between(first: str, last: str) -> Span:
    return Span(utc(f"{first}T00:00"), utc(f"{last}T00:00"))


def day(text: str) -> date:
    return date.fromisoformat(text)


def away(person: int, first: str, last: str, why: str = "vacation", kind: str = "away") -> Absence:
    return Absence(person, day(first), day(last), why, kind=kind)


def cover(person: int, start: str, end: str, created: int = 1, **more: object) -> Override:
    """An override; `created` orders them."""
    created_at = datetime(2025, 1, 1, 0, created, tzinfo=UTC)
    return Override(person, NAMES[person - 1], utc(start), utc(end), created_at, number=created, **more)  # type: ignore[arg-type]


def daily(count: int, **more: object) -> Rotation:
    """One engineer a working day, 08:00 to 18:00 London, from Monday 6 January 2025."""
    given: dict[str, object] = {
        "zone": "Europe/London",
        "unit": "working_day",
        "starts_on": day("2025-01-06"),
        "members": people(count),
        "handoff_at": time(8),
        "coverage": SUPPORT_HOURS,
    }
    return Rotation(**(given | more))  # type: ignore[arg-type]


def weekly(count: int, **more: object) -> Rotation:
    """Round the clock, handed over on Mondays at 09:00 London, from Monday 6 January 2025."""
    given: dict[str, object] = {
        "zone": "Europe/London",
        "unit": "week",
        "starts_on": day("2025-01-06"),
        "members": people(count),
    }
    return Rotation(**(given | more))  # type: ignore[arg-type]


def names(found: list[Shift]) -> list[str]:
    return [NAMES[shift.person - 1] if shift.person else "nobody" for shift in found]

"""Times as people write and read them: in the zone of their own machine, with its name shown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

import click

UNITS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
LONGEST = timedelta(days=3650)
_LENGTH = re.compile(r"(?:\d{1,6}[wdhm])+", re.ASCII)


def read_length(text: str) -> timedelta:
    """Read 2h, 90m, 1d12h or 1w; raises click.BadParameter."""
    if not _LENGTH.fullmatch(text):
        raise click.BadParameter(f"“{text}” is no length of time: write 2h, 90m, 1d12h or 1w")
    parts = re.findall(r"(\d+)([wdhm])", text)
    length = sum((int(number) * UNITS[unit] for number, unit in parts), timedelta())
    if not timedelta() < length <= LONGEST:
        raise click.BadParameter(f"“{text}” is too short or too long")
    return length


def read_instant(text: str, now: datetime) -> datetime:
    """Read "2026-12-24 18:00", "2026-12-24", "18:00" (local), +2h, or RFC 3339; gives UTC, or raises click.BadParameter."""
    if text.startswith("+"):
        return now + read_length(text[1:])
    try:
        return _read(text.strip(), now).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"“{text}” is no time: write 2026-12-24 18:00, 18:00, +2h or 2026-12-24T18:00:00Z"
        ) from None


def _read(text: str, now: datetime) -> datetime:
    if re.fullmatch(r"\d\d?:\d\d", text, re.ASCII):
        hour, minute = (int(part) for part in text.split(":"))
        return datetime.combine(now.astimezone().date(), time(hour, minute)).astimezone()
    # A time without a zone is that of this machine.
    return datetime.fromisoformat(text).astimezone()


def read_day(text: str) -> date:
    """Read 2026-12-24; raises click.BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"“{text}” is no day: write 2026-12-24") from None


def show(text: str | None) -> str:
    """Show an instant of the API in this machine's zone: Thu 24 Dec 2026 18:00 CET."""
    return f"{datetime.fromisoformat(text).astimezone():%a %d %b %Y %H:%M %Z}" if text else ""

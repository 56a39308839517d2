"""Read what a stranger sent: text, times, labels and links of any shape become ours, and never crash.

A monitoring tool, a tracker, or somebody who found the key, may send any JSON. These functions take any value and give
back something that every part of Watchbill can carry: no NUL (PostgreSQL refuses it), no lone surrogate
(UTF-8 refuses it), no text without an end, no link that a browser would run. Only `read_object` and
`read_list` raise, because without them there is nothing of that tool to read. Monitors and connectors share them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from watchbill.kit.errors import Unreadable

LONGEST_LINE = 1024
LONGEST_TEXT = 8192
LONGEST_KEY = 255
LONGEST_WORD = 64
LONGEST_URL = 2048
MOST_LABELS = 64
MOST_LINKS = 16
MOST_VALUES = 100_000
DEEPEST = 64
_ENOUGH = 65_536

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,12})?)? ?([Zz]|[+-]\d\d:?\d\d[Zz]?)?")
_TWO_ZONES = re.compile(r"([+-]\d\d:?\d\d)Z$")
_URL = re.compile(r'https?://[^\s<>"]+', re.IGNORECASE)
_AS_JSON = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(", ", ": "), default=str)

# Go writes year 1 for "no time"; a time before 1970 or beyond 2200 is a mistake of the sender in any case.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LATEST_SECONDS = _LATEST.timestamp()


def read_text(value: object, limit: int = LONGEST_TEXT) -> str:
    """Give any JSON value as text of at most `limit` characters; objects and lists as JSON, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        value = _write_json(value, limit)
    return _cut(_clean(value[: 2 * limit]), limit)


def read_line(value: object, limit: int = LONGEST_LINE) -> str:
    """Give any JSON value as one line of text: a title, a name, a subject of a mail."""
    return _cut(" ".join(read_text(value).split()), limit)


def read_word(value: object) -> str:
    """Give any JSON value as one short line in lower case: a severity, a state."""
    return read_line(value, LONGEST_WORD).lower()


def read_key(value: object, limit: int = LONGEST_KEY) -> str:
    """Give any JSON value as a key: what is too long ends in its digest, so that two long keys stay two."""
    whole = _clean(value[:_ENOUGH] if isinstance(value, str) else read_text(value)).strip()
    if len(whole) <= limit:
        return whole
    digest = digest_of(whole)
    return f"{whole[: limit - len(digest) - 1]}~{digest}"


def digest_of(value: object) -> str:
    """Give 32 characters that are the same for the same value, in whatever order its fields came."""
    written = value if isinstance(value, str) else _write_json(value, 1_000_000)
    return sha256(_clean(written).encode()).hexdigest()[:32]


def read_labels(value: object) -> dict[str, str]:
    """Give an object as labels, sorted by name: at most 64, each name and value one bounded text."""
    if not isinstance(value, Mapping):
        return {}
    named = sorted((read_line(name, LONGEST_KEY), read_text(text, LONGEST_LINE)) for name, text in value.items())
    return dict([pair for pair in named if pair[0]][:MOST_LABELS])


def read_links(pairs: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    """Give (name, address) pairs: only http and https, each address once, at most 16."""
    links: dict[str, str] = {}
    for name, address in pairs:
        url = read_url(address)
        if url and url not in links:
            links[url] = read_line(name, LONGEST_WORD) or "Link"
    return tuple((name, url) for url, name in links.items())[:MOST_LINKS]


def read_url(value: object) -> str:
    """Give an http or https address, or nothing: what else a text may hold is not to be clicked."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_URL and _URL.fullmatch(text) and _clean(text) == text else ""


def read_time(value: object) -> datetime | None:
    """Give an instant in UTC from RFC 3339 (to the nanosecond) or from Unix seconds or milliseconds, or None.

    A text without a zone is taken as UTC. Year 1 is how Go writes "none"; anything outside 1970..2200 is None.
    """
    if isinstance(value, str):
        return _read_written_time(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value / 1000 if value > _LATEST_SECONDS and value < _LATEST_SECONDS * 1000 else value
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LATEST_SECONDS else None


def _read_written_time(text: str) -> datetime | None:
    if not text.isascii() or not _MOMENT.fullmatch(text):
        return None
    try:
        # "+00:00Z" is what PagerDuty's own Python client writes.
        moment = datetime.fromisoformat(_TWO_ZONES.sub(r"\1", text.upper()))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the 31st of February; a zone that moves it out of the calendar
        return None
    return moment if _EARLIEST < moment < _LATEST else None


def read_object(value: object, where: str = "") -> dict[str, Any]:
    """Give `value` if it is a JSON object; raises Unreadable with `where` in the payload it should have been."""
    if not isinstance(value, dict):
        raise Unreadable(f"{where or 'the payload'} should be a JSON object, it is {_name_of(value)}", where)
    return value


def read_fields(value: object) -> dict[str, Any]:
    """Give `value` if it is a JSON object, else an empty one: for a part that may be missing."""
    return value if isinstance(value, dict) else {}


def read_list(value: object, where: str) -> list[Any]:
    """Give `value` if it is a JSON list that is not empty; raises Unreadable with `where` in the payload."""
    if not isinstance(value, list) or not value:
        found = "an empty list" if isinstance(value, list) else _name_of(value)
        raise Unreadable(f"{where} should be a list with at least one item, it is {found}", where)
    return value


def count_values(payload: object) -> int:
    """Count the values of a payload; raises Unreadable if it is too large or too deep to look things up in."""
    count = 0
    waiting = [(payload, 0)]
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise Unreadable(f"the payload is nested deeper than {DEEPEST} levels")
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            waiting += [(part, depth + 1) for part in inner]
        if count + len(waiting) > MOST_VALUES:
            raise Unreadable(f"the payload holds more than {MOST_VALUES} values")
    return count


def _clean(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", text.replace("\r\n", "\n")))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _write_json(value: object, limit: int) -> str:
    """Write at most about `limit` characters of `value`; the encoder is stopped as soon as they are there."""
    parts: list[str] = []
    room = limit
    try:
        for part in _AS_JSON.iterencode(value):
            parts.append(part)
            room -= len(part)
            if room < 0:
                break
    except (ValueError, TypeError, RecursionError):  # a number of 5000 digits; mixed names; nested beyond reason
        parts.append("…")
    return "".join(parts)


_NAMES = {type(None): "missing", bool: "true or false", str: "text", list: "a list", dict: "an object"}


def _name_of(value: object) -> str:
    return _NAMES.get(type(value), "a number")

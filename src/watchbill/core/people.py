"""People and teams, the pure part: whom a fresh address reaches when, and what changed between two policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from watchbill.core.delivery import Address
from watchbill.core.wallclock import day_of, start_instant

# What reaches a person at once, the surest first; mail is read when somebody looks.
AT_ONCE = ("webpush", "ntfy", "slack", "webhook")
MAIL = "email"
MAIL_AFTER = 120
MORNING = time(9)


@dataclass(frozen=True)
class PersonalRule:
    """For one urgency: this address, so many seconds after a page asked for the person."""

    urgency: str
    address: int
    after_seconds: int


@dataclass(frozen=True)
class Change:
    """One setting that differs between two versions of a policy, in words; an empty side is "not set"."""

    name: str
    before: str
    after: str


def default_rules(addresses: Sequence[Address]) -> frozenset[PersonalRule]:
    """Decide the rules of a person who never wrote any.

    Important pages: what reaches at once immediately, mail two minutes later (at once when there is nothing
    else). Everything else goes by mail, or by whatever there is.
    """
    quick = sorted((a for a in addresses if a.channel in AT_ONCE), key=lambda a: (AT_ONCE.index(a.channel), a.id))
    slow = sorted((a for a in addresses if a.channel not in AT_ONCE), key=lambda a: (a.channel != MAIL, a.id))
    calm = (slow or quick)[:1]
    return frozenset(
        [PersonalRule("important", address.id, 0) for address in quick]
        + [PersonalRule("important", address.id, MAIL_AFTER if quick else 0) for address in slow]
        + [PersonalRule("default", address.id, 0) for address in calm]
    )


def next_morning(zone: str, now: datetime) -> datetime:
    """Give the next 09:00 in `zone` after `now` (UTC): when a daily check speaks to people."""
    today = day_of(now, zone)
    at = start_instant(today, MORNING, zone)
    return at if at > now else start_instant(today + timedelta(days=1), MORNING, zone)


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Give what differs between two policies, one line per setting, in the order of the new one."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        Change(_words(name), old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    ]


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, str(key)))]
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return [leaf for place, item in enumerate(value, 1) for leaf in _leaves(item, (*path, str(place)))]
    return [(path, _text(value))]


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    return str(value) or "empty"


def _words(path: tuple[str, ...]) -> str:
    shown = path[1:] if path[0] == "rules" and len(path) > 1 else path
    return " › ".join(part.replace("_", " ") for part in shown)

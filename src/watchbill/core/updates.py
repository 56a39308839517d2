"""Updates about an incident, the pure part: what is said in which parts, and the promise of when the next one comes.

One promise per audience. Of each period (from one update to the time that it promised, and every further cadence after
that) somebody is reminded once before, unless it was kept, and told once when it is missed. Instants are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watchbill.kit.errors import Refused

LONGEST_PART = 5_000
LONGEST_PROMISE = timedelta(days=7)
# What an audience is told of a state; of an active one the author says whether the cause is known.
TOLD = {"active": "investigating", "mitigated": "monitoring", "resolved": "resolved", "closed": "resolved"}
SAID = ("investigating", "identified", "monitoring", "resolved")
EXERCISE = "Exercise: "

_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\w.+-]+@[\w-]+\.[\w.]+\b")


@dataclass(frozen=True)
class Promise:
    """When an audience hears next; `every` is its cadence (zero: no further promise follows one that was missed)."""

    audience: str
    due_at: datetime
    every: timedelta = timedelta()
    reminded_at: datetime | None = None
    late_told_at: datetime | None = None


def promise(
    audience: str, every: timedelta, before: timedelta, now: datetime, chosen: datetime | None = None
) -> Promise | None:
    """Give the promise that an update makes: the time that its author chose, else the cadence; None: no promise.

    Whoever promises something that comes sooner than the reminder has just been reminded of it.
    """
    due = chosen or (now + every if every else None)
    if due is None:
        return None
    return Promise(audience, due, every, reminded_at=now if due - before <= now else None)


def remind_at(promise: Promise, before: timedelta) -> datetime | None:
    """Give when somebody is reminded of a promise; None: they were."""
    return None if promise.reminded_at or promise.late_told_at else promise.due_at - before


def late_at(promise: Promise) -> datetime | None:
    """Give when a promise is (or is again) missed; None: it was told, and no cadence goes on."""
    if promise.late_told_at is None:
        return promise.due_at
    return promise.late_told_at + promise.every if promise.every else None


def settle(promise: Promise, before: timedelta, now: datetime) -> tuple[str, Promise]:
    """Decide what a promise asks for now: "late", "remind" or nothing, and how it stands afterwards."""
    late = late_at(promise)
    if late is not None and late <= now:
        return "late", replace(promise, late_told_at=now)
    soon = remind_at(promise, before)
    if soon is not None and soon <= now:
        return "remind", replace(promise, reminded_at=now)
    return "", promise


def wake_at(promises: Iterable[Promise], before: timedelta) -> tuple[datetime | None, datetime | None]:
    """Give when the next reminder and the next miss are due among the promises of an incident; None: there is none."""
    held = list(promises)
    soon = [at for at in (remind_at(one, before) for one in held) if at]
    late = [at for at in (late_at(one) for one in held) if at]
    return min(soon, default=None), min(late, default=None)


def check_next(chosen: datetime | None, now: datetime) -> datetime | None:
    """Give the chosen time of the next update back. Raises Refused when it does not lie ahead, within a week."""
    if chosen is not None and chosen <= now:
        raise Refused("the next update lies ahead of now", "next_update_at")
    if chosen is not None and chosen - now > LONGEST_PROMISE:
        raise Refused("promise the next update within a week", "next_update_at")
    return chosen


def compose(template: Mapping[str, str], given: Mapping[str, str], *, is_last: bool = False) -> list[list[str]]:
    """Put what was written into the team's parts, in their order: [[heading, text], ...] (COM-07).

    Every part is asked for, but the last update of an incident needs one alone. Raises Refused naming the part.
    """
    unknown = [key for key in given if key not in template]
    if unknown:
        raise Refused(f"the parts are {', '.join(template)}", unknown[0])
    texts = {key: given.get(key, "").strip() for key in template}
    for key, heading in template.items():
        if not texts[key] and not is_last:
            raise Refused(f"“{heading}” is empty: say it, if only that nobody knows yet", key)
        if len(texts[key]) > LONGEST_PART:
            raise Refused(f"at most {LONGEST_PART} characters", key)
    parts = [[heading, texts[key]] for key, heading in template.items() if texts[key]]
    if not parts:
        raise Refused("say that it is over, in a sentence", next(iter(template), "text"))
    return parts


def render(parts: Sequence[Sequence[str]]) -> str:
    """Write the parts as plain text, each under its heading."""
    return "\n\n".join(f"{heading}\n{text}" if heading else text for heading, text in parts)


def promise_words(next_at: datetime | None, zone: str) -> str:
    """Say when the next update comes, in a zone, or that none is promised."""
    if next_at is None:
        return ""
    return f"The next update comes by {next_at.astimezone(ZoneInfo(zone)):%A %d %B, %H:%M} ({zone})."


def told_state(state: str, chosen: str = "") -> str:
    """Give the state as it is told; a mitigated incident is monitored. Raises Refused for another word.

    Of an active one its author may say that the cause is known; what is over is not told as going on.
    """
    if chosen and chosen not in SAID:
        raise Refused(f"an update says {', '.join(SAID)}", "state")
    usual = TOLD[state]
    if chosen in {"", usual}:
        return usual
    if state == "active" and chosen == "identified":
        return chosen
    raise Refused(f"it is {state}: an update says {usual}" + (" or identified" if state == "active" else ""), "state")


def worries(text: str, names: Iterable[str], machines: Iterable[str] = ()) -> list[str]:
    """Say what in a text is perhaps not meant for people outside: a person's name, a host, an address.

    Nothing is refused for it: whoever writes sees it beside the words before they leave.
    """
    found = [f"it names {name}: say the role" for name in dict.fromkeys(names) if _stands_in(name, text)]
    found += [f"it names {one}, which is a machine" for one in dict.fromkeys(machines) if _stands_in(one, text)]
    found += [f"it holds the address {one}" for one in dict.fromkeys(_ADDRESS.findall(text))]
    return found


def _stands_in(name: str, text: str) -> bool:
    return len(name) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None

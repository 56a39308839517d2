"""Read an action that is typed in one line during the meeting (PM-08): who, by when, what kind, what for.

Alert on a full disk @ben by 2026-04-01 #technical #detect !high smallest
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from watchbill.core.postmortems import ACTION_KINDS, PURPOSES
from watchbill.kit.errors import Refused

_WORD = re.compile(
    r"(?:(?<=\s)|^)(?:@(?P<who>[\w.+-]+(?:@[\w.-]+)?)|(?:by|due)\s+(?P<day>\d{4}-\d\d-\d\d)|(?:in\s+)(?P<days>\d{1,3})\s+days?"
    r"|#(?P<tag>[a-z]+)|!(?P<level>[\w-]+)|(?P<smallest>smallest)$)(?=\s|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Line:
    """An action as somebody typed it; what was not said is empty. `level` is a level of the team's order."""

    title: str
    who: str = ""
    due: date | None = None
    kind: str = ""
    purpose: str = ""
    level: str = ""
    is_smallest: bool = False


def read_line(text: str, today: date) -> Line:
    """Read one line. Raises Refused naming what cannot be read; a tag that is no kind and no purpose stays in the title."""
    found: dict[str, str] = {}

    def take(match: re.Match[str]) -> str:
        name, value = next((name, value) for name, value in match.groupdict().items() if value)
        if name == "tag":
            name = "kind" if value.lower() in ACTION_KINDS else "purpose" if value.lower() in PURPOSES else ""
            value = value.lower()
        if not name or name in found:
            return match[0]
        found[name] = value
        return ""

    title = " ".join(_WORD.sub(take, " ".join(text.split())).split())
    if not title:
        raise Refused("say what is to be done", "line")
    return Line(
        title=title,
        who=found.get("who", ""),
        due=_due(found, today),
        kind=found.get("kind", ""),
        purpose=found.get("purpose", ""),
        level=found.get("level", ""),
        is_smallest="smallest" in found,
    )


def _due(found: Mapping[str, str], today: date) -> date | None:
    if "days" in found:
        return today + timedelta(days=int(found["days"]))
    if "day" not in found:
        return None
    try:
        return date.fromisoformat(found["day"])
    except ValueError:
        raise Refused(f"{found['day']} is no day", "line") from None

"""What do I do now? The pure part: what burns comes first, then the team's sources in their order (DUT-11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BURNING = "burning"


@dataclass(frozen=True)
class Idea:
    """One thing to do next: what, why, and the path of the page where it begins.

    `kind` is burning, or the source that it came from; `ticket` and `group` are ids.
    """

    kind: str
    title: str
    why: str
    path: str
    ticket: int | None = None
    group: int | None = None
    request: int | None = None
    page: int | None = None
    times: int | None = None


def put_in_order(
    burning: Iterable[Idea], found: Mapping[str, Sequence[Idea]], sources: Sequence[str], most_each: int
) -> list[Idea]:
    """Put ideas in order: everything that burns, then at most `most_each` of each source; each thing is offered once."""
    offered = {idea.path: idea for idea in burning}
    for source in sources:
        fresh = {idea.path: idea for idea in found.get(source, ()) if idea.path not in offered}
        offered.update(list(fresh.items())[:most_each])
    return list(offered.values())

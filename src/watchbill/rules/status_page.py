"""When an incident comes on the team's status page: by somebody's act, or with the first update for the public."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "When is an incident on the status page?"


class Settings(Chosen):
    """Who puts an incident on the pages of its services."""

    publish: Literal["by_hand", "with_first_update"] = Field(
        "by_hand",
        description="by_hand: somebody publishes it. with_first_update: the first update for the public does, under a "
        "title made of the public names of what it touches.",
    )


def decide(names: list[str], settings: Settings) -> str:
    """Decide the title under which an update for the public puts its incident on a page; "": it does not.

    `names` are the public names of what the incident touches there. The incident's own title never leaves by itself.
    """
    if settings.publish != "with_first_update" or not names:
        return ""
    return f"Trouble with {', '.join(names[:-1])} and {names[-1]}" if names[1:] else f"Trouble with {names[0]}"


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "by somebody's act, under the title that they write for the public"),
    ({"publish": "with_first_update"}, "with the first public update"),
)

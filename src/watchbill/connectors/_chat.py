"""What every chat has in common: the settings of how a team works with it, and text that nobody's words can abuse."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from watchbill.connectors import Connected

LONGEST = 12_000


class ChatSettings(Connected):
    """How a team works with its chat; the ids of rooms and groups are the chat's own."""

    reaction: str = Field(
        "ticket",
        pattern=r"^\S{0,60}$",
        title="Reaction that makes a request of a message",
        description="Its name, without colons. Empty: none does.",
    )
    alerts_room: str = Field(
        "", max_length=200, title="Channel for alerts", description="New pages are announced there. Empty: nowhere."
    )
    rooms: Literal["none", "major", "all"] = Field(
        "none", title="A channel for each incident", description="For none, for major ones, or for all."
    )
    timeline_reaction: str = Field(
        "pushpin",
        pattern=r"^\S{0,60}$",
        title="Reaction that puts a message on the timeline",
        description="In the channel of an incident. Its name, without colons. Empty: none does.",
    )
    group: str = Field(
        "", max_length=200, title="Group of who is on watch", description="Its id. Its members follow the watch."
    )
    seat: str = Field("", max_length=80, title="Seat of that group", description="Empty: everybody who is on watch.")


def cut(text: str) -> str:
    """Cut a text to what a chat takes."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def split_command(text: str, name: str) -> str | None:
    """Give what follows a command's name in a message such as "!watchbill who"; None for a message that is none."""
    first, _, rest = text.strip().partition(" ")
    return rest.strip() if first.lower() == f"!{name}" else None


def value_of(pairs: tuple[tuple[str, str], ...], name: str) -> str:
    """Read one of the pairs of a Heard."""
    return next((value for key, value in pairs if key == name), "")


def fields_of(value: Any, *names: str) -> dict[str, Any]:
    """Walk into nested objects; an empty one where something else stands."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}

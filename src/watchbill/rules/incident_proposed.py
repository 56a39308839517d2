"""What proposes an incident. A member may always declare one (INC-01); the rule only proposes (INC-02, C8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "What may be an incident?"


@dataclass(frozen=True)
class Facts:
    """What is known of an alert or a request; minutes are since it began. `users` are those who say they are blocked."""

    minutes_down: int = 0
    minutes_visible: int = 0
    teams: int = 1
    users: int = 0
    blocks_team: bool = False
    is_security: bool = False
    asked_for: bool = False


class Settings(Chosen):
    """Each line proposes an incident by itself; 0 or off: it does not."""

    down_minutes: int = Field(0, ge=0, le=10_000, description="Down for more than so many minutes; 0: never.")
    visible_minutes: int = Field(0, ge=0, le=10_000, description="Users notice it for more than so many minutes.")
    second_team: bool = Field(default=False, description="A second team is needed.")
    users_blocked: int = Field(0, ge=0, le=10_000, description="So many users are blocked; 0: never.")
    blocked_team: bool = Field(default=False, description="Its impact blocks one or more teams.")
    security: bool = Field(default=False, description="It makes a major vulnerability.")
    when_asked: bool = Field(default=False, description="A requester, a community or a manager asks for it.")


def decide(facts: Facts, settings: Settings) -> list[str]:
    """Decide whether to propose an incident: every reason that holds, none means no proposal."""
    held = (
        (_over(facts.minutes_down, settings.down_minutes), f"down for more than {settings.down_minutes} minutes"),
        (
            _over(facts.minutes_visible, settings.visible_minutes),
            f"users have noticed it for more than {settings.visible_minutes} minutes",
        ),
        (settings.second_team and facts.teams > 1, "a second team is needed"),
        (settings.users_blocked > 0 and facts.users >= settings.users_blocked, f"{facts.users} users are blocked"),
        (settings.blocked_team and facts.blocks_team, "it blocks a team"),
        (settings.security and facts.is_security, "it is a major vulnerability"),
        (settings.when_asked and facts.asked_for, "somebody asked for an incident"),
    )
    return [why for holds, why in held if holds]


def _over(minutes: int, limit: int) -> bool:
    return limit > 0 and minutes > limit


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "nothing is proposed: an incident starts when a member says so"),
    ({"down_minutes": 30}, "more than half an hour down"),
    ({"visible_minutes": 5, "users_blocked": 2}, "noticed for more than five minutes, or two users blocked"),
)

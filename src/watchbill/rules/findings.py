"""Vulnerability and compliance feeds: which alerts are findings and become tickets by themselves (PAG-07, DUT-13)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "Which alerts become tickets by themselves?"


class Settings(Chosen):
    """The services whose alerts are findings. How loud an alert is stays with its severity."""

    services: list[str] = Field(
        default_factory=list, description="Services, by their short names, whose open alerts become tickets; none: off."
    )
    severities: list[str] = Field(default_factory=list, description="Only these severities; none named: all.")
    labels: list[str] = Field(
        default_factory=lambda: ["operations", "compliance"], description="The labels of such a ticket."
    )


def decide(service: str, severity: str, settings: Settings) -> bool:
    """Decide whether an alert of a service is a finding."""
    return service in settings.services and (not settings.severities or severity in settings.severities)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "none: a person writes the ticket"),
    ({"services": ["prisma"], "labels": ["operations", "compliance"]}, "every open alert of the service prisma"),
    ({"services": ["prisma"], "severities": ["critical"]}, "the critical ones"),
)

"""The two kinds of work and the labels that tell them apart (BKL-01, BKL-09)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "What is operations, what is feature work?"


class Settings(Chosen):
    """The labels are the team's own; the first of each is the one we write."""

    operations_labels: list[str] = Field(
        default_factory=lambda: ["operations", "operational"], min_length=1, description="Labels of operations work."
    )
    feature_labels: list[str] = Field(
        default_factory=lambda: ["feature"], min_length=1, description="Labels of feature work."
    )
    default: Literal["feature", "operations"] = Field("operations", description="What carries none of the labels.")


def decide(labels: Collection[str], settings: Settings) -> Literal["feature", "operations"]:
    """Decide the kind of work from the labels of a ticket, whatever their case."""
    carried = {label.lower() for label in labels}
    if carried & {label.lower() for label in settings.operations_labels}:
        return "operations"
    if carried & {label.lower() for label in settings.feature_labels}:
        return "feature"
    return settings.default


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "operations or operational, else feature; unlabelled work is operations"),
    ({"operations_labels": ["toil"], "default": "feature"}, "only what is labelled toil is operations"),
)

"""The one place that reads the clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Read the present instant, UTC, aware."""
    return datetime.now(UTC)

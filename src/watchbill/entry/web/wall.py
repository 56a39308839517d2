"""A form field for a time on the reader's wall, by the one rule for changes of clock (`core.wallclock`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils import timezone

from watchbill.core.wallclock import end_instant, start_instant

FORMAT = "%Y-%m-%dT%H:%M"


class WallField(forms.CharField):
    """Date and time in the reader's zone; gives an instant (UTC). A start takes the first of two, an end the last."""

    def __init__(self, *, is_end: bool = False, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "datetime-local", "step": 60}), **kwargs)
        self.is_end = is_end

    def prepare_value(self, value: Any) -> Any:
        """Show an instant as the reader's wall shows it."""
        return timezone.localtime(value).strftime(FORMAT) if isinstance(value, datetime) else value

    def clean(self, value: Any) -> Any:
        """Read the time; raises forms.ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError("write a date and a time, like 2026-03-09T09:00") from None
        if wall.tzinfo is not None:
            return wall.astimezone(UTC)
        instant = end_instant if self.is_end else start_instant
        try:
            return instant(wall.date(), wall.time(), timezone.get_current_timezone_name())
        except OverflowError:
            raise forms.ValidationError("this is too far away") from None

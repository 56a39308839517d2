"""Forms of the pages: Django reads them, our actions judge them, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms

from watchbill.kit.errors import Refused


class MarkdownField(forms.CharField):
    """A longer text in which Markdown is understood, as its hint says; `rows` is how high it begins."""

    def __init__(self, rows: int, hint: str = "Markdown.", **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": rows}), help_text=hint, **kwargs)


def attempt(form: forms.Form, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do an action for a form: what it refuses is shown at the field it names. Gives None after a refusal.

    An action that returns None gives True, so that the caller may ask `if attempt(...)`.
    """
    try:
        result = action(*args, **kwargs)
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return None
    return True if result is None else result

"""Forms of the pages: Django reads them, our actions judge them, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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


@cache
def zone_choices() -> list[tuple[str, str]]:
    """List the time zones that one may choose, of those that the system knew when we began."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class _ZoneSelect(forms.Select):
    """Writes its hundreds of options at once, where Django fills two templates for each."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Give the HTML."""
        described = flatatt({**self.build_attrs(self.attrs, attrs), "name": name})
        chosen = self.format_value(value)
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            ((zone, flatatt({"selected": zone in chosen}), label) for zone, label in self.choices),
        )
        return format_html("<select{}>\n{}\n</select>", described, options)


class ZoneField(forms.ChoiceField):
    """A time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=zone_choices, widget=_ZoneSelect, **kwargs)

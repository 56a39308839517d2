"""The generic monitor's settings as a form: each field with its description, against a payload, the result beside it.

What a field holds is text: a template, words with commas, or lines of `name: value`. A field that still holds its
default is not sent to the model, so that a default which finds nothing is not called a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from pydantic import BaseModel

ROWS = {"labels": 2, "links": 3, "severity_map": 2}


def show_value(value: object) -> str:
    """Write a setting as the text that stands in its field."""
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(word) for word in value)
    return str(value or "")


class MappingForm(forms.Form):
    """A form over the fields of a monitor's settings."""

    def __init__(self, data: Any, model: type[BaseModel], stored: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", prefix="m", **kwargs)
        self.defaults = {
            name: show_value(info.get_default(call_default_factory=True, validated_data={}))
            for name, info in model.model_fields.items()
        }
        for name, info in model.model_fields.items():
            lines = isinstance(info.get_default(call_default_factory=True, validated_data={}), dict)
            attrs = {"class": "code", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
            widget: forms.Widget = (
                forms.Textarea({**attrs, "rows": ROWS.get(name, 2)})
                if lines or name == "description"
                else forms.TextInput(attrs)
            )
            self.fields[name] = forms.CharField(
                label=info.title or name,
                help_text=info.description or "",
                required=False,
                strip=False,
                max_length=5000,
                widget=widget,
                initial=show_value(stored[name]) if name in stored else self.defaults[name],
            )

    def written(self) -> dict[str, str]:
        """Give what a person wrote: every field that differs from its default."""
        given = {name: str(self.data.get(f"m-{name}", "")).replace("\r\n", "\n") for name in self.fields}
        return {name: text for name, text in given.items() if text != self.defaults[name]}

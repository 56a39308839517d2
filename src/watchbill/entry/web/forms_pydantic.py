"""A pydantic model as an HTML form: channels and rules say once what they need, and it becomes the form.

    Form = form_for(channel.Address)
    form = Form(request.POST or None)
    if form.is_valid(): form.values()      what the model accepted, as plain data

Texts, numbers, yes/no, choices, secrets, lists (one per line), pairs (`word = meaning` per line), tables (a dict of
small models) and small models in one line (an amount and its unit) have fields of their own; anything rarer is written as YAML. The model itself judges, and
each of its complaints is shown at its field.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from django import forms
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from watchbill.channels import to_plain

EMPTY_ROWS = 2
LONGEST = 4000
PARTS_MOST = 3


class ModelForm(forms.Form):
    """A form that a pydantic model judges. Secrets that are stored are never shown; an empty one keeps the old."""

    model: type[BaseModel]
    stored: Mapping[str, Any]

    def __init__(self, data: Any = None, *, stored: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.stored = stored or {}
        shown = {
            name: value for name, value in self.stored.items() if not _is_secret(self.model.model_fields.get(name))
        }
        kwargs["initial"] = {**shown, **(kwargs.get("initial") or {})}
        super().__init__(data, **kwargs)
        for name, info in self.model.model_fields.items():
            if name in self.fields and _is_secret(info) and self.stored.get(name):
                self.fields[name].required = False
                self.fields[name].help_text = "leave empty to keep the one that is stored"

    def clean(self) -> dict[str, Any]:
        """Let the model judge what was typed; its complaints stand at their fields."""
        cleaned: dict[str, Any] = super().clean() or {}
        given = {name: value for name, value in cleaned.items() if name in self.model.model_fields}
        for name, info in self.model.model_fields.items():
            if given.get(name) in ("", None) and (name in self.stored and _is_secret(info)):
                given[name] = self.stored[name]
            elif given.get(name) in ("", None):
                given.pop(name, None)
        if not self.errors:
            self._judge(given)
        return cleaned

    def _judge(self, given: dict[str, Any]) -> None:
        try:
            self._read = self.model.model_validate(given, extra="forbid")
        except ValidationError as error:
            for problem in error.errors(include_input=False, include_url=False, include_context=False):
                name = str(problem["loc"][0]) if problem["loc"] else ""
                place = ", ".join(str(part) for part in problem["loc"][1:])
                words = problem["msg"].removeprefix("Value error, ")
                self.add_error(name if name in self.fields else None, f"{place}: {words}" if place else words)

    def values(self) -> dict[str, Any]:
        """Give what the model accepted, as plain data, secrets in clear."""
        return to_plain(self._read)


def form_for(model: type[BaseModel]) -> type[ModelForm]:
    """Make the form of a model."""
    fields = {name: _field(name, info) for name, info in model.model_fields.items()}
    made: type[ModelForm] = type(f"{model.__name__}Form", (ModelForm,), {**fields, "model": model})
    return made


def _is_secret(info: FieldInfo | None) -> bool:
    return info is not None and _plain_type(info.annotation) is SecretStr


def _plain_type(annotation: Any) -> Any:
    """Give the type without Annotated and without `| None`."""
    if get_origin(annotation) is typing.Annotated:
        return _plain_type(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _plain_type(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _field(name: str, info: FieldInfo) -> forms.Field:
    kind = _plain_type(info.annotation)
    default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    common: dict[str, Any] = {
        "label": info.title or name.replace("_", " ").capitalize(),
        "help_text": info.description or "",
        "required": info.is_required(),
        "initial": default.get_secret_value() if isinstance(default, SecretStr) else default,
    }
    if kind is bool:
        return forms.BooleanField(**{**common, "required": False})
    if get_origin(kind) is Literal:
        return forms.ChoiceField(choices=[(word, str(word).replace("_", " ")) for word in get_args(kind)], **common)
    if kind in {int, float}:
        return (forms.IntegerField if kind is int else forms.FloatField)(**common, **_bounds(info))
    if kind in {str, SecretStr}:
        hidden = kind is SecretStr and name == "password"
        widget = forms.PasswordInput() if hidden else forms.TextInput()
        widget.attrs["autocomplete"] = "new-password" if hidden else "email" if name == "email" else "off"
        return forms.CharField(max_length=LONGEST, widget=widget, **common)
    return _structured(kind, common)


def _structured(kind: Any, common: dict[str, Any]) -> forms.Field:
    if get_origin(kind) is list and get_args(kind) == (str,):
        return LinesField(**common)
    if get_origin(kind) is dict and get_args(kind) == (str, str):
        return PairsField(**common)
    inner = get_args(kind)[1] if get_origin(kind) is dict else None
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return TableField(inner, **{**common, "required": False})
    if isinstance(kind, type) and issubclass(kind, BaseModel) and _is_short(kind):
        return PartsField(kind, **{**common, "required": False})
    return YamlField(**common)


def _is_short(model: type[BaseModel]) -> bool:
    """Tell whether a model is a few plain words, such as an amount and its unit: it stands in one line."""
    kinds = [_plain_type(info.annotation) for info in model.model_fields.values()]
    return len(kinds) <= PARTS_MOST and all(kind in {int, float, str} or get_origin(kind) is Literal for kind in kinds)


def _bounds(info: FieldInfo) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for rule in info.metadata:
        if isinstance(rule, annotated_types.Ge):
            bounds["min_value"] = rule.ge
        elif isinstance(rule, annotated_types.Le):
            bounds["max_value"] = rule.le
    return bounds


class LinesField(forms.CharField):
    """A list of words, one per line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["help_text"] = f"{kwargs.get('help_text', '')} One per line.".strip()
        super().__init__(widget=forms.Textarea(attrs={"rows": 4}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show the list as lines."""
        return "\n".join(str(item) for item in value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: Any) -> None:
        """Leave the judgement to the model."""


class PairsField(LinesField):
    """Words and what they stand for, one pair per line."""

    def prepare_value(self, value: Any) -> Any:
        """Show the pairs as lines."""
        return "\n".join(f"{key} = {word}" for key, word in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        """Read the pairs; raises forms.ValidationError naming the line."""
        pairs: dict[str, str] = {}
        for line in super().to_python(value):
            key, equals, word = (part.strip() for part in line.partition("="))
            if not (key and equals and word):
                raise forms.ValidationError(f"write it as: word = meaning (not “{line[:60]}”)")
            pairs[key] = word
        return pairs


class YamlField(forms.CharField):
    """Anything that has no field of its own, as YAML."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show data as YAML."""
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        if plain is None:
            return ""
        return plain if isinstance(plain, str) else yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)

    def to_python(self, value: Any) -> Any:
        """Read the YAML; raises forms.ValidationError with the place."""
        try:
            return yaml.safe_load(str(value or ""))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise forms.ValidationError(f"this is not YAML: {error}") from None


class PartsWidget(forms.Widget):
    """A small model in one line: the label of the whole stands at its first part, the others say what they are."""

    def __init__(self, model: type[BaseModel], label: str) -> None:
        super().__init__()
        self.model, self.label = model, label

    def _parts(self, name: str, value: Any = None) -> ModelForm:
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        made = form_for(self.model)(initial=plain or {}, prefix=name)
        for n, (part, field) in enumerate(made.fields.items()):
            field.required = False
            if n:
                field.widget.attrs["aria-label"] = f"{self.label}: {part.replace('_', ' ')}"
        return made

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Draw the parts side by side."""
        return format_html(
            '<span class="in-a-line">{}</span>',
            format_html_join(" ", "{}", ((part,) for part in self._parts(name, value))),
        )

    def id_for_label(self, id_: str) -> str:
        """Name the first part."""
        return f"{id_}-{next(iter(self.model.model_fields))}" if id_ else ""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, Any] | None:
        """Read the parts; nothing, when what the model demands stands empty."""
        made = self._parts(name)
        typed = {
            part: one.widget.value_from_datadict(data, files, f"{name}-{part}") for part, one in made.fields.items()
        }
        demanded = [part for part, info in self.model.model_fields.items() if info.is_required()]
        if all(typed[part] in ("", None) for part in demanded):
            return None
        return {part: value for part, value in typed.items() if value not in ("", None)}


class PartsField(forms.Field):
    """A small model of plain words in one line; without what it demands: nothing."""

    def __init__(self, model: type[BaseModel], **kwargs: Any) -> None:
        super().__init__(widget=PartsWidget(model, kwargs["label"]), **kwargs)


class TableWidget(forms.Widget):
    """One row per entry: its name and the fields of a small model; empty rows at the end are for new entries."""

    template_name = "table_widget.html"
    use_fieldset = True

    def __init__(self, row_form: type[ModelForm]) -> None:
        super().__init__()
        self.row_form = row_form

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Draw the table with our own template; forms know only Django's."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Give the template a form per row."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        entries = [*_entries(value), *[("", None)] * EMPTY_ROWS]
        context["widget"]["rows"] = [
            {"key": key, "name": f"{name}-{n}-key", "form": self.row_form(initial=row or {}, prefix=f"{name}-{n}")}
            for n, (key, row) in enumerate(entries)
        ]
        return context

    def format_value(self, value: Any) -> Any:
        """Leave the rows as they are."""
        return value

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[tuple[str, dict[str, Any]]]:
        """Read the rows that have a name."""
        rows: list[tuple[str, dict[str, Any]]] = []
        number = 0
        while f"{name}-{number}-key" in data:
            key = " ".join(str(data[f"{name}-{number}-key"]).split())
            prefix = f"{name}-{number}"
            typed = {
                field: made.widget.value_from_datadict(data, files, f"{prefix}-{field}")
                for field, made in self.row_form(prefix=prefix).fields.items()
            }
            if key:
                rows.append((key, typed))
            number += 1
        return rows


def _entries(value: Any) -> Sequence[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(key, row.model_dump() if isinstance(row, BaseModel) else row) for key, row in value.items()]
    return list(value or ())


class TableField(forms.Field):
    """A dict of small models: a name and a row of fields each. An empty name removes the row."""

    def __init__(self, model: type[BaseModel], **kwargs: Any) -> None:
        kwargs["help_text"] = f"{kwargs.get('help_text', '')} Empty the name to remove a row.".strip()
        self.row_form = form_for(model)
        super().__init__(widget=TableWidget(self.row_form), **kwargs)

    def clean(self, value: Any) -> dict[str, dict[str, Any]]:
        """Give the rows by name, without what was left empty."""
        return {key: self._read(key, row) for key, row in value}

    def _read(self, key: str, row: dict[str, Any]) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for name, field in self.row_form().fields.items():
            try:
                # What is written in a language of its own is read here; the model reads the rest.
                typed = field.to_python(row[name]) if isinstance(field, LinesField | YamlField) else row[name]
            except forms.ValidationError as error:
                raise forms.ValidationError(f"{key}, {field.label}: {error.messages[0]}") from None
            if typed not in ("", None):
                read[name] = typed
        return read

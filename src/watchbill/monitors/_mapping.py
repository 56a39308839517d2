"""The settings of the generic monitor: which text with holes fills which part of an alert.

A form and the API schema come from this model; a list may come as words with commas, an object as lines of
`name: value`, which is what a plain form can send.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from watchbill.core.foreign import read_line, read_text, read_word
from watchbill.monitors._templates import LONGEST_TEMPLATE, BadTemplate, read_template

# fmt: off
_FIRING = (
    "firing", "alerting", "alert", "alarm", "triggered", "trigger", "open", "problem", "down", "critical", "error",
    "failed", "fail", "warning", "active",
)
_RESOLVED = (
    "resolved", "resolve", "ok", "up", "recovered", "recovery", "closed", "cleared", "clear", "normal", "healthy",
    "success", "inactive",
)
# fmt: on


def _check_template(text: str) -> str:
    try:
        read_template(text)
    except BadTemplate as failure:
        raise ValueError(failure.message) from failure
    return read_text(text)


def _split_words(value: object) -> object:
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    return [word for item in value if (word := read_word(item))] if isinstance(value, list | tuple) else value


def _split_lines(value: object) -> object:
    """Read "name: value" lines, which is what a form sends, as an object."""
    if not isinstance(value, str):
        return value
    lines = [line for line in value.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if ":" not in line:
            raise ValueError(f"line {number + 1} is not of the form “name: value”")
    return {name.strip(): text.strip() for name, _, text in (line.partition(":") for line in lines)}


def _clean_names(value: dict[str, str]) -> dict[str, str]:
    return {read_line(name, 255): text for name, text in value.items()}


def _lower_both(value: dict[str, str]) -> dict[str, str]:
    return {read_word(word): read_word(meaning) for word, meaning in value.items()}


TemplateText = Annotated[str, StringConstraints(max_length=LONGEST_TEMPLATE), AfterValidator(_check_template)]
Words = Annotated[tuple[str, ...], Field(max_length=64), BeforeValidator(_split_words)]
NamedTemplates = Annotated[
    dict[str, TemplateText], Field(max_length=32), BeforeValidator(_split_lines), AfterValidator(_clean_names)
]
NamedWords = Annotated[dict[str, str], Field(max_length=64), BeforeValidator(_split_lines), AfterValidator(_lower_both)]


class Settings(BaseModel):
    """The mapping: each field a text in which {{ expression }} is looked up in the alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: TemplateText = Field(
        default="",
        title="Alerts are in",
        description="Where the list of alerts is: {{ alerts }}. Empty: the payload is one alert, or a list of them.",
    )
    title: TemplateText = Field(
        default="{{ title || summary || message || name }}",
        title="Title",
        description="One sentence that a person understands at night: {{ check }} on {{ host.name }} is {{ status }}.",
    )
    fingerprint: TemplateText = Field(
        default="{{ key || fingerprint || dedup_key }}",
        title="Key",
        description="What is the same each time the tool speaks of this alert, also when it ends: {{ host }}/{{ check }}. "
        "Not the number of the message, not a text with a value in it. Empty: the title.",
    )
    state: TemplateText = Field(
        default="{{ status || state }}",
        title="State",
        description="The word or number that tells whether it fires or has ended: {{ status }}. Empty: it always fires.",
    )
    firing_when: Words = Field(
        default=_FIRING,
        title="Fires when the state is",
        description="Words with commas between them. A state that is in no list counts as firing.",
    )
    acknowledged_when: Words = Field(
        default=("acknowledged", "acknowledge", "ack"),
        title="Is acknowledged when the state is",
        description="Words with commas between them: somebody took it in the tool itself.",
    )
    resolved_when: Words = Field(
        default=_RESOLVED,
        title="Has ended when the state is",
        description="Words with commas between them: ok, resolved, up.",
    )
    ignored_when: Words = Field(
        default=(),
        title="Is left out when the state is",
        description="Words with commas between them: messages of the tool that are no alerts.",
    )
    severity: TemplateText = Field(
        default="{{ severity || level }}",
        title="Severity",
        description="The tool's own word: {{ severity }}. The team's policy says what each word means.",
    )
    severity_map: NamedWords = Field(
        default={},
        title="Severities in other words",
        description="One a line, the tool's word and yours: P1: critical",
    )
    description: TemplateText = Field(
        default="{{ description || details }}", title="Description", description="Whatever helps, in several lines."
    )
    source: TemplateText = Field(
        default="{{ source || host || instance }}",
        title="Source",
        description="The machine or part it is about: {{ host }}.",
    )
    group: TemplateText = Field(
        default="",
        title="Group",
        description="Alerts with the same group are handled as one: {{ cluster }}. Empty: each alert alone.",
    )
    labels: NamedTemplates = Field(
        default={"labels": "{{ labels }}"},
        title="Labels",
        description="One a line, a name and where it is: region: {{ tags.region }}. An object gives a label for each field.",
    )
    links: NamedTemplates = Field(
        default={"Link": "{{ url || link }}", "Runbook": "{{ runbook_url || runbook }}"},
        title="Links",
        description="One a line, a name and an address: Graph: https://graphs.example.org/{{ id }}",
    )
    started_at: TemplateText = Field(
        default="{{ started_at || timestamp }}",
        title="Began at",
        description="2026-11-20T08:00:00Z, or Unix seconds or milliseconds: {{ started_at }}.",
    )
    ended_at: TemplateText = Field(
        default="{{ ended_at }}", title="Ended at", description="The same, once it has ended: {{ ended_at }}."
    )

"""The form of a ladder: steps that can be added, moved and removed without JavaScript; nothing typed is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from watchbill.core.paging import WEEKDAYS
from watchbill.db.models import Team
from watchbill.db.screens import teams as screen
from watchbill.entry.web.numbers import number_in, numbers_in

COVERAGE = [("", "at any hour"), ("in", "only in coverage hours"), ("out", "only outside coverage hours")]
COVERAGE_VALUES = {"in": True, "out": False}
COVERAGE_WORDS = {True: "in", False: "out"}


class LadderForm(forms.Form):
    """The ladder itself: its name, and how often it is climbed."""

    name = forms.CharField(max_length=80)
    repeat = forms.IntegerField(
        label="Climb it",
        min_value=1,
        max_value=20,
        initial=1,
        help_text="How many times, before it counts as unanswered.",
    )
    steps = forms.CharField(required=False, widget=forms.HiddenInput())


class StepForm(forms.Form):
    """One step: whom to ask, how long to wait, and when it counts."""

    targets = forms.MultipleChoiceField(label="Ask", required=False, widget=forms.CheckboxSelectMultiple)
    people = forms.MultipleChoiceField(label="… and by name", required=False, widget=forms.CheckboxSelectMultiple)
    wait_minutes = forms.IntegerField(label="Minutes to wait for an answer", min_value=1, max_value=24 * 60, initial=5)
    severities = forms.MultipleChoiceField(
        label="Only for these severities (none chosen: all)", required=False, widget=forms.CheckboxSelectMultiple
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="Only on these days (none chosen: all)",
        required=False,
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
        widget=forms.CheckboxSelectMultiple,
    )
    in_coverage = forms.ChoiceField(label="When", required=False, choices=COVERAGE)

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, options in (
            ("targets", choices.targets),
            ("people", choices.people),
            ("severities", choices.severities),
        ):
            field: Any = self.fields[name]
            field.choices = options

    def step(self) -> dict[str, Any]:
        """Give the step as a ladder keeps it."""
        data = self.cleaned_data
        coverage = COVERAGE_VALUES.get(data["in_coverage"])
        when = {"severities": data["severities"], "weekdays": data["weekdays"], "in_coverage": coverage}
        return {"targets": [*data["targets"], *data["people"]], "wait_minutes": data["wait_minutes"], "when": when}


class Choices:
    """What a step of this team's ladders may name; what a ladder names already stays choosable."""

    def __init__(self, team: Team, severities: list[str], steps: list[dict[str, Any]]) -> None:
        seats = screen.seats_of(team)
        used = [target for step in steps for target in step.get("targets", ())]
        named = numbers_in(target.removeprefix("person:") for target in used)
        self.people = [(f"person:{number}", name) for number, name in screen.serving_people(team, named)]
        known = [
            *((f"seat:{seat}", f"{words} on watch") for seat, words in seats),
            *((f"next:{seat}", f"next {words}") for seat, words in seats),
            ("team", "the whole team"),
            ("fallback", "the fallback person"),
        ]
        rest = dict.fromkeys(target for target in used if target not in dict(known) and target not in dict(self.people))
        self.targets = [*((target, screen.target_in_words(target, {})) for target in rest), *known]
        given = [severity for step in steps for severity in (step.get("when") or {}).get("severities", ())]
        self.severities = [(word, word) for word in dict.fromkeys([*severities, *given])]


class LadderEditor:
    """A ladder while it is edited: made from what is stored, or from what was posted."""

    def __init__(
        self, choices: Choices, *, stored: Mapping[str, Any] | None = None, posted: QueryDict | None = None
    ) -> None:
        self.choices = choices
        self.form = LadderForm(posted, initial={"name": "", "repeat": 1} if stored is None else dict(stored))
        if posted is None:
            steps = list((stored or {}).get("steps") or [{}])
            self.steps = [
                StepForm(prefix=f"s{n}", initial=_shown(step), choices=choices) for n, step in enumerate(steps)
            ]
        else:
            number = min(number_in(posted.get("count", "")) or 0, 30)
            self.steps = [StepForm(posted, prefix=f"s{n}", choices=choices) for n in range(number)]

    def rearrange(self, do: str) -> bool:
        """Add, move or remove a step as a button said; False: the button meant something else."""
        verb, _, place = do.partition("-")
        raw = [_typed(step) for step in self.steps]
        at = number_in(place)
        at = at if at is not None and at < len(raw) else None
        match verb:
            case "add":
                raw.append({})
            case "remove" if at is not None:
                raw.pop(at)
            case "up" if at:
                raw[at - 1], raw[at] = raw[at], raw[at - 1]
            case _:
                return False
        typed = self.form.data
        self.form = LadderForm(initial={"name": typed.get("name", ""), "repeat": typed.get("repeat", 1)})
        self.steps = [StepForm(prefix=f"s{n}", initial=row, choices=self.choices) for n, row in enumerate(raw)]
        return True

    def is_valid(self) -> bool:
        """Tell whether every field can be read."""
        return all([self.form.is_valid(), *(step.is_valid() for step in self.steps)])

    def read(self) -> tuple[str, list[dict[str, Any]], int]:
        """Give name, steps and repeats, once valid."""
        data = self.form.cleaned_data
        return data["name"], [step.step() for step in self.steps], data["repeat"]


def _shown(step: Mapping[str, Any]) -> dict[str, Any]:
    if not step:
        return {}
    when = step.get("when") or {}
    return {
        "targets": [target for target in step.get("targets", ()) if not target.startswith("person:")],
        "people": [target for target in step.get("targets", ()) if target.startswith("person:")],
        "wait_minutes": step.get("wait_minutes", 5),
        "severities": when.get("severities", []),
        "weekdays": when.get("weekdays", []),
        "in_coverage": "" if when.get("in_coverage") is None else COVERAGE_WORDS[bool(when["in_coverage"])],
    }


def _typed(step: StepForm) -> dict[str, Any]:
    """Give what was typed, checked or not, so that moving a step loses nothing."""
    if not step.is_bound:
        return dict(step.initial)
    return {name: step[name].value() for name in step.fields}

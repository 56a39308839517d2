"""The form of a rotation's settings: seats, hours and members as rows that a submit button adds, moves and removes.

What was typed is kept as nested plain data in the shape of the settings (`Sheet.typed`), whatever it holds; forms
are made from it only to be shown and checked. A refusal of the core names a dotted path (`seats.1.coverage.0.start`),
and the form of that row has the same path as its prefix (`seats-1-coverage-0`), so it finds its field by itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from watchbill.core.rota import plain
from watchbill.entry.web.forms import ZoneField
from watchbill.entry.web.numbers import number_in
from watchbill.kit.errors import Refused

MOST_ROWS = 100
F = TypeVar("F", bound="RowForm")
SEEDS = 1_000_000
DAYS = list(zip(map(str, range(7)), ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
LONG_DAYS = list(
    zip(map(str, range(7)), ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], strict=True)
)
UNITS = [
    ("working_day", "working days"),
    ("day", "days"),
    ("week", "weeks"),
    ("month", "months"),
    ("quarter", "quarters"),
    ("hours", "hours"),
]
ORDERS = [
    ("fixed", "always in this order"),
    ("alphabetical", "by name"),
    ("reshuffle_each_cycle", "reshuffled each cycle"),
]


class RowForm(forms.Form):
    """A form without a colon after its labels, whose texts are kept as typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


def _number(label: str, initial: int, least: int, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, initial=initial, min_value=least, max_value=1000, **kwargs)


def _time(label: str, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs={"type": "time"}), **kwargs)


def _date(label: str, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs={"type": "date"}), **kwargs)


class PlanForm(RowForm):
    """What holds for the whole rotation."""

    every = _number("A turn lasts", 1, 1)
    unit = forms.ChoiceField(label="of what", choices=UNITS)
    handoff_at = _time("It is handed over at")
    handoff_weekday = forms.ChoiceField(
        label="on", choices=LONG_DAYS, help_text="Counts for weeks; months and quarters change on their first day."
    )
    zone = ZoneField(label="in the time of")
    starts_on = _date("It begins on")
    hours = forms.ChoiceField(
        label="It covers",
        choices=[("always", "round the clock"), ("windows", "only these hours")],
        widget=forms.RadioSelect,
    )
    order = forms.ChoiceField(label="Turns go", choices=ORDERS)
    seed = forms.IntegerField(widget=forms.HiddenInput, required=False, initial=0)
    follow_holidays = forms.BooleanField(label="Public holidays of the team are nobody's", required=False)
    own_holidays = forms.BooleanField(label="On their own public holidays members are away", required=False)
    absent_keeps_turn = forms.BooleanField(label="Whoever is away keeps the turn for later", required=False)


class WindowForm(RowForm):
    """Hours of the week."""

    weekdays = forms.MultipleChoiceField(choices=DAYS, widget=forms.CheckboxSelectMultiple)
    start = _time("from")
    end = _time("until")


class SeatForm(RowForm):
    """A parallel place in each shift."""

    name = forms.CharField(label="Seat", max_length=40)
    skill = forms.CharField(label="needs the skill", max_length=40, required=False, help_text="Empty: none.")
    offset = _number("hands over later by", 0, 0, help_text="So many of the turn's units.")
    hours = forms.ChoiceField(
        label="covers", choices=[("same", "what the rotation covers"), ("windows", "hours of its own")]
    )


class MemberForm(RowForm):
    """A person in the list, and the dates in which they serve."""

    person = forms.IntegerField(widget=forms.HiddenInput)
    active_from = _date("from", required=False)
    active_until = _date("until, included", required=False)


def read_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Turn settings into what the sheet would hold if somebody had typed them."""
    plain_part = {name: value for name, value in settings.items() if name != "follow_holidays"}
    normal = plain.to_json(plain.from_json({**plain_part, "members": []}))
    coverage = normal["coverage"]
    return {
        **{name: normal[name] for name in PlanForm.base_fields if name in normal},
        "follow_holidays": bool(settings.get("follow_holidays")),
        "hours": "always" if coverage is None else "windows",
        "coverage": list(coverage or ()),
        "seats": [
            {**seat, "hours": "same" if seat["coverage"] is None else "windows", "coverage": seat["coverage"] or []}
            for seat in normal["seats"]
        ],
        "members": [dict(member) for member in settings.get("members") or ()],
    }


def read_post(data: QueryDict) -> dict[str, Any]:
    """Read what was typed, as it stands."""
    return {
        **_typed(PlanForm, data, ""),
        "coverage": _rows(WindowForm, data, "coverage", "start"),
        "seats": [
            {**seat, "coverage": _rows(WindowForm, data, f"seats-{n}-coverage", "start")}
            for n, seat in enumerate(_rows(SeatForm, data, "seats", "name"))
        ],
        "members": _rows(MemberForm, data, "members", "person"),
    }


def _typed(form: type[forms.Form], data: QueryDict, prefix: str) -> dict[str, Any]:
    return {
        name: field.widget.value_from_datadict(data, MultiValueDict(), f"{prefix}-{name}" if prefix else name)
        for name, field in form.base_fields.items()
    }


def _rows(form: type[forms.Form], data: QueryDict, prefix: str, always: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while f"{prefix}-{len(rows)}-{always}" in data and len(rows) < MOST_ROWS:
        rows.append(_typed(form, data, f"{prefix}-{len(rows)}"))
    return rows


def press(typed: dict[str, Any], button: str, added: str = "") -> bool:
    """Do what a button of the form does to the rows, such as `add seats.0.coverage`; False: it is none of these."""
    verb, _, place = button.partition(" ")
    if verb == "reshuffle":
        typed["seed"] = secrets.randbelow(SEEDS)
    elif verb == "add":
        _add(typed, place, added)
    elif verb in {"remove", "up", "down"}:
        home, _, number = place.rpartition(".")
        at = number_in(number)
        _shift(_list_at(typed, home), -1 if at is None else at, verb)
    else:
        return False
    return True


def _add(typed: dict[str, Any], place: str, added: str) -> None:
    rows = _list_at(typed, place)
    if place == "members":
        if number_in(added) is not None and all(str(row["person"]) != added for row in rows):
            rows.append({"person": added})
    elif place == "seats":
        rows.append({"name": "", "offset": 0, "hours": "same", "coverage": []})
    for owner in [typed, *typed["seats"]]:
        if owner["coverage"] is rows:
            rows.append({"weekdays": ["0", "1", "2", "3", "4"], "start": "09:00", "end": "17:00"})
            owner["hours"] = "windows"


def _list_at(typed: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """Find the rows of a place that a button may name; an unknown one gives rows that nobody sees."""
    rows: list[dict[str, Any]] = []
    match place.split("."):
        case ["seats" | "members" | "coverage" as name]:
            rows = typed[name]
        case ["seats", number, "coverage"] if (at := number_in(number)) is not None and at < len(typed["seats"]):
            rows = typed["seats"][at]["coverage"]
    return rows


def _shift(rows: list[dict[str, Any]], number: int, verb: str) -> None:
    if not 0 <= number < len(rows):
        return
    row = rows.pop(number)
    if verb != "remove":
        rows.insert(max(number - 1, 0) if verb == "up" else number + 1, row)


class Sheet:
    """The forms of what was typed; `check` binds them, so that what is wrong is shown at its field."""

    def __init__(self, typed: dict[str, Any], names: Mapping[int, str], *, check: bool = False) -> None:
        self.typed = typed
        self._check = check
        self.plan = PlanForm(*self._given(PlanForm, typed, ""), initial=typed)
        self.windows = self._windows(typed["coverage"], "coverage")
        self.seats = [
            (self._form(SeatForm, seat, f"seats-{n}"), self._windows(seat["coverage"], f"seats-{n}-coverage"))
            for n, seat in enumerate(typed["seats"])
        ]
        self.members = [
            (self._form(MemberForm, member, f"members-{n}"), _name(member, names))
            for n, member in enumerate(typed["members"])
        ]
        self.left = [
            (n, name) for n, name in names.items() if str(n) not in {str(m["person"]) for m in typed["members"]}
        ]

    def _given(self, form: type[RowForm], typed: Mapping[str, Any], prefix: str) -> tuple[Any, ...]:
        """Give a form what was typed, as data when it is to be checked."""
        if not self._check:
            return ()
        data: MultiValueDict[str, Any] = MultiValueDict()
        for name in form.base_fields:
            value = typed.get(name)
            if value not in (None, False):
                many = value if isinstance(value, list) else [value]
                data.setlist(f"{prefix}-{name}" if prefix else name, [str(one) for one in many])
        return (data,)

    def _form(self, form: type[F], typed: Mapping[str, Any], prefix: str) -> F:
        return form(*self._given(form, typed, prefix), initial=typed, prefix=prefix)

    def _windows(self, rows: Iterable[Mapping[str, Any]], prefix: str) -> list[WindowForm]:
        return [self._form(WindowForm, row, f"{prefix}-{n}") for n, row in enumerate(rows)]

    def forms(self) -> dict[str, RowForm]:
        """Give every form of the sheet by its prefix."""
        found: dict[str, RowForm] = {"": self.plan}
        rows = [form for form, _ in self.members]
        for seat, windows in self.seats:
            found[str(seat.prefix)] = seat
            found |= {str(window.prefix): window for window in windows}
        return found | {str(row.prefix): row for row in [*self.windows, *rows]}

    def is_valid(self) -> bool:
        """Tell whether every field holds something that can be read; the core judges the rest."""
        answers = [form.is_valid() for form in self.forms().values()]
        if self.typed["hours"] == "windows" and not self.windows and not any(windows for _, windows in self.seats):
            self.plan.add_error("hours", "add the hours that it covers, or choose round the clock")
            return False
        return all(answers)

    def settings(self) -> dict[str, Any]:
        """Give the settings as the core reads them; call it when the sheet is valid."""
        plan = dict(self.plan.cleaned_data)
        hours = plan.pop("hours")
        plan["handoff_weekday"] = int(plan["handoff_weekday"])
        plan["seed"] = plan["seed"] or 0
        return {
            **plan,
            "coverage": _read_windows(self.windows) if hours == "windows" else None,
            "seats": [_read_seat(seat, windows) for seat, windows in self.seats],
            "members": [
                {name: value for name, value in form.cleaned_data.items() if value not in ("", None)}
                for form, _ in self.members
            ],
        }

    def refuse(self, refusal: Refused) -> None:
        """Show a refusal at the field that it names, however deep."""
        parts = refusal.field.split(".")
        message = refusal.message.removeprefix(refusal.field).strip()
        known = self.forms()
        for depth in range(len(parts), -1, -1):
            form = known.get("-".join(parts[:depth]))
            if form is not None:
                name = parts[depth] if depth < len(parts) else next(iter(form.fields))
                form.add_error(
                    name if name in form.fields and not form.fields[name].widget.is_hidden else None, message
                )
                return


def _name(member: Mapping[str, Any], names: Mapping[int, str]) -> str:
    number = number_in(str(member["person"]))
    return names.get(number, f"person {number}, no longer in the team") if number is not None else "?"


def _read_seat(seat: SeatForm, windows: list[WindowForm]) -> dict[str, Any]:
    data = seat.cleaned_data
    own = _read_windows(windows) if data["hours"] == "windows" else None
    return {"name": data["name"], "skill": data["skill"] or None, "offset": data["offset"], "coverage": own}


def _read_windows(windows: Iterable[WindowForm]) -> list[dict[str, Any]]:
    return [
        {
            "weekdays": [int(day) for day in window.cleaned_data["weekdays"]],
            "start": window.cleaned_data["start"],
            "end": window.cleaned_data["end"],
        }
        for window in windows
    ]

"""The panels of which an incident's page is made: one file each. To add one, add a file; nothing else is touched.

A panel is a module with

    PLACE      its place on the page, a number: small ones stand first
    WHERE      "top" (before all else, such as "you are asked"), "main", or "side"; without it: "main"
    TEMPLATE   "incidents/panel_<name>.html"
    words      words(about) -> what the template needs, or None: there is nothing to show now
    ACTS       what may be done in it, by name: {"mitigate": Act(MitigateForm, mitigate, "Mitigated.")}, if anything

What several panels need is read once: `about.once(roles)`, with the functions of `_together.py` or one of the panel's own.

The template also has `incident`, `about`, `is_member`, `open_form` (the act that was refused) and `forms`, one form for
each act of the panel, made when the template asks for it; it has no `forms` when the reader may not act. What a reader
should see change without a reload stands in `<div {% live_panel %}>…</div>`, once, and nothing that a person types into
may stand in it; buttons may. One act, folded:
`{% include "incidents/do.html" with name="mitigate" title="…" button="…" form=forms.mitigate %}`.

An act is a POST to /incidents/<id>/<name>/, so its name is its own on the whole page. `do` gets About and the cleaned
values and calls one action; what that refuses is shown at the field it names, and nothing typed is lost. The same form
may stand several times (a button in each row) with a hidden field that says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from django import forms

from watchbill.actions.desk import Desk
from watchbill.db.models import Incident, Person
from watchbill.kit.errors import Refused
from watchbill.kit.plugins import find_plugins

TOP, MAIN, SIDE = "top", "main", "side"
LONG = forms.Textarea(attrs={"rows": 5})
SHORT = forms.Textarea(attrs={"rows": 2})
Read = TypeVar("Read")


@dataclass(frozen=True)
class About:
    """What a panel knows: the incident, its team's desk, who reads, as what in the team and when, and its members."""

    incident: Incident
    desk: Desk
    reader: Person
    now: datetime
    role: str | None = None
    is_member: bool = False
    members: Sequence[Person] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, read: Callable[[About], Read]) -> Read:
        """Give what a function reads for this page; it is called the first time only."""
        if read not in self._known:
            self._known[read] = read(self)
        found: Read = self._known[read]
        return found

    @property
    def is_over(self) -> bool:
        """Tell whether the paperwork is done."""
        return self.incident.state == "closed"


class ActForm(forms.Form):
    """A form of a panel; `name` keeps its fields apart from those of the others."""

    def __init__(self, data: Any, about: About, name: str, files: Any = None, **kwargs: Any) -> None:
        super().__init__(data, files, label_suffix="", auto_id=f"{name}-%s", **kwargs)
        self.about = about
        self.fill_in(about)

    def fill_in(self, about: About) -> None:
        """Give the fields their choices and what stands in them at first."""


class EmptyForm(ActForm):
    """Only a button."""


class WhyForm(ActForm):
    """Only a reason."""

    why = forms.CharField(label="Why?", max_length=500)


Do = Callable[[About, dict[str, Any]], object]


@dataclass(frozen=True)
class Act:
    """One thing that may be done: its form, what does it, what is said then, the part of the page to go back to."""

    form: type[ActForm]
    do: Do
    said: str | Callable[[Any], str]
    back: str = ""

    def words(self, result: object) -> str:
        """Say what was done."""
        return self.said if isinstance(self.said, str) else self.said(result)


class Forms(Mapping[str, ActForm]):
    """The forms of a panel, each made when the template asks for it: many read who or what may be chosen."""

    def __init__(self, acts: Mapping[str, Act], about: About, given: Mapping[str, ActForm]) -> None:
        self._acts, self._about = acts, about
        self._made = {name: form for name, form in given.items() if name in acts}

    def __getitem__(self, name: str) -> ActForm:
        if name not in self._made:
            self._made[name] = self._acts[name].form(None, self._about, name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._acts)

    def __len__(self) -> int:
        return len(self._acts)


@dataclass(frozen=True)
class Shown:
    """One panel as it stands on the page."""

    name: str
    where: str
    template: str
    words: dict[str, Any]


@cache
def all_panels() -> dict[str, ModuleType]:
    """Find the panels by name, in their order on the page. Raises ValueError for two acts of one name."""
    found = sorted(find_plugins("watchbill.entry.web.incident_panels").items(), key=lambda one: (one[1].PLACE, one[0]))
    owner: dict[str, str] = {}
    for panel, module in found:
        for act in acts_of(module):
            if act in owner:
                raise ValueError(f"two panels have an act {act!r}: {owner[act]} and {panel}")
            owner[act] = panel
    return dict(found)


def acts_of(module: ModuleType) -> Mapping[str, Act]:
    """Give the acts of a panel."""
    acts: Mapping[str, Act] = getattr(module, "ACTS", {})
    return acts


def find_act(name: str) -> Act | None:
    """Find an act by its name."""
    return next((acts_of(module)[name] for module in all_panels().values() if name in acts_of(module)), None)


def at_field(field: str, do: Do) -> Do:
    """Let what an act is refused for, whatever field that names, stand at `field` of its form."""

    def done(about: About, given: dict[str, Any]) -> object:
        try:
            return do(about, given)
        except Refused as refusal:
            raise Refused(refusal.message, field if refusal.field.endswith("_at") else refusal.field) from None

    return done

"""What the pages of a request and of a ticket share: an act is one form and one action, sent as a POST to the page's own address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from django import forms
from django.db.models import Model

from watchbill.actions import work_clock
from watchbill.actions.desk import Desk
from watchbill.db.models import Community, Person, Service, SupportRequest, Ticket
from watchbill.entry.web.request_forms import choose


@dataclass(frozen=True)
class AboutWork:
    """What every form knows: the team's rules, who reads, and what there is to choose."""

    desk: Desk
    reader: Person
    now: datetime
    members: Sequence[Person] = ()
    services: Sequence[Service] = ()
    communities: Sequence[Community] = ()

    @property
    def work(self) -> SupportRequest | Ticket:
        """What the page shows."""
        raise NotImplementedError


A = TypeVar("A", bound=AboutWork)
Row = TypeVar("Row", bound=Model)


class ActForm(forms.Form, Generic[A]):
    """A form of such a page; `name` keeps its fields apart from those of the others."""

    def __init__(self, data: Any, about: A, name: str, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", auto_id=f"{name}-%s", **kwargs)
        self.about = about
        self.fill_in(about)

    def fill_in(self, about: A) -> None:
        """Give the fields their choices and what stands in them at first."""


@dataclass(frozen=True)
class Act(Generic[A]):
    """One thing that may be done: its form, what does it, what is said afterwards."""

    form: type[ActForm[A]]
    do: Callable[[A, dict[str, Any]], object]
    said: str | Callable[[object], str]

    def words(self, result: object) -> str:
        """Say what was done."""
        return self.said if isinstance(self.said, str) else self.said(result)


class EmptyForm(ActForm[Any]):
    """Only a button."""


class MinutesForm(ActForm[Any]):
    """Log time that was spent."""

    minutes = forms.IntegerField(min_value=1, max_value=24 * 60)
    note = forms.CharField(label="On what?", required=False, max_length=200)


class VendorForm(ActForm[Any]):
    """A case at a vendor (INT-12)."""

    vendor = forms.CharField(max_length=80)
    reference = forms.CharField(label="Their number", max_length=80, required=False)
    url = forms.CharField(label="Its address", max_length=500, required=False)
    contact = forms.CharField(
        label="How to reach them", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    note = forms.CharField(
        label="What they were told", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    remind_after_hours = forms.IntegerField(
        label="Remind us after working hours", min_value=0, max_value=2000, required=False
    )

    def fill_in(self, about: AboutWork) -> None:
        """Begin with what the service knows of its vendor."""
        if about.work.service is not None:
            self.initial.setdefault("vendor", about.work.service.vendor)
            self.initial.setdefault("contact", about.work.service.vendor_contact)


class PriorityForm(ActForm[Any]):
    """Put it where a person wants it (PRI-09)."""

    level = forms.ChoiceField(required=False)
    why = forms.CharField(label="Why?", required=False, max_length=500, help_text="It stands beside the priority.")

    def fill_in(self, about: AboutWork) -> None:
        """Offer the team's levels."""
        levels = [(name, level.title) for name, level in about.desk.order.levels.items()]
        choose(self, "level", levels, "by the team’s table")
        self.initial.setdefault("level", about.work.priority if about.work.is_priority_pinned else "")


def community_choices(communities: Sequence[Community]) -> list[tuple[str, str]]:
    """Give communities by name."""
    return [(str(one.pk), one.name) for one in communities]


def with_own(rows: Sequence[Row], own: Row | None) -> list[Row]:
    """Give what may be chosen with what stands, which may be put away: saving a form does not take it from there."""
    return list(rows) if own is None or own in rows else [*rows, own]


def read_choices(about: AboutWork, given: dict[str, Any]) -> dict[str, Any]:
    """Give what a form says, with the service and the community that it names."""
    chosen: dict[str, Sequence[Service | Community]] = {"service": about.services, "community": about.communities}
    found = {name: next((one for one in rows if str(one.pk) == given.get(name)), None) for name, rows in chosen.items()}
    return {**given, **found}


def spent(log: object) -> str:
    """Say how much time was logged."""
    return f"{work_clock.words_of(cast('Any', log).seconds).capitalize()} logged."

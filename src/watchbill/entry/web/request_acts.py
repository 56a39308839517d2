"""What may be done with a request on its page: one form and one action each. To add one, add it to ACTS.

An act is a POST to /requests/<id>/<name>/. What the action refuses is shown at its field, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms

from watchbill.actions import support, work_clock
from watchbill.actions.desk import Desk
from watchbill.core.support import BALL_WORDS
from watchbill.db.models import Community, Person, Service, SupportRequest
from watchbill.entry.web.request_forms import choose, class_choices, person_of, service_choices
from watchbill.entry.web.templatetags.request_tags import IMPACTS, OUTCOMES
from watchbill.kit.errors import Refused

LONG = forms.Textarea(attrs={"rows": 5})
SHORT = forms.Textarea(attrs={"rows": 2})
LOGGED = (5, 15, 30, 60)


@dataclass(frozen=True)
class About:
    """What a form of a request knows: the request, its team's desk, who reads, and what there is to choose."""

    request: SupportRequest
    desk: Desk
    reader: Person
    now: datetime
    members: Sequence[Person] = ()
    services: Sequence[Service] = ()
    communities: Sequence[Community] = ()


class ActForm(forms.Form):
    """A form of a request's page; `name` keeps its fields apart from those of the others."""

    def __init__(self, data: Any, about: About, name: str, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", auto_id=f"{name}-%s", **kwargs)
        self.about = about
        self.fill_in(about)

    def fill_in(self, about: About) -> None:
        """Give the fields their choices and what stands in them at first."""


Do = Callable[[About, dict[str, Any]], object]


@dataclass(frozen=True)
class Act:
    """One thing that may be done: its form, what does it, what is said afterwards."""

    form: type[ActForm]
    do: Do
    said: str | Callable[[object], str]

    def words(self, result: object) -> str:
        """Say what was done."""
        return self.said if isinstance(self.said, str) else self.said(result)


class AnswerForm(ActForm):
    """Write to the requester, and say who has the ball then (INT-13)."""

    text = forms.CharField(label="Write to them", widget=LONG)
    then = forms.ChoiceField(label="Then it waits for", required=False)

    def fill_in(self, about: About) -> None:
        """Offer to resolve with the answer what is open."""
        balls = [(name, word) for name, word in BALL_WORDS.items() if name != "vendor"]
        order = [*reversed(balls), ("vendor", BALL_WORDS["vendor"]), ("resolved", "nobody: that resolves it")]
        choose(self, "then", order if about.request.state == "open" else order[:1])


def _answer(about: About, given: dict[str, Any]) -> object:
    if given["then"] == "resolved":
        return support.resolve(about.request.pk, "answered", given["text"], about.reader, about.now)
    waits_on = given["then"] or "requester"
    return support.answer(about.request.pk, given["text"], about.reader, about.now, waits_on=waits_on)


class NoteForm(ActForm):
    """Write for the team alone."""

    text = forms.CharField(label="Note for the team", widget=SHORT, help_text="The requester never sees it.")


class BallForm(ActForm):
    """Say who has the ball (INT-13)."""

    waits_on = forms.ChoiceField(label="It waits for")
    why = forms.CharField(label="For what?", required=False, max_length=300)

    def fill_in(self, about: About) -> None:
        """Offer the others."""
        choose(self, "waits_on", [(n, w) for n, w in BALL_WORDS.items() if n != about.request.waiting_on])


class AssignForm(ActForm):
    """Give it to somebody."""

    to = forms.ChoiceField(label="Give it to", required=False)

    def fill_in(self, about: About) -> None:
        """Offer the members."""
        choose(self, "to", [(str(one.pk), str(one)) for one in about.members], "nobody: the watch decides")
        self.initial.setdefault("to", str(about.request.assignee_id or ""))


def _assign(about: About, given: dict[str, Any]) -> object:
    return support.assign(about.request.pk, person_of(given["to"], about.members), about.reader, about.now)


class PriorityForm(ActForm):
    """Put it where a person wants it (PRI-09)."""

    level = forms.ChoiceField(required=False)
    why = forms.CharField(label="Why?", required=False, max_length=500, help_text="It stands beside the priority.")

    def fill_in(self, about: About) -> None:
        """Offer the team's levels."""
        levels = [(name, level.title) for name, level in about.desk.order.levels.items()]
        choose(self, "level", levels, "by the team’s table")
        self.initial.setdefault("level", about.request.priority if about.request.is_priority_pinned else "")


class ChangeForm(ActForm):
    """Say what it is about: promises and priority follow."""

    title = forms.CharField(label="In one line", max_length=300)
    request_class = forms.ChoiceField(label="Class", required=False)
    service = forms.ChoiceField(required=False)
    environment = forms.CharField(required=False, max_length=40)
    component = forms.CharField(label="Part of it", required=False, max_length=80)
    impact = forms.ChoiceField(label="Who is held up?", required=False)
    community = forms.ChoiceField(required=False)

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        one = about.request
        choose(self, "request_class", class_choices(about.desk), "not classed yet")
        choose(self, "service", service_choices(about.services), "none named")
        choose(self, "impact", [(name, word) for name, word in IMPACTS.items() if name], "not said")
        choose(self, "community", [(str(c.pk), c.name) for c in about.communities], "none")
        for name in ("title", "request_class", "environment", "component", "impact"):
            self.initial.setdefault(name, getattr(one, name))
        self.initial.setdefault("service", str(one.service_id or ""))
        self.initial.setdefault("community", str(one.community_id or ""))


def _change(about: About, given: dict[str, Any]) -> object:
    chosen = {
        "service": next((one for one in about.services if str(one.pk) == given["service"]), None),
        "community": next((one for one in about.communities if str(one.pk) == given["community"]), None),
    }
    return support.change(about.request.pk, {**given, **chosen}, about.reader, about.now)


class ResolveForm(ActForm):
    """Say that it is done, and how."""

    outcome = forms.ChoiceField(initial="done")
    text = forms.CharField(
        label="Tell them", required=False, widget=SHORT, help_text="Stands before the team’s own words at the end."
    )

    def fill_in(self, about: About) -> None:
        """Offer the outcomes that tell the requester so; turning away and spam are acts of their own."""
        offered = ("done", "answered", "duplicate", "refused")
        choose(self, "outcome", [(name, OUTCOMES[name]) for name in offered])


class WhyForm(ActForm):
    """Say why."""

    why = forms.CharField(label="Why?", required=False, max_length=500)


class MinutesForm(ActForm):
    """Log time that was spent."""

    minutes = forms.IntegerField(min_value=1, max_value=24 * 60)
    note = forms.CharField(label="On what?", required=False, max_length=200)


class StopForm(ActForm):
    """Stop the clock; less than it shows when it was forgotten."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, required=False)
    note = forms.CharField(required=False, max_length=200)


class EmptyForm(ActForm):
    """Only a button."""


def _stop(about: About, given: dict[str, Any]) -> object:
    running = work_clock.running_clock(about.reader)
    if running is None or running.request_id != about.request.pk:
        raise Refused("no clock of yours runs here")
    return work_clock.stop(about.reader, about.now, given["note"], minutes=given["minutes"])


def _spent(log: object) -> str:
    return f"{work_clock.words_of(cast('Any', log).seconds).capitalize()} logged."


ACTS: Mapping[str, Act] = {
    "answer": Act(AnswerForm, _answer, "Sent."),
    "note": Act(
        NoteForm, lambda a, v: support.note(a.request.pk, v["text"], a.reader, a.now), "Your note is for the team."
    ),
    "ball": Act(
        BallForm,
        lambda a, v: support.pass_ball(a.request.pk, v["waits_on"], v["why"], a.reader, a.now),
        lambda one: f"It waits for {BALL_WORDS[cast('SupportRequest', one).waiting_on]} now.",
    ),
    "take": Act(EmptyForm, lambda a, v: support.take(a.request.pk, a.reader, a.now), "You have it."),
    "assign": Act(AssignForm, _assign, "Done. Whoever has it now was told."),
    "priority": Act(
        PriorityForm,
        lambda a, v: support.set_priority(a.request.pk, v["level"], v["why"], a.reader, a.now),
        "Its place is set.",
    ),
    "change": Act(ChangeForm, _change, "Saved. What is promised and what comes first follow it."),
    "resolve": Act(
        ResolveForm,
        lambda a, v: support.resolve(a.request.pk, v["outcome"], v["text"], a.reader, a.now),
        "Resolved. The requester hears of it and may say no.",
    ),
    "reopen": Act(WhyForm, lambda a, v: support.reopen(a.request.pk, v["why"], a.reader, a.now), "It is open again."),
    "start": Act(EmptyForm, lambda a, v: work_clock.start(a.request, a.reader, a.now), "Your clock runs."),
    "stop": Act(StopForm, _stop, _spent),
    "log": Act(
        MinutesForm, lambda a, v: work_clock.log_time(a.request, v["minutes"], a.reader, a.now, v["note"]), _spent
    ),
}

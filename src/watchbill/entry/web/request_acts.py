"""What may be done with a request on its page: one form and one action each. To add one, add it to ACTS.

An act is a POST to /requests/<id>/<name>/. What the action refuses is shown at its field, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms

from watchbill.actions import support, work_clock
from watchbill.core.support import BALL_WORDS
from watchbill.db.models import SupportRequest
from watchbill.entry.web.acts import (
    AboutWork,
    Act,
    ActForm,
    EmptyForm,
    MinutesForm,
    PriorityForm,
    community_choices,
    read_choices,
    spent,
)
from watchbill.entry.web.request_forms import choose, class_choices, person_of, service_choices
from watchbill.entry.web.templatetags.request_tags import IMPACTS, OUTCOMES
from watchbill.kit.errors import Refused

LONG = forms.Textarea(attrs={"rows": 5})
SHORT = forms.Textarea(attrs={"rows": 2})
LOGGED = (5, 15, 30, 60)


@dataclass(frozen=True, kw_only=True)
class About(AboutWork):
    """What a form of a request knows besides: the request."""

    request: SupportRequest

    @property
    def work(self) -> SupportRequest:
        """The request."""
        return self.request


Form = ActForm[About]


class AnswerForm(Form):
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


class NoteForm(Form):
    """Write for the team alone."""

    text = forms.CharField(label="Note for the team", widget=SHORT, help_text="The requester never sees it.")


class BallForm(Form):
    """Say who has the ball (INT-13)."""

    waits_on = forms.ChoiceField(label="It waits for")
    why = forms.CharField(label="For what?", required=False, max_length=300)

    def fill_in(self, about: About) -> None:
        """Offer the others."""
        choose(self, "waits_on", [(n, w) for n, w in BALL_WORDS.items() if n != about.request.waiting_on])


class AssignForm(Form):
    """Give it to somebody."""

    to = forms.ChoiceField(label="Give it to", required=False)

    def fill_in(self, about: About) -> None:
        """Offer the members."""
        choose(self, "to", [(str(one.pk), str(one)) for one in about.members], "nobody: the watch decides")
        self.initial.setdefault("to", str(about.request.assignee_id or ""))


def _assign(about: About, given: dict[str, Any]) -> object:
    return support.assign(about.request.pk, person_of(given["to"], about.members), about.reader, about.now)


class ChangeForm(Form):
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
        choose(self, "community", community_choices(about.communities), "none")
        for name in ("title", "request_class", "environment", "component", "impact"):
            self.initial.setdefault(name, getattr(one, name))
        self.initial.setdefault("service", str(one.service_id or ""))
        self.initial.setdefault("community", str(one.community_id or ""))


def _change(about: About, given: dict[str, Any]) -> object:
    return support.change(about.request.pk, read_choices(about, given), about.reader, about.now)


class ResolveForm(Form):
    """Say that it is done, and how."""

    outcome = forms.ChoiceField(initial="done")
    text = forms.CharField(
        label="Tell them", required=False, widget=SHORT, help_text="Stands before the team’s own words at the end."
    )

    def fill_in(self, about: About) -> None:
        """Offer the outcomes that tell the requester so; turning away and spam are acts of their own."""
        offered = ("done", "answered", "duplicate", "refused")
        choose(self, "outcome", [(name, OUTCOMES[name]) for name in offered])


class WhyForm(Form):
    """Say why."""

    why = forms.CharField(label="Why?", required=False, max_length=500)


class StopForm(Form):
    """Stop the clock; less than it shows when it was forgotten."""

    minutes = forms.IntegerField(min_value=0, max_value=24 * 60, required=False)
    note = forms.CharField(required=False, max_length=200)


def _stop(about: About, given: dict[str, Any]) -> object:
    running = work_clock.running_clock(about.reader)
    if running is None or running.request_id != about.request.pk:
        raise Refused("no clock of yours runs here")
    return work_clock.stop(about.reader, about.now, given["note"], minutes=given["minutes"])


ACTS: Mapping[str, Act[About]] = {
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
    "stop": Act(StopForm, _stop, spent),
    "log": Act(
        MinutesForm, lambda a, v: work_clock.log_time(a.request, v["minutes"], a.reader, a.now, v["note"]), spent
    ),
}

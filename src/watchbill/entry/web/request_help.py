"""The acts of a request that bring in others or end quick help: a ticket, help, an expert, a vendor, "not now"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms

from watchbill.actions import experts, noise, request_timebox, requester_side, turning_away, vendor_cases
from watchbill.core import tickets
from watchbill.db.models import Ticket
from watchbill.entry.web.acts import Act, EmptyForm, VendorForm
from watchbill.entry.web.request_acts import SHORT, About, Form
from watchbill.entry.web.request_forms import choose, person_of
from watchbill.kit.errors import Refused


class TicketForm(Form):
    """A ticket, written from the conversation (TRI-04)."""

    title = forms.CharField(max_length=300)
    text = forms.CharField(
        label="What is to be done", required=False, widget=SHORT, help_text="The conversation is put below it."
    )
    kind = forms.ChoiceField(initial="request")
    points = forms.IntegerField(min_value=0, max_value=100, required=False)
    assignee = forms.ChoiceField(label="Whose is it?", required=False)

    def fill_in(self, about: About) -> None:
        """Begin with the request's own line; the seat on watch has it unless somebody is named."""
        self.initial.setdefault("title", about.request.title)
        choose(self, "kind", [(kind, kind.replace("_", " ")) for kind in tickets.KINDS])
        choose(self, "assignee", [(str(one.pk), str(one)) for one in about.members], "the watch’s, whoever stands it")


def _ticket(about: About, given: dict[str, Any]) -> Ticket:
    values = {**given, "assignee": person_of(given["assignee"], about.members)}
    return request_timebox.make_ticket(about.request.pk, values, about.reader, about.now)


class AnswerHereForm(Form):
    """Advice, answered where it was asked and only logged (TRI-01)."""

    text = forms.CharField(label="The answer", widget=forms.Textarea(attrs={"rows": 4}))
    question = forms.CharField(
        label="The question, for the public page",
        required=False,
        max_length=200,
        help_text="Filled in, question and answer stand there for the next one. Empty: only here.",
    )


class HelpForm(Form):
    """Ask the team or the manager for help (TRI-09, DUT-10)."""

    why = forms.CharField(label="What do you need?", max_length=500, widget=SHORT)
    whom = forms.ChoiceField(label="Ask", choices=[("team", "the team"), ("manager", "the manager")], required=False)
    hopeless = forms.BooleanField(label="I see no way to resolve it", required=False)


def _help(about: About, given: dict[str, Any]) -> object:
    whom: request_timebox.Whom = "manager" if given["whom"] == "manager" else "team"
    return request_timebox.ask_for_help(
        about.request.pk, given["why"], about.reader, about.now, hopeless=given["hopeless"], whom=whom
    )


class AskForm(Form):
    """Ask somebody who may know; they may decline without a reason (TRI-11)."""

    person = forms.ChoiceField(label="Whom?")
    why = forms.CharField(label="Why them?", required=False, max_length=300)

    def fill_in(self, about: About) -> None:
        """Offer the others of the team."""
        choose(self, "person", [(str(one.pk), str(one)) for one in about.members if one != about.reader])


def _ask(about: About, given: dict[str, Any]) -> object:
    person = person_of(given["person"], about.members)
    if person is None:
        raise Refused("choose whom to ask", "person")
    return experts.ask(about.request, person, given["why"], about.reader, about.now)


class TurnAwayForm(Form):
    """Not now, please raise it here (DUT-09)."""

    text = forms.CharField(label="Tell them", required=False, widget=forms.Textarea(attrs={"rows": 6}))

    def fill_in(self, about: About) -> None:
        """Begin with the team's own words."""
        self.initial.setdefault("text", turning_away.words_to_turn_away(about.request, about.reader, about.now))


class ApproveForm(Form):
    """What a representative said by word (INT-04)."""

    willing = forms.ChoiceField(label="They said", choices=[("yes", "yes, do it"), ("no", "no, leave it")])
    by_name = forms.CharField(label="Who said so?", max_length=80)


def _approve(about: About, given: dict[str, Any]) -> object:
    willing = given["willing"] == "yes"
    return requester_side.approve(about.request, willing, given["by_name"], about.now, about.reader)


def _offer(about: About, given: dict[str, Any]) -> bool:
    request_timebox.offer_help(about.request.pk, about.reader, about.now)
    return True


HELP_ACTS: Mapping[str, Act[About]] = {
    "ticket": Act(TicketForm, _ticket, lambda made: f"T-{cast('Ticket', made).pk} is written. Go on here."),
    "answer_here": Act(
        AnswerHereForm,
        lambda a, v: request_timebox.answer_and_log(a.request.pk, v["text"], a.reader, a.now, question=v["question"]),
        "Answered and logged: no ticket.",
    ),
    "help": Act(HelpForm, _help, "They are told."),
    "ask": Act(AskForm, _ask, lambda made: f"{cast('Any', made).person} is asked, and may say no."),
    "vendor": Act(
        VendorForm,
        lambda a, v: vendor_cases.open_case(a.request, v, a.reader, a.now),
        "The case is written down. It waits for the vendor.",
    ),
    "turn_away": Act(
        TurnAwayForm,
        lambda a, v: turning_away.turn_away(a.request.pk, v["text"], a.reader, a.now),
        "They are told where to raise it. A reply opens it again.",
    ),
    "approve": Act(ApproveForm, _approve, "Written down. Whoever asked is told."),
    "offer": Act(EmptyForm, _offer, "Whoever asked for help hears that you come."),
    "spam": Act(
        EmptyForm,
        lambda a, v: noise.mark_as_spam(a.request.pk, a.reader, a.now),
        "Closed as spam. Whoever sent it hears nothing.",
    ),
}

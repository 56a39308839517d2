"""One handoff in the browser: read on a phone, written by the one who leaves, accepted by the one who comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import handoff
from watchbill.actions.handoff_draft import demands_of, rule_of
from watchbill.core import handoff as core
from watchbill.db.handoff_facts import handoff_fact
from watchbill.db.models import Handoff, HandoffItem, HandoffQuestion, Membership, Person
from watchbill.db.screens import handoff as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose, person_of

HOW_WORDS = {"meeting": "In a meeting", "call": "By a call", "chat": "In the chat", "notes": "By these notes"}
PLACES = {
    "alert": "/alerts/{}/", "page": "/pages/{}/", "incident": "/incidents/{}/", "ticket": "/tickets/{}/",
    "request": "/requests/{}/", "notice": "/notices/{}/", "silence": "/silences/", "entry": "/shift-log/#entry-{}",
}  # fmt: skip
REFERENCES = {"ticket": "T-{}", "request": "R-{}", "incident": "I-{}"}


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class SummaryForm(forms.Form):
    """The most important, in the words of the one who leaves."""

    summary = forms.CharField(label="The most important, in your words", required=False, max_length=10_000, widget=_area(4))  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class OwnForm(forms.Form):
    """A line that no fact gave."""

    title = forms.CharField(label="In a line", max_length=200)
    detail = forms.CharField(label="More", required=False, max_length=10_000, widget=_area(2))


class TextForm(forms.Form):
    """A question, an answer, a note."""

    text = forms.CharField(label="Your words", max_length=10_000, widget=_area(2))


class WhyForm(forms.Form):
    """Why not."""

    why = forms.CharField(label="Why?", max_length=2000, widget=_area(2))


class WitnessForm(forms.Form):
    """Who was there."""

    witnesses = forms.MultipleChoiceField(label="Who else was there?", required=False, widget=forms.CheckboxSelectMultiple)  # fmt: skip

    def __init__(self, data: Any, given: Handoff, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        self.people = _witnesses_to_be(given)
        choose(self, "witnesses", [(str(one.pk), str(one)) for one in self.people])

    def chosen(self) -> list[Person]:
        """Give the people who were ticked."""
        found = (person_of(key, self.people) for key in self.cleaned_data["witnesses"])
        return [one for one in found if one is not None]


class AcceptForm(WitnessForm):
    """How it was handed over, that the order is clear, and who was there."""

    how = forms.ChoiceField(label="How was it handed over?", choices=HOW_WORDS.items())
    confirms = forms.BooleanField(label="I know what comes first: the order of the work is clear", required=False)
    field_order = ("confirms", "how", "witnesses")


def _witnesses_to_be(given: Handoff) -> list[Person]:
    rows = Membership.objects.filter(team=given.team, person__is_active=True).select_related("person")
    hands_over = {given.leaver_id, given.comer_id, given.accepted_by_id}
    known = {one.person_id for one in given.witnesses.all()}
    return [row.person for row in rows.order_by("person__name") if row.person_id not in hands_over | known]


@dataclass
class LineShown:
    """A line as the page shows it: where it leads, and what was asked about it."""

    item: HandoffItem
    href: str
    reference: str
    questions: list[HandoffQuestion] = field(default_factory=list)

    @property
    def form_name(self) -> str:
        """Give the name by which its form is found open after something in it was refused."""
        return f"line-{self.item.pk}"


def handoff_or_404(request: PageRequest, number: int) -> Handoff:
    """Find a handoff that the reader may see; raises Http404 also for one of others."""
    found = screen.find_one(request.user, number)
    if found is None:
        raise Http404
    return found


@login_required
def one(request: PageRequest, number: int) -> HttpResponse:
    """Show what is handed on, and what the reader may do with it."""
    return _show(request, handoff_or_404(request, number), {})


def _show(request: PageRequest, given: Handoff, forms_: dict[str, forms.Form], status: int = 200) -> HttpResponse:
    parts, whole = _parts(given)
    demands = demands_of(rule_of(given.team, request.now))
    fact = handoff_fact(given)
    writes = handoff.may_write(request.user, given)
    accepts = handoff.may_accept(request.user, given, request.now)
    ready = given.state == core.HANDED_ON or given.ends_at <= request.now
    member = may_answer(request.user, given.team)
    words: dict[str, Any] = {
        "handoff": given,
        "state_words": core.STATE_WORDS[given.state],
        "how_words": HOW_WORDS.get(given.how, given.how),
        "parts": parts,
        "first": [line for _, _, lines in parts for line in lines if line.item.is_first and not line.item.is_over],
        "whole": whole,
        "witnesses": list(given.witnesses.select_related("person", "noted_by").order_by("id")),
        "writes": writes,
        "accepts": accepts and ready,
        "waits": accepts and not ready,
        "is_open": given.state in core.OPEN,
        "member": member,
        "saw_it": member and given.state != core.DROPPED
        and request.user.pk not in {given.leaver_id, given.comer_id, given.accepted_by_id}
        and not given.witnesses.filter(person=request.user).exists(),
        "notes_others": member and given.state != core.DROPPED
        and (request.user.pk in {given.leaver_id, given.comer_id} or writes),
        "wants_order": demands.order and fact.has_work,
        "unnoted": fact.unnoted if rule_of(given.team, request.now).ticket_notes != "nothing" else (),
        "wants_witnesses": max(demands.witnesses - fact.witnesses, 0),
        "forms": _forms(given, forms_),
        "open_form": next(iter(forms_), ""),
    }  # fmt: skip
    return render(request, "handoffs/one.html", words, status=status)


def _forms(given: Handoff, typed: dict[str, forms.Form]) -> dict[str, forms.Form]:
    fresh: dict[str, forms.Form] = {
        "summary": SummaryForm(
            initial={"summary": given.summary, "version": given.version}, label_suffix="", auto_id="summary-%s"
        ),
        "add": OwnForm(label_suffix="", auto_id="add-%s"),
        "ask": TextForm(label_suffix="", auto_id="ask-%s"),
        "drop": WhyForm(label_suffix="", auto_id="drop-%s"),
        "witness": WitnessForm(None, given, auto_id="witness-%s"),
        "accept": AcceptForm(None, given, auto_id="accept-%s", initial={"how": given.mode}),
    }
    return {**fresh, **typed}


def _parts(given: Handoff) -> tuple[list[tuple[str, str, list[LineShown]]], list[HandoffQuestion]]:
    asked = list(given.questions.select_related("asker", "answered_by").order_by("id"))
    shown: dict[str, list[LineShown]] = {}
    for item in given.items.select_related("added_by").order_by("is_over", "position", "id"):
        href = PLACES[item.about].format(item.about_id) if item.about in PLACES else ""
        reference = REFERENCES[item.about].format(item.about_id) if item.about in REFERENCES else ""
        line = LineShown(item, href, reference, [one for one in asked if one.item_id == item.pk])
        shown.setdefault(item.part, []).append(line)
    parts = [(part, title, shown[part]) for part, title in core.PARTS.items() if part in shown]
    return parts, [one for one in asked if one.item_id is None]


def _summary(request: PageRequest, given: Handoff, form: Any) -> object:
    said = form.cleaned_data
    return handoff.write_summary(given.pk, said["summary"], said["version"], request.user, request.now)


def _hand_on(request: PageRequest, given: Handoff, form: Any) -> object:
    """One button for both: what stands in the field is saved, then it is handed on."""
    _summary(request, given, form)
    return handoff.hand_on(given.pk, request.user, request.now)


def _accept(request: PageRequest, given: Handoff, form: Any) -> object:
    said = form.cleaned_data
    return handoff.accept(
        given.pk, request.user, request.now, how=said["how"], confirms=said["confirms"], witnesses=form.chosen()
    )


def _witness(request: PageRequest, given: Handoff, form: Any) -> object:
    return [handoff.witness(given.pk, whom, request.user, request.now) for whom in form.chosen()] or True


ACTS: dict[str, tuple[str, str, Callable[[PageRequest, Handoff, Any], object]]] = {
    "summary": ("summary", "It is saved.", _summary),
    "hand-on": ("summary", "It is handed on.", _hand_on),
    "accept": ("accept", "It is yours now.", _accept),
    "add": ("add", "It stands below.",
        lambda r, h, f: handoff.add_item(h.pk, f.cleaned_data["title"], f.cleaned_data["detail"], r.user, r.now)),
    "ask": ("ask", "It is asked.", lambda r, h, f: handoff.ask_about(h.pk, None, f.cleaned_data["text"], r.user, r.now)),
    "drop": ("drop", "It is not needed.", lambda r, h, f: handoff.drop(h.pk, f.cleaned_data["why"], r.user, r.now)),
    "witness": ("witness", "It is noted.", _witness),
}  # fmt: skip
BUTTONS: dict[str, tuple[str, Callable[[PageRequest, Handoff], object]]] = {
    "redraft": ("It is drafted anew.", lambda r, h: handoff.redraft(h.pk, r.user, r.now)),
    "saw": ("It is noted that you were there.", lambda r, h: handoff.witness(h.pk, r.user, r.user, r.now)),
}
MARKS: dict[str, dict[str, bool]] = {
    "first": {"is_first": True}, "not-first": {"is_first": False}, "keep": {"keeps": True}, "give": {"keeps": False},
}  # fmt: skip


def _form(name: str, request: PageRequest, given: Handoff) -> forms.Form:
    match name:
        case "accept":
            return AcceptForm(request.POST, given, auto_id="accept-%s")
        case "witness":
            return WitnessForm(request.POST, given, auto_id="witness-%s")
        case _:
            plain = {"summary": SummaryForm, "add": OwnForm, "ask": TextForm, "drop": WhyForm}
            return plain[name](request.POST, label_suffix="", auto_id=f"{name}-%s")


@login_required
@require_POST
def do(request: PageRequest, number: int, name: str) -> HttpResponse:
    """Do one thing with a handoff."""
    given = handoff_or_404(request, number)
    if name in BUTTONS:
        said, press = BUTTONS[name]
        if _shown_when_refused(request, press, request, given):
            messages.success(request, said)
        return redirect("handoff", number=number)
    if name not in ACTS:
        raise Http404(name)
    form_name, said, act = ACTS[name]
    form = _form(form_name, request, given)
    if form.is_valid() and attempt(form, act, request, given, form):
        messages.success(request, said)
        return redirect("handoff", number=number)
    return _show(request, handoff_or_404(request, number), {form_name: form}, 409)


def _shown_when_refused(request: PageRequest, act: Callable[..., object], *args: Any, **kwargs: Any) -> bool:
    """Do something that has no fields; what it refuses stands on top of the page."""
    form = forms.Form({})
    if form.is_valid() and attempt(form, act, *args, **kwargs):
        return True
    messages.error(request, " ".join(str(one) for one in form.non_field_errors()))
    return False


@login_required
@require_POST
def line(request: PageRequest, number: int, item: int, name: str) -> HttpResponse:
    """Mark a line, note or ask something on it, take it away."""
    given = handoff_or_404(request, number)
    if not given.items.filter(pk=item).exists():
        raise Http404
    text, now = request.POST.get("text", ""), request.now
    match name:
        case "note":
            done = _shown_when_refused(request, handoff.note_item, item, text, request.user, now)
        case "ask":
            done = _shown_when_refused(request, handoff.ask_about, number, item, text, request.user, now)
        case "remove":
            done = _shown_when_refused(request, handoff.remove_item, item, request.user, now)
        case _ if name in MARKS:
            done = _shown_when_refused(request, handoff.mark_item, item, request.user, now, **MARKS[name])
        case _:
            raise Http404(name)
    if done and name in {"note", "ask"}:
        messages.success(request, "It is written down.")
    if not done and text:
        return _show(request, handoff_or_404(request, number), {f"line-{item}": TextForm(request.POST)}, 409)
    return redirect(f"/handoffs/{number}/#line-{item}" if name != "remove" else f"/handoffs/{number}/")


@login_required
@require_POST
def answer(request: PageRequest, number: int, question: int) -> HttpResponse:
    """Answer a question; it stands on the ticket too."""
    given = handoff_or_404(request, number)
    if not given.questions.filter(pk=question).exists():
        raise Http404
    text = request.POST.get("text", "")
    if _shown_when_refused(request, handoff.answer, question, text, request.user, request.now):
        messages.success(request, "It is answered.")
    return redirect(f"/handoffs/{number}/#question-{question}")


URLS = [
    path("handoffs/<int:number>/", one, name="handoff"),
    path("handoffs/<int:number>/lines/<int:item>/<slug:name>/", line, name="handoff-line"),
    path("handoffs/<int:number>/questions/<int:question>/answer/", answer, name="handoff-answer"),
    path("handoffs/<int:number>/<slug:name>/", do, name="handoff-act"),
]

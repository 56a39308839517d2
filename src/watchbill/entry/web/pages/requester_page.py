"""The requester's own page behind their link: no sign-in; where it is, who has the ball, by when they hear (INT-10).

Nothing that is the team's own is on it: no note, no reason of a priority, no name of another requester. A GET changes
nothing, because mail scanners and chat previews follow every link they see.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from watchbill.actions import public_asking, request_links, requester_side
from watchbill.actions.asked import Asked
from watchbill.actions.desk import desk_of
from watchbill.actions.request_links import Link
from watchbill.db.models import Desk, Message, Requester, SupportRequest
from watchbill.db.screens import requests as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.hours import hours_of, place_of
from watchbill.entry.web.pages.request import give
from watchbill.entry.web.pages.support_page import quiet
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import FilesField
from watchbill.kit.errors import Refused
from watchbill.rules import request_classes

RATINGS = ((1, "Poor"), (2, "Not so good"), (3, "All right"), (4, "Good"), (5, "Very good"))


class ReplyForm(forms.Form):
    """What the requester adds."""

    text = forms.CharField(
        label="Write to us", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 4})
    )
    attached = FilesField(label="Files", help_text="At most 3, each at most 5 MB.")


class EscalateForm(forms.Form):
    """Why it cannot wait."""

    why = forms.CharField(label="Why can it not wait?", max_length=5000, widget=forms.Textarea(attrs={"rows": 2}))


class RateForm(forms.Form):
    """How it was."""

    rating = forms.TypedChoiceField(choices=RATINGS, coerce=int)
    comment = forms.CharField(
        label="Anything to add? (may be empty)",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ApproveForm(forms.Form):
    """A representative's word."""

    willing = forms.TypedChoiceField(choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes")


FORMS: dict[str, type[forms.Form]] = {"reply": ReplyForm, "escalate": EscalateForm, "rate": RateForm}
Do = Callable[[SupportRequest, dict[str, Any], datetime], tuple[SupportRequest, str]]


def _reply(one: SupportRequest, given: dict[str, Any], now: datetime) -> tuple[SupportRequest, str]:
    asked = Asked(title=one.title, text=given["text"], door="page", files=tuple(given["attached"]))
    return public_asking.reply(one, asked, now), "replied"


def _escalate(one: SupportRequest, given: dict[str, Any], now: datetime) -> tuple[SupportRequest, str]:
    public_asking.demand_calm(one, now)
    step = requester_side.escalate(one, str(one.requester), given["why"], now).step
    return one, "escalated" if step == 1 else "escalated-on"


def _rate(one: SupportRequest, given: dict[str, Any], now: datetime) -> tuple[SupportRequest, str]:
    return requester_side.rate(one, given["rating"], given["comment"], now), "rated"


def _confirm(one: SupportRequest, given: dict[str, Any], now: datetime) -> tuple[SupportRequest, str]:
    return requester_side.confirm(one, now), "confirmed"


DO: dict[str, Do] = {"reply": _reply, "escalate": _escalate, "rate": _rate, "confirm": _confirm}
SAID = {
    "replied": "Sent. It stands below, and the team has it.",
    "escalated": "Whoever has it is told that it cannot wait.",
    "escalated-on": "The people above are told that it cannot wait.",
    "rated": "Thank you. That helps us.",
    "confirmed": "Good. It is closed; write here if anything is left.",
    "followed": "That one was closed long ago, so this is a new request, with its own page.",
    "approved": "Thank you. The team begins.",
    "declined": "Thank you. The team leaves it, and whoever asked is told.",
}


# The token in the address is the right to act, and no cookie takes part, as on the page of an answer by link: there is
# nothing for a CSRF token to guard.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def requester_page(request: PageRequest, token: str) -> HttpResponse:
    """Show a request to whoever holds its link; do the one thing that their form asks."""
    try:
        link = request_links.open_link(token)
    except Refused as refusal:
        return quiet(render(request, "support/gone.html", {"bare": True, "message": refusal.message}, status=404))
    with timezone.override(ZoneInfo(link.request.team.zone)):
        answer = _of_speaker(request, link.request, link.speaker) if link.speaker else _of_requester(request, link)
    return quiet(answer)


def _of_requester(request: PageRequest, link: Link) -> HttpResponse:
    one, what = link.request, request.POST.get("do", "")
    if request.method != "POST" or what not in DO:
        return _show(request, one, {})
    form = FORMS.get(what, forms.Form)(request.POST, request.FILES, label_suffix="")
    if form.is_valid():
        done = attempt(form, DO[what], one, form.cleaned_data, request.now)
        if done is not None:
            after, said = done
            said = "followed" if after.pk != one.pk else said
            return redirect(f"{request_links.path_of(after)}?said={said}")
    return _show(request, one, {what: form}, 409)


def _show(request: PageRequest, one: SupportRequest, given: dict[str, forms.Form], status: int = 200) -> HttpResponse:
    desk = desk_of(one.team, request.now)
    rating = request.GET.get("rating", "")
    forms_ = {name: given.get(name) or form(label_suffix="") for name, form in FORMS.items()}
    words = {
        "bare": True,
        "one": one,
        "said": SAID.get(request.GET.get("said", ""), ""),
        "errors": [error for form in given.values() for error in form.non_field_errors()] if given else [],
        "held": request_classes.decide(one.request_class, desk.classes),
        "conversation": [(message, _writer(message, one)) for message in screen.messages_of(one, public=True)],
        "contacts": _contacts(one),
        "page": Desk.objects.filter(team=one.team).first(),
        "hours": hours_of(desk.coverage),
        "zone": place_of(one.team.zone),
        "asks_rating": desk.ends.ask_satisfaction and one.state != "open",
        "ratings": RATINGS,
        "chosen": int(rating) if rating in {"1", "2", "3", "4", "5"} else one.rating,
        "forms": forms_,
        "open_form": next(iter(given), ""),
    }
    return render(request, "support/own.html", words, status=status)


def _writer(message: Message, one: SupportRequest) -> str:
    """Say who wrote: the requester is you, another requester is not named."""
    if message.direction == "out":
        return str(one.team) if message.author_name in {"", "Watchbill"} else message.author_name
    return "You" if message.author_name == str(one.requester) else "Somebody else who was asked"


def _contacts(one: SupportRequest) -> list[dict[str, str]]:
    return [
        {"name": str(contact["name"]), "how": str(contact.get("how", ""))}
        for contact in requester_side.contacts_of(one)
    ]


def _of_speaker(request: PageRequest, one: SupportRequest, speaker: Requester) -> HttpResponse:
    """Show a representative what they are asked to approve, and no more of it."""
    form = ApproveForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        willing = form.cleaned_data["willing"]
        if attempt(form, requester_side.approve, one, willing, str(speaker), request.now):
            said = "approved" if willing else "declined"
            return redirect(f"{request_links.path_of(one, speaker)}?said={said}")
    first = next((m for m in screen.messages_of(one, public=True) if m.direction == "in"), None)
    words = {
        "bare": True,
        "one": one,
        "speaker": speaker,
        "text": first.text if first else "",
        "form": form,
        "said": SAID.get(request.GET.get("said", ""), ""),
    }
    return render(request, "support/approve.html", words, status=409 if form.errors else 200)


def download(request: HttpRequest, token: str, file: int) -> HttpResponse:
    """Give a file of the conversation to whoever holds the link."""
    try:
        one = request_links.read(token)
    except Refused:
        raise Http404 from None
    return quiet(give(screen.find_attachment(one, file, public=True)))


URLS = [
    path("r/<str:token>/", requester_page, name="requester-page"),
    path("r/<str:token>/files/<int:file>/", download, name="requester-file"),
]

"""A team's desk: the words of its public page, its mail address and contacts, answers first, ready messages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import desk_settings, update_words
from watchbill.actions.access import may_change, role_of
from watchbill.actions.desk import desk_of
from watchbill.actions.desk_settings import KINDS, fields_for
from watchbill.actions.request_words import fields_of
from watchbill.core.wording import fill
from watchbill.db.models import CannedResponse, Desk, FaqEntry, SupportRequest, Team
from watchbill.db.screens import requests as screen
from watchbill.entry.web.forms import MarkdownField, attempt
from watchbill.entry.web.hours import hours_of, place_of
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.pages.support_page import promises_of
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.entry.web.request_forms import choose

EMPTY_CONTACTS = 2
KIND_WORDS = {
    "received": "We have your request",
    "approval": "Somebody is asked to approve it",
    "approval_asked": "To a representative: do you approve?",
    "not_now": "Not now, please raise it here",
    "refused": "It was not approved",
    "resolved": "We believe it is done",
    "update": "An update",
    "first_response": "First answer",
    "other": "Anything else",
    "incident_first": "Incident: the first message",
    "incident_update": "Incident: an update",
    "incident_resolved": "Incident: it is over",
    "notice_announced": "Planned work: announced",
    "notice_reminder": "Planned work: a reminder",
    "notice_moved": "Planned work: it has moved",
    "notice_begun": "Planned work: it has begun",
    "notice_extended": "Planned work: it takes longer",
    "notice_done": "Planned work: it is done",
    "notice_cancelled": "Planned work: it is called off",
}
# How a message about an incident or planned work reads, in a preview.
UPDATE_SAMPLE = {
    "title": "Sign-in is down",
    "impact": "Nobody can sign in.",
    "state": update_words.STATE_WORDS["investigating"],
    "parts": "What is happening, and why\nThe certificate has run out.\n\nWhat we are doing\nWe renew it.",
    "next_update": "The next update comes by Tuesday 03 March, 11:00.",
    "started": "Tuesday 03 March, 10:00",
    "ended": "Tuesday 03 March, 11:30",
    "text": "We move the database; you are signed out once.",
    "starts": "Tuesday 10 March, 10:00",
    "ends": "Tuesday 10 March, 11:00",
    "services": "sign-in",
}
SAMPLE = {
    "requester": "Ria",
    "title": "I cannot log in",
    "reference": "R-12",
    "class": "Something is broken",
    "next_step": "Whoever is on watch looks at it first.",
    "first_response_by": "You hear from us by Tuesday 03 March, 11:00.",
    "link": "https://…/r/…",
    "queue": "https://…/support/…",
    "community": "their community",
}


class DeskForm(forms.Form):
    """What stands on the public page, and where mail comes in."""

    is_public = forms.BooleanField(label="Anybody may see the page and write to us", required=False)
    what = MarkdownField(
        4,
        "Markdown. The services of the team are listed below it by themselves.",
        label="What we support",
        required=False,
        max_length=20_000,
    )
    how_long = MarkdownField(
        3,
        "Markdown. The promises of each class stand below it by themselves.",
        label="How long it takes",
        required=False,
        max_length=20_000,
    )
    escalation = MarkdownField(
        3,
        "Markdown: the path that anybody may take, and when.",
        label="When it cannot wait",
        required=False,
        max_length=20_000,
    )
    mail_address = forms.EmailField(
        label="Mail address", required=False, help_text="Mail to it becomes requests of this team."
    )


class FaqForm(forms.Form):
    """A question and its answer."""

    question = forms.CharField(max_length=200, help_text="As people ask it.")
    answer = MarkdownField(8, "Markdown: lists, links, code.", max_length=20_000)
    service = forms.ChoiceField(required=False)

    def __init__(self, data: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        choose(self, "service", [(str(one.pk), str(one)) for one in screen.services_of(team)], "about no service alone")


class CannedForm(forms.Form):
    """A message in the team's own words (TRI-16)."""

    kind = forms.ChoiceField(label="What for?", help_text="Of each kind, Watchbill itself sends the oldest.")
    name = forms.CharField(max_length=80, help_text="By which the team finds it.")
    text = forms.CharField(max_length=20_000, widget=forms.Textarea(attrs={"rows": 12}))

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        choose(self, "kind", [(kind, kind_words(kind)) for kind in KINDS])


def kind_words(kind: str) -> str:
    """Say what a kind of message is for."""
    return KIND_WORDS.get(kind, kind.replace("_", " ").capitalize())


@login_required
def desk(request: PageRequest, slug: str) -> HttpResponse:
    """Show how a team takes requests, with a way to change each part."""
    team = team_or_404(request, slug)
    how = desk_of(team, request.now)
    words = {
        "team": team,
        "is_owner": role_of(request.user, team) == "owner",
        "is_member": may_answer(request.user, team),
        "page": Desk.objects.filter(team=team).first() or Desk(team=team),
        "hours": hours_of(how.coverage),
        "zone": place_of(team.zone),
        "classes": promises_of(how),
        "faq": _faq(team),
        "canned": [
            (kind_words(one.kind), one)
            for one in CannedResponse.objects.filter(team=team, removed_at=None).order_by("kind", "name")
        ],
        "words": [(kind_words(one.kind), one) for one in desk_settings.words_of(team) if one.kind != "other"],
    }
    return render(request, "desk/overview.html", words)


def _faq(team: Team) -> list[FaqEntry]:
    return list(
        FaqEntry.objects.filter(team=team, removed_at=None).select_related("service").order_by("position", "id")
    )


@login_required
def change(request: PageRequest, slug: str) -> HttpResponse:
    """Change the words of the public page, the mail address and the contacts."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"change the desk of {team}")
    page = Desk.objects.filter(team=team).first() or Desk(team=team)
    initial = {name: getattr(page, name) for name in DeskForm.base_fields}
    form = DeskForm(request.POST or None, initial=initial, label_suffix="")
    contacts = _contacts(request) if request.method == "POST" else list(page.contacts)
    if form.is_valid():
        values = {**form.cleaned_data, "contacts": [one for one in contacts if one["name"] or one["person"]]}
        if attempt(form, desk_settings.change_desk, team, values, request.user, request.now):
            messages.success(request, "The desk is saved.")
            return redirect("team-desk", slug=slug)
    empty = {"name": "", "how": "", "person": None}
    words = {
        "team": team,
        "form": form,
        "contacts": [*contacts, *[empty] * EMPTY_CONTACTS],
        "members": screen.members_of([team.pk]),
    }
    return render(request, "desk/change.html", words, status=409 if form.errors else 200)


def _contacts(request: PageRequest) -> list[dict[str, Any]]:
    rows = zip(
        request.POST.getlist("contact-name"),
        request.POST.getlist("contact-how"),
        request.POST.getlist("contact-person"),
        strict=False,
    )
    return [
        {"name": name.strip(), "how": how.strip(), "person": number_in(person)}
        for name, how, person in rows
        if name.strip() or how.strip() or number_in(person)
    ]


@login_required
def faq(request: PageRequest, slug: str, number: int | None = None) -> HttpResponse:
    """Write a question with its answer, or change one."""
    team = team_or_404(request, slug)
    entry = _entry(team, number) if number else None
    initial = (
        {"question": entry.question, "answer": entry.answer, "service": str(entry.service_id or "")} if entry else {}
    )
    form = FaqForm(request.POST or None, team, initial=initial)
    if form.is_valid() and request.POST.get("do") != "preview":
        values = {**form.cleaned_data, "service": form.cleaned_data["service"] or None}
        done = (
            attempt(form, desk_settings.change_faq, entry, values, request.user, request.now)
            if entry
            else attempt(form, desk_settings.add_faq, team, values, request.user, request.now)
        )
        if done:
            messages.success(request, "It stands on the page.")
            return redirect(f"/teams/{slug}/desk/#faq")
    preview = request.POST.get("answer", entry.answer if entry else "")
    words = {"team": team, "form": form, "entry": entry, "preview": preview}
    return render(request, "desk/faq.html", words, status=409 if form.errors else 200)


def _entry(team: Team, number: int) -> FaqEntry:
    entry = FaqEntry.objects.select_related("team", "service").filter(team=team, pk=number, removed_at=None).first()
    if entry is None:
        raise Http404
    return entry


@login_required
@require_POST
def faq_do(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Move a question up or down, or take it off the page."""
    team = team_or_404(request, slug)
    entry, what = _entry(team, number), request.POST.get("do", "")
    if what == "remove":
        desk_settings.remove_faq(entry, request.user, request.now)
        messages.success(request, f"“{entry}” is off the page.")
    elif what in {"up", "down"}:
        place = [one.pk for one in _faq(team)].index(entry.pk)
        desk_settings.change_faq(
            entry, {"position": max(0, place + (1 if what == "down" else -1))}, request.user, request.now
        )
    return redirect(f"/teams/{slug}/desk/#faq")


@login_required
def canned(request: PageRequest, slug: str, number: int | None = None) -> HttpResponse:
    """Write a ready message, or change one, with a look at how it reads."""
    team = team_or_404(request, slug)
    one = _canned(team, number) if number else None
    kind = request.GET.get("kind", "other")
    begun = {"kind": kind, "name": "" if kind == "other" else kind_words(kind), "text": KINDS.get(kind, "")}
    form = CannedForm(
        request.POST or None, initial={"kind": one.kind, "name": one.name, "text": one.text} if one else begun
    )
    if form.is_valid() and request.POST.get("do") != "preview":
        done = (
            attempt(form, desk_settings.change_canned, one, form.cleaned_data, request.user, request.now)
            if one
            else attempt(form, desk_settings.add_canned, team, form.cleaned_data, request.user, request.now)
        )
        if done:
            messages.success(request, "The message is saved.")
            return redirect(f"/teams/{slug}/desk/#messages")
    text = request.POST.get("text", one.text if one else begun["text"])
    words = {
        "team": team,
        "form": form,
        "one": one,
        "preview": _filled(team, text, request, form["kind"].value() or kind),
        "fields": fields_for(form["kind"].value() or kind),
    }
    return render(request, "desk/canned.html", words, status=409 if form.errors else 200)


def _canned(team: Team, number: int) -> CannedResponse:
    one = CannedResponse.objects.select_related("team").filter(team=team, pk=number, removed_at=None).first()
    if one is None:
        raise Http404
    return one


def _filled(team: Team, text: str, request: PageRequest, kind: str) -> str:
    """Fill a message as the newest request would, or a made-up one; of an incident or planned work a made-up one."""
    if kind in update_words.KINDS:
        return fill(text, {**UPDATE_SAMPLE, "team": team.name, "me": str(request.user)})
    newest = (
        SupportRequest.objects.select_related("team", "requester", "community", "assignee")
        .filter(team=team)
        .order_by("-id")
        .first()
    )
    fields = fields_of(newest, desk_of(team, request.now)) if newest else {**SAMPLE, "team": team.name}
    return fill(text, {**fields, "me": str(request.user)})


@login_required
@require_POST
def preview(request: PageRequest, slug: str) -> HttpResponse:
    """Show how a message reads while it is typed."""
    team = team_or_404(request, slug)
    text = _filled(team, request.POST.get("text", "")[:20_000], request, request.POST.get("kind", ""))
    return render(request, "desk/preview.html", {"preview": text})


@login_required
@require_POST
def canned_remove(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take a ready message away."""
    one = _canned(team_or_404(request, slug), number)
    desk_settings.remove_canned(one, request.user, request.now)
    messages.success(request, f"“{one}” is taken away. Where it was the team’s word, ours hold again.")
    return redirect(f"/teams/{slug}/desk/#messages")


URLS = [
    path("teams/<slug:slug>/desk/", desk, name="team-desk"),
    path("teams/<slug:slug>/desk/change/", change, name="team-desk-change"),
    path("teams/<slug:slug>/desk/faq/new/", faq, name="team-faq-new"),
    path("teams/<slug:slug>/desk/faq/<int:number>/", faq, name="team-faq"),
    path("teams/<slug:slug>/desk/faq/<int:number>/do/", faq_do, name="team-faq-do"),
    path("teams/<slug:slug>/desk/messages/new/", canned, name="team-canned-new"),
    path("teams/<slug:slug>/desk/messages/preview/", preview, name="team-canned-preview"),
    path("teams/<slug:slug>/desk/messages/<int:number>/", canned, name="team-canned"),
    path("teams/<slug:slug>/desk/messages/<int:number>/remove/", canned_remove, name="team-canned-remove"),
]

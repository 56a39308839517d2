"""Planned work in the browser: what is ahead and under way, one notice with what was said, and what may be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import notices
from watchbill.core.notices import AHEAD, OVER
from watchbill.db.models import Community, Notice, Team
from watchbill.db.notice_facts import conflicts_of, notices_seen_by
from watchbill.db.screens import requests as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose, service_choices
from watchbill.entry.web.ticket_words import choosable
from watchbill.entry.web.wall import WallField
from watchbill.rules.planned_work import short_notice

MOST_SHOWN = 100
AUDIENCE_WORDS = {
    "team": "The team",
    "communities": "All communities",
    "leadership": "Leadership",
    "public": "The public page",
}
TOLD_WORDS = {
    "announced": "Announced",
    "reminded": "Reminded",
    "moved": "Moved",
    "begun": "Begun",
    "extended": "Takes longer",
    "done": "Done",
    "cancelled": "Called off",
}
LONG = forms.Textarea(attrs={"rows": 5})


class TimesForm(forms.Form):
    """From when until when."""

    starts_at = WallField(label="Starts")
    ends_at = WallField(label="Ends", is_end=True)


class NoticeForm(TimesForm):
    """Planned work: what, when, what it touches, who hears."""

    title = forms.CharField(label="What is done", max_length=200)
    text = forms.CharField(label="What people will feel", max_length=10_000, widget=LONG)
    services = forms.MultipleChoiceField(label="It touches", required=False, widget=forms.CheckboxSelectMultiple)
    audiences = forms.MultipleChoiceField(label="Who hears", required=False, widget=forms.CheckboxSelectMultiple)
    field_order = ("title", "text", "starts_at", "ends_at", "services", "audiences")

    def __init__(self, data: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        self.known = {str(one.pk): one for one in screen.services_of(team)}
        choose(self, "services", service_choices(self.known.values()))
        communities = Community.objects.filter(team=team, archived_at=None).order_by("name")
        choose(
            self, "audiences", [*AUDIENCE_WORDS.items(), *((f"community:{one.slug}", one.name) for one in communities)]
        )

    def values(self) -> dict[str, Any]:
        """Give what was typed, with services instead of their ids."""
        return {**self.cleaned_data, "services": [self.known[key] for key in self.cleaned_data["services"]]}


class SayForm(forms.Form):
    """What is said besides."""

    text = forms.CharField(
        label="What to say", required=False, max_length=10_000, widget=LONG, help_text="Empty: what the notice says."
    )


class ExtendForm(SayForm):
    """Until when it takes."""

    ends_at = WallField(label="It ends", is_end=True)


class MoveForm(TimesForm, SayForm):
    """When it comes instead."""


class WhyForm(forms.Form):
    """Why not."""

    why = forms.CharField(label="Why?", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


@dataclass(frozen=True)
class Act:
    """One thing that may be done with planned work in some states: its words, its form, what does it."""

    title: str
    button: str
    said: str
    states: tuple[str, ...]
    form: type[forms.Form]
    do: Callable[[PageRequest, Notice, dict[str, Any]], object]


ACTS = {
    "announce": Act("Tell them", "Announce it", "They are told.", ("draft",), forms.Form,
        lambda r, n, v: notices.announce(n.pk, r.user, r.now)),
    "begin": Act("It begins", "Begin", "It has begun.", AHEAD, SayForm,
        lambda r, n, v: notices.begin(n.pk, r.user, r.now, v["text"])),
    "extend": Act("It takes longer", "It takes longer", "They know the new end.", ("in_progress",), ExtendForm,
        lambda r, n, v: notices.extend(n.pk, v["ends_at"], r.user, r.now, v["text"])),
    "done": Act("It is done", "Done", "It is done.", ("in_progress",), SayForm,
        lambda r, n, v: notices.done(n.pk, r.user, r.now, v["text"])),
    "move": Act("Move it", "Move it", "It has moved.", AHEAD, MoveForm,
        lambda r, n, v: notices.reschedule(n.pk, v["starts_at"], v["ends_at"], r.user, r.now, v["text"])),
    "cancel": Act("Call it off", "Call it off", "It is called off.", (*AHEAD, "in_progress"), WhyForm,
        lambda r, n, v: notices.cancel(n.pk, v["why"], r.user, r.now)),
}  # fmt: skip


@login_required
def notice_list(request: PageRequest) -> HttpResponse:
    """Show what is ahead and under way, then the past."""
    rows = Notice.objects.filter(notices_seen_by(request.user)).select_related("team")
    team, teams = choosable(request)
    words = {
        "going": list(rows.exclude(state__in=OVER).order_by("starts_at", "id")[:MOST_SHOWN]),
        "past": list(rows.filter(state__in=OVER).order_by("-starts_at", "-id")[:MOST_SHOWN]),
        "may_plan": [one for one in teams if may_answer(request.user, one)] if team else [],
    }
    return render(request, "notices/list.html", words)


@login_required
def new(request: PageRequest) -> HttpResponse:
    """Write planned work down; nobody is told yet."""
    team, teams = choosable(request)
    named = request.POST.get("team", "")
    team = next((one for one in teams if one.slug == named), team)
    if team is None:
        raise Http404
    rule = notices.rule_of(team, request.now)
    form = NoticeForm(request.POST or None, team, initial={"audiences": rule.audiences})
    if form.is_valid():
        made = attempt(form, notices.draft, team, form.values(), request.user, request.now)
        if made is not None:
            messages.success(request, "It is written down. Nobody is told yet.")
            return redirect("notice", number=made.pk)
    words = {"form": form, "team": team, "teams": teams, "notice": None}
    return render(request, "notices/form.html", words, status=409 if form.errors else 200)


def notice_or_404(request: PageRequest, number: int) -> Notice:
    """Find planned work that the reader may see; raises Http404 also for that of others."""
    rows = Notice.objects.filter(notices_seen_by(request.user), pk=number).select_related("team", "created_by")
    found = rows.first()
    if found is None:
        raise Http404
    return found


@login_required
def one(request: PageRequest, number: int) -> HttpResponse:
    """Show planned work: when, what it touches, what stands in its way, what was said."""
    return _show(request, notice_or_404(request, number), {})


def _show(request: PageRequest, notice: Notice, given: dict[str, forms.Form], status: int = 200) -> HttpResponse:
    rule = notices.rule_of(notice.team, request.now)
    words = {
        "notice": notice,
        "services": list(notice.services.order_by("name")),
        "audiences": [AUDIENCE_WORDS.get(one, one.partition(":")[2]) for one in notice.audiences],
        "conflicts": conflicts_of(notice, request.user),
        "short": short_notice(notice.starts_at, request.now, rule) if notice.state == "draft" else "",
        "said": [
            (TOLD_WORDS.get(one.state, one.state), one)
            for one in notice.updates.select_related("author").order_by("id")
        ],
        "acts": _acts(request, notice, given),
        "open_form": next(iter(given), ""),
        "may_change": may_answer(request.user, notice.team) and notice.state not in OVER,
    }
    return render(request, "notices/one.html", words, status=status)


def _acts(request: PageRequest, notice: Notice, given: dict[str, forms.Form]) -> list[tuple[str, Act, forms.Form]]:
    if not may_answer(request.user, notice.team):
        return []
    times = {"starts_at": notice.starts_at, "ends_at": notice.ends_at}
    return [
        (name, act, given.get(name) or act.form(initial=times, label_suffix="", auto_id=f"{name}-%s"))
        for name, act in ACTS.items()
        if notice.state in act.states
    ]


@login_required
def change(request: PageRequest, number: int) -> HttpResponse:
    """Change the words, services and audiences; nobody is told by that. Its time is moved, or extended."""
    notice = notice_or_404(request, number)
    initial = {
        "title": notice.title,
        "text": notice.text,
        "services": [str(one.pk) for one in notice.services.all()],
        "audiences": notice.audiences,
    }
    form = NoticeForm(request.POST or None, notice.team, initial=initial)
    del form.fields["starts_at"], form.fields["ends_at"]
    if form.is_valid() and attempt(form, notices.change, notice.pk, form.values(), request.user, request.now):
        messages.success(request, "It is changed. Nobody is told by that.")
        return redirect("notice", number=number)
    words = {"form": form, "team": notice.team, "teams": [], "notice": notice}
    return render(request, "notices/form.html", words, status=409 if form.errors else 200)


@login_required
@require_POST
def do(request: PageRequest, number: int, name: str) -> HttpResponse:
    """Do one thing with planned work."""
    notice, act = notice_or_404(request, number), ACTS.get(name)
    if act is None:
        raise Http404(name)
    form = act.form(request.POST, label_suffix="", auto_id=f"{name}-%s")
    if form.is_valid() and attempt(form, act.do, request, notice, form.cleaned_data):
        messages.success(request, act.said)
        return redirect("notice", number=number)
    return _show(request, notice_or_404(request, number), {name: form}, 409)


URLS = [
    path("notices/", notice_list, name="notices"),
    path("notices/new/", new, name="notice-new"),
    path("notices/<int:number>/", one, name="notice"),
    path("notices/<int:number>/change/", change, name="notice-change"),
    path("notices/<int:number>/<slug:name>/", do, name="notice-act"),
]

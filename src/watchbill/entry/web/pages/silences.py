"""Silences: what is held back and why; a new one, with a look at what it would cover; its early end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import silences
from watchbill.core.alerts import OPERATORS
from watchbill.core.wallclock import start_instant
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Person, Service, Silence, Team
from watchbill.db.screens import alerts as screen
from watchbill.db.screens.visible import find_group, silences_of, teams_of
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused

MATCHERS = 6
PREFILLED = ("alertname", "instance", "host", "node", "job", "cluster", "severity")
LENGTHS = [
    ("30", "30 minutes"),
    ("60", "1 hour"),
    ("240", "4 hours"),
    ("1440", "a day"),
    ("10080", "a week"),
    ("", "until the time below"),
]


class SilenceForm(forms.Form):
    """What to hold back, why, and until when; times are the reader's wall clock."""

    scope = forms.ChoiceField(label="Of")
    why = forms.CharField(max_length=500, label="Why?", help_text="Whoever looks for the alert reads this.")
    length = forms.ChoiceField(label="For", choices=LENGTHS, required=False, initial="60")
    ends_at = forms.DateTimeField(
        label="Until", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    starts_at = forms.DateTimeField(
        label="From",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Empty: now. A maintenance next week can be told today.",
    )

    def __init__(self, data: Any, teams: list[Team], **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        services = Service.objects.filter(team__in=teams, archived_at=None).select_related("team").order_by("name")
        scope: Any = self.fields["scope"]
        scope.choices = [
            ("One service", [(f"service:{s.pk}", f"{s} ({s.team})") for s in services]),
            ("A whole team, by labels", [(f"team:{team.pk}", str(team)) for team in teams]),
        ]

    def times(self, reader: Person, now: datetime) -> tuple[datetime | None, datetime]:
        """Read from when to when; raises Refused naming the field."""
        starts = _instant(self.cleaned_data.get("starts_at"), reader)
        if self.cleaned_data.get("length"):
            return starts, (starts or now) + timedelta(minutes=int(self.cleaned_data["length"]))
        ends = _instant(self.cleaned_data.get("ends_at"), reader)
        if ends is None:
            raise Refused("say until when", "ends_at")
        return starts, ends


def read_scope(scope: str) -> tuple[Team, Service | None]:
    """Read what a silence is of, from a choice of the form."""
    kind, _, number = scope.partition(":")
    if kind == "service":
        service = Service.objects.select_related("team").get(pk=number)
        return service.team, service
    return Team.objects.get(pk=number), None


def _instant(typed: datetime | None, reader: Person) -> datetime | None:
    """Read a wall-clock time in the reader's zone by the rule for changes of clock."""
    if typed is None:
        return None
    wall = typed.astimezone(ZoneInfo(reader.zone))
    return start_instant(wall.date(), wall.time(), reader.zone)


def read_matchers(request: PageRequest) -> list[dict[str, str]]:
    """Read the rows of matchers; a row without a label is left out."""
    given = request.POST if request.method == "POST" else request.GET
    rows = zip(given.getlist("label"), given.getlist("operator"), given.getlist("value"), strict=False)
    return [{"label": n.strip(), "operator": o, "value": v} for n, o, v in rows if n.strip()]


@login_required
def silence_list(request: PageRequest) -> HttpResponse:
    """List what is held back now and what was."""
    mine = silences_of(request.user)
    now = screen.silences_in_force(mine, request.now)
    words = {
        "in_force": now,
        "past": screen.silences_past(mine, request.now),
        "ending": {s.pk for s in now if may_answer(request.user, s.team)},
        "may_add": any(may_answer(request.user, team) for team in teams_of(request.user)),
    }
    return render(request, "alerts/silences.html", words)


@login_required
def silence_new(request: PageRequest) -> HttpResponse:
    """Write a silence; `?alert=` fills it in from an alert's labels."""
    teams = [team for team in teams_of(request.user) if may_answer(request.user, team)]
    group = _group(request)
    matchers = read_matchers(request) if request.method == "POST" else _matchers_of(group)
    start = {"scope": f"service:{group.service_id}"} if group else {"scope": request.GET.get("scope", "")}
    form = SilenceForm(request.POST or None, teams, initial=start)
    if form.is_valid() and (made := attempt(form, _add, request, form, matchers)):
        what = "begins then" if made.starts_at > request.now else "holds"
        messages.success(request, f"The silence {what}. When it ends, whatever still fires is looked at again.")
        return redirect("silences")
    words: dict[str, Any] = {
        "form": form,
        "matchers": [*matchers, *({} for _ in range(max(2, MATCHERS - len(matchers)) // 2))],
        "operators": OPERATORS,
        "problem": " ".join(str(error) for error in form.non_field_errors()),
        "preview": _preview(form, matchers, start["scope"]),
        "has_teams": bool(teams),
    }
    return render(request, "alerts/silence_new.html", words)


def _add(request: PageRequest, form: SilenceForm, matchers: list[dict[str, str]]) -> Silence:
    team, service = read_scope(form.cleaned_data["scope"])
    starts, ends = form.times(request.user, request.now)
    return silences.add_silence(
        team,
        request.user,
        request.now,
        service=service,
        matchers=matchers,
        why=form.cleaned_data["why"],
        starts_at=starts,
        ends_at=ends,
    )


def _group(request: PageRequest) -> AlertGroup | None:
    number = number_in(request.GET.get("alert", ""))
    return find_group(request.user, number) if number is not None else None


def _matchers_of(group: AlertGroup | None) -> list[dict[str, str]]:
    """Give the labels that say which alert it is, as matchers."""
    if group is None:
        return []
    labels = {"severity": group.severity, **facts.labels_of([group.pk]).get(group.pk, {})}
    names = [name for name in PREFILLED if name in labels] or list(labels)[:3]
    return [{"label": name, "operator": "=", "value": labels[name]} for name in names]


@login_required
@require_POST
def silence_preview(request: PageRequest) -> HttpResponse:
    """Show which open alerts the silence in the form would cover."""
    teams = [team for team in teams_of(request.user) if may_answer(request.user, team)]
    form = SilenceForm(request.POST, teams)
    form.is_valid()
    return render(
        request,
        "alerts/silence_preview.html",
        {"preview": _preview(form, read_matchers(request), request.POST.get("scope", ""))},
    )


def _preview(form: SilenceForm, matchers: list[dict[str, str]], scope: str) -> dict[str, Any]:
    """Work out what would be covered; what is wrong with it is said instead."""
    chosen: Any = form.fields["scope"]
    if not chosen.valid_value(scope):
        return {}
    team, service = read_scope(scope)
    try:
        silences.check_scope(team, service, matchers)
        covered = silences.covered_groups(team, service, matchers)
    except Refused as refusal:
        return {"problem": refusal.message}
    return {"covered": covered[:20], "count": len(covered), "where": service or team, "all": not matchers}


@login_required
@require_POST
def silence_end(request: PageRequest, number: int) -> HttpResponse:
    """End a silence early."""
    silence = silences_of(request.user).filter(pk=number).first()
    if silence is None:
        raise Http404(f"there is no silence {number}")
    silences.end_silence(silence, request.user, request.now)
    messages.success(request, "The silence is over. What still fires is being looked at again.")
    return redirect("silences")


URLS = [
    path("silences/", silence_list, name="silences"),
    path("silences/new/", silence_new, name="silence-new"),
    path("silences/preview/", silence_preview, name="silence-preview"),
    path("silences/<int:number>/end/", silence_end, name="silence-end"),
]

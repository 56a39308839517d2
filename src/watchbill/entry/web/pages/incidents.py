"""Incidents: the list, what is not over first; and declaring one in one step (INC-01, INC-03, INC-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from watchbill.actions import declaring, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.desk import desk_of
from watchbill.core.incidents import CONDITIONS, DETECTED_BY
from watchbill.db.models import Service, Team
from watchbill.db.screens import incidents as screen
from watchbill.db.screens.requests import find_request, services_of
from watchbill.db.screens.visible import find_group, find_page, teams_of
from watchbill.entry.web.csv_answer import stream_csv
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.incident_rows import COLUMNS, cells_of, rows_of, worst_first
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import Choices, choose, service_choices
from watchbill.entry.web.templatetags.incident_tags import CONDITIONS as CONDITION_WORDS
from watchbill.entry.web.templatetags.incident_tags import DETECTED_BY as NOTICED_WORDS
from watchbill.entry.web.templatetags.incident_tags import STATES as STATE_WORDS
from watchbill.entry.web.wall import WallField
from watchbill.kit.errors import NotAllowed
from watchbill.rules import incident_severity

CSV_MOST = 100_000
LONGEST_TITLE = 200
UNSURE = "I am not sure: take the higher one"


class FilterForm(forms.Form):
    """What the list is narrowed to; it stands in the address, so that a list can be sent to somebody."""

    q = forms.CharField(label="Search", required=False, max_length=200)
    state = forms.ChoiceField(required=False)
    team = forms.ChoiceField(required=False)
    severity = forms.ChoiceField(required=False)
    service = forms.ChoiceField(required=False)
    exercise = forms.ChoiceField(
        label="Exercises",
        required=False,
        choices=[("", "with exercises"), ("no", "without exercises"), ("only", "exercises alone")],
    )

    def __init__(self, data: Any, teams: Sequence[Team], severities: Choices) -> None:
        super().__init__(data, label_suffix="")
        services = Service.objects.filter(team__in=teams).order_by("name").values_list("slug", "name")
        choose(self, "state", [(name, word) for name, (_, word) in STATE_WORDS.items()], "every state")
        choose(self, "team", [(team.slug, team.name) for team in teams], "every team")
        choose(self, "severity", severities, "every severity")
        choose(self, "service", services, "every service")
        self.fields["q"].widget.attrs.update({"type": "search", "placeholder": "words, I-12"})

    def read(self) -> screen.Filters:
        """Read the filters; what is wrong in the address counts as not given."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if name != "q"}
        return screen.Filters(**given, text=self.cleaned_data.get("q", ""))


@login_required
def incident_list(request: PageRequest) -> HttpResponseBase:
    """List incidents: what is not over, worst first, then the past."""
    teams = teams_of(request.user)
    tables = [incidents.severity_rule(desk_of(team, request.now)) for team in teams]
    severities = {key: one.title for table in tables for key, one in table.severities.items()}
    form = FilterForm(request.GET, teams, list(severities.items()))
    filters = form.read()
    if request.GET.get("format") == "csv":
        rows = screen.every_incident(request.user, filters, CSV_MOST)
        return stream_csv("incidents", COLUMNS, map(cells_of, rows), request.now)
    before = request.GET.get("before", "")
    key = int(before) if before.isdecimal() and len(before) < 16 else None
    past = screen.past_incidents(request.user, filters, key)
    given = {name: value for name, value in request.GET.items() if value and name not in {"before", "format"}}
    under_way = [] if key else worst_first(rows_of(screen.open_incidents(request.user, filters), request))
    words = {
        "form": form,
        "narrowed": bool(given),
        "open": under_way,
        "real": sum(not row.incident.is_exercise for row in under_way),
        "past": rows_of(past[: screen.ROWS], request),
        "older": urlencode({**given, "before": past[screen.ROWS - 1].pk}) if len(past) > screen.ROWS else "",
        "newest": urlencode(given) if key else "",
        "is_later_screen": key is not None,
        "csv": urlencode({**given, "format": "csv"}),
        "several": len(teams) > 1,
        "has_teams": bool(teams),
        "may_declare": any(may_answer(request.user, team) for team in teams),
    }
    return render(request, "incidents/list.html", words)


class DeclareForm(forms.Form):
    """A title and what people feel; the rest may wait."""

    title = forms.CharField(label="What is wrong?", max_length=LONGEST_TITLE)
    impact = forms.CharField(
        label="What do people feel?",
        max_length=incidents.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    impact_kind = forms.ChoiceField(label="How bad is it?", required=False, widget=forms.RadioSelect)
    services = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    condition = forms.ChoiceField(label="They are", initial="degraded", required=False)
    started_at = WallField(label="Began at", required=False)
    detected_at = WallField(label="Noticed at", required=False)
    detection_source = forms.ChoiceField(label="Noticed by", initial="member", required=False)
    is_exercise = forms.BooleanField(label="It is an exercise", required=False)
    is_private = forms.BooleanField(label="Only those who are named in it may see it", required=False)
    alert = forms.IntegerField(required=False, widget=forms.HiddenInput)
    page = forms.IntegerField(required=False, widget=forms.HiddenInput)
    request = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: Any, table: incident_severity.Settings, services: Sequence[Service], **kwargs: Any
    ) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        self.fields["impact" if self["title"].value() else "title"].widget.attrs["autofocus"] = True
        self.known = {str(one.pk): one for one in services}
        choose(self, "impact_kind", table.impacts.items(), UNSURE)
        choose(self, "services", service_choices(services))
        choose(self, "condition", [(key, CONDITION_WORDS[key][1]) for key in CONDITIONS if key != "operational"])
        choose(self, "detection_source", [(key, NOTICED_WORDS[key]) for key in DETECTED_BY])
        zone = timezone.get_current_timezone_name()
        self.fields["started_at"].help_text = self.fields["detected_at"].help_text = f"Empty: now. In {zone}."

    @property
    def has_more(self) -> bool:
        """Tell whether one of the folded fields was filled in, or is wrong."""
        folded = ("services", "started_at", "detected_at", "is_exercise", "is_private")
        return any(self[name].errors or self[name].value() for name in folded) or bool(self["condition"].errors)


@dataclass(frozen=True)
class Origin:
    """What an incident comes from, as far as the reader may see it: where it is linked, and what stands in the form."""

    team: Team | None = None
    kind: str = ""
    title: str = ""
    address: str = ""
    number: int = 0
    initial: dict[str, Any] = field(default_factory=dict)


def origin_of(request: PageRequest) -> Origin:
    """Read what the address or the form names: ?alert=, ?page= or ?request=."""
    named = {name: request.POST.get(name) or request.GET.get(name) or "" for name in ("alert", "page", "request")}
    kind, number = next(((name, int(v)) for name, v in named.items() if v.isdecimal() and len(v) < 16), ("", 0))
    if kind == "alert" and (group := find_group(request.user, number)):
        services = [str(group.service_id)]
        times = {"started_at": group.opened_at, "detected_at": group.opened_at, "detection_source": "alert"}
        given = {"title": group.title[:LONGEST_TITLE], "services": services, **times}
        return Origin(group.team, kind, group.title, f"/alerts/{number}/", number, {**given, "alert": number})
    if kind == "page" and (page := find_page(request.user, number)):
        services = [str(page.service_id)] if page.service_id else []
        given = {"title": page.title[:LONGEST_TITLE], "services": services, "started_at": page.opened_at}
        return Origin(page.team, kind, page.title, f"/pages/{number}/", number, {**given, "page": number})
    if kind == "request" and (asked := find_request(request.user, number)):
        services = [str(asked.service_id)] if asked.service_id else []
        times = {"started_at": asked.opened_at, "detected_at": asked.opened_at, "detection_source": "requester"}
        given = {"title": asked.title[:LONGEST_TITLE], "services": services, **times}
        return Origin(asked.team, kind, asked.title, f"/requests/{number}/", number, {**given, "request": number})
    return Origin()


@login_required
def declare(request: PageRequest) -> HttpResponse:
    """Declare an incident in one step; from an alert, a page or a request much is filled in."""
    teams = [team for team in teams_of(request.user) if may_answer(request.user, team)]
    if not teams:
        raise NotAllowed("To declare an incident you need to be a member of a team. Ask an owner of your team.")
    origin = origin_of(request)
    slug = request.POST.get("team") or request.GET.get("team") or (origin.team.slug if origin.team else "")
    team = next((one for one in teams if one.slug == slug), teams[0])
    table = incidents.severity_rule(desk_of(team, request.now))
    form = DeclareForm(request.POST or None, table, services_of(team), initial=origin.initial)
    if form.is_valid():
        made = attempt(form, _declare, team, form, origin, request)
        if made:
            messages.success(request, f"I-{made.pk} is declared. You respond.")
            return redirect("incident", number=made.pk)
    words = {
        "form": form,
        "team": team,
        "teams": teams,
        "origin": origin,
        "linked": screen.linked_incidents(request.user, origin.kind, origin.number) if origin.kind else [],
        "under_way": screen.open_of_team(request.user, team),
    }
    return render(request, "incidents/new.html", words, status=409 if form.errors else 200)


def _declare(team: Team, form: DeclareForm, origin: Origin, request: PageRequest) -> Any:
    given = form.cleaned_data
    declared = Declared(
        title=given["title"],
        impact=given["impact"],
        impact_kind=given["impact_kind"],
        services=[form.known[key] for key in given["services"]],
        condition=given["condition"] or "degraded",
        started_at=given["started_at"],
        detected_at=given["detected_at"],
        detection_source=given["detection_source"] or "member",
        is_private=given["is_private"],
        is_exercise=given["is_exercise"],
        came_from=[(origin.kind, origin.number)] if origin.kind else [],
    )
    return declaring.declare(team, declared, request.user, request.now)


URLS = [
    path("incidents/", incident_list, name="incidents"),
    path("incidents/new/", declare, name="incident-new"),
]

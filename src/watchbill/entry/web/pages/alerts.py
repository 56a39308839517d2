"""Alerts: the list with its filters and search, one alert with its story, and the answers to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill import monitors
from watchbill.actions import alerts
from watchbill.actions.access import ROLES, role_of
from watchbill.core.wallclock import DAY, start_instant
from watchbill.db.models import AlertGroup, Incident, Page, Person, Service, Team
from watchbill.db.screens import alerts as screen
from watchbill.db.screens.incidents import linked_incidents
from watchbill.db.screens.visible import find_group, team_ids, teams_of
from watchbill.entry.web.answers import answer_group, next_morning, next_url
from watchbill.entry.web.csv_answer import harmless as harmless
from watchbill.entry.web.csv_answer import instant, stream_csv
from watchbill.entry.web.numbers import number_in, numbers_in
from watchbill.entry.web.order import all_severities
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import NotAllowed, Refused

CSV_MOST = 100_000
BULK_MOST = 200
STATE_WORDS = {
    "open": "Open",
    "firing": "Firing",
    "acknowledged": "Acknowledged",
    "silenced": "Silenced",
    "resolved": "Resolved",
    "all": "All",
}


class FilterForm(forms.Form):
    """What the list is narrowed to; it stands in the address, so that a list can be sent to somebody."""

    q = forms.CharField(label="Search", required=False, max_length=200)
    severity = forms.ChoiceField(required=False)
    service = forms.ChoiceField(required=False)
    team = forms.ChoiceField(required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    mine = forms.BooleanField(label="Only what I took", required=False)

    def __init__(self, data: Any, teams: Iterable[Team]) -> None:
        super().__init__(data, label_suffix="")
        teams = list(teams)
        services = Service.objects.filter(team__in=teams).order_by("name").values_list("slug", "name")
        self._choices("severity", [(name, name) for name in all_severities(teams)], "every severity")
        self._choices("service", list(services), "every service")
        self._choices("team", [(team.slug, team.name) for team in teams], "every team")
        self.fields["q"].widget.attrs.update({"type": "search", "placeholder": "words in title, service, description"})

    def _choices(self, name: str, choices: list[tuple[str, str]], none: str) -> None:
        field: Any = self.fields[name]
        field.choices = [("", none), *choices]


def read_filters(form: FilterForm, state: str, zone: str) -> screen.Filters:
    """Read the filters; what is wrong in the address counts as not given. Days are the reader's, the last inclusive."""
    form.is_valid()
    given = form.cleaned_data
    since, until = given.get("since"), given.get("until")
    return screen.Filters(
        state=state if state in screen.STATES else "open",
        severity=given.get("severity", ""),
        service=given.get("service", ""),
        team=given.get("team", ""),
        mine=bool(given.get("mine")),
        since=_midnight(since, zone) if since else None,
        until=_midnight(until + DAY, zone) if until and until < date.max else None,
        text=given.get("q", ""),
    )


def _midnight(day: date, zone: str) -> datetime:
    return start_instant(day, time.min, zone)


@login_required
def alert_list(request: PageRequest) -> HttpResponseBase:
    """List alerts; what is open unless the address says otherwise."""
    teams = teams_of(request.user)
    form = FilterForm(request.GET, teams)
    filters = read_filters(form, request.GET.get("state", "open"), request.user.zone)
    ids = team_ids(request.user)
    if request.GET.get("format") == "csv":
        return _csv(request, ids, filters)
    before = request.GET.get("before", "")
    groups = screen.list_groups(request.user, ids, filters, number_in(before))
    given = {name: value for name, value in request.GET.items() if value and name not in {"before", "format"}}
    words = {
        "form": form,
        "filters": filters,
        "narrowed": bool(set(given) - {"state"}),
        "groups": groups[: screen.ROWS],
        "older": urlencode({**given, "before": groups[screen.ROWS - 1].pk}) if len(groups) > screen.ROWS else "",
        "newest": "" if not before else urlencode(given),
        "states": [(name, word, urlencode({**given, "state": name})) for name, word in STATE_WORDS.items()],
        "csv": urlencode({**given, "format": "csv"}),
        "answering": _answering(request.user, groups),
        "has_teams": bool(teams),
    }
    return render(request, "alerts/list.html", words)


def _answering(reader: Person, groups: Iterable[AlertGroup]) -> set[int]:
    teams = {group.team_id: group.team for group in groups}
    return {pk for pk, team in teams.items() if may_answer(reader, team)}


def may_answer(reader: Person, team: Team) -> bool:
    """Tell whether somebody is a member of a team, or more."""
    role = role_of(reader, team)
    return role is not None and ROLES.index(role) >= ROLES.index("member")


COLUMNS = (
    "id",
    "state",
    "severity",
    "title",
    "service",
    "team",
    "opened",
    "acknowledged",
    "acknowledged by",
    "resolved",
    "alerts",
    "signals",
)


def _csv(request: PageRequest, teams: list[int] | None, filters: screen.Filters) -> StreamingHttpResponse:
    """Stream the filtered list; times in UTC."""
    rows = screen.every_group(request.user, teams, filters, CSV_MOST)
    return stream_csv("alerts", COLUMNS, map(_cells, rows), request.now)


def _cells(group: AlertGroup) -> list[object]:
    return [
        group.pk,
        group.state,
        group.severity,
        group.title,
        group.service,
        group.team,
        instant(group.opened_at),
        instant(group.acknowledged_at),
        group.acknowledged_by,
        instant(group.resolved_at),
        group.alert_count,
        group.signal_count,
    ]


@login_required
@require_POST
def answer_many(request: PageRequest) -> HttpResponse:
    """Acknowledge or resolve what was ticked in the list; what cannot be is told and stops nothing."""
    answer, done = request.POST.get("answer", ""), 0
    actions = {"acknowledge": alerts.acknowledge_group, "resolve": alerts.resolve_group}
    if answer not in actions:
        raise Refused("choose an answer")
    for number in numbers_in(request.POST.getlist("alert"))[:BULK_MOST]:
        group = find_group(request.user, number)
        if group is None:
            continue
        try:
            actions[answer](group.pk, request.user, request.now)
            done += 1
        except (Refused, NotAllowed) as refusal:
            messages.warning(request, f"{group.title}: {refusal.message}")
    word = {"acknowledge": "You have", "resolve": "Resolved"}[answer]
    messages.success(request, f"{word} {done} alert{'' if done == 1 else 's'}." if done else "Nothing was ticked.")
    return redirect(next_url(request, "/alerts/"))


def group_or_404(request: PageRequest, number: int) -> AlertGroup:
    """Find an alert that the reader may see; raises Http404 also for one of others."""
    group = find_group(request.user, number)
    if group is None:
        raise Http404(f"there is no alert {number}")
    return group


def monitor_titles() -> dict[str, str]:
    """Give each monitoring tool's name as a person reads it."""
    return {name: module.TITLE for name, module in monitors.all_monitors().items()}


@login_required
def alert(request: PageRequest, number: int) -> HttpResponse:
    """Show one alert: what it is, why somebody was called, what may be answered, what happened."""
    group = group_or_404(request, number)
    story = screen.tell_group(group, request.now, monitor_titles())
    return render(request, "alerts/alert.html", story_words(request, story, group.team))


def story_words(request: PageRequest, story: screen.Story, team: Team) -> dict[str, Any]:
    """Give the words that the pages of an alert and of a page share."""
    page, group = story.page, story.group
    asked = any(row.person_id == request.user.pk for row in story.notifications)
    member = may_answer(request.user, team)
    is_open = (group.state if group else page.state if page else "resolved") != "resolved"
    paged = page if page is not None and page.closed_at is None else None
    return {
        "story": story,
        "incidents": _incidents(request.user, page, group),
        "group": group,
        "page": page,
        "paged": paged,
        "asked": asked,
        "may_answer": is_open and (member or (asked and paged is not None)),
        "is_member": member,
        "is_asking": paged is not None and paged.state in {"climbing", "exhausted"},
        "taken_by_me": paged is not None and paged.state == "acknowledged" and paged.answered_by_id == request.user.pk,
        "members": screen.members_of(page or group) if is_open and paged else [],
        "morning": next_morning(team, request.user, request.now) if is_open else None,
    }


def _incidents(reader: Person, page: Page | None, group: AlertGroup | None) -> list[Incident]:
    if group is not None:
        return linked_incidents(reader, "alert", group.pk)
    return linked_incidents(reader, "page", page.pk) if page is not None else []


@login_required
@require_POST
def answer(request: PageRequest, number: int) -> HttpResponse:
    """Answer an alert, and go back to where the answer was given."""
    group = group_or_404(request, number)
    page = Page.objects.select_related("team").filter(group=group, closed_at=None).first()
    messages.success(request, answer_group(request, group, page, request.user, request.now))
    return redirect(next_url(request, f"/alerts/{number}/"))


@login_required
@require_POST
def note(request: PageRequest, number: int) -> HttpResponse:
    """Write a note on an alert's timeline."""
    group = group_or_404(request, number)
    alerts.write_note(group, request.POST.get("text", ""), request.user, request.now)
    messages.success(request, "Your note is on the timeline.")
    return redirect(f"/alerts/{number}/#timeline")


URLS = [
    path("alerts/", alert_list, name="alerts"),
    path("alerts/answer/", answer_many, name="alerts-answer"),
    path("alerts/<int:number>/", alert, name="alert"),
    path("alerts/<int:number>/answer/", answer, name="alert-answer"),
    path("alerts/<int:number>/note/", note, name="alert-note"),
]

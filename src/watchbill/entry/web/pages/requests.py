"""The inbox: every request whatever door it came by, what nobody has first; and "log it for them" (INT-03, INT-08)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import support
from watchbill.actions.access import require
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.requesters import Asker
from watchbill.db import facts
from watchbill.db.models import Person, SupportRequest, Team
from watchbill.db.screens import requests as screen
from watchbill.db.screens.tickets import filters_of
from watchbill.db.screens.visible import team_ids, teams_of
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.csv_answer import instant, stream_csv
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.numbers import numbers_in
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.pages.saved_filters import LISTS
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import FilterForm, LogForm, class_choices, person_of
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules import priority_order

CSV_MOST = 100_000
BULK_MOST = 200
TAB_WORDS = {
    "unassigned": "Unassigned",
    "mine": "Mine",
    "open": "Open",
    "waiting": "Waiting",
    "resolved": "Resolved",
    "all": "All",
}
COLUMNS = (
    "reference", "state", "waits for", "outcome", "title", "class", "priority", "due", "due what", "late",
    "requester", "mail", "community", "service", "environment", "component", "impact", "door", "assignee", "team",
    "opened", "first response", "resolved", "closed", "minutes spent", "rating",
)  # fmt: skip


@dataclass(frozen=True)
class TeamWords:
    """A team's own words for classes and levels, read once for a whole list."""

    classes: dict[str, str]
    levels: dict[str, priority_order.Level]

    @classmethod
    def of(cls, team: Team, request: PageRequest) -> TeamWords:
        """Read them from the team's policy."""
        desk = Desk(facts.policy_of(team), None, request.now)
        return cls(dict(class_choices(desk)), desk.order.levels)


@dataclass(frozen=True)
class Row:
    """One request in the inbox, with the words of its own team's policy."""

    request: SupportRequest
    class_title: str
    level_title: str
    interrupts: bool


@login_required
def inbox(request: PageRequest) -> HttpResponseBase:
    """List requests; what nobody has stands first, unless the address says otherwise."""
    teams = teams_of(request.user)
    known = {team.pk: TeamWords.of(team, request) for team in teams}
    ids = team_ids(request.user)
    unassigned = screen.count_tab(request.user, ids, "unassigned")
    form = FilterForm(request.GET, teams, _classes(known.values()))
    filters = form.read(request.GET.get("tab", "unassigned" if unassigned else "open"))
    if request.GET.get("format") == "csv":
        return _csv(request, ids, filters)
    found = screen.list_requests(request.user, ids, filters, request.GET.get("after", ""))
    given = {name: value for name, value in request.GET.items() if value and name not in {"after", "format", "tab"}}
    shown = {**given, "tab": filters.tab}
    answering = [team for team in teams if may_answer(request.user, team)]
    several = len(teams) > 1 or len({one.team_id for one in found}) > 1
    words = {
        "form": form,
        "filters": filters,
        "narrowed": bool(given),
        "rows": [_row(one, known, request) for one in found[: screen.ROWS]],
        "more": urlencode({**shown, "after": screen.key_of(found[screen.ROWS - 1], filters.tab)})
        if len(found) > screen.ROWS
        else "",
        "first": urlencode(shown) if request.GET.get("after") else "",
        "tabs": [(name, word, urlencode({**given, "tab": name})) for name, word in TAB_WORDS.items()],
        "unassigned": unassigned,
        "of_all_teams": ids is None and several,
        "csv": urlencode({**shown, "format": "csv"}),
        "answering": {team.pk for team in answering},
        "members": screen.members_of([team.pk for team in answering]) if answering else [],
        "several": several,
        "has_teams": bool(teams),
        "may_log": bool(answering),
        "saved": filters_of(request.user, teams, "requests"),
        "list_url": LISTS["requests"],
    }
    return render(request, "requests/list.html", words)


def _classes(known: Iterable[TeamWords]) -> list[tuple[str, str]]:
    return list({name: title for words in known for name, title in words.classes.items()}.items())


def _row(one: SupportRequest, known: dict[int, TeamWords], request: PageRequest) -> Row:
    words = known.get(one.team_id) or known.setdefault(one.team_id, TeamWords.of(one.team, request))
    level = words.levels.get(one.priority)
    return Row(
        request=one,
        class_title=words.classes.get(one.request_class, "not classed yet"),
        level_title=level.title if level else one.priority,
        interrupts=bool(level and level.interrupts),
    )


def rows_of(found: Sequence[SupportRequest], request: PageRequest) -> list[Row]:
    """Give requests as rows of a list."""
    known: dict[int, TeamWords] = {}
    return [_row(one, known, request) for one in found]


def _csv(request: PageRequest, teams: list[int] | None, filters: screen.Filters) -> StreamingHttpResponse:
    """Stream the filtered list; times in UTC."""
    rows = screen.every_request(request.user, teams, filters, CSV_MOST)
    return stream_csv("requests", COLUMNS, map(cells, rows), request.now)


def cells(one: SupportRequest) -> list[object]:
    """Give a request as a line of CSV, in the order of COLUMNS."""
    times = (one.due_at, one.opened_at, one.first_response_at, one.resolved_at, one.closed_at)
    due, *later = map(instant, times)
    return [
        f"R-{one.pk}", one.state, one.waiting_on if one.state == "open" else "", one.outcome, one.title,
        one.request_class, one.priority, due, one.due_what, "yes" if one.is_late else "",
        one.requester.name, one.requester.email, one.community or "", one.service or "", one.environment,
        one.component, one.impact, one.door, one.assignee or "", one.team,
        *later, one.spent_seconds // 60, one.rating or "",
    ]  # fmt: skip


@login_required
@require_POST
def give_many(request: PageRequest) -> HttpResponse:
    """Take or give away what was ticked in the list; what cannot be is told and stops nothing."""
    to, done = _receiver(request), 0
    for number in numbers_in(request.POST.getlist("request"))[:BULK_MOST]:
        one = screen.find_request(request.user, number)
        if one is None:
            continue
        try:
            support.assign(one.pk, to, request.user, request.now)
            done += 1
        except (Refused, NotAllowed) as refusal:
            messages.warning(request, f"{one.title}: {refusal.message}")
    who = "You have" if to == request.user else f"{to} has"
    messages.success(request, f"{who} {done} request{'' if done == 1 else 's'}." if done else "Nothing was ticked.")
    return redirect(next_url(request, "/requests/"))


def _receiver(request: PageRequest) -> Person:
    if request.POST.get("do") == "take":
        return request.user
    answering = [team.pk for team in teams_of(request.user) if may_answer(request.user, team)]
    to = person_of(request.POST.get("to", ""), screen.members_of(answering))
    if to is None:
        raise Refused("choose who shall have them")
    return to


@login_required
def log(request: PageRequest) -> HttpResponse:
    """Log a request for somebody who asked by word or elsewhere; whoever logs it has it (TRI-04)."""
    teams = [team for team in teams_of(request.user) if may_answer(request.user, team)]
    if not teams:
        raise NotAllowed("To log a request you need to be a member of a team. Ask an owner of your team.")
    slug = request.POST.get("team") or request.GET.get("team") or ""
    team = next((one for one in teams if one.slug == slug), teams[0])
    require(request.user, team, "member", "log a request")
    form = LogForm(request.POST or None, None, desk_of(team, request.now), screen.services_of(team))
    if form.is_valid():
        made = attempt(form, _log, team, form, request)
        if made:
            messages.success(request, f"R-{made.pk} is yours.")
            return redirect("request", number=made.pk)
    return render(request, "requests/new.html", {"form": form, "team": team, "teams": teams})


def _log(team: Team, form: LogForm, request: PageRequest) -> SupportRequest:
    given = form.cleaned_data
    asked = replace(form.asked(), door="logged", at=given["asked_at"], quiet=given["quiet"])
    return support.log_for_them(team, Asker(given["name"], given["email"]), asked, request.user, request.now)


URLS = [
    path("requests/", inbox, name="requests"),
    path("requests/give/", give_many, name="requests-give"),
    path("requests/new/", log, name="request-new"),
]

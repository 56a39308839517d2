"""The list of tickets: asked for in a query, sorted, saved under a name, changed many at once, taken as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import ticket_bulk
from watchbill.actions.tickets import check_labels
from watchbill.core.queries import Order, Query
from watchbill.core.tickets import STAGE_WORDS
from watchbill.db.by_key import is_newest_first
from watchbill.db.models import SavedFilter, Team, Ticket
from watchbill.db.queries import TICKET_FIELDS, TICKETS, Key, keys_of, narrow, page_of
from watchbill.db.screens import tickets as screen
from watchbill.db.screens.visible import sees_team, teams_of
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.numbers import numbers_in
from watchbill.entry.web.pages import saved_filters
from watchbill.entry.web.pages.alerts import harmless, may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.ticket_words import (
    bare_seats,
    choosable,
    desk_without_hours,
    read_who,
    reader_of,
    stale_before,
    stale_days,
    standing,
)
from watchbill.kit.errors import Refused

CSV_MOST = 100_000
TAB_WORDS = {"open": "Open", "mine": "Mine", "done": "Done", "all": "All"}
# Columns that may be shown: their word, and the field of the query language by which they sort.
COLUMNS = {
    "key": ("Ticket", "id"),
    "title": ("Title", "title"),
    "stage": ("Stage", "stage"),
    "who": ("Whose", "assignee"),
    "kind": ("Kind", "kind"),
    "points": ("Points", "points"),
    "priority": ("Priority", "priority"),
    "service": ("Service", "service"),
    "sprint": ("Sprint", "sprint"),
    "labels": ("Labels", ""),
    "due": ("Due", "due"),
    "changed": ("Changed", "changed"),
    "created": ("Written", "created"),
}
ALWAYS = ("key", "title")
USUAL = ("stage", "who", "kind", "points", "priority", "service", "changed")
CSV_COLUMNS = (
    "ticket", "stage", "outcome", "title", "kind", "work", "points", "priority", "assignee", "seat", "service",
    "sprint", "epic", "request", "labels", "due", "written", "changed", "in this stage since", "done", "minutes spent",
)  # fmt: skip


class BulkForm(forms.Form):
    """What is done with what is ticked; what stands empty stays as it is."""

    stage = forms.ChoiceField(label="Stage", required=False)
    who = forms.ChoiceField(label="Whose", required=False)
    sprint = forms.ChoiceField(required=False)
    points = forms.IntegerField(required=False, min_value=0, max_value=100)
    add = forms.CharField(label="Add labels", required=False, max_length=400)
    take = forms.CharField(label="Take labels away", required=False, max_length=400)

    def __init__(self, data: Any, team: Team) -> None:
        super().__init__(data, label_suffix="", auto_id="bulk-%s")
        self.members, self.sprints = screen.members_of(team), screen.open_sprints_of(team)
        seats = [(f"seat:{name}", f"the watch: {name}") for name in bare_seats(team)]
        people = [(f"person:{one.pk}", str(one)) for one in self.members]
        choose(self, "stage", STAGE_WORDS.items(), "as it is")
        choose(self, "who", [("nobody", "nobody"), *seats, *people], "as it is")
        choose(self, "sprint", [("none", "in no sprint"), *((str(s.pk), s.name) for s in self.sprints)], "as it is")

    def values(self) -> dict[str, Any]:
        """Give what changes, without the labels, which differ from ticket to ticket."""
        given, values = self.cleaned_data, dict[str, Any]()
        if given["who"]:
            values |= read_who(given["who"], self.members)
        if given["sprint"]:
            values["sprint"] = next((one for one in self.sprints if str(one.pk) == given["sprint"]), None)
        if given["points"] is not None:
            values["points"] = given["points"]
        return values


@dataclass(frozen=True)
class Asked:
    """What the address asks of the list."""

    team: Team
    tab: str
    text: str
    sort: str
    columns: tuple[str, ...]
    saved: SavedFilter | None

    @property
    def given(self) -> dict[str, str]:
        """Give it back as it stands in an address, without the place in the list."""
        whole = {"team": self.team.slug, "show": self.tab, "q": self.text, "sort": self.sort}
        whole["columns"] = "" if self.columns == USUAL else ",".join(self.columns)
        whole["filter"] = str(self.saved.pk) if self.saved else ""
        return {name: value for name, value in whole.items() if value}


def _asked(request: PageRequest, team: Team, address: QueryDict) -> Asked:
    saved = saved_filters.chosen(request, team, "tickets", address)
    text = address.get("q", saved.query if saved else "").strip()
    tab = address.get("show", "all" if text else "open")
    named = [part for value in address.getlist("columns") for part in value.split(",")]
    columns = tuple(name for name in COLUMNS if name in named and name not in ALWAYS) or USUAL
    return Asked(team, tab if tab in screen.TABS else "open", text, address.get("sort", ""), columns, saved)


def read_rows(request: PageRequest, asked: Asked) -> tuple[QuerySet[Ticket], Sequence[Key]]:
    """Give the rows that are asked for and their order. Raises Refused for a query that cannot be read."""
    query = TICKETS.read(asked.text)
    rows = screen.tickets_of(asked.team, request.user, asked.tab, request.now)
    if asked.sort.lstrip("-") in TICKET_FIELDS and TICKET_FIELDS[asked.sort.lstrip("-")].sorts:
        query = replace(query, order=(Order(asked.sort.lstrip("-"), asked.sort.startswith("-")),))
    keys = _keys(query, asked.tab)
    if query.condition is not None:
        reader = reader_of(request.user, asked.team, request.now)
        rows = narrow(rows, query, TICKETS, reader, newest_first=is_newest_first(keys))
    return rows, keys


def _keys(query: Query, tab: str) -> Sequence[Key]:
    otherwise = screen.OTHERWISE[tab]
    return otherwise if not query.order and otherwise[0].column == "pk" else keys_of(query, TICKETS, otherwise)


@login_required
def ticket_list(request: PageRequest) -> HttpResponseBase:
    """List tickets; what is open unless the address says otherwise."""
    team, teams = choosable(request)
    if team is None:
        return render(request, "tickets/list.html", {"team": None})
    return _render(request, _asked(request, team, request.GET), teams)


def _render(
    request: PageRequest, asked: Asked, teams: Sequence[Team], more: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    rows: list[Ticket] = []
    mark, problem = "", ""
    try:
        found, keys = read_rows(request, asked)
        if request.GET.get("format") == "csv":
            return _csv(request, found, keys)
        rows, mark = page_of(found, keys, request.GET.get("after", ""), screen.ROWS)
    except Refused as refusal:
        problem = refusal.message
    team, given = asked.team, asked.given
    desk = desk_without_hours(team, request.now)
    before = stale_before(desk, request.now)
    is_member = may_answer(request.user, team)
    words = {
        "team": team,
        "teams": teams,
        "asked": asked,
        "problem": problem,
        "rows": [(row, stale_days(row, before, request.now)) for row in rows],
        "levels": {name: level.title for name, level in desk.order.levels.items()},
        "watch": standing(team, request.now),
        "tabs": [(name, word, urlencode(_switch(given, name))) for name, word in TAB_WORDS.items()],
        "heads": [_head(name, asked) for name in (*ALWAYS, *asked.columns)],
        "all_columns": [(name, word) for name, (word, _) in COLUMNS.items() if name not in ALWAYS],
        "next": urlencode({**given, "after": mark}) if mark else "",
        "first": urlencode(given) if request.GET.get("after") else "",
        "csv": urlencode({**given, "format": "csv"}),
        **saved_filters.words(request, team, "tickets", asked.saved, asked.text),
        "is_member": is_member,
        "bulk": BulkForm(None, team) if is_member else None,
        "fields": sorted(TICKET_FIELDS),
        **(more or {}),
    }
    return render(request, "tickets/list.html", words, status=status)


def _switch(given: Mapping[str, str], tab: str) -> dict[str, str]:
    return {**{name: value for name, value in given.items() if name != "filter"}, "show": tab}


def _head(name: str, asked: Asked) -> tuple[str, str, str, str]:
    """Give a column: its name, its word, the address that sorts by it, and how it is sorted now."""
    word, field = COLUMNS[name]
    if not field:
        return name, word, "", ""
    now = {field: "ascending", f"-{field}": "descending"}.get(asked.sort, "")
    turned = f"-{field}" if asked.sort == field else field
    return name, word, urlencode({**asked.given, "sort": turned}), now


def _csv(request: PageRequest, rows: QuerySet[Ticket], keys: Sequence[Key]) -> StreamingHttpResponse:
    """Stream the whole list; times in UTC."""
    response = StreamingHttpResponse(_lines(rows, keys), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="tickets-{request.now:%Y-%m-%d}.csv"'
    return response


def _lines(rows: QuerySet[Ticket], keys: Sequence[Key]) -> Iterator[str]:
    yield ",".join(CSV_COLUMNS) + "\r\n"
    for row in screen.every_row(rows, keys, CSV_MOST):
        buffer = StringIO()
        csv.writer(buffer).writerow([harmless("" if cell is None else cell) for cell in _cells(row)])
        yield buffer.getvalue()


def _cells(row: Ticket) -> tuple[object, ...]:
    epic, request = (f"{letter}-{pk}" if pk else "" for letter, pk in (("T", row.epic_id), ("R", row.request_id)))
    labels = " ".join(str(label) for label in row.labels)
    whose = (row.assignee, row.seat, row.service, row.sprint, epic, request, labels, row.due_on)
    times = (_utc(row.created_at), _utc(row.changed_at), _utc(row.stage_at), _utc(row.done_at))
    what = (f"T-{row.pk}", row.stage, row.outcome, row.title, row.kind, row.work_kind, row.points, row.priority)
    return (*what, *whose, *times, row.spent_seconds // 60)


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


@login_required
@require_POST
def change_many(request: PageRequest) -> HttpResponse:
    """Change what was ticked; what is refused is told with why, and stops nothing."""
    back = next_url(request, "/tickets/")
    chosen = numbers_in(request.POST.getlist("ticket"))
    rows = Ticket.objects.filter(pk__in=chosen[: ticket_bulk.MOST]).select_related("team").order_by("id")
    seen = [row for row in rows if sees_team(request.user, row.team_id)]
    if not seen:
        messages.warning(request, "Nothing was ticked.")
        return redirect(back)
    form = BulkForm(request.POST, seen[0].team)
    if not form.is_valid():
        messages.error(request, " ".join(f"{name}: {errors[0]}" for name, errors in form.errors.items()))
        return redirect(back)
    _tell(request, _change(request, form, seen))
    return redirect(back)


def _change(request: PageRequest, form: BulkForm, rows: Sequence[Ticket]) -> ticket_bulk.BulkResult:
    given, values = form.cleaned_data, form.values()
    added, taken = check_labels(given["add"]), set(check_labels(given["take"]))
    if not (values or given["stage"] or added or taken):
        raise Refused("say what to change: a stage, whose, a sprint, points or labels")
    if not (added or taken):
        ids = [row.pk for row in rows]
        return ticket_bulk.change_many(ids, request.user, request.now, values=values, stage=given["stage"])
    whole = ticket_bulk.BulkResult()
    for row in rows:
        labels = [label for label in dict.fromkeys([*row.labels, *added]) if label not in taken]
        one = ticket_bulk.change_many(
            [row.pk], request.user, request.now, values={**values, "labels": labels}, stage=given["stage"]
        )
        whole.done.extend(one.done)
        whole.refused.update(one.refused)
    return whole


def _tell(request: PageRequest, result: ticket_bulk.BulkResult) -> None:
    if result.done:
        messages.success(request, f"{len(result.done)} ticket{'' if len(result.done) == 1 else 's'} changed.")
    for number, why in list(result.refused.items())[:20]:
        messages.warning(request, f"T-{number} stays as it is: {why}.")
    if len(result.refused) > 20:
        messages.warning(request, f"And {len(result.refused) - 20} more were refused.")


@login_required
@require_POST
def save(request: PageRequest) -> HttpResponseBase:
    """Keep the query of the list under a name; a refusal keeps what was typed."""
    team = saved_filters.team_named(request)
    made = saved_filters.keep(request, team, "tickets")
    if isinstance(made, dict):
        return _render(request, _asked(request, team, request.POST), teams_of(request.user), made, 409)
    return redirect(saved_filters.list_url(made))


URLS = [
    path("tickets/", ticket_list, name="tickets"),
    path("tickets/change/", change_many, name="tickets-change"),
    path("tickets/filters/", save, name="filter-save"),
]

"""The board: a team's work by stage, in its order; moved by keys, by buttons, or with a mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import ticket_bulk, tickets
from watchbill.core.tickets import STAGE_WORDS, STAGES
from watchbill.core.wallclock import day_of
from watchbill.db.models import Person, Team, Ticket
from watchbill.db.queries import TICKETS, narrow
from watchbill.db.screens import board as screen
from watchbill.db.screens import tickets as choices
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.board_card import Shown
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.templatetags.ticket_tags import WORK
from watchbill.entry.web.templatetags.watchbill_tags import span
from watchbill.entry.web.ticket_words import (
    bare_seats,
    choosable,
    desk_without_hours,
    reader_of,
    stale_before,
    stale_days,
    standing,
)
from watchbill.entry.web.watches import Watch
from watchbill.kit.errors import Refused


class BoardForm(forms.Form):
    """What the board is narrowed to; it stands in the address, so that a board can be sent to somebody."""

    team = forms.ChoiceField(required=False)
    by = forms.ChoiceField(label="Whose", required=False)
    work = forms.ChoiceField(label="Kind of work", required=False)
    service = forms.ChoiceField(required=False)
    sprint = forms.ChoiceField(required=False)
    q = forms.CharField(label="Only what is like", required=False, max_length=2000)

    def __init__(self, data: Any, team: Team, teams: Sequence[Team]) -> None:
        super().__init__(data, label_suffix="")
        people = [(f"person:{one.pk}", str(one)) for one in choices.members_of(team)]
        seats = [(f"seat:{name}", f"the watch: {name}") for name in bare_seats(team)]
        choose(self, "team", [(one.slug, one.name) for one in teams])
        choose(self, "by", [("mine", "mine and my seat’s"), ("nobody", "nobody’s yet"), *seats, *people], "everybody’s")
        choose(self, "work", WORK.items(), "both kinds")
        choose(self, "service", [(one.slug, one.name) for one in choices.services_of(team)], "every service")
        choose(self, "sprint", [(str(one.pk), one.name) for one in choices.sprints_of(team)], "in or out of a sprint")
        self.initial["team"] = team.slug
        self.fields["q"].widget.attrs.update({"placeholder": 'label = toil and title ~ "disk"', "spellcheck": "false"})

    def filters(self) -> screen.BoardFilters:
        """Read what is asked for; what is wrong in the address counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        return screen.BoardFilters(
            given.get("by", ""), given.get("service", ""), given.get("sprint", ""), given.get("work", "")
        )


@dataclass(frozen=True)
class Group:
    """The cards of one level within a column."""

    title: str
    interrupts: bool
    cards: list[Shown]


@dataclass(frozen=True)
class Lane:
    """One column as it is shown."""

    stage: str
    word: str
    count: int
    more: bool
    groups: list[Group]
    here: str


@login_required
def board(request: PageRequest) -> HttpResponse:
    """Show the board of a team."""
    team, teams = choosable(request)
    if team is None:
        return render(request, "tickets/board.html", {"team": None})
    given = {name: str(value) for name, value in request.GET.items() if value and name != "column"}
    form = BoardForm(request.GET, team, teams)
    filters = form.filters()
    columns = _columns(request, team, form, filters)
    shown = request.GET.get("column", "")
    at = shown if shown in STAGES else _first_busy(columns)
    words = {
        "team": team,
        "several": len(teams) > 1,
        "form": form,
        "narrowed": bool(set(given) - {"team"}),
        "lanes": _lanes(request, team, columns, given),
        "at": at,
        "is_member": may_answer(request.user, team),
        "query": urlencode(given),
        "problem": form.errors.get("q", [""])[0],
        "today": day_of(request.now, team.zone),
        "said": bool(request.headers.get("HX-Request")),
    }
    return render(request, "tickets/board.html", words)


def _first_busy(columns: Sequence[screen.Column]) -> str:
    return next((column.stage for column in columns if column.stage == "in_progress" and column.cards), "to_do")


def _columns(request: PageRequest, team: Team, form: BoardForm, filters: screen.BoardFilters) -> list[screen.Column]:
    text = form.data.get("q", "").strip()

    def keep(rows: QuerySet[Ticket]) -> QuerySet[Ticket]:
        if not text:
            return rows
        return narrow(rows, TICKETS.read(text), TICKETS, reader_of(request.user, team, request.now))

    try:
        return screen.read_board(team, request.user, filters, keep, request.now)
    except Refused as refusal:
        form.add_error("q", refusal.message)
        return [screen.Column(stage, [], more=False) for stage in STAGES]


def _lanes(request: PageRequest, team: Team, columns: Sequence[screen.Column], given: dict[str, str]) -> list[Lane]:
    desk = desk_without_hours(team, request.now)
    watch, before, levels = standing(team, request.now), stale_before(desk, request.now), desk.order.levels
    lanes = []
    for column in columns:
        groups = []
        for priority, cards in groupby(column.cards, key=lambda card: "" if card.stage == "done" else card.priority):
            level = levels.get(priority)
            shown = [_show(card, request, watch, before) for card in cards]
            groups.append(Group(level.title if level else priority, bool(level and level.interrupts), shown))
        here = urlencode({**given, "column": column.stage})
        word = STAGE_WORDS[column.stage]
        lanes.append(Lane(column.stage, word, len(column.cards), column.more, groups, here))
    return lanes


def _show(card: screen.Card, request: PageRequest, watch: dict[str, Watch], before: dict[str, Any]) -> Shown:
    since = card.done_at or card.stage_at if card.stage == "done" else card.stage_at
    return Shown(
        card, _who(card, request.user, watch), span(request.now - since), stale_days(card, before, request.now)
    )


def _who(card: screen.Card, reader: Person, watch: dict[str, Watch]) -> str:
    if card.assignee is not None:
        return "you" if card.assignee == reader.pk else str(card.assignee_name)
    if not card.seat:
        return ""
    held = watch.get(card.seat)
    name = "" if held is None or held.shift.person is None else held.shift.person.get_short_name()
    return f"the watch: {name}" if name else f"the watch: {card.seat}"


@login_required
@require_POST
def move(request: PageRequest) -> HttpResponse:
    """Move a card, or take it; what cannot be is told above the board, and the card stays where it was."""
    moved, _, stage = request.POST.get("move", "").partition(":")
    taken, number = number_in(request.POST.get("take", "")), number_in(moved)
    try:
        if taken is not None:
            tickets.change_ticket(taken, {"assignee": request.user}, request.user, request.now)
            messages.success(request, f"You have T-{taken}.")
        elif number is not None:
            tickets.move(number, stage, request.user, request.now)
            messages.success(request, f"T-{number} is in “{STAGE_WORDS[stage]}”.")
    except Refused as refusal:
        messages.error(request, f"T-{taken or number} stays where it is: {refusal.message}. Open it (e) to write that.")
    return redirect(next_url(request, "/board/"))


@login_required
@require_POST
def place(request: PageRequest) -> HttpResponse:
    """Put a card between two others of its level."""
    numbers = {
        name: number
        for name in ("ticket", "before", "after")
        if (number := number_in(request.POST.get(name, ""))) is not None
    }
    try:
        if "ticket" in numbers:
            ends = numbers.get("before"), numbers.get("after")
            ticket_bulk.place_between(numbers["ticket"], *ends, request.user, request.now)
    except Refused as refusal:
        messages.error(request, f"It stays where it is: {refusal.message}.")
    return redirect(next_url(request, "/board/"))


URLS = [
    path("board/", board, name="board"),
    path("board/move/", move, name="board-move"),
    path("board/place/", place, name="board-place"),
]

"""One shift: why it is so, and the form to take it, a part of it, or to give it to somebody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from watchbill.actions import rota
from watchbill.actions.access import role_of
from watchbill.db.models import Person, Rotation, Shift
from watchbill.db.screens import rota as screen
from watchbill.db.screens import strip as strips
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.rota import rotation_or_404
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.wall import WallField

LONGEST_SHOWN = timedelta(days=31)


class TakeForm(forms.Form):
    """Who takes which seat from when to when. Only those who may give a watch to somebody see `person`."""

    person = forms.TypedChoiceField(label="Who takes it", coerce=int)
    seat = forms.ChoiceField(required=False)
    start = WallField(label="From")
    end = WallField(label="Until", is_end=True)
    why = forms.CharField(label="Why", max_length=200, required=False, help_text="Your team sees it.")
    outside_coverage = forms.BooleanField(
        label="Also outside the covered hours", required=False, help_text="As for a weekend on trial."
    )

    def __init__(
        self, data: Any, *, people: list[tuple[int, str]], seats: strips.Seats, zone: str, initial: dict[str, Any]
    ) -> None:
        super().__init__(data, initial=initial)
        person: Any = self.fields["person"]
        person.choices = people
        seat: Any = self.fields["seat"]
        seat.choices = [(place.name, place.label) for place in seats] + ([("", "every seat")] if len(seats) > 1 else [])
        self.fields["start"].help_text = self.fields["end"].help_text = f"In your time, {zone}."
        if len(people) == 1:
            person.widget = forms.HiddenInput()
            self.fields["person"].initial = people[0][0]
        if len(seats) == 1:
            seat.widget = forms.HiddenInput()
            seat.initial = seats[0].name


@login_required
def take(request: PageRequest, slug: str) -> HttpResponse:
    """Show why a shift is whose it is; take it or give it to somebody, whole or in part."""
    rotation = rotation_or_404(request, slug)
    seats = strips.seats_of([rotation])

    asked = _asked(request, seats)
    rows = screen.watch_at(rotation, asked["seat"], asked["start"], asked["end"]) if "start" in asked else []
    people = _people(request.user, rotation, rows, request.now)
    if "start" in asked:
        asked["start"] = max(asked["start"], request.now)
    form = TakeForm(request.POST or None, people=people, seats=seats, zone=request.user.zone, initial=asked)
    preview = None
    if form.is_valid():
        taker = Person.objects.get(pk=form.cleaned_data["person"])
        data = {key: form.cleaned_data[key] for key in ("seat", "outside_coverage")}
        start, end = form.cleaned_data["start"], form.cleaned_data["end"]
        if "show" in request.POST:
            preview = attempt(form, rota.preview_override, rotation, taker, start, end, request.now, **data)
        elif attempt(
            form, rota.add_override, rotation, taker, start, end, request.user, request.now,
            why=form.cleaned_data["why"], **data,
        ):  # fmt: skip
            messages.success(request, f"{_whose(taker, request.user)} the watch. It can be taken back below.")
            return redirect("rotation", slug=slug)
    moved = None
    if preview:
        names = screen.names_of(preview.before, preview.shifts)
        moved = screen.say_moves(preview.moves, names, request.user)
    words = {
        "rotation": rotation,
        "form": form,
        "rows": rows,
        "moved": moved,
        "is_over": bool(rows) and rows[-1].ends_at <= request.now,
        "may": bool(people) and not rotation.archived_at,
        "now": request.now,
    }
    return render(request, "rota/take.html", words)


def _whose(taker: Person, reader: Person) -> str:
    return "You take" if taker.pk == reader.pk else f"{taker} takes"


def _asked(request: PageRequest, seats: strips.Seats) -> dict[str, Any]:
    """Read what the address asks for: a seat, and from when to when."""
    asked: dict[str, Any] = {"seat": seats[0].name if len(seats) == 1 else ""}
    if request.GET.get("seat") in {seat.name for seat in seats}:
        asked["seat"] = request.GET["seat"]
    try:
        start, end = (datetime.fromisoformat(request.GET.get(name, "")) for name in ("from", "to"))
    except ValueError:
        return asked
    if start.tzinfo and end.tzinfo and timedelta(0) < end - start <= 4 * LONGEST_SHOWN:
        asked["start"], asked["end"] = start.astimezone(UTC), end.astimezone(UTC)
    return asked


def _people(reader: Person, rotation: Rotation, rows: list[Shift], now: datetime) -> list[tuple[int, str]]:
    """List to whom the reader may give it: an owner, or whoever stands it, to any member; a member to themselves."""
    role = role_of(reader, rotation.team)
    if role not in {"owner", "member"}:
        return []
    members = screen.members_to_choose(rotation.team)
    gives = role == "owner" or any(row.person_id == reader.pk and row.ends_at > now for row in rows)
    mine = [pair for pair in members if pair[0] == reader.pk]
    return mine + [pair for pair in members if pair[0] != reader.pk] if gives else mine


URLS = (path("rota/<slug:slug>/take/", take, name="take"),)

"""Absences: say when somebody is away, after seeing whose watch it moves; take it back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from watchbill.actions import rota
from watchbill.db.models import Absence, Membership, Person, Rotation
from watchbill.db.screens import rota as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.reader import PageRequest

KINDS = [("away", "away"), ("vacation", "vacation"), ("sick", "ill"), ("training", "training")]


def date_field(label: str, help_text: str = "") -> forms.DateField:
    """Make a field for a day."""
    return forms.DateField(label=label, help_text=help_text, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))


class AbsenceForm(forms.Form):
    """Who is away on which days."""

    person = forms.TypedChoiceField(label="Who", coerce=int)
    first_day = date_field("First day away")
    last_day = date_field("Last day away", "It is included.")
    kind = forms.ChoiceField(choices=KINDS)
    why = forms.CharField(label="A word to your team", max_length=200, required=False, help_text="May stay empty.")

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person: Any = self.fields["person"]
        person.choices = people
        if len(people) == 1:
            person.widget = forms.HiddenInput()
            person.initial = people[0][0]


@login_required
def absences(request: PageRequest) -> HttpResponse:
    """List who is away, and say so for oneself, or as an owner for a member: first shown, then saved."""
    people = _people(request.user)
    form = AbsenceForm(request.POST or None, people=people, initial={"person": request.GET.get("person")})
    previews, seen = None, ""
    if form.is_valid():
        data = form.cleaned_data
        absent = Person.objects.get(pk=data["person"])
        seen = f"{absent.pk} {data['first_day']} {data['last_day']}"
        if request.POST.get("seen") == seen:
            if attempt(
                form, rota.add_absence, absent, data["first_day"], data["last_day"], request.user, request.now,
                kind=data["kind"], why=data["why"],
            ):  # fmt: skip
                messages.success(request, "Saved: the rotas are published anew.")
                return redirect("absences")
        else:
            found = attempt(form, rota.preview_absence, absent, data["first_day"], data["last_day"], request.now)
            previews = _say(found, absent, request.user) if found is not None and form.is_valid() else None
    words = {
        "form": form,
        "rows": screen.absences_of([number for number, _ in people], request.now),
        "previews": previews,
        "seen": seen,
        "today": request.now,
    }
    return render(request, "rota/absences.html", words)


def _say(
    found: list[tuple[Rotation, rota.Preview]], absent: Person, reader: Person
) -> list[tuple[Rotation, list[screen.Moved], list[screen.Moved]]]:
    """Say what passes from the absent person to others, and apart from it who moves because of that."""
    said = []
    for rotation, preview in found:
        names = screen.names_of(preview.before, preview.shifts)
        theirs = [move for move in preview.moves if move.before == absent.pk]
        rest = [move for move in preview.moves if move.before != absent.pk]
        said.append((rotation, screen.say_moves(theirs, names, reader), screen.say_moves(rest, names, reader)))
    return said


def _people(reader: Person) -> list[tuple[int, str]]:
    """List for whom the reader may say it: oneself, and the members of the teams one owns."""
    owned = Membership.objects.filter(person=reader, role="owner").values("team")
    rows = Person.objects.filter(memberships__team__in=owned, is_active=True).exclude(pk=reader.pk)
    return [(reader.pk, f"{reader} (you)"), *rows.distinct().order_by("name").values_list("pk", "name")]


@login_required
@require_POST
def absence_remove(request: PageRequest, number: int) -> HttpResponse:
    """Take an absence back."""
    absence = get_object_or_404(Absence.objects.select_related("person"), pk=number, removed_at=None)
    rota.remove_absence(absence, request.user, request.now)
    messages.success(request, f"{absence.person} is not away any more.")
    return redirect(reverse("absences"))


URLS = (
    path("me/absences/", absences, name="absences"),
    path("me/absences/<int:number>/remove/", absence_remove, name="absence-remove"),
)

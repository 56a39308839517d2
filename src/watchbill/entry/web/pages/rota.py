"""Rota: who stands the watch, four weeks and a year at a time, and the story of each rotation."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from watchbill.actions import rota
from watchbill.actions.access import may_read, role_of
from watchbill.core.wallclock import MIDNIGHT, day_of, start_instant
from watchbill.db.models import Membership, Override, Person, Rotation
from watchbill.db.screens import rota as screen
from watchbill.db.screens import strip as strips
from watchbill.entry.web.feed_urls import feed_url
from watchbill.entry.web.reader import PageRequest

WEEKS = 4
DAYS = 7 * WEEKS
FURTHEST = 366 * 2
MOST_YEARS = 20


def rotation_or_404(request: PageRequest, slug: str) -> Rotation:
    """Find a rotation that the reader may see; raises NotAllowed for one they may not, Http404 for none."""
    rotation = Rotation.objects.select_related("team").filter(slug=slug).first()
    if rotation is None:
        raise Http404
    may_read(request.user, rotation.team)
    return rotation


def first_day(request: PageRequest) -> date:
    """Read the day from which a strip is shown: `?from=`, else the Monday of this week in the reader's zone."""
    today = day_of(request.now, request.user.zone)
    monday = today - timedelta(days=today.weekday())
    try:
        asked = date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return monday
    return asked if abs((asked - today).days) <= FURTHEST else monday


@login_required
@require_GET
def overview(request: PageRequest) -> HttpResponse:
    """Show four weeks of the reader's teams' rotations."""
    first = first_day(request)
    rotations = screen.rotations_for(request.user)
    seats = strips.seats_of(rotations)
    standings = screen.standings(rotations, seats, request.user, request.now)
    start, end = (start_instant(day, MIDNIGHT, request.user.zone) for day in (first, first + timedelta(days=DAYS)))
    watches = strips.read_watches(rotations, start, end)
    sections = [
        (
            standing,
            strips.lay_out(
                [watch for watch in watches if watch.rotation.pk == standing.rotation.pk],
                [seat for seat in seats if seat.rotation.pk == standing.rotation.pk],
                request.user,
                first,
                DAYS,
                request.now,
                screen.holidays_of(standing.rotation.team, first, first + timedelta(days=DAYS - 1)),
                name=f"{standing.rotation}: who is on watch, four weeks",
            ),
        )
        for standing in standings
    ]
    words = {
        "sections": sections,
        "headline": headline(standings),
        "owned": list(owned_teams(request.user)),
        "feed": feed_url("person", request.user.pk, request.user.feed_version),
        **steps(first),
    }
    return render(request, "rota/overview.html", words)


def headline(standings: list[screen.Standing]) -> screen.Standing | None:
    """Choose the rotation that answers the reader's question: mine now, mine next, one with somebody on watch."""
    mine = next((standing for standing in standings if standing.mine), None)
    coming = [(standing.my_next.start, n) for n, standing in enumerate(standings) if standing.my_next]
    soonest = standings[min(coming)[1]] if coming else None
    served = next((s for s in standings if any(stand.now and stand.now.person for stand in s.seats)), None)
    return mine or soonest or served or (standings[0] if standings else None)


def steps(first: date) -> dict[str, date]:
    """Give the days of the links to earlier and later weeks."""
    return {
        "first": first,
        "last": first + timedelta(days=DAYS - 1),
        "earlier": first - timedelta(days=DAYS),
        "later": first + timedelta(days=DAYS),
    }


def owned_teams(person: Person) -> list[Membership]:
    """Read the teams whose rotations a person may change."""
    rows = Membership.objects.filter(person=person, role="owner", team__archived_at=None).select_related("team")
    return list(rows.order_by("team__name"))


@login_required
@require_GET
def one(request: PageRequest, slug: str) -> HttpResponse:
    """Show one rotation: who now and next, the cycle, the plan in words, what is taken and who is away."""
    rotation = rotation_or_404(request, slug)
    first = first_day(request)
    seats = strips.seats_of([rotation])
    standing = screen.standings([rotation], seats, request.user, request.now)[0]
    holidays = screen.holidays_of(rotation.team, first, first + timedelta(days=DAYS - 1))
    strip = strips.read_strip([rotation], request.user, first, DAYS, request.now, holidays)
    coming = strips.read_watches([rotation], request.now, request.now + screen.AHEAD)
    words = {
        "rotation": rotation,
        "standing": standing,
        "strip": strip,
        "coming": coming[:12],
        "story": screen.read_story(rotation, coming, request.now),
        "role": role_of(request.user, rotation.team),
        "feed": feed_url("rotation", rotation.pk, rotation.team.feed_version),
        "team_feed": feed_url("team", rotation.team_id, rotation.team.feed_version),
        **steps(first),
    }
    return render(request, "rota/one.html", words)


@login_required
@require_GET
def year(request: PageRequest, slug: str = "") -> HttpResponse:
    """Show twelve months of one rotation, and what each person serves in them."""
    rotations = screen.rotations_for(request.user)
    if not slug and not rotations:
        return redirect("rota")
    rotation = rotation_or_404(request, slug) if slug else rotations[0]
    first = first_month(request)
    seats = strips.seats_of([rotation])
    words = {
        "rotation": rotation,
        "rotations": rotations,
        "year": screen.read_year(rotation, seats, request.user, first, request.now),
        "several": len(seats) > 1,
        "columns": range(1, 32),
        "before": f"{first.year - 1}-{first.month:02}",
        "after": f"{first.year + 1}-{first.month:02}",
    }
    return render(request, "rota/year.html", words)


def first_month(request: PageRequest) -> date:
    """Read the month from which a year is shown: `?from=2026-11`, else this one."""
    today = day_of(request.now, request.user.zone)
    try:
        asked = date.fromisoformat(f"{request.GET.get('from', '')}-01")
    except ValueError:
        return today.replace(day=1)
    return asked if abs(asked.year - today.year) <= MOST_YEARS else today.replace(day=1)


@login_required
@require_POST
def archive(request: PageRequest, slug: str) -> HttpResponse:
    """Take a rotation out of use."""
    rotation = rotation_or_404(request, slug)
    rota.archive_rotation(rotation, request.user, request.now)
    messages.success(request, f"{rotation} is out of use; what was served stays on record.")
    return redirect("rota")


@login_required
@require_POST
def override_remove(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take an override back for what lies ahead."""
    rotation = rotation_or_404(request, slug)
    override = Override.objects.select_related("rotation__team", "person").filter(rotation=rotation, pk=number).first()
    if override is None:
        raise Http404
    rota.remove_override(override, request.user, request.now)
    messages.success(request, "Taken back: the plan holds again.")
    return redirect("rotation", slug=slug)


URLS = (
    path("rota/", overview, name="rota"),
    path("rota/year/", year, name="rota-year"),
    path("rota/<slug:slug>/", one, name="rotation"),
    path("rota/<slug:slug>/year/", year, name="rotation-year"),
    path("rota/<slug:slug>/archive/", archive, name="rotation-archive"),
    path("rota/<slug:slug>/overrides/<int:number>/remove/", override_remove, name="override-remove"),
)

"""Services: what is supported, by whom it runs, who answers for it now, and the forms that change it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import alerts, catalogue
from watchbill.actions.access import may_change, role_of
from watchbill.db.models import Inbox, Ladder, Person, Service, Team
from watchbill.db.screens import services as screen
from watchbill.db.screens.visible import find_service, team_ids, teams_of
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer, monitor_titles
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused

LINK_ROWS = 3
TIERS = [("1", "1, most important"), ("2", "2"), ("3", "3"), ("4", "4, least important")]
LINK_WORDS = {
    "dashboard": "Dashboard",
    "alarms": "Alarms",
    "policies": "Alarm policies",
    "runbook": "Runbook",
    "source": "Source",
    "other": "Other",
}


class ServiceForm(forms.Form):
    """What is known of a service (INT-11, RUN-02, ROL-17)."""

    name = forms.CharField(max_length=80)
    description = forms.CharField(
        required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}), label="What it does"
    )
    environment = forms.CharField(required=False, max_length=40, help_text="Such as production, UAT, test.")
    tier = forms.ChoiceField(choices=TIERS, initial="2")
    host = forms.CharField(required=False, max_length=80, label="Hosted at", help_text="Where it runs.")
    vendor = forms.CharField(required=False, max_length=80, help_text="Who runs it for you, if not you.")
    vendor_contact = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="How to reach the vendor",
        help_text="Telephone, portal, contract number: what one needs at night.",
    )
    leadership_contact = forms.ChoiceField(
        required=False, help_text="Whom to tell in the leadership when it is serious; differs by vendor and area."
    )
    ladder = forms.ChoiceField(
        required=False, label="Ladder that answers", help_text="Counts for pages opened from now on."
    )

    def __init__(self, data: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        ladders = Ladder.objects.filter(team=team, archived_at=None).order_by("name")
        ladder: Any = self.fields["ladder"]
        ladder.choices = [
            ("", "none: the whole team, then the fallback person"),
            *((str(one.pk), one.name) for one in ladders),
        ]
        contact: Any = self.fields["leadership_contact"]
        contact.choices = [("", "nobody named"), *((str(pk), name) for pk, name in screen.choosable_people(team))]


def service_or_404(request: PageRequest, slug: str) -> Service:
    """Find a service that the reader may see; raises Http404 also for one of others."""
    service = find_service(request.user, slug)
    if service is None:
        raise Http404(f"there is no service “{slug}”")
    return service


def owns(reader: Person, team: Team) -> bool:
    """Tell whether somebody may change a team's things."""
    return role_of(reader, team) == "owner"


@login_required
def service_list(request: PageRequest) -> HttpResponse:
    """List services by tier and name."""
    teams = teams_of(request.user)
    given = {name: request.GET.get(name, "") for name in ("q", "team", "tier")}
    archived = request.GET.get("archived") == "1"
    rows = screen.list_services(
        team_ids(request.user), text=given["q"].strip(), team=given["team"], tier=given["tier"], archived=archived
    )
    words = {
        "rows": rows,
        "given": given,
        "archived": archived,
        "narrowed": any(given.values()),
        "teams": teams,
        "tiers": TIERS,
        "may_add": any(owns(request.user, team) for team in teams),
    }
    return render(request, "services/list.html", words)


@login_required
def service(request: PageRequest, slug: str) -> HttpResponse:
    """Show one service: what it is, who would be paged now, what speaks of it, what happened lately."""
    one = service_or_404(request, slug)
    unread, titles = screen.not_understood(one), monitor_titles()
    words = {
        "service": one,
        "links": [(LINK_WORDS.get(str(link.get("kind")), "Other"), link) for link in one.links],
        "rungs": screen.who_would_be_paged(one, request.now),
        "connections": [(c, titles.get(c.monitor, c.monitor)) for c in screen.connections_of(one)],
        "titles": titles,
        "unread": unread[: screen.PAYLOADS],
        "unread_more": len(unread) > screen.PAYLOADS,
        "groups": screen.recent_groups(one),
        "changes": screen.changes_of(one),
        "silences": screen.silences_of(one, request.now),
        "is_owner": owns(request.user, one.team),
        "is_member": may_answer(request.user, one.team),
    }
    return render(request, "services/service.html", words)


@login_required
def new(request: PageRequest) -> HttpResponse:
    """Add a service to a team that the reader owns."""
    teams = [team for team in teams_of(request.user) if owns(request.user, team)]
    if not teams:
        return render(request, "services/no_team.html", status=403)
    chosen = request.POST.get("team") or request.GET.get("team", "")
    team = next((team for team in teams if chosen in {team.slug, str(team.pk)}), teams[0])
    form = ServiceForm(request.POST or None, team)
    links = _read_links(request)
    if form.is_valid():
        values = {**form.cleaned_data, "links": links}
        made = attempt(form, catalogue.add_service, team, values, request.user, request.now)
        if made:
            messages.success(request, f"{made} is there. Now connect what watches it.")
            return redirect(f"/services/{made.slug}/#monitors")
    return render(request, "services/edit.html", {"form": form, "team": team, "teams": teams, **_link_words(links)})


@login_required
def edit(request: PageRequest, slug: str) -> HttpResponse:
    """Change a service."""
    one = service_or_404(request, slug)
    may_change(request.user, one.team, f"change {one}")
    initial = {name: getattr(one, name) for name in catalogue.TEXT_FIELDS}
    initial |= {
        "tier": str(one.tier),
        "ladder": one.ladder_id or "",
        "leadership_contact": one.leadership_contact_id or "",
    }
    form = ServiceForm(request.POST or None, one.team, initial=initial)
    links = _read_links(request) if request.method == "POST" else one.links
    if form.is_valid():
        values = {**form.cleaned_data, "links": links}
        if attempt(form, catalogue.change_service, one, values, request.user, request.now):
            messages.success(request, f"{one} is saved.")
            return redirect(f"/services/{slug}/")
    return render(request, "services/edit.html", {"form": form, "team": one.team, "service": one, **_link_words(links)})


def _read_links(request: PageRequest) -> list[dict[str, str]]:
    """Read the rows of links; a row without an address is left out."""
    given = request.POST
    rows = zip(given.getlist("link-kind"), given.getlist("link-title"), given.getlist("link-url"), strict=False)
    return [{"kind": kind, "title": title, "url": url.strip()} for kind, title, url in rows if url.strip()]


def _link_words(links: list[dict[str, str]]) -> dict[str, Any]:
    return {"links": [*links, *({} for _ in range(LINK_ROWS))], "kinds": LINK_WORDS.items()}


@login_required
@require_POST
def archive(request: PageRequest, slug: str) -> HttpResponse:
    """Take a service out of the lists, or bring it back."""
    one = service_or_404(request, slug)
    away = request.POST.get("archived") != "0"
    catalogue.archive_service(one, request.user, request.now, archived=away)
    messages.success(request, f"{one} is archived: its monitors are refused." if away else f"{one} is back.")
    return redirect(f"/services/{slug}/")


@login_required
@require_POST
def replay(request: PageRequest, slug: str) -> HttpResponse:
    """Read again what was not understood."""
    one = service_or_404(request, slug)
    count = alerts.replay(one, request.user, request.now)
    messages.success(
        request,
        f"{count} payload{'' if count == 1 else 's'} will be read again."
        if count
        else "There is nothing to read again.",
    )
    return redirect(f"/services/{slug}/#payloads")


@login_required
def payload(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Show one payload as it came, to the owners: it may hold what the tool did not mean to tell everybody."""
    one = service_or_404(request, slug)
    may_change(request.user, one.team, "see raw payloads")
    row = Inbox.objects.filter(service_id=one.pk, pk=number).first()
    if row is None:
        raise Http404(f"there is no payload {number}")
    words = {"service": one, "row": row, "text": screen.show_payload(bytes(row.body)), "titles": monitor_titles()}
    return render(request, "services/payload.html", words)


@login_required
@require_POST
def connect(request: PageRequest, slug: str) -> HttpResponse:
    """Connect a monitor, and show how to set it up."""
    one = service_or_404(request, slug)
    monitor = request.POST.get("monitor", "")
    if not monitor:
        raise Refused("choose a monitor")
    made = catalogue.connect_monitor(one, monitor, request.POST.get("name", ""), request.user, request.now)
    messages.success(request, f"{made.name} may speak of {one} now. Set it up as it says below.")
    return redirect(f"/services/{slug}/monitors/{made.pk}/")


URLS = [
    path("services/", service_list, name="services"),
    path("services/new/", new, name="service-new"),
    path("services/<slug:slug>/", service, name="service"),
    path("services/<slug:slug>/edit/", edit, name="service-edit"),
    path("services/<slug:slug>/archive/", archive, name="service-archive"),
    path("services/<slug:slug>/replay/", replay, name="service-replay"),
    path("services/<slug:slug>/payloads/<int:number>/", payload, name="payload"),
    path("services/<slug:slug>/connect/", connect, name="monitor-connect"),
]

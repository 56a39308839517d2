"""A team's connections: which there are and how they are doing, connect one, what its words mean, import from it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from watchbill import connectors as registry
from watchbill.actions import connectors, helpdesk_canned, import_tickets
from watchbill.actions.access import ROLES, may_change, role_of
from watchbill.actions.twin_refs import agreement_of
from watchbill.core.tickets import STAGE_WORDS
from watchbill.core.twins import NO_CONCERN, TARGETS, Agreement
from watchbill.db.models import Connection
from watchbill.db.screens import connectors as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_pydantic import ModelForm, form_for
from watchbill.entry.web.reader import HTTP, PageRequest, team_or_404
from watchbill.kit.errors import Refused

TARGET_WORDS = {
    **STAGE_WORDS,
    "done:wont_do": "Done: will not be done",
    "done:duplicate": "Done: a duplicate",
    NO_CONCERN: "Changes nothing here",
}


class NameForm(forms.Form):
    """What a connection is called here."""

    name = forms.CharField(label="Called", max_length=80, required=False, help_text="Empty: as the system is called.")


class ImportForm(forms.Form):
    """Which issues are taken in."""

    query = forms.CharField(
        label="Which issues?",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "code"}),
    )


def connection_or_404(request: PageRequest, slug: str, number: int) -> Connection:
    """Find a connection of a team whose pages the reader may see."""
    team = team_or_404(request, slug)
    found = Connection.objects.filter(team=team, pk=number, removed_at=None).first()
    if found is None or found.connector not in registry.all_connectors():
        raise Http404
    found.team = team
    return found


def _is(request: PageRequest, connection: Connection, role: str) -> bool:
    held = role_of(request.user, connection.team)
    return held is not None and ROLES.index(held) >= ROLES.index(role)


@login_required
def overview(request: PageRequest, slug: str) -> HttpResponse:
    """Show the systems that a team works with."""
    team = team_or_404(request, slug)
    words = {
        "team": team,
        "rows": screen.list_connections(team),
        "is_owner": role_of(request.user, team) == "owner",
        "known": registry.all_connectors(),
    }
    return render(request, "connectors/list.html", words)


@login_required
def connect(request: PageRequest, slug: str, connector: str) -> HttpResponse:
    """Connect a team with a system."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"connect {team} with another system")
    module = _module_or_404(connector)
    form, name = _forms(request, module, {}, "")

    def act(values: dict[str, Any], called: str) -> Connection:
        return connectors.connect(team, connector, called, values, request.user, HTTP, request.now)

    made = _attempt(form, name, act)
    if made:
        messages.success(request, f"{made.name} is connected. Set the system up as it stands below, then try it.")
        return redirect("connector", slug=slug, number=made.pk)
    # What calls us can be set up only when its address is known; the rest is set up there first.
    first = "" if "{url}" in module.HELP else module.HELP
    words = {"team": team, "title": module.TITLE, "form": form, "name": name, "help": first}
    return render(request, "connectors/connect.html", words)


def _module_or_404(connector: str) -> ModuleType:
    module = registry.all_connectors().get(connector)
    if module is None:
        raise Http404
    return module


def _forms(request: PageRequest, module: ModuleType, stored: dict[str, Any], called: str) -> tuple[ModelForm, NameForm]:
    form = form_for(module.Settings)(request.POST or None, stored=stored)
    return form, NameForm(request.POST or None, prefix="called", initial={"name": called})


def _attempt(form: ModelForm, name: NameForm, act: Callable[[dict[str, Any], str], Any]) -> Any:
    if not (form.is_valid() and name.is_valid()):
        return None
    return attempt(form, act, form.values(), name.cleaned_data["name"])


@login_required
@never_cache
def one(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Show how a connection is doing, what waits for a word, what failed, and how to set it up."""
    connection = connection_or_404(request, slug, number)
    return _render_one(request, connection, ImportForm(initial={"query": _last_query(connection)}))


def _last_query(connection: Connection) -> str:
    return str(connection.cursor.get("import", {}).get("query", ""))


def _render_one(request: PageRequest, connection: Connection, form: ImportForm, status: int = 200) -> HttpResponse:
    module = registry.all_connectors()[connection.connector]
    owner = _is(request, connection, "owner")
    key = connection.key if owner else "…"
    door = f"chat/{connection.connector}" if module.PORT == "chat" else "connect"
    url = f"{settings.WATCHBILL_URL.rstrip('/')}/{door}/{key}/"
    words = {
        "team": connection.team,
        "one": connection,
        "title": module.TITLE,
        "health": screen.health_of(connection),
        "unknown": screen.unknown_states(connection),
        "refused": screen.unsettled(connection, "refused"),
        "failed": screen.failed_exports(connection),
        "waiting": screen.waiting_exports(connection),
        "unread": screen.unread_of(connection)[:10],
        "targets": [(target, TARGET_WORDS[target]) for target in (*TARGETS, NO_CONCERN)],
        "is_owner": owner,
        "is_member": _is(request, connection, "member"),
        "has_canned": module.PORT == "helpdesk" and connection.settings.get("canned"),
        "has_tickets": module.PORT in {"tracker", "helpdesk"},
        "has_words": module.PORT in {"tracker", "helpdesk", "chat"},
        "calls_us": "{url}" in module.HELP,
        "progress": connection.cursor.get("import"),
        "hint": getattr(module, "QUERY", ""),
        "form": form,
        "url": url,
        "help": registry.write_help(connection.connector, url),
    }
    return render(request, "connectors/one.html", words, status=status)


@login_required
def change(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Change a connection's settings; a secret that is left empty stays as it is."""
    connection = connection_or_404(request, slug, number)
    may_change(request.user, connection.team, f"change {connection.name}")
    module = _module_or_404(connection.connector)
    form, name = _forms(request, module, connection.settings, connection.name)

    def act(values: dict[str, Any], called: str) -> None:
        connectors.change(connection, called, values, request.user, HTTP, request.now)

    if _attempt(form, name, act):
        messages.success(request, f"{connection.name} is saved. Try whether it works.")
        return redirect("connector", slug=slug, number=number)
    words = {"team": connection.team, "title": module.TITLE, "one": connection, "form": form, "name": name}
    return render(request, "connectors/connect.html", words)


@login_required
def mapping(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Change what the words of a system mean here, and the other way."""
    connection = connection_or_404(request, slug, number)
    may_change(request.user, connection.team, f"change what the words of {connection.name} mean")
    stored = agreement_of(connection).model_dump(mode="json")
    form = form_for(Agreement)(request.POST or None, stored=stored)
    if form.is_valid() and attempt(
        form, connectors.change_agreement, connection, form.values(), request.user, request.now
    ):
        messages.success(request, "Saved. What waited for a word follows now.")
        return redirect("connector", slug=slug, number=number)
    return render(request, "connectors/mapping.html", {"team": connection.team, "one": connection, "form": form})


@login_required
@require_POST
def map_state(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Say what one state of theirs means; what stood in it follows."""
    connection = connection_or_404(request, slug, number)
    state, target = request.POST.get("state", ""), request.POST.get("target", "")
    followed = connectors.map_state(connection, state, target, request.user, request.now)
    messages.success(request, f"“{state}” is “{TARGET_WORDS[target]}” from now on; {followed} followed.")
    return redirect("connector", slug=slug, number=number)


@login_required
@require_POST
def try_it(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Call the system and say whom we reached."""
    connection = connection_or_404(request, slug, number)
    try:
        messages.success(request, connectors.try_it(connection, request.user, HTTP, request.now))
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("connector", slug=slug, number=number)


@login_required
@require_POST
def retry(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Try everything again that failed."""
    connection = connection_or_404(request, slug, number)
    count = connectors.retry_failed(connection, request.user, request.now)
    messages.success(request, f"{count} {'is' if count == 1 else 'are'} tried again.")
    return redirect("connector", slug=slug, number=number)


@login_required
@require_POST
def canned(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take over the canned responses of a helpdesk now."""
    connection = connection_or_404(request, slug, number)
    try:
        helpdesk_canned.pull_now(connection, request.user, request.now)
        messages.success(request, "They are being taken over.")
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("connector", slug=slug, number=number)


@login_required
@require_POST
def begin_import(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Begin to take in issues as tickets."""
    connection = connection_or_404(request, slug, number)
    form = ImportForm(request.POST)
    if form.is_valid() and attempt(
        form, import_tickets.start_import, connection, form.cleaned_data["query"], request.user, request.now
    ):
        messages.success(request, "The import has begun. It goes on by itself, page by page.")
        return redirect("connector", slug=slug, number=number)
    return _render_one(request, connection, form, status=422)


@login_required
@require_POST
def end_import(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Stop an import."""
    connection = connection_or_404(request, slug, number)
    import_tickets.stop_import(connection, request.user, request.now)
    messages.success(request, "The import is stopped. What was taken in stays.")
    return redirect("connector", slug=slug, number=number)


@login_required
@require_POST
def disconnect(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take a connection away."""
    connection = connection_or_404(request, slug, number)
    connectors.disconnect(connection, request.user, request.now)
    messages.success(request, f"{connection.name} is disconnected: nothing leaves for it, its webhooks are refused.")
    return redirect("connectors", slug=slug)


ONE = "teams/<slug:slug>/connectors/<int:number>/"
URLS = (
    path("teams/<slug:slug>/connectors/", overview, name="connectors"),
    path("teams/<slug:slug>/connectors/connect/<slug:connector>/", connect, name="connector-connect"),
    path(ONE, one, name="connector"),
    path(f"{ONE}change/", change, name="connector-change"),
    path(f"{ONE}mapping/", mapping, name="connector-mapping"),
    path(f"{ONE}map-state/", map_state, name="connector-map-state"),
    path(f"{ONE}try/", try_it, name="connector-try"),
    path(f"{ONE}retry/", retry, name="connector-retry"),
    path(f"{ONE}canned/", canned, name="connector-canned"),
    path(f"{ONE}import/", begin_import, name="connector-import"),
    path(f"{ONE}import/stop/", end_import, name="connector-import-stop"),
    path(f"{ONE}disconnect/", disconnect, name="connector-disconnect"),
)

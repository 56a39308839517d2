"""Settings of the instance, for its administrators: the mail server, what may be called, how it is doing."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from watchbill import __version__, channels
from watchbill.actions import addresses, first_run
from watchbill.actions.access import require_administrator
from watchbill.actions.settings import change_channel_settings, channel_settings
from watchbill.db.channel_health import failing_channels
from watchbill.db.models import Event
from watchbill.db.screens import me as my_screen
from watchbill.db.screens import teams as screen
from watchbill.entry import probes
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_pydantic import ModelForm, form_for
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused

# The push keys are made by themselves; a person who changed them would lose every subscription.
MADE_BY_ITSELF = ("webpush",)


@login_required
def overview(request: PageRequest) -> HttpResponse:
    """Show how the instance is set up and how it is doing."""
    require_administrator(request.user, "see the settings of this instance")
    config = django_settings.CONFIG
    failing = failing_channels()
    words = {
        "channels": [_channel(name, failing.get(name)) for name in channels.all_channels()],
        "failing": len(failing),
        "allowed": [part.strip() for part in config.allow.split(",") if part.strip()],
        "url": config.url,
        "database": "PostgreSQL" if config.database_url else "SQLite",
        "version": __version__,
        "late": probes.lateness(request.now),
        "is_late": probes.lateness(request.now) > probes.LATE,
        "heartbeat": bool(config.heartbeat_url),
        "teams": screen.teams_for(request.user),
        "unfinished": first_run.is_unfinished(request.user),
    }
    return render(request, "settings/overview.html", words)


def _channel(name: str, failing: Event | None) -> dict[str, object]:
    channel = channels.all_channels()[name]
    asks = hasattr(channel, "Settings")
    by_environment = name in django_settings.CHANNEL_SETTINGS
    return {
        "name": name,
        "title": channel.TITLE,
        "ready": not asks or bool(channel_settings(name)) or name in MADE_BY_ITSELF,
        "failing": failing,
        "by_environment": by_environment,
        "by_itself": name in MADE_BY_ITSELF,
        "changeable": asks and not by_environment and name not in MADE_BY_ITSELF,
        "testable": name == "email" and bool(channel_settings(name)),
    }


def channel_form(name: str, request: PageRequest) -> ModelForm:
    """Make the form of a channel's settings, with what is stored but its secrets."""
    model = channels.settings_of(channels.all_channels()[name])
    return form_for(model)(request.POST or None, stored=channel_settings(name))


@login_required
def channel(request: PageRequest, name: str) -> HttpResponse:
    """Change a channel's settings."""
    require_administrator(request.user, "change how messages leave")
    known = channels.all_channels().get(name)
    if known is None or not hasattr(known, "Settings") or name in MADE_BY_ITSELF:
        raise Http404
    form = channel_form(name, request)
    if form.is_valid() and attempt(form, change_channel_settings, name, form.values(), request.user, request.now):
        messages.success(request, f"{known.TITLE} is saved. Send yourself a test to see whether it works.")
        return redirect("settings")
    return render(request, "settings/channel.html", {"form": form, "title": known.TITLE})


@login_required
@require_POST
def test_mail(request: PageRequest) -> HttpResponse:
    """Send a test mail to the reader's own account address and show what became of it."""
    require_administrator(request.user, "test how messages leave")
    address = addresses.account_address(request.user, request.now)
    try:
        message = addresses.send_test(address, request.user, request.now)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("settings")
    return redirect(reverse("settings-test", kwargs={"number": message.pk}))


@login_required
def test_result(request: PageRequest, number: int) -> HttpResponse:
    """Show what became of a test mail."""
    require_administrator(request.user, "test how messages leave")
    row = my_screen.message_of(request.user, number)
    if row is None:
        raise Http404
    return render(request, "settings/test.html", {"last": row})


URLS = (
    path("settings/", overview, name="settings"),
    path("settings/channels/<slug:name>/", channel, name="settings-channel"),
    path("settings/test-mail/", test_mail, name="settings-test-mail"),
    path("settings/test-mail/<int:number>/", test_result, name="settings-test"),
)

"""The first-run page: account, team, mail server, service and address, and a test page to oneself.

While nobody has an account every page leads here, and only who knows the set-up code that the server printed can
go on. Each step can be left and resumed: what is done is read from the tables, not remembered by the browser.
"""

from __future__ import annotations

import hmac
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache

from watchbill import channels, presets
from watchbill.actions import addresses, catalogue, first_run, people, teams
from watchbill.actions.settings import change_channel_settings, channel_settings
from watchbill.db import facts
from watchbill.db.models import Ladder, Outgoing, Page, Person, Service, Team
from watchbill.db.screens import me as screen
from watchbill.entry.web.forms import ZoneField, attempt
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.pages.me_addresses import BACKEND, CodeForm, address_form, submit_address
from watchbill.entry.web.pages.settings import channel_form
from watchbill.entry.web.pages.teams import NewTeamForm
from watchbill.entry.web.reader import PageRequest

STEPS = (
    ("account", "Your account"),
    ("team", "Your team"),
    ("mail", "The mail server"),
    ("service", "A service and your address"),
    ("test", "A test page to you"),
)
GUESSES, GUESSES_IN = 10, 600


class AccountForm(forms.Form):
    """The first account."""

    code = forms.CharField(label="Set-up code", max_length=80, help_text="The server printed it when it started.")
    name = forms.CharField(label="Your name", max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label="E-mail", help_text="You sign in with it.")
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="At least 10 characters."
    )
    zone = ZoneField(label="Time zone")


class ServiceForm(forms.Form):
    """The first service."""

    name = forms.CharField(
        label="What do you keep running?", max_length=80, help_text="Such as: checkout, mail, the hub."
    )
    environment = forms.CharField(max_length=40, required=False, help_text="Such as: production. May be empty.")


@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Lead to the first step that is not done."""
    if not Person.objects.exists():
        return _account(request)
    if not request.user.is_authenticated:
        return redirect(f"{settings.LOGIN_URL}?next=/welcome/")
    if not first_run.is_unfinished(request.user):
        return redirect("/")
    return redirect("welcome-step", step=_next(_done(request.user)))


@never_cache
def step(request: PageRequest, step: str) -> HttpResponse:
    """Show one step of the set-up; the ones before it come first."""
    if not first_run.is_unfinished(request.user):
        return redirect("welcome")
    done = _done(request.user)
    if step not in SHOW or (step not in done and step != _next(done)):
        return redirect("welcome")
    return SHOW[step](request, done)


def _done(person: Any) -> set[str]:
    reached = first_run.progress() or {}
    done = {"account"}
    team = _team(person)
    if team is not None:
        done.add("team")
    if channel_settings("email") or "mail" in reached.get("skipped", []):
        done.add("mail")
    if team is not None and Service.objects.filter(team=team).exists() and facts.usable_addresses(person.pk):
        done.add("service")
    return done


def _next(done: set[str]) -> str:
    return next((name for name, _ in STEPS if name not in done), "test")


def _team(person: Person) -> Team | None:
    return Team.objects.filter(memberships__person=person, archived_at=None).order_by("id").first()


def _render(request: HttpRequest, now_at: str, done: set[str], **words: Any) -> HttpResponse:
    steps = [(name, title, name in done and name != now_at) for name, title in STEPS]
    shown = {"steps": steps, "at": now_at, "number": [name for name, _ in STEPS].index(now_at) + 1, "bare": True}
    return render(request, f"first_run/{now_at}.html", {**shown, **words})


def _account(request: HttpRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, initial={"zone": "UTC"})
    if form.is_valid() and _knows_code(request, form):
        data = form.cleaned_data
        now = request.now  # type: ignore[attr-defined]
        person = attempt(
            form, people.create_first_person, data["email"], data["name"], data["password"], data["zone"], now
        )
        if person:
            login(request, person, backend=BACKEND)
            return redirect("welcome")
    return _render(request, "account", set(), form=form)


def _knows_code(request: HttpRequest, form: AccountForm) -> bool:
    """Tell whether the set-up code is right; ten guesses in ten minutes from one address."""
    key = f"setup-code-{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, GUESSES_IN)
    if cache.incr(key) > GUESSES:
        form.add_error("code", "too many guesses: wait ten minutes")
        return False
    typed = "".join(form.cleaned_data["code"].split())
    if hmac.compare_digest(typed.encode(), settings.CONFIG.setup_code.encode()):
        return True
    form.add_error(
        "code", "this is not the code that the server printed; it also stands in the file setup-code of its data"
    )
    return False


def _show_team(request: PageRequest, done: set[str]) -> HttpResponse:
    team = _team(request.user)
    form = NewTeamForm(request.POST or None, initial={"zone": request.user.zone})
    if team is None and form.is_valid():
        data = form.cleaned_data
        if attempt(form, teams.create_team, data["name"], data["zone"], data["preset"], request.user, request.now):
            return redirect("welcome")
    return _render(request, "team", done, form=form, presets=presets.all_presets(), team=team)


def _show_mail(request: PageRequest, done: set[str]) -> HttpResponse:
    fixed = "email" in settings.CHANNEL_SETTINGS
    do = request.POST.get("do", "")
    if do == "skip":
        first_run.remember(request.user, request.now, skipped=["mail"])
        return redirect("welcome")
    form = channel_form("email", request)
    if do == "test" and (fixed or (form.is_valid() and _save_mail(form, request))):
        address = addresses.account_address(request.user, request.now)
        test = attempt(form, addresses.send_test, address, request.user, request.now)
        if test:
            return redirect(f"{request.path}?message={test.pk}")
    number = number_in(request.GET.get("message", ""))
    last = screen.message_of(request.user, number) if number is not None else None
    return _render(request, "mail", done, form=form, fixed=fixed, last=last)


def _save_mail(form: Any, request: PageRequest) -> bool:
    return bool(attempt(form, change_channel_settings, "email", form.values(), request.user, request.now))


def _show_service(request: PageRequest, done: set[str]) -> HttpResponse:
    team = _team(request.user)
    if team is None:
        return redirect("welcome")
    if not Service.objects.filter(team=team).exists():
        form = ServiceForm(request.POST or None)
        ladder = Ladder.objects.filter(team=team, archived_at=None).order_by("id").first()
        values = {**form.cleaned_data, "ladder": ladder.pk if ladder else None} if form.is_valid() else None
        if values and attempt(form, catalogue.add_service, team, values, request.user, request.now):
            return redirect(request.path)
        return _render(request, "service", done, form=form, team=team)
    return _show_address(request, done)


def _show_address(request: PageRequest, done: set[str]) -> HttpResponse:
    mine = screen.addresses_of(request.user)
    waiting = next((row for row in reversed(mine) if not row.verified_at and row.code_sent_at), None)
    code = CodeForm(request.POST if request.POST.get("do") == "code" else None)
    if waiting and code.is_valid():
        verified = attempt(
            code, addresses.verify_address, waiting.pk, code.cleaned_data["code"], request.user, request.now
        )
        if verified:
            messages.success(request, f"{waiting.label} is verified.")
            return redirect("welcome")
    fresh = next((row for row in mine if not row.verified_at and not row.code_sent_at), None)
    if request.POST.get("do") == "account" and fresh:
        addresses.resend_code(fresh, request.user, request.now)
        return redirect(request.path)
    form = address_form("email", request.POST if request.POST.get("do") == "add" else None)
    if submit_address(form, "email", request):
        return redirect(request.path)
    last = next((row for row in screen.messages_of(request.user) if waiting and row.address_id == waiting.pk), None)
    words = {
        "mine": mine,
        "waiting": waiting,
        "fresh": fresh,
        "code": code,
        "address_form": form,
        "can_mail": people.can_mail(),
        "others": [(name, channel.TITLE) for name, channel in channels.all_channels().items() if name != "email"],
        "last": last,
    }
    return _render(request, "service", done, **words)


def _show_test(request: PageRequest, done: set[str]) -> HttpResponse:
    team = _team(request.user)
    if team is None:
        return redirect("welcome")
    do = request.POST.get("do", "")
    if do == "page":
        service = Service.objects.filter(team=team).order_by("id").first()
        first_run.send_test_page(team, service, request.user, request.now)
        return redirect(request.path)
    if do == "finish":
        first_run.remember(request.user, request.now, done=True)
        messages.success(request, "Watchbill is set up.")
        return redirect("/")
    return _render(request, "test", done, **_test_state())


def _test_state() -> dict[str, Any]:
    page = Page.objects.select_related("answered_by").filter(pk=(first_run.progress() or {}).get("page") or 0).first()
    sent = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk) if page else Outgoing.objects.none()
    answered = page is not None and page.state in {"acknowledged", "snoozed", "resolved"}
    return {"page": page, "sent": list(sent.select_related("address").order_by("id")), "answered": answered}


@never_cache
def test_state(request: PageRequest) -> HttpResponse:
    """Show the state of the test page, for the step that waits for it."""
    if not first_run.is_unfinished(request.user):
        return redirect("welcome")
    return render(request, "first_run/test_state.html", _test_state())


SHOW = {"team": _show_team, "mail": _show_mail, "service": _show_service, "test": _show_test}
URLS = (
    path("welcome/", welcome, name="welcome"),
    path("welcome/test/state/", test_state, name="welcome-test-state"),
    path("welcome/<slug:step>/", step, name="welcome-step"),
)

"""My contact addresses: add one per channel, prove it with its code, test it, remove it; and join by invitation."""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from watchbill import channels
from watchbill.actions import addresses, people
from watchbill.actions.first_run import is_unfinished
from watchbill.actions.settings import channel_settings
from watchbill.channels import webpush
from watchbill.db.models import ContactAddress
from watchbill.db.screens import me as screen
from watchbill.entry.web.forms import ZoneField, attempt
from watchbill.entry.web.forms_pydantic import ModelForm, form_for
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.reader import HTTP, PageRequest
from watchbill.kit.errors import Refused

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class CodeForm(forms.Form):
    """The six digits that were sent."""

    code = forms.CharField(
        label="Code",
        max_length=12,
        help_text="Six digits, good for 15 minutes.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class JoinForm(forms.Form):
    """What an invited person chooses."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    zone = ZoneField(label="Time zone")
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="At least 10 characters."
    )


def address_form(channel: str, data: Any, suggested: dict[str, Any] | None = None) -> ModelForm:
    """Make the form of a channel's address, with a name of one's own for it."""
    form = form_for(channels.all_channels()[channel].Address)(data, initial=suggested or {})
    form.fields["label"] = forms.CharField(
        label="What you call it", max_length=60, required=False, help_text="Such as: phone, work. May be empty."
    )
    return form


def submit_address(form: ModelForm, channel: str, request: PageRequest) -> ContactAddress | None:
    """Add what a form holds, once its URLs may be called; a refusal is shown at its field."""
    if not form.is_valid():
        return None
    try:
        channels.check_address(channel, form.values(), HTTP)
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return None
    label = form.cleaned_data.get("label", "")
    made: ContactAddress | None = attempt(
        form, addresses.add_address, request.user, channel, form.values(), request.now, label=label
    )
    return made


@login_required
def add(request: PageRequest, channel: str) -> HttpResponse:
    """Add an address of one channel."""
    known = channels.all_channels().get(channel)
    if known is None:
        raise Http404
    if channel == "webpush":
        return render(request, "me/push.html", {"push_key": addresses.push_key(request.now), "hint": known.HINT})
    form = address_form(channel, request.POST or None)
    made = submit_address(form, channel, request)
    if made is not None:
        return redirect("me-address", number=made.pk)
    lacks = hasattr(known, "Settings") and not channel_settings(channel)
    words = {"form": form, "title": known.TITLE, "hint": known.HINT, "lacks_settings": lacks}
    return render(request, "me/add.html", words)


@login_required
@require_POST
def add_push(request: PageRequest) -> JsonResponse:
    """Take the subscription of a browser; answers where to enter the code that it was sent."""
    try:
        sent = json.loads(request.body)
        values = webpush.read_subscription(sent["subscription"], str(sent.get("device") or "this device")[:60])
        channels.check_address("webpush", values, HTTP)
        address = addresses.add_address(request.user, "webpush", values, request.now, label=values["device"])
    except Refused as refusal:
        return JsonResponse({"message": refusal.message}, status=409)
    except (ValueError, KeyError, TypeError, ValidationError):
        return JsonResponse({"message": "This browser gave something that is not a push subscription."}, status=400)
    return JsonResponse({"go": reverse("me-address", kwargs={"number": address.pk})})


def _mine(request: PageRequest, number: int) -> ContactAddress:
    return get_object_or_404(ContactAddress, pk=number, person=request.user, removed_at=None)


@login_required
def one(request: PageRequest, number: int) -> HttpResponse:
    """Show one address: enter its code, or test it, or remove it."""
    address = _mine(request, number)
    form = CodeForm(request.POST or None)
    if form.is_valid() and attempt(
        form, addresses.verify_address, address.pk, form.cleaned_data["code"], request.user, request.now
    ):
        messages.success(request, f"{address.label} is verified: it counts from now on.")
        return redirect(_back(request))
    test = number_in(request.GET.get("message", ""))
    last = screen.message_of(request.user, test) if test is not None else None
    if last is None:
        last = next((row for row in screen.messages_of(request.user) if row.address_id == address.pk), None)
    words = {"address": address, "form": form, "last": last, "sure": _falls(request, address)}
    return render(request, "me/address.html", words)


def _back(request: PageRequest) -> str:
    """Take whoever is setting up the instance back to that."""
    return "welcome" if is_unfinished(request.user) else "me"


def _falls(request: PageRequest, address: ContactAddress) -> bool:
    """Tell whether the reader asked to remove the last address that reaches them on watch."""
    return request.GET.get("sure") == "1" and address.verified_at is not None


@login_required
@require_POST
def resend(request: PageRequest, number: int) -> HttpResponse:
    """Send a fresh code."""
    address = _mine(request, number)
    try:
        addresses.resend_code(address, request.user, request.now)
        messages.success(request, f"A new code is on its way to {address.label}.")
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("me-address", number=number)


@login_required
@require_POST
def test(request: PageRequest, number: int) -> HttpResponse:
    """Send a test and show what becomes of it."""
    try:
        message = addresses.send_test(_mine(request, number), request.user, request.now)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("me-address", number=number)
    return redirect(f"{reverse('me-address', kwargs={'number': number})}?message={message.pk}")


@login_required
@require_POST
def remove(request: PageRequest, number: int) -> HttpResponse:
    """Remove an address; the last one of somebody on watch soon is asked about twice."""
    address = _mine(request, number)
    try:
        addresses.remove_address(address, request.user, request.now, confirmed=request.POST.get("confirmed") == "yes")
    except Refused as refusal:
        messages.warning(request, f"Not removed: {refusal.message}.")
        return redirect(f"{reverse('me-address', kwargs={'number': number})}?sure=1")
    messages.success(request, f"{address.label} is removed.")
    return redirect("me")


@login_required
@never_cache
def message(request: PageRequest, number: int) -> HttpResponse:
    """Show the state of one message, for a page that waits for it."""
    row = screen.message_of(request.user, number)
    if row is None:
        raise Http404
    return render(request, "me/message.html", {"last": row})


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Take an invited person in: they choose a password and are signed in. A GET, which mail scanners make, changes nothing."""
    now = request.now  # type: ignore[attr-defined]
    try:
        person, _ = people.read_invitation(token, now)
    except Refused as refusal:
        return render(request, "me/join_over.html", {"message": refusal.message}, status=410)
    form = JoinForm(request.POST or None, initial={"name": person.name, "zone": person.zone})
    if form.is_valid():
        data = form.cleaned_data
        joined = attempt(form, people.accept_invitation, token, data["name"], data["password"], now, zone=data["zone"])
        if joined:
            if is_mfa_enabled(joined):
                messages.success(request, "Your new password is set. Sign in with it and your second factor.")
                return redirect("account_login")
            login(request, joined, backend=BACKEND)
            messages.success(request, "You are in. Check here how you will be reached.")
            return redirect("me")
    return render(request, "me/join.html", {"form": form, "invited": person})


URLS = (
    path("me/addresses/add/<slug:channel>/", add, name="me-add"),
    path("me/addresses/push/", add_push, name="me-add-push"),
    path("me/addresses/<int:number>/", one, name="me-address"),
    path("me/addresses/<int:number>/code/", resend, name="me-resend"),
    path("me/addresses/<int:number>/test/", test, name="me-test"),
    path("me/addresses/<int:number>/remove/", remove, name="me-remove"),
    path("me/messages/<int:number>/", message, name="me-message"),
    path("join/<str:token>/", join, name="join"),
)

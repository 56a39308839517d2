"""Me: how I am reached, when I am next on watch, what was sent to me, my profile and my tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from watchbill import channels
from watchbill.actions import addresses, people, tokens
from watchbill.core.rota.holidays import known_countries
from watchbill.db.models import ApiToken
from watchbill.db.screens import me as screen
from watchbill.entry.web.forms import ZoneField, attempt
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.watches import watches_now

DELAYS = [
    (0, "at once"),
    *((60 * n, f"after {n} min") for n in (1, 2, 3, 5, 10, 15, 30)),
    (3600, "after 1 h"),
]
URGENCY_WORDS = {
    "important": ("Important pages", "Something burns and somebody is asked now."),
    "default": ("Everything else", "Notices and pages that can wait a little."),
}
TOKEN_DAYS = [(30, "30 days"), (90, "90 days"), (365, "a year")]
EMPTY_RULES = 2


def country_choices() -> list[tuple[str, str]]:
    """List the countries that have a holiday calendar."""
    return [("", "none"), *((code, code) for code in known_countries())]


class ProfileForm(forms.Form):
    """What one says about oneself."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    zone = ZoneField(label="Time zone", help_text="All times are shown in it.")
    holiday_country = forms.ChoiceField(
        label="Holidays of country", choices=country_choices, required=False, help_text="Your public holidays."
    )
    holiday_subdivision = forms.CharField(
        label="Part of the country", max_length=16, required=False, help_text="Such as ENG for England; may be empty."
    )


class RuleForm(forms.Form):
    """One row of the rules: which address, and when."""

    address = forms.ChoiceField(required=False)
    after = forms.TypedChoiceField(coerce=int, choices=DELAYS, required=False, empty_value="0")

    def __init__(self, *args: Any, mine: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address: Any = self.fields["address"]
        address.choices = [("", "(no rule)"), *mine]
        delay: Any = self.fields["after"]
        now = int(self.initial.get("after", 0))
        if now not in dict(DELAYS):
            delay.choices = [(now, f"after {now} s"), *DELAYS]


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(label="What is it for?", max_length=80, help_text="Such as: command line on my laptop.")
    scopes = forms.ChoiceField(
        label="It may",
        choices=[("read", "read"), ("answer", "read and answer pages"), ("write", "read, answer and change things")],
    )
    days = forms.TypedChoiceField(label="It ends after", coerce=int, choices=TOKEN_DAYS, initial=90)


@login_required
def overview(request: PageRequest) -> HttpResponse:
    """Show how the reader is reached, and when they are next on watch."""
    mine = screen.addresses_of(request.user)
    rules = screen.rules_of(request.user)
    shifts = screen.next_shifts(request.user, request.now)
    words = {
        "addresses": mine,
        "verified": [address for address in mine if address.verified_at and not address.failed_at],
        "titles": channel_titles(),
        "urgencies": [(urgency, *URGENCY_WORDS[urgency], rules[urgency]) for urgency in URGENCY_WORDS],
        "shifts": shifts,
        "on_watch": max(watches_now(shifts, request.now), key=lambda watch: watch.until, default=None),
        "soon": bool(shifts) and shifts[0].starts_at < request.now + timedelta(days=7),
        "messages_sent": screen.messages_of(request.user)[:5],
    }
    return render(request, "me/overview.html", words)


def channel_titles() -> dict[str, str]:
    """Give every channel's name as a person reads it."""
    return {name: channel.TITLE for name, channel in channels.all_channels().items()}


@login_required
def profile(request: PageRequest) -> HttpResponse:
    """Change the reader's name, zone and holidays."""
    fields = ("name", "zone", "holiday_country", "holiday_subdivision")
    form = ProfileForm(request.POST or None, initial={name: getattr(request.user, name) for name in fields})
    if form.is_valid() and attempt(form, people.change_profile, request.user, form.cleaned_data, request.now):
        messages.success(request, "Your profile is saved.")
        return redirect("me")
    return render(request, "me/profile.html", {"form": form})


@login_required
def rules(request: PageRequest, urgency: str) -> HttpResponse:
    """Change which address is used when, for one urgency."""
    if urgency not in URGENCY_WORDS:
        raise Http404
    title, hint = URGENCY_WORDS[urgency]
    titles = channel_titles()
    mine = [
        (str(address.pk), f"{titles.get(address.channel, address.channel)}: {address.label}")
        for address in screen.addresses_of(request.user)
        if address.verified_at
    ]
    present = [
        {"address": rule.address_id, "after": rule.after_seconds} for rule in screen.rules_of(request.user)[urgency]
    ]
    shown: list[dict[str, Any]] = [*present, *({} for _ in range(EMPTY_RULES))]
    rows = [RuleForm(request.POST or None, prefix=str(n), initial=row, mine=mine) for n, row in enumerate(shown)]
    whole = forms.Form(request.POST or None)
    if whole.is_valid() and all(row.is_valid() for row in rows):
        chosen = [
            (int(row.cleaned_data["address"]), int(row.cleaned_data["after"]))
            for row in rows
            if row.cleaned_data["address"]
        ]
        if attempt(whole, addresses.change_rules, request.user, urgency, chosen, request.now):
            messages.success(request, f"{title}: your rules are saved.")
            return redirect("me")
    words = {"form": whole, "rows": rows, "title": title, "hint": hint, "any_address": bool(mine)}
    return render(request, "me/rules.html", words)


@login_required
@never_cache
def token_list(request: PageRequest) -> HttpResponse:
    """List the reader's API tokens and make one; its text is shown in the answer and never again."""
    form = TokenForm(request.POST or None)
    made = None
    if request.user.is_superuser:
        scopes: Any = form.fields["scopes"]
        scopes.choices = [*scopes.choices, ("admin", "everything you may, as an administrator")]
    if form.is_valid():
        ends = request.now + timedelta(days=form.cleaned_data["days"])
        data = form.cleaned_data
        made = attempt(form, tokens.create_token, request.user, data["name"], [data["scopes"]], ends, request.now)
    words = {
        "form": TokenForm() if made else form,
        "tokens": screen.tokens_of(request.user, request.now),
        "made": made[1] if made else "",
    }
    return render(request, "me/tokens.html", words)


@login_required
@require_POST
def token_revoke(request: PageRequest, number: int) -> HttpResponse:
    """End one of the reader's tokens."""
    token = get_object_or_404(ApiToken, pk=number, person=request.user)
    tokens.revoke_token(token, request.user, request.now)
    messages.success(request, f"{token.name} works no more.")
    return redirect("me-tokens")


@login_required
@require_POST
def feed_revoke(request: PageRequest) -> HttpResponse:
    """End the reader's calendar addresses handed out so far."""
    tokens.revoke_feed(request.user, request.user, request.now)
    messages.success(request, "The old calendar addresses work no more. The rota shows your new one.")
    return redirect("me")


@login_required
def sent(request: PageRequest) -> HttpResponse:
    """List what was sent to the reader, with its state and what the vendor said."""
    before = request.GET.get("before", "")
    rows = screen.messages_of(request.user, number_in(before))
    more = rows[-1].pk if len(rows) == screen.MESSAGES else None
    return render(request, "me/sent.html", {"rows": rows, "more": more})


@login_required
def email_is_fixed(request: PageRequest) -> HttpResponse:
    """Stand where allauth would let somebody change the e-mail of an account: an administrator does that."""
    messages.info(request, "The e-mail you sign in with is fixed. Ask an administrator if it must change.")
    return redirect("me")


URLS = (
    path("me/", overview, name="me"),
    path("me/profile/", profile, name="me-profile"),
    path("me/rules/<slug:urgency>/", rules, name="me-rules"),
    path("me/tokens/", token_list, name="me-tokens"),
    path("me/tokens/<int:number>/revoke/", token_revoke, name="me-token-revoke"),
    path("me/calendar/end/", feed_revoke, name="me-feed-revoke"),
    path("me/sent/", sent, name="me-sent"),
    path("accounts/email/", email_is_fixed),
)

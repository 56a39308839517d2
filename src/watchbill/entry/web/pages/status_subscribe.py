"""Hear of a status page: ask on its page, say yes by the link in the mail, choose of what, end it with one click (RFC 8058).

Nobody needs an account, JavaScript or a cookie. No link acts when it is only opened: mail scanners open them all.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from watchbill.actions import status_subscriptions
from watchbill.actions.catalogue import hash_key
from watchbill.actions.status_subscriptions import Asked
from watchbill.actions.statuspage import address_of
from watchbill.db.models import StatusPage, StatusSubscription
from watchbill.db.status_facts import components_of
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.support_page import quiet
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused

NOT_FOR_PEOPLE = "website"


class ComponentsForm(forms.Form):
    """Of which components one wants to hear."""

    components = forms.TypedMultipleChoiceField(
        label="Of what?",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: of everything.",
    )

    def __init__(self, data: Any, page: StatusPage, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        field = self.fields["components"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - for mypy
        field.choices = [(one.pk, one.name) for one in components_of(page)]


class AskForm(ComponentsForm):
    """How and where one wants to hear. `website` is for machines that fill every field."""

    field_order = ("kind", "address", "components")
    kind = forms.ChoiceField(
        label="How?",
        choices=[("email", "By mail"), ("webhook", "By a webhook: a program of yours takes an HTTPS POST")],
        initial="email",
        widget=forms.RadioSelect,
    )
    address = forms.CharField(label="Your mail address, or the webhook's URL", max_length=500)
    website = forms.CharField(required=False, label="Leave this empty")


# No session takes part here, so there is none to misuse; limits within the hour guard the mailboxes of others.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: PageRequest, slug: str, key: str = "") -> HttpResponse:
    """Show the form; take in that somebody wants to hear."""
    page = _find(slug, key)
    form = AskForm(request.POST if request.method == "POST" else None, page)
    row = None
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data[NOT_FOR_PEOPLE]:
            form.add_error(None, "One field must stay empty. Please send it again.")
        else:
            row = attempt(form, _ask, page, form.cleaned_data, request)
    words = {"bare": True, "page": page, "form": form, "row": row, "home": address_of(page)}
    return quiet(render(request, "status/subscribe.html", words, status=409 if form.errors else 200))


def _find(slug: str, key: str) -> StatusPage:
    page = StatusPage.objects.select_related("team").filter(slug=slug, archived_at=None).first()
    if page is None or page.is_public != (key == ""):
        raise Http404
    if not page.is_public and not constant_time_compare(hash_key(key), page.key_hash):
        raise Http404
    return page


def _ask(page: StatusPage, given: dict[str, Any], request: PageRequest) -> StatusSubscription:
    asked = Asked(given["kind"], given["address"], given["components"])
    return status_subscriptions.ask(page, asked, request.META.get("REMOTE_ADDR", ""), request.now)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: PageRequest, token: str) -> HttpResponse:
    """Show somebody's own subscription; say yes to it, or choose of what."""
    row = _open(token)
    sent = request.method == "POST"
    form = ComponentsForm(request.POST if sent else None, row.page, initial={"components": row.components})
    if sent and form.is_valid():
        if row.confirmed_at is None:
            row = attempt(form, status_subscriptions.confirm, token, request.now) or row
        else:
            row = attempt(form, status_subscriptions.choose, token, form.cleaned_data["components"], request.now) or row
    words = {"bare": True, "row": row, "page": row.page, "form": form, "sent": sent and not form.errors}
    words |= {"end": status_subscriptions.links_of(row)[1], "home": address_of(row.page)}
    return quiet(render(request, "status/subscription.html", words, status=409 if form.errors else 200))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: PageRequest, token: str) -> HttpResponse:
    """End a subscription: at once by POST, as mail programs do it; with a button for whoever opens the link."""
    row = _open(token)
    if request.method == "POST":
        row = status_subscriptions.leave(token, request.now)
    words = {"bare": True, "row": row, "page": row.page, "home": address_of(row.page)}
    return quiet(render(request, "status/end.html", words))


def _open(token: str) -> StatusSubscription:
    try:
        return status_subscriptions.find(token)
    except Refused:
        raise Http404 from None


URLS = [
    path("subscribe/<slug:slug>/", subscribe, name="status-subscribe"),
    path("subscribe/<slug:slug>/<str:key>/", subscribe, name="status-subscribe-key"),
    path("subscription/<str:token>/", own, name="status-subscription"),
    path("subscription/<str:token>/end/", end, name="status-subscription-end"),
]

"""A team's public page: what it supports, when, how long it takes, how to escalate, answers first, then the form.

Nobody needs an account, JavaScript or a cookie. What keeps it from abuse: a field that people do not see, a signed
time at which the page was given, a look at where the form was sent from, and limits within the hour. A refusal
keeps everything typed.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from watchbill.actions import public_asking, request_links
from watchbill.actions.access import role_of
from watchbill.actions.desk import Desk as TeamDesk
from watchbill.actions.desk import desk_of
from watchbill.actions.request_words import link_of
from watchbill.actions.requesters import Asker
from watchbill.db.models import Desk, FaqEntry, Person, Service, SupportRequest, Team
from watchbill.db.screens import requests as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.hours import hours_of, place_of, promise_words
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import AskForm, FilesField
from watchbill.kit.errors import Refused
from watchbill.rules import request_classes

SALT = "watchbill.support_page"
QUICKEST = 3
LONGEST = 24 * 60 * 60
FAQ_MOST = 200
QUIET_HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class PublicForm(AskForm):
    """The public form. `website` is for machines that fill every field; `page` says when the page was given (UTC)."""

    field_order = ("request_class", "title", "text", "attached", "impact", "service", "environment", "component")
    attached = FilesField(label="Files", help_text="At most 3, each at most 5 MB.")
    website = forms.CharField(required=False, label="Leave this empty")
    page = forms.CharField(required=False, widget=forms.HiddenInput())

    def check_sender(self, team: Team, request: PageRequest) -> None:
        """Add an error when it looks as if no person had sent this form; a person only sends it again."""
        if self.cleaned_data["website"]:
            self._again("One field must stay empty: it has been emptied. Please send it again.", website="")
            return
        age = _age_of(self.cleaned_data["page"], team, request)
        if age is None or age > LONGEST or request.headers.get("Sec-Fetch-Site", "") == "cross-site":
            self._again("This page has been open for long. Look through what you wrote, and send it again.")
            self._put(page=page_mark(team, request))
        elif age < QUICKEST:
            self._again("That was quick! Look through it once more, and send it again.")

    def _again(self, words: str, **put: str) -> None:
        self.add_error(None, words)
        self._put(**put)

    def _put(self, **put: str) -> None:
        self.data = {**{name: self.data[name] for name in self.data}, **put}


def page_mark(team: Team, request: PageRequest) -> str:
    """Give the signed time at which a page was given."""
    return signing.Signer(salt=SALT).sign_object([team.pk, int(request.now.timestamp())])


def _age_of(mark: str, team: Team, request: PageRequest) -> int | None:
    try:
        number, given = signing.Signer(salt=SALT).unsign_object(mark)
    except (signing.BadSignature, ValueError):
        return None
    return int(request.now.timestamp()) - int(given) if number == team.pk else None


# No session takes part here, so there is none to misuse: the signed time and the origin guard the form instead of a
# cookie, and somebody who keeps no cookies loses nothing that they typed.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def support_page(request: PageRequest, slug: str) -> HttpResponse:
    """Show the page; take in a request."""
    team, page = _find(request, slug)
    desk = desk_of(team, request.now)
    services = screen.services_of(team)
    sent = request.method == "POST"
    form = PublicForm(
        request.POST if sent else None,
        request.FILES if sent else None,
        desk,
        services,
        initial=_initial(request, team),
    )
    if sent:
        if not page.is_public:
            raise Http404
        if form.is_valid():
            form.check_sender(team, request)
        made = attempt(form, _ask, team, form, request) if form.is_valid() else None
        if made:
            return redirect("support-thanks", slug=slug, token=request_links.path_of(made).split("/")[2])
    with timezone.override(ZoneInfo(team.zone)):
        words = _words(request, team, page, desk, services, form)
        return render(request, "support/page.html", words, status=409 if form.errors else 200)


def _initial(request: PageRequest, team: Team) -> dict[str, Any]:
    initial = {"page": page_mark(team, request), "title": request.GET.get("title", "")[:300]}
    if isinstance(request.user, Person):
        initial |= {"name": request.user.name, "email": request.user.email}
    return initial


def _find(request: HttpRequest, slug: str) -> tuple[Team, Desk]:
    """Find the desk; one that is not public is a preview for whoever may read its team, and nothing for others."""
    team = Team.objects.filter(slug=slug, archived_at=None).first()
    if team is None:
        raise Http404
    desk = Desk.objects.filter(team=team).first() or Desk(team=team)
    if not desk.is_public and not (isinstance(request.user, Person) and role_of(request.user, team)):
        raise Http404
    return team, desk


def _ask(team: Team, form: PublicForm, request: PageRequest) -> SupportRequest:
    given = form.cleaned_data
    asker = Asker(given["name"], given["email"])
    return public_asking.ask(team, asker, form.asked(), request.META.get("REMOTE_ADDR", ""), request.now)


def _words(
    request: PageRequest, team: Team, page: Desk, desk: TeamDesk, services: list[Service], form: PublicForm
) -> dict[str, Any]:
    q = request.GET.get("q", "").strip()[:200]
    return {
        "bare": True,
        "team": team,
        "page": page,
        "services": services,
        "hours": hours_of(desk.coverage),
        "closes_on_holidays": desk.coverage is not None and bool(team.holiday_country),
        "zone": place_of(team.zone),
        "classes": promises_of(desk),
        "faq": _answers(team, q),
        "has_faq": bool(q) or FaqEntry.objects.filter(team=team, removed_at=None).exists(),
        "q": q,
        "form": form,
    }


def promises_of(desk: TeamDesk) -> list[dict[str, str]]:
    """Give each class with what happens next and by when, in words (INT-09)."""
    return [_promise(held, desk) for held in desk.classes.classes.values()]


def _promise(held: request_classes.RequestClass, desk: TeamDesk) -> dict[str, str]:
    return {
        "title": held.title,
        "next_step": held.next_step,
        "first_response": promise_words(held.first_response, desk.coverage),
        "resolution": promise_words(held.resolution, desk.coverage),
    }


def _answers(team: Team, q: str) -> list[FaqEntry]:
    """Find the answers that hold every word; the question counts more than the answer."""
    rows = FaqEntry.objects.filter(team=team, removed_at=None).select_related("service").order_by("position", "id")
    entries, words = list(rows[:FAQ_MOST]), q.lower().split()
    found = [one for one in entries if all(word in f"{one.question} {one.answer}".lower() for word in words)]
    return sorted(found, key=lambda one: -sum(word in one.question.lower() for word in words)) if words else found


def thanks(request: PageRequest, slug: str, token: str) -> HttpResponse:
    """Say thank you: the reference, what happens next and by when, and the requester's own link (INT-09)."""
    try:
        one = request_links.read(token)
    except Refused:
        raise Http404 from None
    if one.team.slug != slug:
        raise Http404
    held = request_classes.decide(one.request_class, desk_of(one.team, request.now).classes)
    with timezone.override(ZoneInfo(one.team.zone)):
        words = {"bare": True, "one": one, "held": held, "link": link_of(one), "zone": place_of(one.team.zone)}
        return quiet(render(request, "support/thanks.html", words))


def quiet(response: HttpResponse) -> HttpResponse:
    """Keep a page whose address is the right to read it out of caches, referrers and search engines."""
    for name, value in QUIET_HEADERS.items():
        response[name] = value
    return response


URLS = [
    path("support/<slug:slug>/", support_page, name="support-page"),
    path("support/<slug:slug>/thanks/<str:token>/", thanks, name="support-thanks"),
]

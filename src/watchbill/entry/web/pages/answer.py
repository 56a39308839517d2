"""The page behind a message's link: no sign-in, one big button, used once.

A GET answers nothing, because mail scanners and chat previews follow every link they see. Whoever holds the link
may answer as the person it was sent to, and nothing else: it opens no session.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from watchbill.actions import answer_link
from watchbill.actions.answer_link import UsedAlready
from watchbill.db.models import Outgoing, Page
from watchbill.db.screens import alerts as screen
from watchbill.entry.web.pages.alerts import monitor_titles
from watchbill.kit.errors import NotAllowed, Refused

SAID = {
    "acknowledge": "You have it.",
    "snooze": "Snoozed for 15 minutes. Nobody is asked before.",
    "help": "The next ones are being asked. You need not do anything more here.",
}
QUIET_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


# The token in the address is the right to answer, and no cookie takes part: a page of somebody else cannot forge the
# POST without holding the token, and whoever holds it needs no forgery. So there is nothing for a CSRF token to guard.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a message asked; take the one answer that its link may give."""
    message = answer_link.read_link(token)
    if message is None:
        return quiet(render(request, "answer/gone.html", {"bare": True, "reason": "unknown"}, status=404))
    now = request.now  # type: ignore[attr-defined]
    if answer_link.is_over(message, now):
        return quiet(render(request, "answer/gone.html", {"bare": True, "reason": "old"}, status=410))
    said = ""
    if request.method == "POST":
        said = _take(request, message)
        message.refresh_from_db()
    with timezone.override(ZoneInfo(message.person.zone)):
        return quiet(_show(request, message, said))


def _take(request: HttpRequest, message: Outgoing) -> str:
    choice = request.POST.get("answer", "")
    if choice not in SAID:
        return ""
    try:
        answer_link.answer_by_link(message, choice, request.now)  # type: ignore[arg-type, attr-defined]
    except UsedAlready:
        return ""
    except (Refused, NotAllowed) as refusal:
        return refusal.message
    return SAID[choice]


def _show(request: HttpRequest, message: Outgoing, said: str) -> HttpResponse:
    now = request.now  # type: ignore[attr-defined]
    page = (
        Page.objects.select_related("team", "team__fallback", "service", "group", "group__service", "answered_by")
        .filter(pk=message.subject_id)
        .first()
    )
    if page is None:
        return render(request, "answer/gone.html", {"bare": True, "reason": "unknown"}, status=404)
    story = screen.tell_group(page.group, now, monitor_titles()) if page.group else screen.tell_page(page, now)
    words: dict[str, Any] = {
        "bare": True,
        "said": said,
        "message": message,
        "page": page,
        "story": story,
        "used": message.link_used_at is not None,
        "over": page.state == "resolved",
        "mine": page.state in {"acknowledged", "snoozed"} and page.answered_by_id == message.person_id,
        "theirs": page.state in {"acknowledged", "snoozed"} and page.answered_by_id != message.person_id,
    }
    return render(request, "answer/answer.html", words)


def quiet(response: HttpResponse) -> HttpResponse:
    """Have nothing keep a page that a link opens, or pass the link on."""
    for name, value in QUIET_HEADERS.items():
        response[name] = value
    return response


URLS = [path("a/<str:token>", answer, name="answer-link"), path("a/<str:token>/", answer)]

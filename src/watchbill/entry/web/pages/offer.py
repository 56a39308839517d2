"""The page behind the link of a message that offers a role: no sign-in, Accept and Decline, no reason asked (ROL-08).

A GET answers nothing, as with pages (`answer`). Of a private incident it shows what its person may see at this moment:
nothing any more once the offer is over, unless they are named in it otherwise.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from watchbill.actions import offer_link
from watchbill.actions.desk import desk_of
from watchbill.actions.role_scene import settings_of
from watchbill.db.models import RoleAssignment
from watchbill.entry.web.pages.answer import quiet
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules.incident_roles import title_of

ANSWERS = ("accept", "decline")


# As in `answer`: the token is the right to answer, no cookie takes part, so there is nothing for a CSRF token to guard.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is offered; take the one answer that its link may give."""
    found, now = offer_link.read_link(token), request.now  # type: ignore[attr-defined]
    if found is None:
        return quiet(render(request, "answer/gone.html", {"bare": True, "reason": "unknown"}, status=404))
    message, row = found
    if offer_link.is_over(message, now):
        return quiet(render(request, "answer/gone.html", {"bare": True, "reason": "old"}, status=410))
    refused = ""
    answer = request.POST.get("answer", "")
    if request.method == "POST" and answer in ANSWERS and offer_link.waits(row):
        try:
            offer_link.answer_by_link(message, answer, now)  # type: ignore[arg-type]
        except (Refused, NotAllowed) as refusal:
            refused = refusal.message
        row.refresh_from_db(fields=["state", "answered_at", "since", "until"])
    with timezone.override(ZoneInfo(row.person.zone)):
        return quiet(_show(request, row, refused))


def _show(request: HttpRequest, row: RoleAssignment, refused: str) -> HttpResponse:
    words: dict[str, object] = {"bare": True, "offer": row, "waits": offer_link.waits(row) and row.person.is_active}
    if offer_link.may_show(row):
        desk = desk_of(row.incident.team, request.now)  # type: ignore[attr-defined]
        rule = settings_of(desk)
        role = rule.roles.get(row.role)
        words |= {
            "incident": row.incident,
            "refused": refused,
            "title": title_of(row.role, rule, desk.policy.get("labels") or {}),
            "duties": role.duties if role else [],
        }
    return render(request, "answer/offer.html", words)


URLS = [path("o/<str:token>", offer, name="offer-link"), path("o/<str:token>/", offer)]

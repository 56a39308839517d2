"""What requesters are told: the team's own words where it wrote some, ours otherwise (TRI-16, COM-05, INT-09)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from watchbill.actions import request_links
from watchbill.actions.desk import Desk
from watchbill.core.wording import fill
from watchbill.db.models import CannedResponse, Requester, SupportRequest
from watchbill.rules import request_classes

# The kinds of message that Watchbill sends or offers by itself, with the words until a team writes its own.
KINDS = {
    "received": "Hello {requester},\n\nwe have your request “{title}” ({reference}).\n{next_step}\n{first_response_by}\n\n"
    "You can read it, add to it or ask for more urgency here: {link}\n\n{team}",
    "approval": "Hello {requester},\n\nwe have your request “{title}” ({reference}). For {community} we work on what its"
    " representatives ask: we have asked one of them to approve it.\n\n{team}",
    "approval_asked": "Hello,\n\n{requester} asks us for “{title}” ({reference}) for {community}. You speak for {community}:"
    " please reply whether we should do it.\n\n{link}\n\n{team}",
    "not_now": "Hello {requester},\n\nthank you for “{title}”. It is not urgent enough to interrupt what we are at, and"
    " we do not want it to get lost: please raise it here, so that it is planned: {queue}\n\n{team}",
    "refused": "Hello {requester},\n\nnobody who speaks for {community} approved “{title}” ({reference}), so we do not work on"
    " it. Please talk to them; if they agree, just reply and it is open again.\n\n{team}",
    "resolved": "Hello {requester},\n\nwe believe that “{title}” ({reference}) is done. If it is not, just reply and it is"
    " open again.\n\nHow was it? One click: {link}\n\n{team}",
    "update": "Hello {requester},\n\nan update on “{title}” ({reference}):\n\n\n\n{team}",
    "first_response": "Hello {requester},\n\nthank you for “{title}” ({reference}). I am looking at it now.\n\n{me}, {team}",
    "other": "",
}  # fmt: skip


def words_for(kind: str, request: SupportRequest, desk: Desk, **more: str) -> str:
    """Give the words of a kind for a request, with its fields filled."""
    own = CannedResponse.objects.filter(team=request.team, kind=kind, removed_at=None).order_by("id").first()
    return fill(own.text if own else KINDS[kind], {**fields_of(request, desk), **more}).strip()


def fields_of(request: SupportRequest, desk: Desk) -> dict[str, str]:
    """Give what the fields of a message stand for in one request."""
    held = request_classes.decide(request.request_class, desk.classes)
    return {
        "requester": str(request.requester),
        "title": request.title,
        "reference": reference(request),
        "team": str(request.team),
        "class": held.title,
        "next_step": held.next_step,
        "first_response_by": _by(request.first_response_due_at, request.team.zone),
        "link": link_of(request),
        "queue": settings.WATCHBILL_URL.rstrip("/") + f"/support/{request.team.slug}/",
        "me": str(request.assignee or request.team),
        "community": str(request.community or "your community"),
    }


def link_of(request: SupportRequest, speaker: Requester | None = None) -> str:
    """Give the whole address of the requester's own page, or of a representative's."""
    return settings.WATCHBILL_URL.rstrip("/") + request_links.path_of(request, speaker)


def reference(request: SupportRequest) -> str:
    """Give the number by which people speak of a request."""
    return f"R-{request.pk}"


def mail_subject(request: SupportRequest) -> str:
    """Give the subject of every mail about a request; the reference finds its thread when all else is lost."""
    return f"[{reference(request)}] {request.title}"[:200]


def _by(due: datetime | None, zone: str) -> str:
    if due is None:
        return ""
    local = due.astimezone(ZoneInfo(zone))
    return f"You hear from us by {local:%A %d %B, %H:%M} ({zone})."

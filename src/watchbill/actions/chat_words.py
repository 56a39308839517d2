"""What we say in a chat: who is on watch, what a user finds on our page there. Plain text; each chat writes it its way."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from watchbill.actions.desk import desk_of
from watchbill.actions.request_words import link_of, reference, words_for
from watchbill.core import paging
from watchbill.db import facts
from watchbill.db.models import Membership, Page, Person, Shift, SupportRequest, Team

MOST_LISTED = 20
STRANGER = (
    "I do not know who you are here: the mail address that you have in this chat belongs to no account of {team}."
    " Asking needs none; for this, have an account made with that address."
)


def who(team: Team, now: datetime) -> str:
    """Say who is on watch; the published shifts answer, here as everywhere."""
    zone = ZoneInfo(team.zone)
    standing = sorted(facts.shifts_now(team, now), key=lambda shift: (shift.rotation.name, shift.seat))
    lines = [
        f"{shift.person} is {shift.seat} on watch until {shift.ends_at.astimezone(zone):%A %d %B, %H:%M} ({team.zone})"
        for shift in standing
        if shift.person
    ]
    return "\n".join(lines) or f"Nobody of {team} is on watch now. /watchbill page <what is wrong> reaches them anyway."


def confirmation(request: SupportRequest, now: datetime) -> str:
    """Say that we have a request, what happens next and by when (INT-09), without the requester's own link."""
    kind = "approval" if request.approval == "asked" else "received"
    return words_for(kind, request, desk_of(request.team, now), link=public_link(request))


def public_link(request: SupportRequest) -> str:
    """Give a request's address for a place that others read: it opens for the team, and for nobody else."""
    return f"{settings.WATCHBILL_URL.rstrip('/')}/requests/{request.pk}/"


def for_all(text: str, request: SupportRequest) -> str:
    """Take the requester's own link out of a text that others will read."""
    return text.replace(link_of(request), public_link(request))


def root_of(request: SupportRequest, text: str, now: datetime) -> str:
    """Write the message that begins a request's thread: what was asked stays in the open (INT-07)."""
    said = text.strip() or request.title
    return f"{request.requester} asks {request.team} ({reference(request)}):\n{said}\n\n{confirmation(request, now)}"


def announcement(page: Page) -> str:
    """Say in a channel that a page has opened (DUT-15)."""
    where = f"{page.service}: " if page.service else ""
    severity = f" ({page.severity})" if page.severity else ""
    link = f"{settings.WATCHBILL_URL.rstrip('/')}/pages/{page.pk}/"
    return f"Page {page.pk}{severity}: {where}{page.title}\n{link}"


def waiting_pages(team: Team) -> list[Page]:
    """Read the pages of a team that ask for an answer, newest first."""
    return list(Page.objects.filter(team=team, state__in=paging.ASKING).order_by("-id")[:MOST_LISTED])


def home_of(team: Team, person: Person | None, now: datetime) -> list[tuple[str, str]]:
    """Give our page in a chat, in sections: who is on watch, my shifts, my open requests and those of the team."""
    sections = [("On watch", who(team, now))]
    if person is not None and Membership.objects.filter(team=team, person=person).exists():
        sections.append(("Your next shifts", _shifts(team, person, now)))
        sections.append(("Open requests", _requests(team)))
    return [*sections, ("How to ask", "Mention me in a channel, or write /watchbill ask <what you need>.")]


def _shifts(team: Team, person: Person, now: datetime) -> str:
    zone = ZoneInfo(person.zone)
    rows = Shift.objects.filter(rotation__team=team, rotation__archived_at=None, person=person, ends_at__gt=now)
    lines = [
        f"{shift.seat}: {shift.starts_at.astimezone(zone):%a %d %b, %H:%M} to {shift.ends_at.astimezone(zone):%a %d %b, %H:%M}"
        for shift in rows.order_by("starts_at")[:5]
    ]
    return "\n".join(lines) or "None is published."


def _requests(team: Team) -> str:
    rows = SupportRequest.objects.filter(team=team, state="open").select_related("assignee")
    lines = [
        f"{reference(one)} {one.title} · {one.assignee or 'nobody has it'} · waits for {one.waiting_on}"
        for one in rows.order_by("rank", "due_at", "id")[:MOST_LISTED]
    ]
    return "\n".join(lines) or "None. Nothing waits for you."

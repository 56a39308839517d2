"""Calendar feeds (iCalendar, RFC 5545): the published shifts, for any calendar program, without signing in.

The key in the address is signed and names its owner and their `feed_version`; raising the version ends every address
handed out so far. What a feed says comes from the same rows as every page and every page-out. An event keeps its UID
(rotation, seat, start) as long as the shift begins when it begins; SEQUENCE and LAST-MODIFIED follow its publication.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from watchbill.actions import tokens
from watchbill.core.rota.words import in_public
from watchbill.db.models import Person, Rotation, Shift, Team
from watchbill.db.screens.feeds import shifts_of
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused

Owner = Person | Team | Rotation
FRESH = 300
# Year 2020: a SEQUENCE that counts from here fits 31 bits until 2088.
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@require_safe
def feed(request: PageRequest, kind: str, token: str) -> HttpResponse:
    """Give a feed; 404 for a key that is not ours, ended, or of an account that is switched off."""
    owner = find_owner(kind, token)
    shifts = shifts_of(owner, request.now)
    body = write_calendar(owner, shifts)
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    changed = max((shift.published_at for shift in shifts), default=EPOCH)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["ETag"] = etag
    response["Last-Modified"] = http_date(changed.timestamp())
    response["Cache-Control"] = f"private, max-age={FRESH}"
    response["Content-Disposition"] = f'inline; filename="watchbill-{kind}.ics"'
    response["X-Robots-Tag"] = "noindex"
    answer = get_conditional_response(request, etag=etag, response=response)
    return answer or response


def find_owner(kind: str, token: str) -> Owner:
    """Find whose feed a key opens; raises Http404."""
    try:
        signed, number, version = tokens.read_feed_token(token)
    except Refused:
        raise Http404 from None
    owner: Owner | None = None
    if signed == kind == "person":
        owner = Person.objects.filter(pk=number, is_active=True, feed_version=version).first()
    elif signed == kind == "team":
        owner = Team.objects.filter(pk=number, feed_version=version).first()
    elif signed == kind == "rotation":
        owner = Rotation.objects.select_related("team").filter(pk=number, team__feed_version=version).first()
    if owner is None:
        raise Http404
    return owner


def write_calendar(owner: Owner, shifts: list[Shift]) -> bytes:
    """Write shifts as a calendar; the same shifts give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Watchbill//Rota//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"On watch: {owner}")
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for shift in shifts:
        calendar.add_component(write_event(shift, personal=isinstance(owner, Person)))
    written: bytes = calendar.to_ical()
    return written


def write_event(shift: Shift, *, personal: bool) -> Event:
    """Write one shift as an event, in UTC."""
    place = f"{shift.seat} ({shift.rotation.team})"
    who = "On watch" if personal else str(shift.person or "Nobody")
    event = Event()
    event.add("uid", uid_of(shift))
    event.add("summary", f"{who}: {place}")
    event.add("description", describe(shift))
    event.add("dtstart", shift.starts_at.astimezone(UTC))
    event.add("dtend", shift.ends_at.astimezone(UTC))
    event.add("dtstamp", shift.published_at.astimezone(UTC))
    event.add("last-modified", shift.published_at.astimezone(UTC))
    event.add("sequence", max(int((shift.published_at - EPOCH).total_seconds()), 0))
    event.add("url", f"{settings.WATCHBILL_URL.rstrip('/')}/rota/{shift.rotation.slug}/")
    event.add("categories", [str(shift.rotation)])
    event.add("transp", "TRANSPARENT")
    event.add("status", "TENTATIVE" if shift.person_id is None else "CONFIRMED")
    return event


def uid_of(shift: Shift) -> str:
    """Name a shift for ever: rotation, seat and start."""
    host = urlsplit(settings.WATCHBILL_URL).hostname or "watchbill"
    return f"{shift.rotation_id}-{quote(shift.seat, safe='')}-{shift.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}@{host}"


def describe(shift: Shift) -> str:
    """Say why the shift is whose it is; what people typed stays inside."""
    taken = "Taken by an override. " if shift.kind == "override" else ""
    return f"{taken}{shift.rotation}, because {in_public(shift.reason, shift.kind)}."


URLS = (path("feeds/<slug:kind>/<str:token>.ics", feed, name="feed"),)

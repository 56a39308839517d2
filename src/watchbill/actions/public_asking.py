"""Requests from strangers: the public page, and the requester's own. Anybody may come, nobody may flood the team.

What is counted lies in the database, so that several nodes count together and a restart forgets nothing. Where a
request came from is kept for counting as a keyed fingerprint that changes every day, never as an address.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from watchbill.actions import noise, requesters, support
from watchbill.actions.asked import Asked
from watchbill.actions.log import Subject, record
from watchbill.actions.requesters import Asker
from watchbill.db.models import Event, Message, SupportRequest, Team
from watchbill.kit.errors import Refused

HOUR = timedelta(hours=1)
MOST_BY_ADDRESS = 5
MOST_BY_ORIGIN = 10
MOST_BY_PAGE = 120
MOST_REPLIES = 20
MOST_FILES = 3
LARGEST_FILE = 5 * 1024 * 1024
LONGEST_TEXT = 20_000


def ask(team: Team, asker: Asker, asked: Asked, origin: str, now: datetime) -> SupportRequest:
    """Take in a request from the public page; `origin` is the network address it came from. Raises Refused."""
    _check_size(asked)
    email = requesters.check_email(asker.email)
    if not email:
        raise Refused("write your mail address: our answer goes there", "email")
    with transaction.atomic():
        mark = fingerprint(origin, now)
        _check_flood(team, email, mark, now)
        request = noise.open_judged(team, asker, replace(asked, door="page"), now)
        record(_page(team), "desk.asked", f"R-{request.pk} by the public page", now, data={"from": mark})
    return request


def reply(request: SupportRequest, asked: Asked, now: datetime) -> SupportRequest:
    """Take in what a requester wrote on their own page; gives the request that has it now. Raises Refused."""
    _check_size(asked)
    if not asked.text.strip() and not asked.files:
        raise Refused("write something first", "text")
    demand_calm(request, now)
    requester = request.requester
    return support.hear(request.pk, Asker(requester.name, requester.email, requester.person), asked, now)


def demand_calm(request: SupportRequest, now: datetime) -> None:
    """Refuse what is too much on one request within an hour."""
    lately = Message.objects.filter(request=request, direction="in", door="page", written_at__gt=now - HOUR)
    if lately.count() >= MOST_REPLIES:
        raise Refused("these are many messages in one hour; we have them all. Please wait a little.", "text")


def _check_size(asked: Asked) -> None:
    if len(asked.text) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters; add the rest as a file", "text")
    if len(asked.files) > MOST_FILES:
        raise Refused(f"at most {MOST_FILES} files at once", "files")
    for file in asked.files:
        if len(file.content) > LARGEST_FILE:
            raise Refused(f"“{file.name}” is larger than {LARGEST_FILE // 1024 // 1024} MB", "files")


def _page(team: Team) -> Subject:
    return Subject("desk", team.pk, team.pk)


def fingerprint(origin: str, now: datetime) -> str:
    """Give the mark under which what comes from a network address is counted today; the address cannot be read from it."""
    return salted_hmac("watchbill.origin", f"{now:%Y-%m-%d} {origin}", algorithm="sha256").hexdigest()[:24]


def _check_flood(team: Team, email: str, mark: str, now: datetime) -> None:
    """Refuse what is too much within an hour, from one mail address, from one place, and altogether."""
    asked = SupportRequest.objects.filter(team=team, door="page", opened_at__gt=now - HOUR)
    if asked.filter(requester__email=email).count() >= MOST_BY_ADDRESS:
        raise Refused(
            "we have several requests from this address within the hour, and read them all. Please add to one of"
            " them by the link in its mail, or come back in an hour.",
            "email",
        )
    newest = Event.objects.filter(subject_kind="desk", subject_id=team.pk).order_by("-id")[: MOST_BY_PAGE * 2]
    lately = [line for line in newest if line.kind == "desk.asked" and line.at > now - HOUR]
    if sum(line.data.get("from") == mark for line in lately) >= MOST_BY_ORIGIN or len(lately) >= MOST_BY_PAGE:
        raise Refused("very many requests came from where you are within the hour. Please try again in a while.")

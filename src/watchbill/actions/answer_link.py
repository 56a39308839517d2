"""The answer link of a message: it needs no sign-in, lives two weeks and answers once, as the person it was sent to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from django.core import signing
from django.db import transaction

from watchbill.actions import paging
from watchbill.actions.messages import LINK_LIVES, LINK_SALT
from watchbill.db.models import Outgoing, Page
from watchbill.kit.errors import Refused

Answer = Literal["acknowledge", "snooze", "help"]
SNOOZE = timedelta(minutes=15)


class UsedAlready(Exception):
    """Somebody answered with this link before."""


def read_link(token: str) -> Outgoing | None:
    """Find the message that a link came with; None for one that we did not make, or of an account that is switched off."""
    try:
        key = signing.loads(token, salt=LINK_SALT)
    except signing.BadSignature:
        return None
    rows = Outgoing.objects.select_related("person", "team").filter(purpose="page", subject_kind="page")
    rows = rows.filter(person__is_active=True)
    return rows.filter(pk=key).first() if isinstance(key, int) else None


def is_over(message: Outgoing, now: datetime) -> bool:
    """Tell whether a link is older than it may be; by the row, so that the clock is ours."""
    return now > message.created_at + LINK_LIVES


def answer_by_link(message: Outgoing, answer: Answer, now: datetime) -> Page:
    """Answer a page as the person that the message went to, and use the link up, in one transaction.

    Raises UsedAlready the second time, Refused when there is nothing to answer, NotAllowed when the account is
    switched off.
    """
    if is_over(message, now):
        raise Refused("this link is older than two weeks")
    with transaction.atomic():
        # The page is locked by its action first, the message after it: the order in which an answer takes messages back.
        match answer:
            case "acknowledge":
                page = paging.acknowledge(message.subject_id, message.person, now)
            case "snooze":
                page = paging.snooze(message.subject_id, message.person, now + SNOOZE, now)
            case "help":
                page = paging.ask_for_help(message.subject_id, message.person, now)
        if not Outgoing.objects.filter(pk=message.pk, link_used_at=None).update(link_used_at=now):
            raise UsedAlready
    return page

"""What one of the team answered in an outside system: kept on the request as the answer that it is, and not sent back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import support
from watchbill.actions.access import role_of
from watchbill.actions.asked import LONGEST_TEXT
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor
from watchbill.actions.twin_refs import answer_there
from watchbill.core import support as decisions
from watchbill.db.models import Connection, Membership, Message, Person, SupportRequest
from watchbill.db.support_facts import request_fact


def key_of(connection: Connection, place: str, ref: str) -> str:
    """Give the Message-ID by which something written there is known here; it also says that it needs no way back."""
    return f"connection-{connection.pk}:{place}:{ref}"[:255]


def is_known(key: str) -> bool:
    """Tell whether something written there is here already."""
    return Message.objects.filter(message_id=key).exists()


def may_answer(person: Person | None, request: SupportRequest) -> bool:
    """Tell whether somebody's words are the team's."""
    return person is not None and role_of(person, request.team) in {"member", "owner"}


def take_answer(
    request_id: int, text: str, name: str, person: Person | None, key: str, at: datetime, door: str, now: datetime
) -> Message | None:
    """Write an answer that the requester has read there already; the first keeps the promise (INT-05). Once only.

    `person` is their account, if they have one: whoever serves in the team and answers what nobody has, has it.
    """
    with transaction.atomic():
        request = support.lock(request_id)
        if is_known(key):
            return None
        message = _write(request, "out", text, name, person, key, at, door, now)
        effects = decisions.answer(request_fact(request), name, "requester", now)
        support.apply(request, effects, desk_of(request.team, now), now, Actor(person.pk if person else None, name))
        if person is not None and request.assignee_id is None and _serves(person, request):
            support.assign(request.pk, person, person, now)
        answer_there(request, message, now)
    return message


def take_note(
    request_id: int, text: str, name: str, key: str, at: datetime, door: str, now: datetime
) -> Message | None:
    """Keep what the team wrote there for itself. Once only."""
    with transaction.atomic():
        request = support.lock(request_id)
        return None if is_known(key) else _write(request, "note", text, name, None, key, at, door, now)


def _serves(person: Person, request: SupportRequest) -> bool:
    return Membership.objects.filter(team=request.team, person=person).exists()


def _write(
    request: SupportRequest,
    direction: str,
    text: str,
    name: str,
    person: Person | None,
    key: str,
    at: datetime,
    door: str,
    now: datetime,
) -> Message:
    return Message.objects.create(
        team_id=request.team_id,
        request=request,
        direction=direction,
        door=door,
        author=person,
        author_name=name[:120],
        text=text.strip()[:LONGEST_TEXT],
        message_id=key,
        at=min(at, now),
        written_at=now,
    )

"""What leaves to requesters by mail: the confirmation, answers, the question at the end. A requester without an address gets none."""

from __future__ import annotations

from datetime import datetime

from watchbill.actions import exports, mail_ids, twin_refs
from watchbill.actions.desk import Desk
from watchbill.actions.log import Subject
from watchbill.actions.request_words import link_of, mail_subject, words_for
from watchbill.db.models import Message, Person, Requester, SupportRequest


def confirm(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Tell the requester that we have it, its class, what happens next and by when (INT-09)."""
    write(request, words_for("approval" if request.approval == "asked" else "received", request, desk), now)


def ask_representatives(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Ask those who speak for the requester's community to approve it, where that is needed (INT-04)."""
    if request.approval == "asked" and request.community_id:
        speakers = Requester.objects.filter(community=request.community_id, is_representative=True).exclude(email="")
        for speaker in speakers:
            _put(
                request,
                words_for("approval_asked", request, desk, link=link_of(request, speaker)),
                f"request-{request.pk}-approval-{speaker.pk}",
                speaker,
                now,
            )


def tell_resolved(request: SupportRequest, text: str, person: Person, desk: Desk, now: datetime) -> None:
    """Tell the requester that it is done, and ask how it was (MET-02)."""
    words = words_for("resolved", request, desk, me=str(person))
    write(request, "\n\n".join(part for part in (text, words) if part), now, person)


def send(request: SupportRequest, message: Message, now: datetime) -> None:
    """Let a message that is written leave to the requester."""
    if not message.message_id:
        message.message_id = mail_ids.make_id(request.pk, "message", message.pk)
        message.save(update_fields=["message_id"])
    heard_there = twin_refs.answer_there(request, message, now)
    # A chat's thread is public: what carries the requester's own link goes to them by mail besides, and there without it.
    if not heard_there or (request.door == "chat" and link_of(request) in message.text):
        _put(request, message.text, f"message-{message.pk}", request.requester, now, message)


def write(request: SupportRequest, text: str, now: datetime, person: Person | None = None) -> Message:
    """Write a message to the requester without passing the ball, and let it leave; nobody's name: Watchbill's."""
    message = Message.objects.create(
        team_id=request.team_id,
        request=request,
        direction="out",
        door="email",
        author=person,
        author_name=str(person or "Watchbill"),
        text=text,
        at=now,
        written_at=now,
    )
    send(request, message, now)
    return message


def _put(
    request: SupportRequest, text: str, key: str, to: Requester, now: datetime, message: Message | None = None
) -> None:
    if not to.email:
        return
    exports.put(
        Subject("request", request.pk, request.team_id),
        "mail",
        key,
        f"to {to}",
        now,
        recipient={"email": to.email, "name": to.name},
        payload={"subject": mail_subject(request), "text": text, "message": message.pk if message else None},
    )

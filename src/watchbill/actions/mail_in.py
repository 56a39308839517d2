"""Mail that comes to a desk: find its request or begin one; answers of the team, holiday notices and bounces apart.

A mail finds its request by the Message-IDs that it follows (ours are signed), else by [R-12] in its subject when it
comes from that request's requester or community. Anything else is a new request at the desk to which it was sent.
What a machine wrote is never answered. Approval is given by the link in the mail, never by the words of a mail alone:
the address that a mail comes from is only what its sender claims.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

from watchbill.actions import desk_inbox, mail_failures, mail_ids, noise, requesters, support
from watchbill.actions.asked import Asked, File
from watchbill.actions.log import record
from watchbill.actions.requesters import Asker
from watchbill.core.mail import Bounce, Letter, read_letter
from watchbill.db.models import (
    Attachment,
    ContactAddress,
    Desk,
    Event,
    Inbox,
    Membership,
    Message,
    Outgoing,
    Person,
    SupportRequest,
)
from watchbill.kit.errors import Unreadable

REFERENCE = re.compile(r"\[R-(\d{1,18})\]", re.IGNORECASE)
HOUR = timedelta(hours=1)
# Two machines that answer each other are stopped by the first, somebody whose program runs wild by the second.
CONFIRMED_AN_HOUR = 5
TAKEN_AN_HOUR = 60


def read(row: Inbox, now: datetime) -> None:
    """Read one mail of the inbox. Raises Unreadable or Refused when no request can come of it.

    A mail that is here already (delivered twice, or read again) changes nothing.
    """
    letter = _with_note(read_letter(bytes(row.body)), row)
    if Message.objects.filter(message_id=letter.message_id[:255]).exists():
        return
    request = _thread_of(letter)
    if letter.bounce is not None:
        _note_bounce(letter.bounce, letter, now)
    elif letter.automatic == "reply":
        _note_automatic(request, letter, now)
    elif request is None:
        _begin(letter, row, now)
    elif (member := _member(letter, request)) is not None:
        _answer_for(member, request, letter, now)
    else:
        support.hear(request.pk, _asker(letter), _asked(letter, row, _lately(letter, request.team_id, now)), now)


def _with_note(letter: Letter, row: Inbox) -> Letter:
    """Say in the words of a mail that was too large to be taken whole that it was."""
    size = int((json.loads(row.note) if row.note else {}).get("too_large", 0))
    if not size:
        return letter
    said = f"[left out: all of this mail but its headers, {size / 1024**2:.0f} MB]"
    return replace(letter, text=f"{letter.text}\n\n{said}".strip())


def _asker(letter: Letter) -> Asker:
    return Asker(letter.sender.name, letter.sender.email)


def _lately(letter: Letter, team_id: int, now: datetime) -> int:
    """Count what this sender has begun by mail within the hour."""
    rows = SupportRequest.objects.filter(team_id=team_id, requester__email=letter.sender.email, door="email")
    return rows.filter(opened_at__gt=now - HOUR).count()


def _asked(letter: Letter, row: Inbox, lately: int) -> Asked:
    """Give what a mail asks. Promises run from when it was received here, not from what its Date claims.

    Nothing is confirmed to a machine, nor to somebody who has begun many requests `lately`: that would be a loop.
    """
    said = next((line for line in letter.text.splitlines() if line.strip()), "")
    return Asked(
        title=letter.subject or said[:200].strip() or "(a mail without a subject)",
        text=letter.text,
        door="email",
        folded=letter.folded,
        message_id=letter.message_id[:255],
        files=[File(file.name, file.media_type, file.content) for file in letter.files],
        at=row.received_at,
        quiet=bool(letter.automatic) or lately >= CONFIRMED_AN_HOUR,
    )


def _thread_of(letter: Letter) -> SupportRequest | None:
    """Find the request that a mail belongs to."""
    for reference in letter.references:
        number = mail_ids.request_of(reference)
        if number is not None:
            return SupportRequest.objects.filter(pk=number).first()
    earlier = Message.objects.filter(message_id__in=letter.references, request__isnull=False)
    known = earlier.select_related("request").order_by("-id").first()
    if known is not None:
        return known.request
    return _of_a_notice(letter) or _named_in_subject(letter)


def _of_a_notice(letter: Letter) -> SupportRequest | None:
    """Find the request whose notice one of the team replies to: those carry the id of a message to that person."""
    person = Person.objects.filter(email=letter.sender.email, is_active=True).first()
    if person is None or not letter.references:
        return None
    told = Outgoing.objects.filter(person=person, subject_kind="request", reference__in=letter.references)
    number = told.order_by("-id").values_list("subject_id", flat=True).first()
    return SupportRequest.objects.filter(pk=number).first() if number is not None else None


def _named_in_subject(letter: Letter) -> SupportRequest | None:
    """Find [R-12] of the subject: anybody can write it, so it counts from the requester or their community only."""
    found = REFERENCE.search(letter.subject)
    if found is None:
        return None
    request = SupportRequest.objects.select_related("requester", "team").filter(pk=int(found[1])).first()
    if request is None or request.requester.email == letter.sender.email:
        return request
    community = requesters.community_of(request.team, letter.sender.email)
    return request if community is not None and community.pk == request.community_id else None


def _begin(letter: Letter, row: Inbox, now: datetime) -> None:
    """Begin a request at the desk that the mail was sent to, as the team's list of noise has it."""
    desk = _desk_of(letter)
    if letter.sender.email == desk.mail_address.lower():
        raise Unreadable("it comes from the desk's own address: answering it would never end")
    lately = _lately(letter, desk.team_id, now)
    if lately >= TAKEN_AN_HOUR:
        raise Unreadable(f"{letter.sender.email} has begun {lately} requests by mail within an hour")
    noise.open_judged(desk.team, _asker(letter), _asked(letter, row, lately), now)


def _desk_of(letter: Letter) -> Desk:
    addresses = Desk.objects.exclude(mail_address="").filter(team__archived_at=None).select_related("team")
    desks = {desk.mail_address.lower(): desk for desk in addresses.order_by("id")}
    for recipient in letter.recipients:
        if recipient in desks:
            return desks[recipient]
    asked = ", ".join(letter.recipients[:5]) or "nobody"
    raise Unreadable(f"no desk has this address: it was sent to {asked}")


def _member(letter: Letter, request: SupportRequest) -> Person | None:
    """Give who of the request's team wrote, when the mail came from the address with which they sign in, verified."""
    if request.requester.email == letter.sender.email:
        return None
    person = Person.objects.filter(email=letter.sender.email, is_active=True).first()
    if person is None or letter.automatic:
        return None
    if not Membership.objects.filter(team=request.team, person=person, role__in=("member", "owner")).exists():
        return None
    rows = ContactAddress.objects.filter(person=person, channel="email", removed_at=None, verified_at__isnull=False)
    return person if any(row.address.get("email", "").lower() == person.email for row in rows) else None


def _answer_for(person: Person, request: SupportRequest, letter: Letter, now: datetime) -> None:
    """Take what one of the team wrote by mail as the team's answer, and send it on to the requester."""
    subject = support.subject_of(request)
    lines = Event.objects.filter(subject_kind=subject.kind, subject_id=subject.id, kind="request.answered_by_mail")
    if lines.filter(data__mail=letter.message_id).exists():
        return
    message = support.answer(request.pk, letter.text, person, now, door="email")
    if letter.folded:
        message.folded = letter.folded
        message.save(update_fields=["folded"])
    _keep_files(message, letter)
    record(subject, "request.answered_by_mail", f"{person} answered by mail", now, data={"mail": letter.message_id})


def _keep_files(message: Message, letter: Letter) -> None:
    Attachment.objects.bulk_create(
        Attachment(
            message=message,
            name=file.name,
            media_type=file.media_type,
            size=len(file.content),
            content=file.content,
        )
        for file in letter.files
    )


def _note_automatic(request: SupportRequest | None, letter: Letter, now: datetime) -> None:
    """Keep a holiday notice beside its request: it moves no ball, reopens nothing and is not answered."""
    if request is None:
        raise Unreadable("an automatic reply that belongs to no request")
    message = Message.objects.create(
        team_id=request.team_id,
        request=request,
        direction="note",
        door="email",
        author_name=f"{letter.sender.name or letter.sender.email} (automatic reply)"[:120],
        text=letter.text,
        folded=letter.folded,
        message_id=letter.message_id[:255],
        at=now,
        written_at=now,
    )
    _keep_files(message, letter)


def _note_bounce(bounce: Bounce, letter: Letter, now: datetime) -> None:
    """Say on the request that a mail of ours came back, and tell whoever has it. Delays are not told."""
    number = next((one for one in map(mail_ids.request_of, bounce.ids) if one is not None), None)
    if number is None or not SupportRequest.objects.filter(pk=number).exists():
        raise Unreadable("a mail server returned a mail that is not about any request")
    if bounce.failed:
        mail_failures.tell(number, bounce.reason, letter.message_id, now)


desk_inbox.READERS[desk_inbox.MAIL] = read

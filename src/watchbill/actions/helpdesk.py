"""A request that stands in a helpdesk too: what is said and done there is taken in, in order and once.

A webhook only says that something happened; `pull` (an export) reads the ticket and all that was said on it, and
`take_in` makes our side follow. So a webhook that came twice, late or never at all loses nothing that the next one
does not bring. The helpdesk itself tells its requester: from here they get no mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from watchbill.actions import answers_there, exports, support
from watchbill.actions.answers_there import key_of
from watchbill.actions.asked import Asked
from watchbill.actions.desk import desk_of
from watchbill.actions.import_tickets import lock_connection, subject_of
from watchbill.actions.log import Actor, record
from watchbill.actions.requesters import Asker
from watchbill.actions.twin_refs import is_ours, keep, known_of, lock_ref
from watchbill.connectors import Comment, Issue, Member
from watchbill.core import support as decisions
from watchbill.core.twins import Face
from watchbill.db.models import Connection, Export, ExternalRef, Message, Person, SupportRequest
from watchbill.db.support_facts import request_fact
from watchbill.kit.effects import Effect
from watchbill.kit.errors import Refused
from watchbill.rules import request_ends

OVER = frozenset({"resolved", "closed"})
MEANINGS = OVER | frozenset(decisions.BALLS)
BY_STAGE = {"to_do": "us", "in_progress": "us", "waiting": "requester", "done": "resolved", "ignore": "ignore"}


def put_pull(connection: Connection, ref: str, row: int | str, now: datetime) -> None:
    """Have a ticket read there; several webhooks about one that waits are one reading. Call it in a transaction."""
    waiting = Export.objects.filter(connection=connection, what="helpdesk.pull", state="waiting", attempt=0)
    if waiting.filter(payload__ticket=ref).exists():
        return
    key = f"helpdesk-{connection.pk}-{ref}-{row}"[:160]
    why = f"something happened to ticket {ref}"
    payload = {"ticket": ref}
    exports.put(subject_of(connection), "helpdesk.pull", key, why, now, connection=connection, payload=payload)


def meanings_of(connection: Connection, said: Mapping[str, str]) -> dict[str, str]:
    """Give what their statuses (lower case) mean: what the settings say, over what was said by one click on the page."""
    clicked = {
        state.lower(): BY_STAGE.get(str(target).partition(":")[0], "")
        for state, target in connection.mapping.get("stages", {}).items()
    }
    return {**clicked, **{state.lower(): meaning for state, meaning in said.items()}}


def state_of(request: SupportRequest) -> str:
    """Give a request's state as a helpdesk knows it: who has the ball, or how it ended."""
    return request.waiting_on if request.state == "open" else request.state


def new_comments(connection: Connection, ref: str, said: Sequence[Comment]) -> list[Comment]:
    """Give what was said there and is not here yet."""
    row = ExternalRef.objects.filter(connection=connection, subject_kind="request", ref=ref).first()
    ours = set(row.pushed.get("comments", ())) if row else set()
    return [
        one
        for one in said
        if one.text.strip() and one.ref not in ours and not answers_there.is_known(key_of(connection, ref, one.ref))
    ]


def take_in(
    connection: Connection,
    issue: Issue,
    fresh: Sequence[tuple[Comment, Member]],
    meanings: Mapping[str, str],
    now: datetime,
) -> str:
    """Make our side follow a ticket as it stands there; `fresh` is what is not here yet, with who wrote it."""
    with transaction.atomic():
        lock_connection(connection.pk)  # two readings of one new ticket make one request
        ref = ExternalRef.objects.filter(connection=connection, subject_kind="request", ref=issue.ref).first()
        if ref is None:
            if is_ours(connection, issue.mark):
                return "it is one of ours"
            if meanings.get(issue.state.lower(), "us") in OVER:
                return f"it is {issue.state} there: nobody waits"
            ref = _open(connection, issue, now)
    with transaction.atomic():
        request = support.lock(ref.subject_id)
        for comment, writer in fresh:
            request = _take_comment(request, connection, issue, comment, writer, now)
        locked = lock_ref(ref.pk)
        if locked is None:
            return "it is not linked any more"
        if locked.subject_id != request.pk:
            locked.subject_id = request.pk
            locked.save(update_fields=["subject_id"])
        return _follow(locked, request, issue, meanings, now)


def _open(connection: Connection, issue: Issue, now: datetime) -> ExternalRef:
    at = issue.created_at if issue.created_at and issue.created_at <= now else None
    asker = Asker(issue.author or "Somebody", issue.author_email)
    asked = Asked(issue.title or f"Ticket {issue.ref}", issue.text, door="helpdesk", at=at, quiet=True)
    request = support.open_request(connection.team, asker, asked, now)
    ref = ExternalRef.objects.create(
        connection=connection, subject_kind="request", subject_id=request.pk, ref=issue.ref, url=issue.url[:500]
    )
    # Of a new ticket nothing has been followed yet: what it says beyond "open" is the next thing to do.
    keep(ref, replace(known_of(ref), theirs=Face(issue.title, "")), "in_step", now)
    return ref


def _take_comment(
    request: SupportRequest, connection: Connection, issue: Issue, said: Comment, writer: Member, now: datetime
) -> SupportRequest:
    key, at = key_of(connection, issue.ref, said.ref), said.at or now
    if answers_there.is_known(key) or _is_on_its_way(request, connection, said):
        return request
    if said.private:
        answers_there.take_note(request.pk, said.text, writer.name, key, at, "helpdesk", now)
    elif said.by_team:
        person = Person.objects.filter(email=writer.email, is_active=True).first() if writer.email else None
        answers_there.take_answer(request.pk, said.text, writer.name, person, key, at, "helpdesk", now)
    else:
        asked = Asked(request.title, said.text, door="helpdesk", message_id=key, at=min(at, now), quiet=True)
        asker = Asker(writer.name, writer.email)
        return support.lock(support.hear(request.pk, asker, asked, now).pk)
    return support.lock(request.pk)


def _is_on_its_way(request: SupportRequest, connection: Connection, said: Comment) -> bool:
    """Tell whether this is an answer of ours that arrived there before we could write its reference down."""
    if not said.by_team or said.private:
        return False
    leaving = Export.objects.filter(
        connection=connection, subject_kind="request", subject_id=request.pk, what="request.answer", state="waiting"
    )
    numbers = [row.payload.get("message") for row in leaving]
    texts = Message.objects.filter(pk__in=numbers).values_list("text", flat=True)
    return any(" ".join(text.split()) == " ".join(said.text.split()) for text in texts)


def _follow(ref: ExternalRef, request: SupportRequest, issue: Issue, meanings: Mapping[str, str], now: datetime) -> str:
    """Follow a state that was changed there; one that nobody has given a meaning is shown, and nothing else happens."""
    known = known_of(ref)
    meaning = meanings.get(issue.state.lower(), "")
    changed = issue.state.casefold() != known.theirs.state.casefold() or (ref.sync == "unknown_state" and meaning != "")
    late = issue.updated_at is not None and known.at is not None and issue.updated_at < known.at
    error = ""
    if changed and not late and meaning in MEANINGS and meaning != state_of(request):
        error = _become(request, meaning, Actor(None, f"somebody in {ref.connection.name}"), now)
    if changed and not meaning:
        said = f"{ref.ref}: no meaning is set for their status “{issue.state}”"
        record(support.subject_of(request), "connector.unknown_state", said, now, data={"state": issue.state})
    face = known.theirs if late else Face(issue.title, issue.state, issue.labels, issue.assignee)
    at = known.at if late else issue.updated_at or known.at
    ours = Face(request.title, state_of(request))
    sync = "refused" if error else "in_step" if meanings.get(face.state.lower()) else "unknown_state"
    keep(ref, replace(known, ours=ours, theirs=face, at=at), sync, now, error)
    return error or f"{ref.ref} is {issue.state} there"


def _become(request: SupportRequest, meaning: str, by: Actor, now: datetime) -> str:
    """Carry out on a locked request what its new state there means; gives why it cannot."""
    desk = desk_of(request.team, now)
    try:
        with transaction.atomic():
            if meaning not in OVER and request.state != "open":
                support.apply(request, decisions.reopen(request_fact(request), by.name, ""), desk, now, by)
            if meaning in decisions.BALLS:
                effects = decisions.pass_ball(request_fact(request), meaning, by.name, "")
                support.apply(request, effects, desk, now, by)
            if meaning in OVER and request.state == "open":
                support.apply(request, _resolved(request, by, now), desk, now, by)
            if meaning == "closed":
                support.apply(
                    request, decisions.close(request_fact(request), f"{by.name} closed it", now), desk, now, by
                )
    except Refused as refusal:
        request.refresh_from_db()
        return f"“{meaning}” there cannot follow here: {refusal.message}"
    return ""


def _resolved(request: SupportRequest, by: Actor, now: datetime) -> list[Effect]:
    desk = desk_of(request.team, now)
    silence = request_ends.decide(desk.ends)
    return decisions.resolve(request_fact(request), "done", by.name, silence, desk.coverage, now)

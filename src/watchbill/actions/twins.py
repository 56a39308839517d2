"""Take in how an issue stands in an outside system, and make our ticket or request follow.

Lock order: the request or the ticket, then its row in `ExternalRef`. What cannot follow here (a quick fix that lacks
its lasting fix) is kept on that row and shown; a change of theirs never fails unseen.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import tickets
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.twin_refs import agreement_of, keep, known_of, lock_ref
from watchbill.connectors import Issue
from watchbill.core.twins import Agreement, Face, Follow, Known, changed_parts, follow, join_target, split_target
from watchbill.db.models import ExternalRef, Membership, Person, Ticket
from watchbill.kit.errors import Refused

LET_GO = "it is not linked any more"


def face_of(ticket: Ticket, words: Agreement) -> Face:
    """Give how a ticket stands; its assignee as the other system calls them, empty for one it does not know."""
    return Face(
        ticket.title,
        join_target(ticket.stage, ticket.outcome),
        tuple(str(label) for label in ticket.labels),
        user_of(ticket.assignee, words),
    )


def user_of(person: Person | None, words: Agreement) -> str:
    """Give what a person is called there."""
    if person is None:
        return ""
    return next((user for user, mail in words.people.items() if mail.lower() == person.email), "")


def person_of(user: str, words: Agreement, team_id: int) -> Person | None:
    """Find the member of the team that a user there is."""
    mail = words.people.get(user, "").lower()
    if not mail:
        return None
    members = Membership.objects.filter(team_id=team_id, person__email=mail, person__is_active=True)
    found = members.select_related("person").first()
    return found.person if found else None


def face_there(issue: Issue) -> Face:
    """Give how an issue stands there."""
    return Face(issue.title, issue.state, issue.labels, issue.assignee)


def lock_both(ref_id: int) -> tuple[Ticket | None, ExternalRef | None]:
    """Lock a ticket and then where it stands; None for what is not there any more."""
    subject = ExternalRef.objects.filter(pk=ref_id, subject_kind="ticket").values_list("subject_id", flat=True).first()
    if subject is None or not Ticket.objects.filter(pk=subject).exists():
        return None, None
    return tickets.lock(subject), lock_ref(ref_id)


def take_in(ref_id: int, issue: Issue, now: datetime, by: str = "") -> str:
    """Make our ticket follow an issue as it stands there; says in words what came of it."""
    with transaction.atomic():
        ticket, ref = lock_both(ref_id)
        if ticket is None or ref is None:
            return LET_GO
        words = agreement_of(ref.connection)
        known, theirs = known_of(ref), face_there(issue)
        found = follow(theirs, issue.updated_at, face_of(ticket, words), ticket.stage_at, known, words)
        if found.state == "late":
            return found.why
        at = issue.updated_at or known.at
        return _follow(ref, ticket, found, replace(known, theirs=theirs, at=at), words, now, by)


def follow_again(ref_id: int, now: datetime, by: Actor = WATCHBILL) -> str:
    """Read the known state of an issue again, after somebody said what it means here."""
    with transaction.atomic():
        ticket, ref = lock_both(ref_id)
        if ticket is None or ref is None:
            return LET_GO
        words, known = agreement_of(ref.connection), known_of(ref)
        before = replace(known, theirs=replace(known.theirs, state=""))
        found = follow(known.theirs, None, face_of(ticket, words), ticket.stage_at, before, words)
        return _follow(ref, ticket, found, known, words, now, by.name)


def _follow(
    ref: ExternalRef, ticket: Ticket, found: Follow, known: Known, words: Agreement, now: datetime, by: str
) -> str:
    """Carry out what follows for a locked ticket; what it lacks is kept beside the state that it could not follow to."""
    actor = Actor(None, f"{by or 'somebody'} in {ref.connection.name}")
    error = _change(ticket, found, known, words, actor, now)
    if found.state == "move":
        error = _move(ticket, found, actor, now) or error
    ours = face_of(ticket, words)
    in_step = _in_step(ours, known, found, words)
    if found.state == "same" and ref.sync == "refused" and in_step.state != ours.state:
        error = error or ref.error
    unknown = bool(known.theirs.state) and not words.target_of(known.theirs.state)
    waits = bool(changed_parts(ours, in_step))
    sync = "refused" if error else "unknown_state" if unknown else "waiting" if waits else "in_step"
    keep(ref, replace(known, ours=in_step), sync, now, error)
    if found.state == "unknown":
        subject = Subject("ticket", ticket.pk, ticket.team_id)
        record(subject, "connector.unknown_state", f"{ref.ref}: {found.why}", now, actor, {"state": known.theirs.state})
    return error or found.why


def _change(ticket: Ticket, found: Follow, known: Known, words: Agreement, actor: Actor, now: datetime) -> str:
    values: dict[str, object] = {}
    if "title" in found.parts and known.theirs.title:
        values["title"] = known.theirs.title
    if "labels" in found.parts:
        values["labels"] = list(words.labels_here(known.theirs.labels))
    if "assignee" in found.parts:
        person = person_of(known.theirs.assignee, words, ticket.team_id)
        if person is not None or not known.theirs.assignee:
            values["assignee"] = person
    try:
        with transaction.atomic():
            tickets.change_locked(ticket, values, actor, now)
    except Refused as refusal:
        ticket.refresh_from_db()
        return f"what was changed there cannot stand here: {refusal.message}"
    return ""


def _move(ticket: Ticket, found: Follow, actor: Actor, now: datetime) -> str:
    stage, outcome = split_target(found.target)
    try:
        with transaction.atomic():
            if stage == ticket.stage:
                tickets.move_locked(ticket, "in_progress", "", actor, now)
            tickets.move_locked(ticket, stage, outcome, actor, now)
    except Refused as refusal:
        ticket.refresh_from_db()
        return f"{found.why}, but {refusal.message}"
    return ""


def _in_step(ours: Face, known: Known, found: Follow, words: Agreement) -> Face:
    """Give our side as it is in step with theirs: what we changed and did not bring there yet stays out of it."""
    same = words.state_of(ours.state).casefold() == known.theirs.state.casefold() or found.state == "move"
    parts: dict[str, Any] = {name: getattr(ours, name) for name in found.parts}
    if same:
        parts["state"] = ours.state
    return replace(known.ours, **parts)

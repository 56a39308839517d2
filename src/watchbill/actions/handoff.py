"""Handoffs of a watch: written by the one who leaves, asked about by the one who comes, seen by the team, accepted.

Every path locks the handoff first; a ticket or a request on which something is written comes after it. What happens by
itself is `handoff_watch`, the draft is `handoff_draft`, what passes to the next one is `handoff_settle`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import support, tickets
from watchbill.actions.access import require, role_of
from watchbill.actions.effects import carry_out
from watchbill.actions.handoff_draft import demands_of, draft, lock, refresh, rule_of, subject_of, tell, watch_words
from watchbill.actions.log import Actor, record
from watchbill.core import handoff as core
from watchbill.db.handoff_facts import handoff_fact
from watchbill.db.models import (
    Handoff,
    HandoffItem,
    HandoffQuestion,
    HandoffWitness,
    Membership,
    Message,
    Person,
    Rotation,
    Shift,
    SupportRequest,
    Ticket,
)
from watchbill.kit.errors import NotAllowed, Refused

LONGEST = 10_000
MOST_OWN = 40
LATEST = timedelta(days=2)


def begin(rotation: Rotation, seat: str, person: Person, now: datetime) -> Handoff:
    """Draft the handoff of a shift that runs or has just ended, before its time or where the team drafts none.

    It is that of the person's own shift, else of whoever stands there. One that stands is given as it is. Raises
    Refused naming the field, NotAllowed.
    """
    require(person, rotation.team, "member", "begin a handoff")
    with transaction.atomic():
        Rotation.objects.select_for_update(of=("self",), no_key=True).get(pk=rotation.pk)
        shift = _shift_to_begin(rotation, seat, person, now)
        known = Handoff.objects.filter(rotation=rotation, seat=seat, starts_at=shift.starts_at).first()
        if known is not None:
            return known
        if shift.person is None:
            raise Refused(f"nobody stands the watch as {seat}: there is nothing to hand on", "seat")
        return draft(shift, shift.person, f"{person} began it", now, Actor.of(person))


def _shift_to_begin(rotation: Rotation, seat: str, person: Person, now: datetime) -> Shift:
    rows = Shift.objects.filter(rotation=rotation, seat=seat, starts_at__lte=now, ends_at__gt=now - LATEST)
    found = list(rows.select_related("person", "rotation", "rotation__team").order_by("-starts_at"))
    if not found:
        raise Refused(f"no shift of {rotation} as “{seat}” runs or has just ended", "seat")
    return next((shift for shift in found if shift.person_id == person.pk), found[0])


def redraft(handoff_id: int, person: Person, now: datetime) -> Handoff:
    """Draft it anew from what stands now; what was written on it stays. Raises Refused, NotAllowed."""
    with transaction.atomic():
        handoff = _lock_to_write(handoff_id, person)
        refresh(handoff, now)
        record(subject_of(handoff), "handoff.redrafted", f"{person} drafted it anew", now, Actor.of(person))
    return handoff


def write_summary(handoff_id: int, text: str, version: int, person: Person, now: datetime) -> Handoff:
    """Say the most important in words (HND-04). `version` is the one that was read: raises Refused when another came."""
    with transaction.atomic():
        handoff = _lock_to_write(handoff_id, person)
        text = text.strip()
        if len(text) > LONGEST:
            raise Refused(f"at most {LONGEST} characters", "summary")
        if text == handoff.summary:
            return handoff
        if version != handoff.version:
            raise Refused("somebody else changed it meanwhile: read theirs above, then save yours again", "summary")
        handoff.summary, handoff.version = text, handoff.version + 1
        handoff.save(update_fields=["summary", "version"])
        record(subject_of(handoff), "handoff.summary", f"{person}: {text[:900]}", now, Actor.of(person))
    return handoff


def add_item(handoff_id: int, title: str, detail: str, person: Person, now: datetime) -> HandoffItem:
    """Add a line that no fact gave. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        handoff = _lock_to_write(handoff_id, person)
        title = " ".join(title.split())
        if not 0 < len(title) <= 200:
            raise Refused("say it in a line of at most 200 characters", "title")
        if len(detail) > LONGEST:
            raise Refused(f"at most {LONGEST} characters", "detail")
        own = handoff.items.filter(part="own").count()
        if own >= MOST_OWN:
            raise Refused(f"at most {MOST_OWN} lines of your own", "title")
        item = HandoffItem.objects.create(
            handoff=handoff, part="own", title=title, detail=detail.strip(), position=1000 + own, added_by=person
        )
        record(subject_of(handoff), "handoff.item_added", f"{person} added: {title}", now, Actor.of(person))
    return item


def remove_item(item_id: int, person: Person, now: datetime) -> Handoff:
    """Take a line away that a person added; what the facts give stays. Raises Refused, NotAllowed."""
    with transaction.atomic():
        handoff, item = _lock_item(item_id, person)
        if item.part != "own":
            raise Refused("this line comes from what stands: it goes when that is over")
        record(subject_of(handoff), "handoff.item_removed", f"{person} took away: {item}", now, Actor.of(person))
        item.delete()
    return handoff


def mark_item(
    item_id: int, person: Person, now: datetime, *, is_first: bool | None = None, keeps: bool | None = None
) -> HandoffItem:
    """Mark that a line comes first, or that the one who leaves keeps this piece of work. Raises Refused, NotAllowed."""
    with transaction.atomic():
        handoff, item = _lock_item(item_id, person)
        if keeps and item.part != "work":
            raise Refused("only a ticket or a request can be kept", "keeps")
        given = {"is_first": is_first, "keeps": keeps}
        changed = {name: value for name, value in given.items() if value not in (None, getattr(item, name))}
        for name, value in changed.items():
            setattr(item, name, value)
        if changed:
            item.save(update_fields=list(changed))
            words = {("is_first", True): "comes first", ("is_first", False): "comes no more before the others",
                     ("keeps", True): f"stays with {handoff.leaver}", ("keeps", False): "is handed on"}  # fmt: skip
            said = "; ".join(words[name, bool(value)] for name, value in changed.items())
            record(subject_of(handoff), "handoff.item_marked", f"{person}: {item} {said}", now, Actor.of(person))
    return item


def note_item(item_id: int, text: str, person: Person, now: datetime) -> HandoffItem:
    """Write a note on a line; on one about a ticket or a request it stands there too (HND-03). Raises Refused, NotAllowed."""
    with transaction.atomic():
        handoff, item = _lock_item(item_id, person)
        text = _text(text, "note")
        item.note = text
        item.save(update_fields=["note"])
        _write_there(item, text, person, now)
        record(subject_of(handoff), "handoff.item_noted", f"{person} on {item}: {text[:500]}", now, Actor.of(person))
    return item


def hand_on(handoff_id: int, person: Person, now: datetime) -> Handoff:
    """Hand it on, drafted anew from what stands now; the one who comes is told. Raises Refused, NotAllowed."""
    with transaction.atomic():
        handoff = _lock_to_write(handoff_id, person)
        refresh(handoff, now)
        demands = demands_of(rule_of(handoff.team, now))
        effects = core.hand_on(handoff_fact(handoff), str(person), str(handoff.comer or ""), now, demands)
        carry_out(effects, handoff, subject_of(handoff), now, actor=Actor.of(person))
        if handoff.comer is not None and handoff.comer != person:
            title = f"A watch is handed on to you: {watch_words(handoff)}"
            said = f"{handoff.summary}\n\nRead it, ask what is not clear, and accept it.".strip()
            tell(handoff, handoff.comer, title, said, now, "you stand the watch next")
    return handoff


def accept(
    handoff_id: int, person: Person, now: datetime, *, how: str = "", confirms: bool = False,
    witnesses: Iterable[Person] = (),
) -> Handoff:  # fmt: skip
    """Accept it, with the order of the work confirmed (HND-06) and those in front of whom it was done (HND-02).

    `how` it was handed over: meeting, call, chat, notes; empty: as the team does it. Raises Refused, NotAllowed.
    """
    with transaction.atomic():
        handoff = lock(handoff_id)
        _require_comer(handoff, person, now)
        for witness in witnesses:
            _note_witness(handoff, witness, person, now)
        demands = demands_of(rule_of(handoff.team, now))
        handoff.accepted_by = person
        effects = core.accept(
            handoff_fact(handoff), str(person), how or handoff.mode, now, demands, confirms=confirms
        )  # fmt: skip
        handoff.save(update_fields=["accepted_by"])
        carry_out(effects, handoff, subject_of(handoff), now, actor=Actor.of(person))
        if handoff.leaver != person:
            said = "From the end of your shift nothing of it follows you."
            tell(handoff, handoff.leaver, f"{person} accepted your handoff of {handoff.rotation}", said, now)
    return handoff


def drop(handoff_id: int, why: str, person: Person, now: datetime) -> Handoff:
    """Say that it is not needed, and why. Raises Refused, NotAllowed."""
    with transaction.atomic():
        handoff = _lock_to_write(handoff_id, person)
        said = f"{person}: {why.strip()}" if why.strip() else ""
        carry_out(core.drop(handoff_fact(handoff), said), handoff, subject_of(handoff), now, actor=Actor.of(person))
    return handoff


def ask_about(
    handoff_id: int, item_id: int | None, text: str, person: Person, now: datetime
) -> HandoffQuestion:  # fmt: skip
    """Ask about a line, or about the whole; on a ticket or a request the question stands too (HND-05, HND-07).

    The one who left is told. Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        handoff = _lock_as_member(handoff_id, person, "ask about a handoff")
        item = _item_of(handoff, item_id) if item_id is not None else None
        text = _text(text, "text")
        there = _write_there(item, f"Question at the handoff: {text}", person, now) if item else None
        question = HandoffQuestion.objects.create(
            handoff=handoff, item=item, asker=person, text=text, at=now, asked_on=there
        )
        about = f" about {item}" if item else ""
        record(subject_of(handoff), "handoff.question", f"{person}{about}: {text[:900]}", now, Actor.of(person))
        if handoff.leaver != person:
            tell(handoff, handoff.leaver, f"{person} asks about your handoff{about}", text, now)
    return question


def answer(question_id: int, text: str, person: Person, now: datetime) -> HandoffQuestion:
    """Answer a question, where it was asked too (HND-07); again to say it better. Raises Refused, NotAllowed."""
    number = HandoffQuestion.objects.filter(pk=question_id).values_list("handoff", flat=True).first()
    if number is None:
        raise Refused("there is no such question", "question")
    with transaction.atomic():
        handoff = _lock_as_member(number, person, "answer a question about a handoff")
        question = HandoffQuestion.objects.select_related("item", "asker").get(pk=question_id)
        text = _text(text, "text")
        question.answer, question.answered_by, question.answered_at = text, person, now
        if question.item is not None:
            said = f"Answer to “{question.text[:200]}”: {text}"
            question.answered_on = _write_there(question.item, said, person, now)
        question.save()
        record(subject_of(handoff), "handoff.answer", f"{person}: {text[:900]}", now, Actor.of(person))
        if question.asker is not None and question.asker != person:
            tell(handoff, question.asker, f"{person} answered you about the handoff", text, now)
    return question


def witness(handoff_id: int, whom: Person, person: Person, now: datetime) -> HandoffWitness:
    """Note that somebody of the team was there: oneself, or another by those who hand over (HND-02).

    Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        handoff = _lock_as_member(handoff_id, person, "witness a handoff")
        hands_over = {handoff.leaver_id, handoff.comer_id, handoff.accepted_by_id}
        if whom != person and person.pk not in hands_over and role_of(person, handoff.team) != "owner":
            raise NotAllowed("You may say that you were there; who else was is noted by those who hand over.")
        return _note_witness(handoff, whom, person, now)


def _note_witness(handoff: Handoff, whom: Person, person: Person, now: datetime) -> HandoffWitness:
    if handoff.state == core.DROPPED:
        raise Refused("it was not needed: there was nothing to witness")
    if whom.pk in {handoff.leaver_id, handoff.comer_id, handoff.accepted_by_id}:
        raise Refused(f"{whom} hands over: somebody else witnesses it", "witnesses")
    if not (whom.is_active and Membership.objects.filter(team=handoff.team, person=whom).exists()):
        raise Refused(f"{whom} is not in {handoff.team}", "witnesses")
    made, new = HandoffWitness.objects.get_or_create(
        handoff=handoff, person=whom, defaults={"at": now, "noted_by": person}
    )
    if new:
        said = f"{person} was there" if whom == person else f"{person}: {whom} was there"
        record(subject_of(handoff), "handoff.witnessed", said, now, Actor.of(person), {"witness": whom.pk})
    return made


def may_write(person: Person, handoff: Handoff) -> bool:
    """Tell whether somebody may write on a handoff now: the one who leaves, or an owner; until it is accepted."""
    held = role_of(person, handoff.team)
    return handoff.state in core.OPEN and held is not None and (person.pk == handoff.leaver_id or held == "owner")


def may_accept(reader: Person, handoff: Handoff, now: datetime) -> bool:
    """Tell whether somebody may accept it: the one who comes, whoever stands the seat now, or an owner."""
    held = role_of(reader, handoff.team)
    if handoff.state not in core.OPEN or held in {None, "observer"} or reader.pk == handoff.leaver_id:
        return False
    return reader.pk == handoff.comer_id or held == "owner" or _stands_now(reader, handoff, now)


def _stands_now(person: Person, handoff: Handoff, now: datetime) -> bool:
    rows = Shift.objects.filter(rotation=handoff.rotation_id, seat=handoff.seat, starts_at__lte=now, ends_at__gt=now)
    return now >= handoff.ends_at and rows.filter(person=person).exists()


def _require_comer(handoff: Handoff, person: Person, now: datetime) -> None:
    require(person, handoff.team, "member", "accept a handoff")
    if handoff.state in core.OPEN and not may_accept(person, handoff, now):
        if person.pk == handoff.leaver_id:
            raise NotAllowed(f"You hand it on: {handoff.comer or 'whoever comes'} accepts it.")
        raise NotAllowed(f"{handoff.comer or 'Whoever stands the watch next'} accepts this handoff, or an owner.")


def _lock_as_member(handoff_id: int, person: Person, what: str) -> Handoff:
    handoff = lock(handoff_id)
    require(person, handoff.team, "member", what)
    return handoff


def _lock_to_write(handoff_id: int, person: Person) -> Handoff:
    handoff = _lock_as_member(handoff_id, person, "write on a handoff")
    if handoff.state not in core.OPEN:
        raise Refused(f"it is {core.STATE_WORDS[handoff.state].lower()}: what was handed on does not change")
    if not may_write(person, handoff):
        raise NotAllowed(
            f"{handoff.leaver} writes this handoff, or an owner of {handoff.team}. Ask a question instead."
        )
    return handoff


def _lock_item(item_id: int, person: Person) -> tuple[Handoff, HandoffItem]:
    number = HandoffItem.objects.filter(pk=item_id).values_list("handoff", flat=True).first()
    if number is None:
        raise Refused("there is no such line", "item")
    handoff = _lock_to_write(number, person)
    return handoff, _item_of(handoff, item_id)


def _item_of(handoff: Handoff, item_id: int) -> HandoffItem:
    item = handoff.items.filter(pk=item_id).first()
    if item is None:
        raise Refused("there is no such line on this handoff", "item")
    return item


def _write_there(item: HandoffItem, text: str, person: Person, now: datetime) -> Message | None:
    """Write on the ticket or the request that a line is about; None: it is about neither, or that is gone."""
    if item.about == "ticket" and Ticket.objects.filter(pk=item.about_id).exists():
        return tickets.comment(item.about_id, text, person, now, door="handoff")
    if item.about == "request" and SupportRequest.objects.filter(pk=item.about_id).exists():
        return support.note(item.about_id, text, person, now)
    return None


def _text(text: str, field: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= LONGEST:
        raise Refused(f"write something, at most {LONGEST} characters", field)
    return text

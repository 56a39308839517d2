"""What happens to handoffs by itself: drafted before a shift ends, asked about, told to the owners, given on.

A rotation has one timer, `handoff`: for the next draft. Its rotation is locked first, then the handoffs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import handoff_settle
from watchbill.actions.effects import carry_out
from watchbill.actions.handoff_draft import (
    demands_of,
    draft,
    lock,
    refresh,
    rule_of,
    shift_of,
    subject_of,
    tell,
    watch_words,
    zone_of,
)
from watchbill.actions.log import Subject
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.core import handoff as core
from watchbill.db.handoff_facts import OPEN, began, handoff_fact, next_shift
from watchbill.db.models import Handoff, Membership, Person, Rotation, Shift, Team
from watchbill.kit.spans import Span
from watchbill.rules import handoff_due

# A shift that ended longer ago has no draft any more; one that an override ended just now still gets it.
LATEST = timedelta(hours=12)
AHEAD = timedelta(days=400)
MOST_SHIFTS = 60
# Of those that are not due yet the first few are looked at: one timer waits for the first.
MOST_AHEAD = 8


def look_soon(rotation: Rotation, now: datetime) -> None:
    """Look for shifts that are to be handed on, from now on, or no more: the rota or the team's policy changed."""
    if rule_of(rotation.team, now).mode == "off":
        clear_timer(_subject(rotation), "handoff")
    else:
        set_timer(_subject(rotation), "handoff", now)


def look_soon_at_all(team: Team, now: datetime) -> None:
    """Do so for every rotation of a team whose policy changed; each by itself, its rotation before its timer.

    Outside the transaction of the policy: should the machine die between the two, the next publication looks as well.
    """
    for number in Rotation.objects.filter(team=team, archived_at=None).order_by("id").values_list("pk", flat=True):
        with transaction.atomic():
            rows = Rotation.objects.select_related("team").select_for_update(of=("self",), no_key=True)
            rotation = rows.filter(pk=number).first()
            if rotation is not None:
                look_soon(rotation, now)


def _subject(rotation: Rotation) -> Subject:
    return Subject("rotation", rotation.pk, rotation.team_id)


def draft_due(claim: Claim, now: datetime) -> None:
    """Draft the handoffs of a rotation that are due, and let those that stand follow the rota."""
    with transaction.atomic():
        rows = Rotation.objects.select_related("team").select_for_update(of=("self",), no_key=True)
        rotation = rows.filter(pk=claim.subject_id, archived_at=None).first()
        if not finish(claim) or rotation is None:
            return
        _follow_rota(rotation, now)
        rule = rule_of(rotation.team, now)
        coming = []
        for shift, at in _shifts_to_hand_on(rotation, rule, now):
            if at > now:
                coming.append(at)
            elif shift.person is not None:
                draft(shift, shift.person, "the shift ends soon" if shift.ends_at > now else "the shift is over", now)
        if coming:
            set_timer(_subject(rotation), "handoff", min(coming))


def _shifts_to_hand_on(rotation: Rotation, rule: handoff_due.Settings, now: datetime) -> list[tuple[Shift, datetime]]:
    """Read the shifts that have no handoff yet, and when each is drafted; whoever follows themselves has none."""
    rows = Shift.objects.filter(rotation=rotation, ends_at__gt=now - LATEST, starts_at__lt=now + AHEAD)
    shifts = list(rows.select_related("person", "rotation", "rotation__team").order_by("starts_at", "id")[:MOST_SHIFTS])
    rows_known = Handoff.objects.filter(rotation=rotation, starts_at__in=[one.starts_at for one in shifts])
    known = set(rows_known.values_list("seat", "starts_at"))
    zone = zone_of(shifts[0]) if shifts else ""
    found = []
    for number, shift in enumerate(shifts):
        if shift.person is None or (shift.seat, shift.starts_at) in known:
            continue
        after = next((one for one in shifts[number + 1 :] if one.seat == shift.seat), None)
        if after is not None and after.person_id == shift.person_id and _is_same_run(shift, after, rule):
            continue
        decision = handoff_due.decide(Span(began(shift), shift.ends_at), zone, rule)
        if decision is not None:
            found.append((shift, decision.draft_at))
            if decision.draft_at > now and len(found) >= MOST_AHEAD:
                break
    return found


def _is_same_run(shift: Shift, after: Shift, rule: handoff_due.Settings) -> bool:
    """Tell whether somebody who stands both goes on: where the next in the seat takes over, a night between is no end."""
    return rule.to == "seat" or after.starts_at == shift.ends_at


def _follow_rota(rotation: Rotation, now: datetime) -> None:
    """Let the open handoffs of a locked rotation follow it: another end, another next one, or nobody who leaves."""
    numbers = Handoff.objects.filter(OPEN, rotation=rotation).order_by("id").values_list("pk", flat=True)
    rule = rule_of(rotation.team, now)
    for number in list(numbers):
        handoff = lock(number)
        shift = shift_of(handoff)
        if shift is None or _follows_themselves(shift, rule):
            why = f"{handoff.leaver} stays on watch" if shift else f"{handoff.leaver} served nothing of this shift"
            carry_out(core.drop(handoff_fact(handoff), why), handoff, subject_of(handoff), now)
        elif handoff.ends_at > now or shift.ends_at != handoff.ends_at:
            # What is over is asked of whoever came then.
            old_due = handoff.due_at
            if refresh(handoff, now) and handoff.state == core.HANDED_ON and handoff.comer is not None:
                said = f"{handoff.leaver} hands the watch on. Read it, ask what is not clear, accept it."
                tell(handoff, handoff.comer, f"A watch is handed on to you: {watch_words(handoff)}", said, now)
            if handoff.due_at != old_due:
                again = max(handoff.due_at, now) + demands_of(rule).ask_after
                set_timer(subject_of(handoff), "ask", again)


def _follows_themselves(shift: Shift, rule: handoff_due.Settings) -> bool:
    after = next_shift(shift, any_watch=rule.to == "watch")
    return after is not None and after.person_id == shift.person_id and _is_same_run(shift, after, rule)


def ask(claim: Claim, now: datetime) -> None:
    """Ask the one who comes, once, about a handoff that nobody has accepted; one that was never handed on asks both."""
    with transaction.atomic():
        handoff = _claimed(claim)
        if handoff is None:
            return
        effects = core.ask(handoff_fact(handoff), now, demands_of(rule_of(handoff.team, now)))
        carry_out(effects, handoff, subject_of(handoff), now)
        title = f"Not accepted yet: {watch_words(handoff)}"
        if effects and handoff.comer is not None:
            tell(handoff, handoff.comer, title, f"{handoff.leaver} left the watch to you. Read it, and accept it.", now)
        if effects and handoff.state == core.DRAFT:
            said = "Your watch is over and not handed on yet. Say the most important in your words, then hand it on."
            tell(handoff, handoff.leaver, f"Not handed on yet: {watch_words(handoff)}", said, now)


def raise_it(claim: Claim, now: datetime) -> None:
    """Tell the owners of the team, once, that a handoff is still not accepted; who is on watch does not depend on it."""
    with transaction.atomic():
        handoff = _claimed(claim)
        if handoff is None or handoff.state not in core.OPEN:
            return
        whom = handoff.comer or "nobody yet"
        said = f"{handoff.leaver} to {whom}: nobody has accepted it. Pages go by the rota all the same."
        for person in _owners(handoff.team):
            tell(handoff, person, f"A handoff is not accepted: {watch_words(handoff)}", said, now)


def _owners(team: Team) -> Sequence[Person]:
    rows = Membership.objects.filter(team=team, role="owner", person__is_active=True).select_related("person")
    found = [row.person for row in rows.order_by("id")]
    above = [one for one in (team.manager, team.fallback) if one is not None and one.is_active]
    return found or above[:1]


def _claimed(claim: Claim) -> Handoff | None:
    exists = Handoff.objects.filter(pk=claim.subject_id).exists()
    handoff = lock(claim.subject_id) if exists else None
    return handoff if finish(claim) else None


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("rotation", "handoff"): draft_due,
    ("handoff", "ask"): ask,
    ("handoff", "raise"): raise_it,
    ("handoff", "settle"): handoff_settle.settle,
}

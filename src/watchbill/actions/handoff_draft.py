"""Draft a handoff from facts, and draft it anew: what a person wrote on it stays. The caller holds its lock."""

from __future__ import annotations

from datetime import datetime, timedelta

from watchbill.actions import delivery
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.core import handoff as core
from watchbill.db.handoff_facts import Names, began, handoff_fact, next_shift, story_of
from watchbill.db.models import Handoff, HandoffItem, Person, Shift, Team
from watchbill.db.rota_facts import newest_revision
from watchbill.kit.errors import Refused
from watchbill.rules import handoff_due, incident_roles, incident_severity
from watchbill.rules.handoff_due import Settings


def subject_of(handoff: Handoff) -> Subject:
    """Give the log's name for a handoff."""
    return Subject("handoff", handoff.pk, handoff.team_id)


def watch_words(handoff: Handoff) -> str:
    """Say in words which watch it is, as pages say a seat."""
    return f"{handoff.seat.replace('_', ' ')} of {handoff.rotation}"


def rule_of(team: Team, now: datetime) -> Settings:
    """Give how a team hands a watch on."""
    return Settings.model_validate(desk_of(team, now).rule("handoff_due"))


def demands_of(rule: Settings) -> core.Demands:
    """Give what the team demands of a handoff; only one in front of the team needs witnesses."""
    return core.Demands(
        summary=rule.needs_summary,
        notes=rule.ticket_notes == "demand",
        order=rule.confirm_order,
        witnesses=rule.witnesses_min if rule.mode == "meeting" else 0,
        ask_after=timedelta(minutes=rule.ask_after_minutes),
        lead_after=timedelta(minutes=rule.lead_after_minutes),
    )


def names_of(desk: Desk) -> Names:
    """Give the team's words for roles, priorities and levels."""
    roles = incident_roles.Settings.model_validate(desk.rule("incident_roles"))
    table = incident_severity.Settings.model_validate(desk.rule("incident_severity"))
    return Names(
        {key: one.title for key, one in roles.roles.items()},
        {key: one.title for key, one in table.priorities.items()},
        {key: one.title for key, one in desk.order.levels.items()},
    )


def lock(handoff_id: int) -> Handoff:
    """Lock a handoff for the rest of the transaction; raises Refused when there is none."""
    rows = Handoff.objects.select_for_update(of=("self",))
    found = rows.select_related("team", "rotation", "rotation__team", "leaver", "comer").filter(pk=handoff_id).first()
    if found is None:
        raise Refused("there is no such handoff", "handoff")
    return found


def zone_of(shift: Shift) -> str:
    """Give the zone of the wall clock by which a shift is handed on."""
    return str(newest_revision(shift.rotation).settings.get("zone") or shift.rotation.team.zone)


def draft(shift: Shift, leaver: Person, why: str, now: datetime, actor: Actor = WATCHBILL) -> Handoff:
    """Write the draft of a shift's handoff and tell the one who leaves; its rotation is locked, and it has none yet."""
    team = shift.rotation.team
    rule = rule_of(team, now)
    after = next_shift(shift, any_watch=rule.to == "watch")
    handoff = Handoff(
        team=team,
        rotation=shift.rotation,
        seat=shift.seat,
        leaver=leaver,
        began_at=began(shift),
        starts_at=shift.starts_at,
        mode="notes" if rule.mode == "off" else rule.mode,
        created_at=now,
        drafted_at=now,
    )
    _follow(handoff, shift, after, rule)
    handoff.save()
    write_lines(handoff, rule, now)
    effects = core.begin(handoff_fact(handoff), why, demands_of(rule))
    carry_out(effects, handoff, subject_of(handoff), now, actor=actor)
    if actor.id != leaver.pk:
        said = (
            f"Say the most important in your words, then hand it on{f' to {handoff.comer}' if handoff.comer else ''}."
        )
        tell(handoff, leaver, f"Your handoff is drafted: {watch_words(handoff)}", said, now)
    return handoff


def _follow(handoff: Handoff, shift: Shift, after: Shift | None, rule: Settings) -> None:
    """Let a handoff say what the rota says: when the shift ends, who comes, and when it is handed on to them."""
    handoff.ends_at = shift.ends_at
    handoff.comer = after.person if after is not None and after.person_id != handoff.leaver_id else None
    meets = max(shift.ends_at, after.starts_at) if after is not None else shift.ends_at
    handoff.due_at = handoff_due.due_of(meets, zone_of(shift), rule)


def refresh(handoff: Handoff, now: datetime) -> bool:
    """Draft a locked handoff anew: who comes, when the shift ends, what stands. Gives whether the next one changed."""
    rule = rule_of(handoff.team, now)
    shift = shift_of(handoff)
    before = handoff.comer_id
    if shift is not None:
        _follow(handoff, shift, next_shift(shift, any_watch=rule.to == "watch"), rule)
    handoff.drafted_at = now
    handoff.save(update_fields=["comer", "ends_at", "due_at", "drafted_at"])
    write_lines(handoff, rule, now)
    return handoff.comer_id != before


def shift_of(handoff: Handoff) -> Shift | None:
    """Read the published shift that is handed on; None: nothing of it was served."""
    rows = Shift.objects.filter(rotation=handoff.rotation_id, seat=handoff.seat, starts_at=handoff.starts_at)
    return rows.select_related("rotation", "rotation__team").filter(person=handoff.leaver_id).first()


def write_lines(handoff: Handoff, rule: Settings, now: datetime) -> None:
    """Write the lines of a fresh draft; what a person wrote on a line stays, also on one that is over."""
    names = names_of(desk_of(handoff.team, now))
    lines = core.compose(story_of(handoff, names, now, timedelta(days=rule.planned_days)))
    place = {line.key: number for number, line in enumerate(lines)}
    standing = {(one.part, one.about, one.about_id): one for one in handoff.items.all()}
    merged = core.merge(standing.keys(), lines)
    HandoffItem.objects.bulk_create([_item(HandoffItem(handoff=handoff), one, place[one.key]) for one in merged.added])
    kept = [_item(standing[one.key], one, place[one.key]) for one in merged.kept]
    fields = ["title", "detail", "priority", "at", "at_words", "position", "is_over"]
    HandoffItem.objects.bulk_update(kept, fields, batch_size=100)
    gone = [standing[key] for key in merged.gone]
    written = [one for one in gone if one.note or one.is_first or one.keeps or one.questions.exists()]
    HandoffItem.objects.filter(pk__in=[one.pk for one in written]).update(is_over=True)
    HandoffItem.objects.filter(pk__in={one.pk for one in gone} - {one.pk for one in written}).delete()


def _item(item: HandoffItem, line: core.Line, place: int) -> HandoffItem:
    item.part, item.about, item.about_id = line.part, line.about, line.about_id
    item.title, item.detail, item.priority = line.title[:1024], line.detail, line.priority[:40]
    item.at, item.at_words, item.position, item.is_over = line.at, line.at_words, place, False
    return item


def tell(handoff: Handoff, person: Person, subject: str, text: str, now: datetime, why: str = "") -> None:
    """Tell somebody by their own rules for what is not important; when nothing reaches them, somebody else hears.

    An account that is switched off hears nothing: who comes is asked in time, and the owners after that.
    """
    if not person.is_active:
        return
    line = record(subject_of(handoff), "handoff.told", f"told {person}: {subject}"[:1000], now)
    words = Words(subject[:200], text, "notice", "default", f"/handoffs/{handoff.pk}/", "Open the handoff")
    delivery.reach_or_tell(person.pk, subject_of(handoff), words, line, why or "it is about a handoff", now)

"""Planned work: written, announced, begun, done, with everybody told at each step, and reminded before (operate-first).

The notice is locked first, then its timers. Its services are under maintenance from when it begins until it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import audiences, delivery, status_publishing
from watchbill.actions.access import require, role_of
from watchbill.actions.audiences import Heard, Message
from watchbill.actions.checking import check_text
from watchbill.actions.delivery import Words
from watchbill.actions.desk import desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.timers import Claim
from watchbill.actions.timers import finish as finish_timer
from watchbill.actions.update_words import notice_text
from watchbill.core import notices as core
from watchbill.db.models import (
    Community,
    Event,
    Membership,
    Notice,
    NoticeUpdate,
    Person,
    Requester,
    Service,
    ServiceCondition,
    Team,
)
from watchbill.db.notice_facts import notice_fact
from watchbill.db.support_facts import people_in_seat
from watchbill.kit.effects import Effect
from watchbill.kit.errors import Refused
from watchbill.rules import planned_work

LONGEST_TEXT = 10_000
# What each step is told as: the state of the line, and the team's words for it.
TOLD = {
    "announced": "notice_announced",
    "reminded": "notice_reminder",
    "moved": "notice_moved",
    "begun": "notice_begun",
    "extended": "notice_extended",
    "done": "notice_done",
    "cancelled": "notice_cancelled",
}


def subject_of(notice: Notice) -> Subject:
    """Give the log's name for planned work."""
    return Subject("notice", notice.pk, notice.team_id)


def rule_of(team: Team, now: datetime) -> planned_work.Settings:
    """Give how a team tells of planned work."""
    return planned_work.Settings.model_validate(desk_of(team, now).rule("planned_work"))


def draft(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> Notice:
    """Write planned work down, told to nobody yet: title, text, starts_at, ends_at, services, audiences.

    Raises Refused naming the field, NotAllowed.
    """
    require(person, team, "member", "plan work")
    given = {"title": "", "text": "", "services": (), "audiences": rule_of(team, now).audiences, **values}
    checked = _check(team, given)
    for name in ("starts_at", "ends_at"):
        if values.get(name) is None:
            raise Refused("say when", name)
    core.check_times(values["starts_at"], values["ends_at"], now)
    services = checked.pop("services")
    with transaction.atomic():
        notice = Notice.objects.create(
            team=team,
            starts_at=values["starts_at"],
            ends_at=values["ends_at"],
            created_at=now,
            created_by=person,
            **checked,
        )
        notice.services.set(services)
        record(subject_of(notice), "notice.drafted", f"{person} planned it", now, Actor.of(person))
    return notice


def change(notice_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> Notice:
    """Change title, text, services or audiences of work that is not over; nobody is told. Raises Refused, NotAllowed."""
    with transaction.atomic():
        notice = _lock(notice_id, person, "change planned work")
        if notice.state in core.OVER:
            raise Refused(f"it is {notice.state}")
        checked = _check(notice.team, values)
        services: Sequence[Service] | None = checked.pop("services", None)
        for name, value in checked.items():
            setattr(notice, name, value)
        if checked:
            notice.save(update_fields=list(checked))
        if services is not None:
            notice.services.set(services)
            if notice.state == core.IN_PROGRESS:
                _open_conditions(notice, now)
        what = ", ".join([*checked, *(["services"] if services is not None else [])])
        record(subject_of(notice), "notice.changed", f"{person} changed {what or 'nothing'}", now, Actor.of(person))
    return notice


def announce(notice_id: int, person: Person, now: datetime) -> Notice:
    """Tell everybody who should know. Raises Refused, NotAllowed."""

    def decide(notice: Notice) -> list[Effect]:
        remind = planned_work.decide(notice.starts_at, now, rule_of(notice.team, now))
        return core.announce(notice_fact(notice), str(person), remind, now)

    return _step(notice_id, "announce planned work", decide, "announced", "", person, now)


def begin(notice_id: int, person: Person, now: datetime, text: str = "") -> Notice:
    """Say that the work begins: its services are under maintenance from now. Raises Refused, NotAllowed."""
    return _step(
        notice_id,
        "begin planned work",
        lambda notice: core.begin(notice_fact(notice), str(person), now),
        "begun",
        text,
        person,
        now,
    )


def extend(notice_id: int, ends_at: datetime, person: Person, now: datetime, text: str = "") -> Notice:
    """Say that the work takes until another time. Raises Refused, NotAllowed."""
    return _step(
        notice_id,
        "say that planned work takes longer",
        lambda notice: core.extend(notice_fact(notice), ends_at, str(person), now),
        "extended",
        text,
        person,
        now,
    )


def reschedule(
    notice_id: int, starts_at: datetime, ends_at: datetime, person: Person, now: datetime, text: str = ""
) -> Notice:
    """Move work that has not begun; those who knew of it hear. Raises Refused, NotAllowed."""

    def decide(notice: Notice) -> list[Effect]:
        remind = planned_work.decide(starts_at, now, rule_of(notice.team, now))
        return core.move(notice_fact(notice), starts_at, ends_at, str(person), remind, now)

    return _step(notice_id, "move planned work", decide, "moved", text, person, now)


def done(notice_id: int, person: Person, now: datetime, text: str = "") -> Notice:
    """Say that the work is done: its services work as before. Raises Refused, NotAllowed."""
    return _step(
        notice_id,
        "end planned work",
        lambda notice: core.finish(notice_fact(notice), str(person), now),
        "done",
        text,
        person,
        now,
    )


def cancel(notice_id: int, why: str, person: Person, now: datetime) -> Notice:
    """Call the work off; those who knew of it hear why. Raises Refused, NotAllowed."""
    return _step(
        notice_id,
        "call planned work off",
        lambda notice: core.cancel(notice_fact(notice), str(person), why, now),
        "cancelled",
        why.strip(),
        person,
        now,
    )


def _step(
    notice_id: int,
    what: str,
    decide: Callable[[Notice], list[Effect]],
    told: str,
    text: str,
    person: Person,
    now: datetime,
) -> Notice:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", "text")
    with transaction.atomic():
        notice = _lock(notice_id, person, what)
        was_known = notice.state != core.DRAFT
        effects = decide(notice)
        if not effects:
            return notice
        carry_out(effects, notice, subject_of(notice), now, actor=Actor.of(person))
        if notice.state == core.IN_PROGRESS:
            _open_conditions(notice, now)
        elif notice.state in core.OVER:
            notice.conditions.filter(ends_at=None).update(ends_at=now)
        # A draft that is moved or called off was known to nobody.
        if was_known or told in {"announced", "begun"}:
            _tell(notice, told, text.strip() or notice.text, person, now)
    return notice


def _open_conditions(notice: Notice, now: datetime) -> None:
    standing = {row.service_id: row for row in notice.conditions.filter(ends_at=None)}
    services = set(notice.services.values_list("pk", flat=True))
    for service in sorted(services - standing.keys()):
        ServiceCondition.objects.create(service_id=service, condition=notice.condition, starts_at=now, notice=notice)
    notice.conditions.filter(ends_at=None, service__in=standing.keys() - services).update(ends_at=now)


def _tell(notice: Notice, told: str, text: str, person: Person | None, now: datetime) -> NoticeUpdate:
    """Write what is said and let it leave to every audience of the notice."""
    said = notice_text(notice, TOLD[told], text, str(person or "Watchbill"))
    update = NoticeUpdate.objects.create(notice=notice, state=told, text=said, at=now, author=person)
    by = Actor.of(person) if person else WATCHBILL
    line = record(subject_of(notice), "notice.told", f"{told}: told {_names(notice)}", now, by, {"update": update.pk})
    subject = said.partition("\n")[0][:200]
    message = Message(subject, said, line, f"notice-{update.pk}", f"/notices/{notice.pk}/", person)
    heard, about = Heard(), subject_of(notice)
    if "team" in notice.audiences:
        audiences.tell_people(about, _team_of(notice, now), message, heard, now)
        audiences.tell_team_chat(about, notice.team, message, heard, now)
    if "leadership" in notice.audiences:
        leaders = audiences.leaders_of(notice.team, notice.services.select_related("leadership_contact"))
        audiences.tell_people(about, [one for one in leaders if one.is_active], message, heard, now)
    speakers = Requester.objects.filter(community__in=_communities(notice), is_representative=True).order_by("id")
    audiences.tell_outside(about, speakers, message, heard, now)
    status_publishing.on_notice_update(update, now)
    return update


def _team_of(notice: Notice, now: datetime) -> list[Person]:
    members = Membership.objects.filter(team=notice.team, person__is_active=True).exclude(role="observer")
    people = [row.person for row in members.select_related("person").order_by("id")]
    return list(dict.fromkeys([*people, *people_in_seat(notice.team, "", now)]))


def _communities(notice: Notice) -> list[int]:
    rows = Community.objects.filter(team=notice.team, archived_at=None)
    if "communities" not in notice.audiences:
        named = [one.partition(":")[2] for one in notice.audiences if one.startswith("community:")]
        rows = rows.filter(slug__in=named)
    return list(rows.values_list("pk", flat=True))


def _names(notice: Notice) -> str:
    return ", ".join(notice.audiences) or "nobody"


def _check(team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    if "title" in values:
        checked["title"] = check_text(dict(values), "title", 200, "say what is done, in a line")
    if "text" in values:
        checked["text"] = str(values["text"] or "").strip()
        if not checked["text"]:
            raise Refused("say what people will feel", "text")
        if len(checked["text"]) > LONGEST_TEXT:
            raise Refused(f"at most {LONGEST_TEXT} characters", "text")
    if "services" in values:
        checked["services"] = list(values["services"])
        foreign = [one for one in checked["services"] if one.team_id != team.pk]
        if foreign:
            raise Refused(f"{foreign[0]} is no service of {team}", "services")
    if "audiences" in values:
        checked["audiences"] = _check_audiences(team, values["audiences"])
    return checked


def _check_audiences(team: Team, given: Iterable[str]) -> list[str]:
    audiences_given = list(dict.fromkeys(given))
    known = {f"community:{slug}" for slug in Community.objects.filter(team=team).values_list("slug", flat=True)}
    for one in audiences_given:
        if one not in core.AUDIENCES and one not in known:
            raise Refused(f"told are {', '.join(core.AUDIENCES)}, or community:<name>", "audiences")
    if not audiences_given:
        raise Refused("choose who is told", "audiences")
    return audiences_given


def _lock(notice_id: int, person: Person, what: str) -> Notice:
    rows = Notice.objects.select_related("team", "created_by").select_for_update(of=("self",))
    notice = rows.filter(pk=notice_id).first()
    if notice is None or role_of(person, notice.team) is None:
        raise Refused("there is no such notice", "notice")
    require(person, notice.team, "member", what)
    return notice


def _due(claim: Claim) -> Notice | None:
    rows = Notice.objects.select_related("team", "team__fallback", "created_by").select_for_update(of=("self",))
    notice = rows.filter(pk=claim.subject_id).first()
    return notice if finish_timer(claim) else None


def remind(claim: Claim, now: datetime) -> None:
    """Remind everybody who was told, before it starts."""
    with transaction.atomic():
        notice = _due(claim)
        if notice is not None and notice.state == core.ANNOUNCED:
            _tell(notice, "reminded", notice.text, None, now)


def ask_to_begin(claim: Claim, now: datetime) -> None:
    """Ask whoever planned it, at its time, to begin, move or cancel it."""
    with transaction.atomic():
        notice = _due(claim)
        if notice is not None and notice.state == core.ANNOUNCED:
            _ask(notice, "it was to begin now: begin it, move it or call it off", now)


def ask_to_end(claim: Claim, now: datetime) -> None:
    """Ask whoever planned it, at the time that was told, whether it is done."""
    with transaction.atomic():
        notice = _due(claim)
        if notice is not None and notice.state == core.IN_PROGRESS:
            _ask(notice, "it was to end now: say that it is done, or until when it takes", now)


def _ask(notice: Notice, why: str, now: datetime) -> None:
    line: Event = record(subject_of(notice), "notice.asked", why, now)
    words = Words(f"{notice.title}: {why}"[:200], f"{why[0].upper()}{why[1:]}.", "notice", "default")
    words = Words(words.subject, words.text, "notice", "default", f"/notices/{notice.pk}/", "Open it")
    planner = notice.created_by if notice.created_by and notice.created_by.is_active else None
    people = [planner] if planner else people_in_seat(notice.team, "", now)
    if not people:
        delivery.tell_somebody(subject_of(notice), words, "nobody planned it any more", set(), now)
    for person in people:
        delivery.reach_or_tell(person.pk, subject_of(notice), words, line, "you planned it" if planner else why, now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("notice", "remind"): remind,
    ("notice", "start"): ask_to_begin,
    ("notice", "end"): ask_to_end,
}

"""Write updates of an incident, and see that they are promised and kept (COM-01, COM-02, COM-06, COM-07).

Somebody is reminded before a promised update, whoever leads hears when it was missed. What stands is never changed: a
correction is a new update that names the one it puts right. The incident is locked first, then its timers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from watchbill.actions import (
    audiences,
    delivery,
    incident_room,
    incidents,
    status_publishing,
    update_promises,
    update_telling,
)
from watchbill.actions.audiences import Heard, Message
from watchbill.actions.delivery import Wanted, Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import record
from watchbill.actions.timers import Claim, finish
from watchbill.actions.update_promises import hearings_of, promises_of, rule_of, subject_of
from watchbill.actions.update_words import incident_text, named
from watchbill.core import updates as core
from watchbill.db import expert_facts, role_facts
from watchbill.db.models import Incident, IncidentUpdate, Membership, Person, RoleAssignment, UpdatePromise
from watchbill.db.support_facts import people_in_seat
from watchbill.kit.errors import Refused
from watchbill.rules.incident_updates import STEP_OF, Hearing, template_of


@dataclass(frozen=True)
class Said:
    """What somebody says to one audience: each part by its key; when the next update comes, None: by the cadence.

    `state` is the word for how it stands, "" the usual one; `next_is_open` makes no promise at all.
    """

    audience: str
    parts: Mapping[str, str] = field(default_factory=dict)
    next_update_at: datetime | None = None
    state: str = ""
    next_is_open: bool = False


def write_updates(incident_id: int, said: Sequence[Said], person: Person, now: datetime) -> list[IncidentUpdate]:
    """Tell one or several audiences, each in its own words; nothing leaves when one of them is refused.

    Raises Refused naming `<audience>-<part>`, `next_update_at`, `state` or `audience`; NotAllowed.
    """
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        incidents.require_member(person, incident, "write an update")
        desk = desk_of(incident.team, now)
        if not said:
            raise Refused("choose who is told", "audience")
        if len({one.audience for one in said}) < len(said):
            raise Refused("each audience is told once", "audience")
        heard = Heard()
        updates = [_write(incident, one, desk, person, now, heard) for one in said]
        update_promises.wake(incident, desk)
        incident_room.keep(incident, now)
    return updates


def write_update(
    incident_id: int,
    audience: str,
    parts: Mapping[str, str],
    person: Person,
    now: datetime,
    next_update_at: datetime | None = None,
    state: str = "",
) -> IncidentUpdate:
    """Tell one audience, as `write_updates` does."""
    return write_updates(incident_id, [Said(audience, parts, next_update_at, state)], person, now)[0]


def correct(update_id: int, parts: Mapping[str, str], person: Person, now: datetime, state: str = "") -> IncidentUpdate:
    """Put right what an audience was told, by a new update to it; what was promised stays promised. Raises Refused."""
    found = IncidentUpdate.objects.filter(pk=update_id).first()
    if found is None:
        raise Refused("there is no such update", "update")
    with transaction.atomic():
        incident = incidents.lock(found.incident_id)
        incidents.require_member(person, incident, "put an update right")
        if IncidentUpdate.objects.filter(corrects=found).exists():
            raise Refused("it was put right already: put the newer one right", "update")
        desk = desk_of(incident.team, now)
        hearing = hearing_of(incident, found.audience, desk)
        # What was said of an earlier state is put right as said of it.
        told = state or found.state
        if told not in core.SAID:
            raise Refused(f"an update says {', '.join(core.SAID)}", "state")
        written = _parts(parts, hearing, desk, is_last=told == "resolved")
        promise = UpdatePromise.objects.filter(incident=incident, audience=hearing.key).first()
        due = promise.due_at if promise and told != "resolved" else None
        update = update_telling.put(incident, hearing, written, told, due, person, now, corrects=found)
        status_publishing.on_public_update(update, now, desk)
    return update


def hearing_of(incident: Incident, audience: str, desk: Desk) -> Hearing:
    """Give an audience of an incident. Raises Refused when it has no such one."""
    hearings = {one.key: one for one in hearings_of(incident, desk)}
    if audience not in hearings:
        raise Refused(f"it is told to {', '.join(hearings) or 'nobody'}", "audience")
    return hearings[audience]


def _write(incident: Incident, said: Said, desk: Desk, person: Person, now: datetime, heard: Heard) -> IncidentUpdate:
    hearing = hearing_of(incident, said.audience, desk)
    state = core.told_state(incident.state, said.state)
    chosen = core.check_next(said.next_update_at, now)
    is_last = state == "resolved"
    parts = _parts(said.parts, hearing, desk, is_last=is_last)
    before = update_promises.before_of(rule_of(desk))
    goes_on = not is_last and not said.next_is_open
    promise = core.promise(hearing.key, hearing.every, before, now, chosen) if goes_on else None
    update_promises.make(incident, promise, hearing.key)
    due = promise.due_at if promise else None
    update = update_telling.put(incident, hearing, parts, state, due, person, now, heard=heard)
    incidents.tick(incident, STEP_OF[hearing.audience.who], person, now)
    status_publishing.on_public_update(update, now, desk)
    return update


def _parts(given: Mapping[str, str], hearing: Hearing, desk: Desk, *, is_last: bool) -> list[list[str]]:
    try:
        return core.compose(template_of(hearing.audience, rule_of(desk)), given, is_last=is_last)
    except Refused as refusal:
        raise Refused(refusal.message, f"{hearing.key}-{refusal.field}") from None


def preview(incident: Incident, said: Said, person: Person, now: datetime) -> tuple[str, list[str]]:
    """Give how an update will read, and what in it is perhaps not meant for these readers. Nothing is written."""
    desk = desk_of(incident.team, now)
    hearing = hearing_of(incident, said.audience, desk)
    template = template_of(hearing.audience, rule_of(desk))
    parts = [[heading, said.parts.get(key, "").strip()] for key, heading in template.items()]
    state = core.told_state(incident.state, said.state)
    kind = update_telling.KIND_OF.get(state, "incident_update")
    due = said.next_update_at or (now + hearing.every if hearing.every and not said.next_is_open else None)
    due = None if state == "resolved" else due
    text = incident_text(incident, kind, state, [one for one in parts if one[1]], due, str(person))
    return text, worries_of(incident, hearing, " ".join(said.parts.values()))


def worries_of(incident: Incident, hearing: Hearing, text: str) -> list[str]:
    """Give what in a text for people outside is perhaps not meant for them: names, machines, addresses."""
    if not hearing.is_outside:
        return []
    names = Membership.objects.filter(team=incident.team).values_list("person__name", flat=True)
    hosts = [one.host for one in audiences.services_of(incident) if one.host]
    return core.worries(text, [name for name in names if name], hosts)


def speakers_of(
    incident: Incident, desk: Desk, now: datetime, roles: Sequence[RoleAssignment] | None = None
) -> list[tuple[Person, str]]:
    """Read who speaks for an incident, with why it is them (C12): the liaison, else whom the team's rule names.

    `roles` is who holds a role now, if that is known already.
    """
    roles = _held(incident) if roles is None else roles
    for role, words in (("liaison", "you are the liaison"), *_stand_in(desk)):
        held = _holders(incident, role, roles, now)
        if held:
            return [(one, words) for one in held]
    return _last_resort(incident, now)


def _stand_in(desk: Desk) -> list[tuple[str, str]]:
    first = {
        "commander": ("commander", "you command and nobody is liaison"),
        "responders": ("others", "you respond and nobody is liaison"),
        "watch": ("watch", "you are on watch and nobody is liaison"),
    }[rule_of(desk).without_liaison]
    return [first, ("commander", "you command and nobody is liaison")]


def _holders(incident: Incident, role: str, roles: Sequence[RoleAssignment], now: datetime) -> list[Person]:
    match role:
        case "watch":
            people = people_in_seat(incident.team, "", now)
        case "others":
            busy = _in_role(roles, ("commander", "technical_lead"))
            people = [one for one in audiences.responders_of(incident) if one not in busy]
        case _:
            people = _in_role(roles, (role,))
    return audiences.who_may(incident, people)


def _held(incident: Incident) -> list[RoleAssignment]:
    rows = RoleAssignment.objects.filter(incident=incident, state="accepted")
    return list(rows.select_related("person").order_by("id"))


def _in_role(roles: Sequence[RoleAssignment], wanted: Collection[str]) -> list[Person]:
    return [row.person for row in roles if row.role in wanted]


def _last_resort(incident: Incident, now: datetime) -> list[tuple[Person, str]]:
    owner = [incident.owner] if incident.owner else []
    for people, words in (
        (owner, "you own it and nobody else speaks"),
        (people_in_seat(incident.team, "", now), "you are on watch and nobody else speaks"),
        ([incident.team.fallback] if incident.team.fallback else [], "you are the team's fallback person"),
    ):
        able = audiences.who_may(incident, people)
        if able:
            return [(one, words) for one in able]
    return []


def _leaders(incident: Incident, desk: Desk, now: datetime) -> list[tuple[Person, str]]:
    """Read who hears that a promise was missed: whoever commands, else the owner, else as for any speaker."""
    held = _holders(incident, "commander", _held(incident), now)
    return [(one, "you command") for one in held] or _last_resort(incident, now) or speakers_of(incident, desk, now)


def look_after(claim: Claim, now: datetime) -> None:
    """Remind of what is promised soon, and tell whoever leads what was missed: each once in its period.

    Audiences that were promised words by the same time are told of in one message.
    """
    with transaction.atomic():
        incident = _due(claim)
        if incident is None:
            return
        desk = desk_of(incident.team, now)
        before = update_promises.before_of(rule_of(desk))
        told: dict[tuple[str, datetime], list[str]] = {}
        for held in promises_of(incident, desk):
            what, after = core.settle(held, before, now)
            if what:
                update_promises.make(incident, after, held.audience)
                told.setdefault((what, held.due_at), []).append(held.audience)
        for (what, due_at), audience_keys in told.items():
            _say(incident, what, audience_keys, due_at, desk, now)
        update_promises.wake(incident, desk)


def _due(claim: Claim) -> Incident | None:
    found = Incident.objects.filter(pk=claim.subject_id).exists()
    incident = incidents.lock(claim.subject_id) if found else None
    if not finish(claim) or incident is None or incident.state not in update_promises.GOES_ON:
        return None
    return incident


def _say(
    incident: Incident, what: str, audience_keys: Sequence[str], due_at: datetime, desk: Desk, now: datetime
) -> None:
    by = f"{due_at.astimezone(ZoneInfo(incident.team.zone)):%H:%M} ({incident.team.zone})"
    if what == "remind":
        kind, words = "incident.update_reminded", f"an update is promised by {by}"
        people, urgency = speakers_of(incident, desk, now), "default"
    else:
        kind, words = "incident.update_late", f"the update promised by {by} has not come"
        people, urgency = _leaders(incident, desk, now), "important"
    titles = {one.key: one.audience.title for one in hearings_of(incident, desk)}
    for key in audience_keys:
        line = record(subject_of(incident), kind, f"{titles[key]}: {words}", now, data={"audience": key})
    why = f"{', '.join(titles[key] for key in audience_keys)}: {words}"
    if not people:
        delivery.tell_somebody(subject_of(incident), _words(incident, why, urgency), "nobody speaks", set(), now)
    delivery.reach_all_or_tell(
        [
            Wanted(one.pk, subject_of(incident), _words(incident, f"{why}. {because.capitalize()}.", urgency), line, because)
            for one, because in people
        ],
        now,
    )  # fmt: skip


def _words(incident: Incident, text: str, urgency: str) -> Words:
    subject = f"{named(incident)}: {text.partition('. ')[0]}"[:200]
    text = f"{core.EXERCISE}{text}" if incident.is_exercise else text
    return Words(subject, text, "notice", urgency, f"/incidents/{incident.pk}/#updates", "Write it")


def tell_wider(claim: Claim, now: datetime) -> None:
    """Tell the team and its product manager, else its manager, of what people have felt for so long (INC-13)."""
    with transaction.atomic():
        incident = _due(claim)
        if incident is None or incident.state != "active":
            return
        minutes = rule_of(desk_of(incident.team, now)).wider_after_minutes
        why = f"still felt after {minutes} minutes: the team hears of it"
        line = record(subject_of(incident), "incident.wider", why, now)
        commander = role_facts.commander_of(incident)
        leads = f"{commander} leads." if commander else "Nobody leads yet."
        text = f"It is still felt after {minutes} minutes. {leads}\n\nWhat people feel: {incident.impact}"
        subject = f"{named(incident)}: it goes on"
        message = Message(subject, text, line, f"wider-{line.pk}", f"/incidents/{incident.pk}/#updates")
        above = incident.team.product_manager or incident.team.manager
        team = [row.person for row in expert_facts.serving(incident.team, now)] + [one for one in [above] if one]
        heard = Heard()
        audiences.tell_people(subject_of(incident), audiences.who_may(incident, team), message, heard, now)
        if not incident.is_private:
            audiences.tell_team_chat(subject_of(incident), incident.team, message, heard, now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("incident", update_promises.SOON): look_after,
    ("incident", update_promises.LATE): look_after,
    ("incident", update_promises.WIDER): tell_wider,
}

"""Write an update down and let it leave; what Watchbill says by itself: that it has begun, and that it is over.

`incident_updates` is for what people write. Call everything here with the incident locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from watchbill.actions import audiences, update_promises
from watchbill.actions.audiences import Heard, Message
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import WATCHBILL, Actor, record
from watchbill.actions.timers import set_timer
from watchbill.actions.update_promises import WIDER, hearings_of, rule_of, subject_of
from watchbill.actions.update_words import incident_text
from watchbill.core import updates as core
from watchbill.db.models import Incident, IncidentUpdate, Person
from watchbill.rules.incident_updates import Hearing, template_of

KIND_OF = {"resolved": "incident_resolved"}


def put(
    incident: Incident,
    hearing: Hearing,
    parts: Sequence[Sequence[str]],
    state: str,
    next_at: datetime | None,
    person: Person | None,
    now: datetime,
    *,
    kind: str = "",
    corrects: IncidentUpdate | None = None,
    heard: Heard | None = None,
) -> IncidentUpdate:
    """Write what is said to one audience, note it on the timeline, and let it leave by the ways it has."""
    author = str(person or "Watchbill")
    text = incident_text(incident, kind or KIND_OF.get(state, "incident_update"), state, parts, next_at, author)
    update = IncidentUpdate.objects.create(
        incident=incident,
        audience=hearing.key,
        state=state,
        parts=[list(part) for part in parts],
        text=text,
        next_update_at=next_at,
        at=now,
        author=person,
        author_name=author[:80],
        corrects=corrects,
    )
    said = f"{author} {'put right what was told to' if corrects else 'told'} {hearing.audience.title}: "
    data = {"audience": hearing.key, "update": update.pk, "state": state}
    short = " ".join(" ".join(words for _, words in parts).split())[:300]
    short = short or ("it is over" if state == "resolved" else state)
    by = Actor.of(person) if person else WATCHBILL
    line = record(subject_of(incident), "incident.update", said + short, now, by, data)
    subject = f"{'Corrected: ' if corrects else ''}{incident.title}"
    subject = f"{core.EXERCISE}{subject}" if incident.is_exercise else subject
    message = Message(subject, text, line, f"update-{update.pk}", f"/incidents/{incident.pk}/#updates", person)
    audiences.tell(incident, hearing, message, heard if heard is not None else Heard(), now)
    return update


def on_declared(incident: Incident, desk: Desk, person: Person | None, now: datetime) -> list[Hearing]:
    """Post that an incident has begun to whom the team tells at once; give which of them it left to (INC-04, INC-07).

    To each audience its first (or next) update is promised.
    """
    hearings = hearings_of(incident, desk)
    at_once = [one for one in hearings if one.audience.from_start]
    heard, left = Heard(), []
    update_promises.begin(incident, [one for one in hearings if one not in at_once], desk, now)
    update_promises.begin(incident, at_once, desk, now, first=False)
    for one in at_once:
        parts = [["", incident.impact]]
        next_at = now + one.every if one.every else None
        before = heard.left
        put(incident, one, parts, "investigating", next_at, person, now, kind="incident_first", heard=heard)
        left += [one] if heard.left > before else []
    rule = rule_of(desk)
    if rule.wider_after_minutes:
        set_timer(subject_of(incident), WIDER, now + timedelta(minutes=rule.wider_after_minutes))
    return left


def on_resolved(incident: Incident, words: str, person: Person | None, now: datetime) -> None:
    """Say that it is over to whom the team tells by itself; no promise stands any more (COM-06)."""
    desk = desk_of(incident.team, now)
    update_promises.drop(incident)
    heard = Heard()
    for one in hearings_of(incident, desk):
        if one.audience.told_end and incident.updates.filter(audience=one.key).exists():
            heading = next(iter(template_of(one.audience, rule_of(desk)).values()))
            parts = [[heading, words.strip()]] if words.strip() else []
            put(incident, one, parts, "resolved", None, person, now, heard=heard)


def is_told(incident: Incident, hearing: Hearing) -> bool:
    """Tell whether an audience that was told of an incident has heard that it is over."""
    last = incident.updates.filter(audience=hearing.key).order_by("-id").values_list("state", flat=True).first()
    return last in {None, "resolved"}


def untold(incident: Incident, desk: Desk) -> list[str]:
    """Read which audiences were told of it and not that it is over, by their titles."""
    return [one.audience.title for one in hearings_of(incident, desk) if one.leaves and not is_told(incident, one)]


def public_updates_of(incident: Incident) -> list[IncidentUpdate]:
    """Read what the public may see of an incident, oldest first; nothing of a private one or an exercise."""
    if incident.is_private or incident.is_exercise:
        return []
    return list(incident.updates.filter(audience="public").order_by("id"))

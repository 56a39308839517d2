"""What must leave: plan messages to people, take them back, and tell somebody else when nothing reaches one.

`claiming` hands what is due to the senders of a worker, `sending` hands it to the vendors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db.models import QuerySet

from watchbill.actions.log import Subject, record
from watchbill.core import delivery
from watchbill.db import facts
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Event, Incident, Membership, Outgoing, Person, Team
from watchbill.db.wake import wake_workers

log = structlog.get_logger()


@dataclass(frozen=True)
class Words:
    """What a message says, before it is known by which channel it leaves; `about` finds it again to take it back."""

    subject: str
    text: str
    purpose: str = "page"
    urgency: str = "default"
    path: str = ""
    action: str = ""
    about: str = ""


@dataclass(frozen=True)
class Wanted:
    """One person to be reached: about what, with which words, because of which line, and why them."""

    person: int
    subject: Subject
    words: Words
    line: Event
    why: str


def reach(person: int, subject: Subject, words: Words, line: Event, why: str, now: datetime) -> bool:
    """Put messages to one person into `Outgoing`, as `reach_all` does; False: nothing reaches them."""
    return not reach_all([Wanted(person, subject, words, line, why)], now)


def reach_all(wanted: Sequence[Wanted], now: datetime) -> list[Wanted]:
    """Put messages to people into `Outgoing`, by each person's own rules; gives those whom nothing reaches.

    The line that caused it and the address make the idempotency key, so that one decision never makes two messages
    to one address.
    """
    if not wanted:
        return []
    ways = facts.ways_to({one.person for one in wanted})
    rows: list[Outgoing] = []
    unreached: list[Wanted] = []
    for one in wanted:
        way = ways[one.person]
        planned = delivery.plan(way.rules.get(one.words.urgency, ()), way.addresses, one.words.urgency, now)
        channel_of = {address.id: address.channel for address in way.addresses}
        rows.extend(_row(one, message, channel_of[message.address], now) for message in _one_each(planned))
        if not planned:
            unreached.append(one)
    Outgoing.objects.bulk_create(rows, batch_size=100)
    wake_workers()
    return unreached


def _row(wanted: Wanted, message: delivery.Planned, channel: str, now: datetime) -> Outgoing:
    subject, words = wanted.subject, wanted.words
    return Outgoing(
        key=f"{subject.kind}-{subject.id}-{wanted.line.pk}-{message.address}",
        team_id=subject.team,
        person_id=wanted.person,
        address_id=message.address,
        channel=channel,
        purpose=words.purpose,
        urgency=words.urgency,
        subject_kind=subject.kind,
        subject_id=subject.id,
        message={
            "subject": words.subject,
            "text": words.text,
            "path": words.path,
            "action": words.action,
            "planned": message.at.isoformat(),
            **({"about": words.about} if words.about else {}),
        },
        why=f"{wanted.why}; {message.why}",
        state="waiting",
        created_at=now,
        due_at=message.at,
    )


def _one_each(planned: Iterable[delivery.Planned]) -> list[delivery.Planned]:
    earliest: dict[int, delivery.Planned] = {}
    for message in planned:
        earliest.setdefault(message.address, message)
    return list(earliest.values())


def reach_or_tell(person: int, subject: Subject, words: Words, line: Event, why: str, now: datetime) -> None:
    """Reach a person; when nothing reaches them, say so in the log and tell the next one who can be reached."""
    reach_all_or_tell([Wanted(person, subject, words, line, why)], now)


def reach_all_or_tell(wanted: Sequence[Wanted], now: datetime) -> None:
    """Reach people, each as `reach_or_tell` does."""
    for one in reach_all(wanted, now):
        tell_somebody(one.subject, one.words, _why_unreached(Person.objects.get(pk=one.person)), {one.person}, now)


def _why_unreached(person: Person) -> str:
    return f"{person} has no verified address" if person.is_active else f"the account of {person} is switched off"


def tell_somebody(subject: Subject, words: Words, reason: str, not_to: set[int], now: datetime) -> None:
    """Tell the team's fallback person, else an owner, else the manager, else an administrator, with the reason."""
    for person, why in _who_is_told(subject.team):
        if not _may_hear(person, subject) or person.pk in not_to or not facts.usable_addresses(person.pk):
            continue
        line = record(subject, "delivery.told", f"{reason}: told {person}, {why}", now, data={"to": person.pk})
        told = Words(
            subject=f"{reason}: {words.subject}"[:200],
            text=f"{reason}. You are told because you are {why}.\n\n{words.text}",
            purpose="notice" if words.purpose != "page" else "page",
            urgency="important",
            path=words.path,
            action=words.action,
        )
        reach(person.pk, subject, told, line, f"{reason}; you are {why}", now)
        return
    record(subject, "delivery.nobody", f"{reason}, and nobody else of the team has a verified address", now)
    log.error("nobody could be told", subject=subject.kind, id=subject.id, reason=reason)


def _who_is_told(team_id: int | None) -> list[tuple[Person, str]]:
    told: list[tuple[Person, str]] = []
    team = Team.objects.select_related("fallback", "manager").filter(pk=team_id).first() if team_id else None
    if team and team.fallback:
        told.append((team.fallback, "the team's fallback person"))
    if team:
        owners = Membership.objects.filter(team=team, role="owner").select_related("person").order_by("id")
        told.extend((owner.person, "an owner of the team") for owner in owners)
    if team and team.manager:
        told.append((team.manager, "the team's manager"))
    admins = Person.objects.filter(is_superuser=True, is_active=True).order_by("id")
    told.extend((admin, "an administrator of this instance") for admin in admins)
    return [(person, why) for person, why in told if person.is_active]


def _may_hear(person: Person, subject: Subject) -> bool:
    """A private incident is for those who see it, also when somebody who does cannot be reached."""
    if subject.kind != "incident":
        return True
    incident = Incident.objects.filter(pk=subject.id, is_private=True).first()
    return incident is None or sees_incident(person, incident)


def drop_waiting(subject: Subject, why: str, now: datetime) -> int:
    """Take back every message of a subject that has not left: nobody is called after an answer."""
    return _drop(Outgoing.objects.filter(subject_kind=subject.kind, subject_id=subject.id), why, now)


def drop_waiting_of_pages(pages: Sequence[int], why: str, now: datetime) -> int:
    """Take back every message of these pages that has not left."""
    return _drop(Outgoing.objects.filter(subject_kind="page", subject_id__in=pages), why, now) if pages else 0


def _drop(messages: QuerySet[Outgoing], why: str, now: datetime) -> int:
    waiting = messages.filter(state="waiting", purpose="page")
    # Locked in the order of their ids, as everybody does who locks several: an UPDATE alone keeps no order.
    rows = list(waiting.order_by("id").select_for_update(of=("self",)).values_list("pk", flat=True))
    return Outgoing.objects.filter(pk__in=rows).update(state="dropped", due_at=None, finished_at=now, answer=why)


def next_due(full: Iterable[str] = ()) -> datetime | None:
    """Read when the next message is due, but for those of the channels that are `full`."""
    waiting = Outgoing.objects.filter(due_at__isnull=False).exclude(channel__in=list(full))
    return waiting.order_by("due_at").values_list("due_at", flat=True).first()

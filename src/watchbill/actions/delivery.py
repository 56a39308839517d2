"""What must leave: plan messages to a person, claim them, hand them over, and tell somebody when one cannot be delivered.

At least once: a row is marked sent only after the vendor took the message, and every attempt carries the same
key. Just before it leaves it is asked whether it is still wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core import signing
from django.db import connection, transaction

from watchbill import channels
from watchbill.actions.channel_health import note_failure
from watchbill.actions.log import WATCHBILL, Subject, record
from watchbill.channels import Message, Receipt
from watchbill.core import delivery
from watchbill.db import facts
from watchbill.db.models import Event, Membership, Outgoing, Page, Person, Team
from watchbill.db.wake import wake_workers
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

log = structlog.get_logger()
LINK_SALT = "watchbill.answer"
LINK_LIVES = timedelta(days=14)


@dataclass(frozen=True)
class Words:
    """What a message says, before it is known by which channel it leaves."""

    subject: str
    text: str
    purpose: str = "page"
    urgency: str = "default"
    path: str = ""
    action: str = ""


@dataclass(frozen=True)
class Claim:
    """A due message in the hands of one worker until its lease ends; `attempt` is the fence."""

    id: int
    attempt: int
    channel: str


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
        name = str(Person.objects.get(pk=one.person))
        tell_somebody(one.subject, one.words, f"{name} has no verified address", {one.person}, now)


def tell_somebody(subject: Subject, words: Words, reason: str, not_to: set[int], now: datetime) -> None:
    """Tell the team's fallback person, else an owner, else the manager, else an administrator, with the reason."""
    for person, why in _who_is_told(subject.team):
        if person.pk in not_to or not facts.usable_addresses(person.pk):
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


def drop_waiting(subject: Subject, why: str, now: datetime) -> int:
    """Take back every message of a subject that has not left: nobody is called after an answer."""
    waiting = Outgoing.objects.filter(subject_kind=subject.kind, subject_id=subject.id, state="waiting", purpose="page")
    # Locked in the order of their ids, as everybody does who locks several: an UPDATE alone keeps no order.
    rows = list(waiting.order_by("id").select_for_update(of=("self",)).values_list("pk", flat=True))
    return Outgoing.objects.filter(pk__in=rows).update(state="dropped", due_at=None, finished_at=now, answer=why)


def claim_due(
    clock: Callable[[], datetime], limit: int, held: Mapping[str, int] | None = None, most_each: int | None = None
) -> list[Claim]:
    """Take up to `limit` due messages for one lease, at most `most_each` of one channel together with those `held`.

    A vendor that hangs holds its own senders and leaves those of the other channels free. `clock` (UTC) is read when
    the database lets us write: the time spent waiting for that is not part of the lease.
    """
    taken, most = Counter(held or {}), most_each or limit
    full = [channel for channel, count in taken.items() if count >= most]
    chosen: list[Outgoing] = []
    with transaction.atomic():
        now = clock()
        due = Outgoing.objects.filter(due_at__lte=now).exclude(channel__in=full).order_by("due_at", "id")
        for row in due.only("id", "attempt", "due_at", "channel").select_for_update(skip_locked=True)[:limit]:
            if taken[row.channel] >= most:
                continue
            taken[row.channel] += 1
            row.attempt += 1
            row.due_at = now + delivery.LEASE
            chosen.append(row)
        Outgoing.objects.bulk_update(chosen, ["attempt", "due_at"])
    return [Claim(row.pk, row.attempt, row.channel) for row in chosen]


def next_due(full: Iterable[str] = ()) -> datetime | None:
    """Read when the next message is due, but for those of the channels that are `full`."""
    waiting = Outgoing.objects.filter(due_at__isnull=False).exclude(channel__in=list(full))
    return waiting.order_by("due_at").values_list("due_at", flat=True).first()


def send_one(
    claim: Claim, http: Client, settings_of: Callable[[str], dict[str, object]], clock: Callable[[], datetime]
) -> str:
    """Ask whether a claimed message is still wanted, hand it to its channel, write down what came of it.

    `settings_of` gives the operator's settings of a channel, `clock` the present instant (UTC). Returns the
    state in which the message is left: sent, waiting, failed or dropped.
    """
    row = Outgoing.objects.select_related("address").filter(pk=claim.id, attempt=claim.attempt, state="waiting").first()
    if row is None:
        return "dropped"
    if not delivery.is_wanted(row.purpose, _page_state(row)):
        _finish(claim, clock(), state="dropped", answer="no longer wanted: the page was answered")
        return "dropped"
    message, channel_settings = message_of(row), settings_of(row.channel)
    _let_go_of_database()
    try:
        receipt = channels.send(row.channel, message, row.address.address, channel_settings, http)
    except DeliveryFailed as failure:
        return _failed(row, claim, failure, clock())
    except Exception as bug:
        # A bug of the channel is no reason to lose the page: tried again like a vendor that is away, then told.
        log.exception("a channel broke its promise to raise only DeliveryFailed", channel=row.channel, outgoing=row.pk)
        return _failed(row, claim, DeliveryFailed(f"{row.channel} broke: {type(bug).__name__}: {bug}"), clock())
    return _sent(row, claim, receipt, clock())


def _let_go_of_database() -> None:
    """Give the connection back while a vendor is waited for: vendors that hang must not hold the pool."""
    if not connection.in_atomic_block:
        connection.close()


def message_of(row: Outgoing) -> Message:
    """Build what leaves from a row: the answer link is signed here, so that it is never stored."""
    words = row.message
    link = ""
    if row.purpose == "page":
        link = f"{settings.WATCHBILL_URL}/a/{signing.dumps(row.pk, salt=LINK_SALT)}"
    elif words.get("path"):
        link = settings.WATCHBILL_URL + words["path"]
    return Message(
        key=row.key,
        subject=words["subject"],
        text=words["text"],
        link=link,
        action=words.get("action") or ("Answer this page" if row.purpose == "page" else "Open"),
        urgency="important" if row.urgency == "important" else "default",
        purpose=row.purpose,  # type: ignore[arg-type]
        thread=f"{row.subject_kind}-{row.subject_id}",
        at=row.created_at,
    )


def _page_state(row: Outgoing, *, lock: bool = False) -> str | None:
    if row.subject_kind != "page":
        return None
    pages = Page.objects.filter(pk=row.subject_id)
    return (pages.select_for_update() if lock else pages).values_list("state", flat=True).first()


def _finish(claim: Claim, now: datetime, **values: object) -> bool:
    """Close a row if this claim still holds it."""
    changed = Outgoing.objects.filter(pk=claim.id, attempt=claim.attempt, state="waiting").update(
        due_at=None, finished_at=now, **values
    )
    return changed == 1


def _sent(row: Outgoing, claim: Claim, receipt: Receipt, now: datetime) -> str:
    """Write down that the vendor took it. An answer that came meanwhile does not unsay it: it did leave."""
    mine = Outgoing.objects.filter(pk=claim.id, attempt=claim.attempt, state__in=("waiting", "dropped"))
    with transaction.atomic():
        held = mine.update(
            state="sent",
            due_at=None,
            finished_at=now,
            answer=receipt.answer[:2000],
            reference=receipt.reference[:255],
        )
        late = "" if held else "; the lease was over, so it may have left twice, with the same key"
        record(
            _subject_of(row),
            "delivery.sent",
            f"{row.channel} to {row.person}: {receipt.answer[:200]}{late}",
            now,
            data={"outgoing": row.pk, "attempt": claim.attempt},
        )
        if row.address.failed_at:
            row.address.failed_at, row.address.failure = None, ""
            row.address.save(update_fields=["failed_at", "failure"])
    return "sent"


def _failed(row: Outgoing, claim: Claim, failure: DeliveryFailed, now: datetime) -> str:
    """Write down that it did not leave: try again later, or give up, which the next one hears of."""
    # A personal rule may have planned it for long after it was made: its hour of tries begins when it was due.
    planned = datetime.fromisoformat(row.message.get("planned") or row.created_at.isoformat())
    again = None if failure.permanent else delivery.retry_at(claim.attempt, planned, now)
    with transaction.atomic():
        note_failure(row, failure, now)
        if again is not None:
            return _try_later(row, claim, failure, again, now)
        # The subject first, then its messages: other rows of it are touched below.
        page_state = _page_state(row, lock=True)
        if not _finish(claim, now, state="failed", answer=failure.message[:2000]):
            return "dropped"
        _give_up(row, failure, now)
        if row.purpose in {"page", "notice"} and delivery.is_wanted(row.purpose, page_state):
            _try_the_next(row, _subject_of(row), now)
    wake_workers()
    return "failed"


def _try_later(row: Outgoing, claim: Claim, failure: DeliveryFailed, again: datetime, now: datetime) -> str:
    changed = Outgoing.objects.filter(pk=claim.id, attempt=claim.attempt, state="waiting").update(
        due_at=again, answer=failure.message[:2000]
    )
    if changed and claim.attempt == 1:
        why = f"{row.channel} to {row.person} failed for now: {failure.message[:300]}; trying again"
        record(_subject_of(row), "delivery.retried", why, now)
    return "waiting" if changed else "dropped"


def _give_up(row: Outgoing, failure: DeliveryFailed, now: datetime) -> None:
    why = f"{row.channel} to {row.person} failed for good: {failure.message[:300]}"
    record(_subject_of(row), "delivery.failed", why, now, WATCHBILL, {"outgoing": row.pk})
    if failure.permanent and not failure.operators:
        row.address.failed_at, row.address.failure = now, failure.message[:2000]
        row.address.save(update_fields=["failed_at", "failure"])


def _subject_of(row: Outgoing) -> Subject:
    return Subject(row.subject_kind, row.subject_id, row.team_id)


def _try_the_next(row: Outgoing, subject: Subject, now: datetime) -> None:
    """Bring the person's next message forward; when there is none and none was sent, tell somebody else."""
    mine = Outgoing.objects.filter(subject_kind=row.subject_kind, subject_id=row.subject_id, person_id=row.person_id)
    later = mine.filter(state="waiting", due_at__gt=now, attempt=0).order_by("due_at")
    # skip_locked: whoever holds it is about to send it or to take it back.
    coming = later.select_for_update(of=("self",), skip_locked=True).first()
    if coming is not None:
        coming.due_at = now
        coming.save(update_fields=["due_at"])
        return
    if mine.filter(created_at__gte=row.created_at, state__in=("sent", "waiting")).exists():
        return
    words = Words(
        row.message["subject"],
        row.message["text"],
        row.purpose,
        row.urgency,
        row.message.get("path", ""),
        row.message.get("action", ""),
    )
    told = set(
        mine.model.objects.filter(subject_kind=row.subject_kind, subject_id=row.subject_id, state="failed").values_list(
            "person_id", flat=True
        )
    )
    tell_somebody(subject, words, f"{row.person} could not be reached", told, now)

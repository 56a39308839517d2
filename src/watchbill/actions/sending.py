"""Hand claimed messages to the vendors, and write down what came of each.

At least once: a row is marked sent only after the vendor took the message, and every attempt carries the same
key. Just before it leaves, each page of it is asked whether it is still wanted. Messages that follow each other within
a tenth of a second are asked about, and written down, together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from watchbill import channels
from watchbill.actions.channel_health import note_failure
from watchbill.actions.claiming import Claim, Run
from watchbill.actions.delivery import Words, tell_somebody
from watchbill.actions.log import WATCHBILL, Subject, event_of, record, write_lines
from watchbill.actions.messages import message_of
from watchbill.channels import Receipt, Send
from watchbill.core import delivery
from watchbill.db.models import ContactAddress, Event, Outgoing, Page
from watchbill.db.wake import wake_workers
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

log = structlog.get_logger()
# A run goes on while so much of the lease is left: more than the longest that a channel may take for one message.
ROOM = timedelta(seconds=14)
# For so long "still wanted?" holds for those that follow, and what was taken may be unwritten.
FRESH = timedelta(milliseconds=100)
# When these do not arrive, somebody else is told.
PASSED_ON = frozenset({"page", "notice"})


@dataclass(frozen=True)
class Taken:
    """What a vendor took: the rows of a claim, its answer, and when (UTC)."""

    claim: Claim
    rows: Sequence[Outgoing]
    receipt: Receipt
    at: datetime


def send_run(
    run: Run, http: Client, settings_of: Callable[[str], dict[str, object]], clock: Callable[[], datetime]
) -> list[str]:
    """Send the claims of a run, one after the other; what the lease leaves no room for is due again at once.

    `settings_of` gives the operator's settings of a channel, `clock` the present instant (UTC). Gives the state in
    which each claim is left: sent, waiting, failed or dropped.
    """
    states: list[str] = []
    with channels.open_line(run.channel, settings_of(run.channel), http) as send:
        while left := run.claims[len(states) :]:
            if states and left[0].until - clock() < ROOM:
                states.extend(_give_back(claim, clock()) for claim in left)
            else:
                states.extend(_send_some(left, send, clock))
    return states


def _give_back(claim: Claim, now: datetime) -> str:
    with transaction.atomic():
        _held(claim, "waiting").update(due_at=now)
    wake_workers()
    return "waiting"


def _held(claim: Claim, *states: str) -> QuerySet[Outgoing]:
    """Lock those rows of a claim that it still holds, in the order of their ids, as everybody does who locks several."""
    mine = Outgoing.objects.filter(pk__in=claim.ids, attempt=claim.attempt, state__in=states)
    if len(claim.ids) == 1:
        return mine
    return Outgoing.objects.filter(pk__in=list(mine.order_by("id").select_for_update().values_list("pk", flat=True)))


def _send_some(claims: Sequence[Claim], send: Send, clock: Callable[[], datetime]) -> list[str]:
    """Send the first of these claims, as many as `FRESH` allows, up to one that fails; gives the state of each.

    What was taken is written down together at the end, whatever stops the others.
    """
    asked = clock()
    wanted = _still_wanted(claims, clock)
    _let_go_of_database()
    taken: list[Taken] = []
    states: list[str] = []
    failed: tuple[Claim, DeliveryFailed] | None = None
    try:
        for claim in claims:
            if states and (clock() - asked >= FRESH or claim.until - clock() < ROOM):
                break
            rows = wanted[claim]
            states.append("sent" if rows else "dropped")
            try:
                if rows:
                    taken.append(Taken(claim, rows, _say(rows, send), clock()))
            except DeliveryFailed as failure:
                failed = claim, failure
                break
    finally:
        _write_taken(taken)
    if failed:
        states[-1] = _failed(wanted[failed[0]], failed[0], failed[1], clock())
    return states


def _say(rows: Sequence[Outgoing], send: Send) -> Receipt:
    """Hand one message to the vendor; raises DeliveryFailed."""
    if not rows[0].person.is_active and rows[0].purpose in PASSED_ON:
        raise DeliveryFailed(f"the account of {rows[0].person} is switched off", permanent=True)
    try:
        message = message_of(rows)
        return send(message, rows[0].address.address)
    except DeliveryFailed:
        raise
    except Exception as bug:
        # A bug of the channel is no reason to lose the page: tried again like a vendor that is away, then told.
        channel = rows[0].channel
        log.exception("a channel broke its promise to raise only DeliveryFailed", channel=channel, outgoing=rows[0].pk)
        raise DeliveryFailed(f"{channel} broke: {type(bug).__name__}: {bug}") from bug


def _still_wanted(claims: Sequence[Claim], clock: Callable[[], datetime]) -> dict[Claim, list[Outgoing]]:
    """Read the messages of each claim that still ask for somebody; what was answered meanwhile is dropped."""
    mine = Outgoing.objects.filter(pk__in=[number for claim in claims for number in claim.ids], state="waiting")
    rows = {row.pk: row for row in mine.select_related("address", "person")}
    pages = {row.subject_id for row in rows.values() if row.subject_kind == "page"}
    states = dict(Page.objects.filter(pk__in=pages).values_list("pk", "state")) if pages else {}
    wanted: dict[Claim, list[Outgoing]] = {}
    for claim in claims:
        held = [rows[pk] for pk in sorted(claim.ids) if pk in rows and rows[pk].attempt == claim.attempt]
        wanted[claim] = [row for row in held if delivery.is_wanted(row.purpose, _state_in(states, row))]
        if len(wanted[claim]) < len(held):
            _drop(claim, {row.pk for row in held} - {row.pk for row in wanted[claim]}, clock())
    return wanted


def _drop(claim: Claim, numbers: Collection[int], now: datetime) -> None:
    over = Claim(tuple(numbers), claim.attempt, claim.channel, claim.until)
    answer = "no longer wanted: the page was answered"
    with transaction.atomic():
        _held(over, "waiting").update(due_at=None, finished_at=now, state="dropped", answer=answer)


def _state_in(states: Mapping[int, str], row: Outgoing) -> str | None:
    return states.get(row.subject_id) if row.subject_kind == "page" else None


def _let_go_of_database() -> None:
    """Give the connection back while a vendor is waited for: vendors that hang must not hold the pool."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()


def _write_taken(taken: Sequence[Taken]) -> None:
    """Write down what the vendor took. An answer that came meanwhile does not unsay it: it did leave."""
    if not taken:
        return
    with transaction.atomic():
        held = _lock_taken(taken)
        lines: list[Event] = []
        for one in taken:
            mine = [row for row in one.rows if row.pk in held]
            for row in mine:
                row.state, row.due_at, row.finished_at = "sent", None, one.at
                row.answer, row.reference = one.receipt.answer[:2000], one.receipt.reference[:255]
            together = f", in one message with {len(one.rows) - 1} more" if len(one.rows) > 1 else ""
            fenced = "; the lease was over, so it may have left twice, with the same key"
            why = f"{one.receipt.answer[:200]}{together}{'' if len(mine) == len(one.rows) else fenced}"
            lines += [
                _line(r, "delivery.sent", f"{r.channel} to {r.person} left: {why}", one.claim, one.at) for r in one.rows
            ]
        _store([row for one in taken for row in one.rows if row.pk in held])
        write_lines(lines)
        _note_working({one.rows[0].address for one in taken})


def _lock_taken(taken: Sequence[Taken]) -> set[int]:
    """Lock what was taken, in the order of the ids; gives the rows that their claims still hold."""
    attempts = {row.pk: one.claim.attempt for one in taken for row in one.rows}
    mine = Outgoing.objects.filter(pk__in=attempts, state__in=("waiting", "dropped")).order_by("id")
    found = mine.select_for_update().values_list("pk", "attempt")
    return {pk for pk, attempt in found if attempt == attempts[pk]}


def _store(rows: Sequence[Outgoing]) -> None:
    fields = ["state", "due_at", "finished_at", "answer", "reference"]
    if len(rows) == 1:
        rows[0].save(update_fields=fields)
    elif rows:
        # An upsert by key: bulk_update's CASE costs ten times more.
        Outgoing.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=fields, batch_size=100
        )


def _note_working(addresses: Collection[ContactAddress]) -> None:
    for address in sorted(addresses, key=lambda one: one.pk):
        if address.failed_at:
            address.failed_at, address.failure = None, ""
            address.save(update_fields=["failed_at", "failure"])


def _line(row: Outgoing, kind: str, why: str, claim: Claim, now: datetime) -> Event:
    data = {"outgoing": row.pk, "attempt": claim.attempt}
    return event_of(_subject_of(row), kind, why, now, data=data)


def _failed(rows: Sequence[Outgoing], claim: Claim, failure: DeliveryFailed, now: datetime) -> str:
    """Write down that it did not leave: try again later, or give up, which the next one hears of."""
    note_failure(rows[0], failure, now)
    later = [(row, again) for row in rows if (again := _again(row, claim, failure, now))]
    state = _try_later([row for row, _ in later], claim, failure, later[0][1], now) if later else "failed"
    put_off = {row.pk for row, _ in later}
    for row in rows:
        if row.pk not in put_off:
            state = _fail_for_good(row, claim, failure, now)
        elif failure.permanent and claim.attempt == 1 and state == "waiting":
            _pass_on(row, now)
    return state


def _again(row: Outgoing, claim: Claim, failure: DeliveryFailed, now: datetime) -> datetime | None:
    # What the operator can mend (a wrong password) may be mended within the hour. A code is waited for: it fails at once.
    if failure.permanent and not (failure.operators and row.purpose in PASSED_ON):
        return None
    # A personal rule may have planned it for long after it was made: its hour of tries begins when it was due.
    planned = datetime.fromisoformat(row.message.get("planned") or row.created_at.isoformat())
    return delivery.retry_at(claim.attempt, planned, now)


def _try_later(rows: Sequence[Outgoing], claim: Claim, failure: DeliveryFailed, again: datetime, now: datetime) -> str:
    mine = Claim(tuple(row.pk for row in rows), claim.attempt, claim.channel, claim.until)
    with transaction.atomic():
        changed = _held(mine, "waiting").update(due_at=again, answer=failure.message[:2000])
        if changed and claim.attempt == 1:
            why = f"failed for now: {failure.message[:300]}; trying again"
            lines = [
                event_of(_subject_of(r), "delivery.retried", f"{r.channel} to {r.person} {why}", now) for r in rows
            ]
            write_lines(lines)
    return "waiting" if changed else "dropped"


def _pass_on(row: Outgoing, now: datetime) -> None:
    """Ask by other ways at once, while this one waits to be mended by the operator."""
    with transaction.atomic():
        if delivery.is_wanted(row.purpose, _lock_subject(row)):
            _try_the_next(row, _subject_of(row), now, waits=True)
    wake_workers()


def _lock_subject(row: Outgoing) -> str | None:
    """Lock the subject first, then its messages: other rows of it are touched. Gives the state of a page."""
    pages = Page.objects.select_for_update().filter(pk=row.subject_id)
    return pages.values_list("state", flat=True).first() if row.subject_kind == "page" else None


def _fail_for_good(row: Outgoing, claim: Claim, failure: DeliveryFailed, now: datetime) -> str:
    with transaction.atomic():
        state = _lock_subject(row)
        mine = Outgoing.objects.filter(pk=row.pk, attempt=claim.attempt, state="waiting")
        if not mine.update(due_at=None, finished_at=now, state="failed", answer=failure.message[:2000]):
            return "dropped"
        _give_up(row, failure, now)
        if row.purpose in PASSED_ON and delivery.is_wanted(row.purpose, state):
            _try_the_next(row, _subject_of(row), now)
    wake_workers()
    return "failed"


def _give_up(row: Outgoing, failure: DeliveryFailed, now: datetime) -> None:
    why = f"{row.channel} to {row.person} failed for good: {failure.message[:300]}"
    record(_subject_of(row), "delivery.failed", why, now, WATCHBILL, {"outgoing": row.pk})
    if failure.permanent and not failure.operators and row.person.is_active:
        row.address.failed_at, row.address.failure = now, failure.message[:2000]
        row.address.save(update_fields=["failed_at", "failure"])


def _subject_of(row: Outgoing) -> Subject:
    return Subject(row.subject_kind, row.subject_id, row.team_id)


def _try_the_next(row: Outgoing, subject: Subject, now: datetime, *, waits: bool = False) -> None:
    """Bring the person's next message forward; when there is none and none was sent, tell somebody else.

    With `waits` the row is tried again, and what else was tried in vain counts as little as itself.
    """
    mine = Outgoing.objects.filter(subject_kind=row.subject_kind, subject_id=row.subject_id, person_id=row.person_id)
    later = mine.filter(state="waiting", due_at__gt=now, attempt=0).order_by("due_at")
    # skip_locked: whoever holds it is about to send it or to take it back.
    coming = later.select_for_update(of=("self",), skip_locked=True).first()
    if coming is not None:
        coming.due_at = now
        coming.save(update_fields=["due_at"])
        return
    others = mine.filter(created_at__gte=row.created_at, state__in=("sent", "waiting")).exclude(pk=row.pk)
    if (others.exclude(state="waiting", attempt__gt=0) if waits else others).exists():
        return
    words = Words(
        row.message["subject"],
        row.message["text"],
        row.purpose,
        row.urgency,
        row.message.get("path", ""),
        row.message.get("action", ""),
    )
    everybody = Outgoing.objects.filter(subject_kind=row.subject_kind, subject_id=row.subject_id)
    in_vain = Q(state="failed") | Q(state="waiting", attempt__gt=0) if waits else Q(state="failed")
    told = set(everybody.filter(in_vain).values_list("person_id", flat=True))
    tell_somebody(subject, words, f"{row.person} could not be reached", told, now)

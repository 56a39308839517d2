"""Hand over what must leave to outside systems, and by mail to people without an account.

Who handles a connection's exports is registered by the connector's name in `SENDERS`, so that this file knows no
system. At least once: a row is marked sent only after the other side took it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from pydantic import ValidationError

from watchbill.actions import exports, mail_failures, request_letters, support
from watchbill.actions.exports import Claim
from watchbill.actions.log import Subject, record
from watchbill.channels.email import Line, Settings
from watchbill.db.models import Connection, Export
from watchbill.egress import Client, Deadline
from watchbill.kit.errors import DeliveryFailed, WatchbillError

log = structlog.get_logger()
Sender = Callable[[Export, Client, datetime], str]
# Within the lease of an export (30 s), so that nobody sends it beside us.
MAIL_SECONDS = 25.0

# Who hands an export to its outside system, by the connector's name: gives the system's own reference or answer,
# raises DeliveryFailed; called outside any transaction.
SENDERS: dict[str, Sender] = {}

# Who hands over what leaves to neither a system nor as a plain mail, by what it is: gives the answer and the reference, or
# None when it is no longer wanted; raises DeliveryFailed. `channel_settings` is the argument of `send_one`.
BesideSender = Callable[[Export, Client, Callable[[str], dict[str, Any]], datetime], tuple[str, str] | None]
BESIDE: dict[str, BesideSender] = {}

# What follows when the connection of an export was removed before it left, by what it is: somebody may wait for it. Called
# in the transaction that drops it, so that a kill leaves neither.
LEFT_BEHIND: dict[str, Callable[[Export, datetime], None]] = {}


def send_one(
    claim: Claim, http: Client, channel_settings: Callable[[str], dict[str, Any]], clock: Callable[[], datetime]
) -> str:
    """Hand one claimed export over and write down what came of it.

    `channel_settings` gives the operator's settings of a channel, `clock` the present instant (UTC). Returns the
    state in which it is left: sent, waiting, failed or dropped.
    """
    rows = Export.objects.select_related("connection", "team")
    export = rows.filter(pk=claim.id, attempt=claim.attempt, state="waiting").first()
    if export is None:
        return "dropped"
    if export.connection is not None and export.connection.removed_at is not None:
        return _without_connection(export, claim, clock())
    try:
        handed = _hand_over(export, http, channel_settings, clock())
    except DeliveryFailed as failure:
        return _failed(export, claim, failure, clock())
    except WatchbillError as refusal:
        return _failed(export, claim, DeliveryFailed(refusal.message, permanent=True), clock())
    except Exception as bug:
        # A bug of a sender loses nothing: tried again like a system that is away, and given up after days.
        log.exception("an export could not be handed over", export=export.pk, what=export.what)
        return _failed(export, claim, DeliveryFailed(f"{type(bug).__name__}: {bug}"), clock())
    if handed is None:
        exports.drop(claim, "no longer wanted", clock())
        return "dropped"
    return _sent(export, claim, *handed, clock())


def _without_connection(export: Export, claim: Claim, now: datetime) -> str:
    with transaction.atomic():
        # The subject first, then what leaves for it: the order of every path.
        if export.what in LEFT_BEHIND:
            LEFT_BEHIND[export.what](export, now)
        exports.drop(claim, "the connection was removed", now)
    return "dropped"


def _hand_over(
    export: Export, http: Client, channel_settings: Callable[[str], dict[str, Any]], now: datetime
) -> tuple[str, str] | None:
    if export.connection is not None:
        sender = SENDERS.get(export.connection.connector)
        if sender is None:
            raise DeliveryFailed(f"nothing here speaks with {export.connection.connector}", permanent=True)
        return "", sender(export, http, now)
    if export.what in BESIDE:
        return BESIDE[export.what](export, http, channel_settings, now)
    if export.what != "mail":
        raise DeliveryFailed(f"nobody knows how to send {export.what}", permanent=True)
    return _mail(export, channel_settings("email"))


def _mail(export: Export, values: dict[str, Any]) -> tuple[str, str]:
    try:
        settings = Settings.model_validate(values)
    except ValidationError:
        raise DeliveryFailed("no mail server is set up here", permanent=True) from None
    letter = request_letters.write_letter(export, settings)
    # What comes back comes to the desk.
    envelope = settings.model_copy(update={"sender": request_letters.sender_of(export.team, settings)})
    if not connection.in_atomic_block:
        connection.close()  # a mail server that hangs must not hold the pool
    with Line(envelope) as line:
        answer = line.hand_over((export.recipient or {})["email"], letter.as_bytes(), Deadline.after(MAIL_SECONDS))
    return answer, str(letter["Message-ID"])


def _sent(export: Export, claim: Claim, answer: str, reference: str, now: datetime) -> str:
    with transaction.atomic():
        if not exports.finish(claim, answer, reference, now):
            return "dropped"
        if export.connection is not None:
            Connection.objects.filter(pk=export.connection.pk).update(worked_at=now, failed_at=None, failure="")
        elif export.what not in BESIDE:
            record(
                _subject_of(export), f"{export.subject_kind}.mailed", f"a mail left, {export.why}: {answer[:200]}", now
            )
    return "sent"


def _failed(export: Export, claim: Claim, failure: DeliveryFailed, now: datetime) -> str:
    """Write down that it did not leave; of a mail that is given up the request says so, and whoever has it hears.

    What the operator must mend (a wrong password) is tried for days, a mail server that is not there at all is not.
    """
    permanent = failure.permanent and not failure.operators
    with transaction.atomic():
        if export.connection is not None:
            row = Connection.objects.filter(pk=export.connection.pk)
            row.update(failed_at=now, failure=failure.message[:2000])
        elif export.subject_kind == "request":
            # The request first, then what leaves for it: the order of every path.
            support.lock(export.subject_id)
        if not exports.fail(claim, failure.message, permanent, now):
            return "dropped"
        state = Export.objects.values_list("state", flat=True).get(pk=export.pk)
        if export.connection is None and export.subject_kind == "request":
            _tell_of_mail(export, claim, state, failure.message, now)
    return state


def _tell_of_mail(export: Export, claim: Claim, state: str, error: str, now: datetime) -> None:
    if state == "failed":
        mail_failures.tell(export.subject_id, f"{export.why}: {error}", f"export-{export.pk}-{claim.attempt}", now)
    elif claim.attempt == 1:
        record(_subject_of(export), "request.mail_waits", f"{export.why}: {error[:300]}; trying again", now)


def _subject_of(export: Export) -> Subject:
    return Subject(export.subject_kind, export.subject_id, export.team_id)

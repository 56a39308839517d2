"""Bring what a status page says to whoever asked to hear it: one message for each thing said and each subscriber.

`status_tell` writes one export per subscriber; each is composed when it leaves, from what is public at that moment, so that
what was withdrawn or became private meanwhile does not leave. A webhook is signed as `channels/webhook` says; what it
refuses for good several times in a row ends it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from pydantic import ValidationError

from watchbill.actions import export_sending
from watchbill.actions.status_publishing import TELL, touched_by
from watchbill.actions.status_subscriptions import CHALLENGE, LETTER, links_of
from watchbill.actions.statuspage import address_of
from watchbill.channels.email import POLICY, Line, Settings
from watchbill.channels.webhook import sign
from watchbill.core.statuspage import NOTICE_SAID, STATE_WORDS, ShownIncident, ShownNotice, public_view
from watchbill.db.models import Export, Notice, PublicIncident, StatusComponent, StatusPage, StatusSubscription
from watchbill.db.status_facts import facts_of
from watchbill.db.wake import wake_workers
from watchbill.egress import Client, Deadline
from watchbill.kit.errors import DeliveryFailed

MESSAGE = "status_message"
MOST_FAILURES = 3
MAIL_SECONDS = 25.0
HOOK_SECONDS = 5.0
BATCH = 500
ChannelSettings = Callable[[str], dict[str, Any]]
Handed = tuple[str, str] | None


@dataclass(frozen=True)
class Said:
    """What a page says of one thing, in words; `about` is for programs."""

    title: str
    state: str
    text: str
    path: str
    about: dict[str, Any]


def _tell(export: Export, http: Client, channel_settings: ChannelSettings, now: datetime) -> Handed:
    """Write one export for each subscriber who wants to hear of it; a second time writes none."""
    page = StatusPage.objects.select_related("team").filter(pk=export.subject_id, archived_at=None).first()
    if page is None or _said(page, export.payload, now) is None:
        return None
    components = _components(page, export.payload)
    rows = StatusSubscription.objects.filter(page=page, ended_at=None, confirmed_at__lte=export.created_at)
    wanted = [row for row in rows.order_by("pk") if not row.components or components & set(row.components)]
    batch = [_export_for(row, page, export, now) for row in wanted]
    with transaction.atomic():
        Export.objects.bulk_create(batch, batch_size=BATCH, ignore_conflicts=True)
        wake_workers()
    return f"{len(batch)} hear of it", ""


def _export_for(row: StatusSubscription, page: StatusPage, export: Export, now: datetime) -> Export:
    return Export(
        key=f"{export.key}-{row.pk}",
        team_id=page.team_id,
        subject_kind=export.subject_kind,
        subject_id=export.subject_id,
        what=MESSAGE,
        payload={**export.payload, "subscription": row.pk},
        why=export.why,
        created_at=now,
        due_at=now,
    )


def _components(page: StatusPage, payload: dict[str, Any]) -> set[int]:
    """Read which components of a page something is about; planned work that names none is about all."""
    if payload["what"] == "notice":
        notice = Notice.objects.filter(updates=payload["id"]).first()
        services = set(notice.services.values_list("pk", flat=True)) if notice else set()
    else:
        row = PublicIncident.objects.select_related("incident").get(pk=payload["public"])
        services = touched_by(row.incident)
    standing = StatusComponent.objects.filter(page=page, removed_at=None)
    if services:
        standing = standing.filter(service__in=services)
    return set(standing.values_list("pk", flat=True))


def _said(page: StatusPage, payload: dict[str, Any], now: datetime) -> Said | None:
    """Read what is public of it now; None: nothing any more."""
    view = public_view(facts_of(page, now), now)
    if payload["what"] == "notice":
        return _of_notice(view.notices, payload["id"])
    one = next((one for one in view.incidents if one.id == payload["public"]), None)
    return _of_incident(one, payload) if one else None


def _of_incident(one: ShownIncident, payload: dict[str, Any]) -> Said | None:
    update = next((said for said in one.updates if said.id == payload["id"]), None)
    if payload["what"] == "update" and update is None:
        return None
    state = update.state if payload["what"] == "update" and update else one.state
    text = update.text if payload["what"] == "update" and update else ""
    about = {"kind": "incident", "id": one.id, "impact": one.condition, "components": list(one.components)}
    return Said(one.title, state, text, f"incidents/{one.id}/", about)


def _of_notice(notices: tuple[ShownNotice, ...], number: int) -> Said | None:
    for one in notices:
        for update in one.updates:
            if update.id == number:
                times = {"starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat()}
                about = {"kind": "maintenance", "id": one.id, "components": list(one.components), **times}
                return Said(one.title, update.state, update.text or one.text, "", about)
    return None


def _message(export: Export, http: Client, channel_settings: ChannelSettings, now: datetime) -> Handed:
    """Bring one thing to one subscriber."""
    row = _subscription(export)
    if row is None or row.confirmed_at is None or row.page.archived_at is not None:
        return None
    said = _said(row.page, export.payload, now)
    if said is None:
        return None
    try:
        handed = _hand_over(row, said, export, http, channel_settings)
    except DeliveryFailed as failure:
        if failure.permanent and not failure.operators:
            _count_failure(row, now)
        raise
    if row.failures:
        StatusSubscription.objects.filter(pk=row.pk).update(failures=0)
    return handed


def _subscription(export: Export) -> StatusSubscription | None:
    rows = StatusSubscription.objects.select_related("page__team")
    return rows.filter(pk=export.payload["subscription"], ended_at=None).first()


def _count_failure(row: StatusSubscription, now: datetime) -> None:
    rows = StatusSubscription.objects.filter(pk=row.pk)
    rows.update(failures=F("failures") + 1)
    rows.filter(failures__gte=MOST_FAILURES, ended_at=None).update(ended_at=now)


def _hand_over(
    row: StatusSubscription, said: Said, export: Export, http: Client, channel_settings: ChannelSettings
) -> Handed:
    link = address_of(row.page) + said.path
    if row.kind == "webhook":
        told = {"type": "update", "title": said.title, "state": said.state, "text": said.text, "link": link}
        return _post(row, {**told, **said.about}, export, http)
    words = NOTICE_SAID if said.about["kind"] == "maintenance" else STATE_WORDS
    state = words.get(said.state, said.state)
    when = _when(said, row.page)
    parts = [f"{state}: {said.title}", when, said.text, link]
    return _mail(row, f"{state}: {said.title}", [part for part in parts if part], export, channel_settings)


def _when(said: Said, page: StatusPage) -> str:
    if "starts_at" not in said.about:
        return ""
    zone = ZoneInfo(page.team.zone)
    start, end = (datetime.fromisoformat(said.about[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
    return f"From {start:%A %-d %B, %H:%M} until {end:%A %-d %B, %H:%M} ({page.team.zone})."


def _letter(export: Export, http: Client, channel_settings: ChannelSettings, now: datetime) -> Handed:
    """Ask by mail whether somebody really wants to hear."""
    row = _subscription(export)
    if row is None or row.page.archived_at is not None:
        return None
    manage, _ = links_of(row)
    if row.confirmed_at is not None:
        parts = [f"You hear of {row.page.title} already. What you hear of can be changed here:", manage]
        return _mail(row, f"You hear of {row.page.title} already", parts, export, channel_settings)
    parts = [
        f"Somebody, we hope it was you, asked to hear by mail of {row.page.title}.",
        f"Say yes here, within a week:\n{manage}",
        "If it was not you, do nothing: you get no other mail.",
    ]
    return _mail(row, f"Do you want to hear of {row.page.title}?", parts, export, channel_settings)


def _challenge(export: Export, http: Client, channel_settings: ChannelSettings, now: datetime) -> Handed:
    """Ask a webhook whether it wants to hear: it answers with the challenge in its body."""
    row = _subscription(export)
    if row is None or row.confirmed_at is not None or row.page.archived_at is not None:
        return None
    challenge = sign(row.secret["key"], "challenge", row.token_hash.encode())
    handed = _post(row, {"type": "challenge", "challenge": challenge}, export, http, expects=challenge)
    StatusSubscription.objects.filter(pk=row.pk, ended_at=None).update(confirmed_at=now)
    return handed


def _post(row: StatusSubscription, told: dict[str, Any], export: Export, http: Client, expects: str = "") -> Handed:
    """Post something signed; raises DeliveryFailed, also for an answer without what it `expects`."""
    _let_go()
    end = links_of(row)[1]
    whole = {"key": export.key, "page": {"title": row.page.title, "link": address_of(row.page)}, "unsubscribe": end}
    body = json.dumps({**whole, **told}, sort_keys=True, separators=(",", ":")).encode("ascii")
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": export.key,
        "Watchbill-Signature": f"v1={sign(row.secret['key'], export.key, body)}",
    }
    answer = http.deliver(row.address, content=body, headers=headers, timeout=HOOK_SECONDS)
    if expects and expects not in answer.text:
        raise DeliveryFailed("it did not answer with the challenge", permanent=True)
    return f"{answer.status}", ""


def _mail(
    row: StatusSubscription, subject: str, parts: list[str], export: Export, channel_settings: ChannelSettings
) -> Handed:
    """Send one mail that can be ended with one click (RFC 8058); raises DeliveryFailed."""
    try:
        settings = Settings.model_validate(channel_settings("email"))
    except ValidationError:
        raise DeliveryFailed("no mail server is set up here", permanent=True, operators=True) from None
    manage, end = links_of(row)
    letter = EmailMessage(policy=POLICY)
    letter["From"] = Address(" ".join(row.page.title.split()), addr_spec=settings.sender_email)
    letter["To"] = row.address
    letter["Subject"] = " ".join(subject.split())[:200]
    letter["Date"] = format_datetime(export.created_at)
    letter["Message-ID"] = _id_of(export)
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    foot = []
    if row.confirmed_at is not None:
        letter["List-Unsubscribe"] = f"<{end}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        foot = [f"-- \nYou asked to hear of this. Change what you hear of, or end it: {manage}"]
    letter.set_content("\n\n".join([*parts, *foot]) + "\n")
    _let_go()
    with Line(settings) as line:
        answer = line.hand_over(row.address, letter.as_bytes(), Deadline.after(MAIL_SECONDS))
    return answer, str(letter["Message-ID"])


def _id_of(export: Export) -> str:
    """Give the Message-ID of an export, the same for every attempt: a mailbox that has both shows one."""
    sign = salted_hmac("watchbill.status-mail", export.key, algorithm="sha256").hexdigest()[:16]
    return f"<status-{export.pk}.{sign}@{urlsplit(django_settings.WATCHBILL_URL).hostname or 'watchbill'}>"


def _let_go() -> None:
    """Give the database connection back: an outside system that hangs must not hold the pool."""
    if not connection.in_atomic_block:
        connection.close()


SENDERS: dict[str, export_sending.BesideSender] = {
    TELL: _tell,
    MESSAGE: _message,
    LETTER: _letter,
    CHALLENGE: _challenge,
}
export_sending.BESIDE.update(SENDERS)

"""The mailbox that desks read, and the key of the address to which others post mail: the operator's, encrypted at rest.

The mailbox is the operator's own, so it is reached like the mail server that sends: by what they typed, whether its
address is private or not (docs/decisions/0007).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from watchbill import channels
from watchbill.actions.access import require_administrator
from watchbill.actions.checking import check
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import InstanceSetting, Person
from watchbill.kit.errors import Refused

MAILBOX, POLLED, KEY = "mailbox", "mailbox.polled", "mailbox.key"
PERIOD = timedelta(seconds=20)


class Mailbox(BaseModel):
    """Where the mail of the desks arrives (IMAP)."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1, max_length=253, title="IMAP server")
    port: int = Field(993, ge=1, le=65535, title="Port")
    security: Literal["tls", "starttls", "none"] = Field("tls", title="Security")
    username: str = Field(min_length=1, title="User name")
    password: SecretStr = Field(title="Password")
    folder: str = Field(
        "INBOX", min_length=1, max_length=200, title="Folder", description="what is unread in it is taken"
    )
    move_to: str = Field(
        "", max_length=200, title="Move to", description="a folder for what was taken; empty: it is marked as read"
    )
    timeout: float = Field(15, gt=0, le=60, title="Seconds to wait")


def mailbox_values() -> dict[str, Any]:
    """Read the mailbox as plain values; what the environment says wins over the browser; empty: none is set up."""
    if settings.MAILBOX:
        return dict(settings.MAILBOX)
    row = InstanceSetting.objects.filter(name=MAILBOX).first()
    return dict(row.value) if row else {}


def mailbox() -> Mailbox | None:
    """Read the mailbox; None: there is none."""
    values = mailbox_values()
    return Mailbox.model_validate(values) if values else None


def change_mailbox(values: dict[str, Any], person: Person, now: datetime) -> None:
    """Write the mailbox; empty values forget it. Raises Refused naming the field, NotAllowed."""
    require_administrator(person, "change where mail arrives")
    if settings.MAILBOX:
        raise Refused("this is set in the environment of the server; change it there")
    with transaction.atomic():
        if values:
            checked = channels.to_plain(check(Mailbox, values))
            _write(MAILBOX, checked, person, now)
        else:
            InstanceSetting.objects.filter(name__in=(MAILBOX, POLLED)).delete()
        said = f"{person} {'changed' if values else 'forgot'} the mailbox of the desks"
        record(Subject("instance", 0, None), "instance.mailbox_changed", said, now, Actor.of(person))


def take_turn(now: datetime) -> bool:
    """Take the turn to look into the mailbox: of many workers one does, about every `PERIOD`."""
    rows = InstanceSetting.objects.filter(name=POLLED)
    if rows.filter(changed_at__lte=now - PERIOD).update(changed_at=now):
        return True
    if rows.exists():
        return False
    _, made = InstanceSetting.objects.get_or_create(name=POLLED, defaults={"value": {}, "changed_at": now})
    return made


def keep_turn(now: datetime) -> None:
    """Keep the turn: the mailbox is full and somebody reads it still."""
    InstanceSetting.objects.filter(name=POLLED).update(changed_at=now)


def note_poll(said: str, now: datetime, *, failed: bool) -> None:
    """Keep what the mailbox's server said last, for the page; a new failure and its end stand in the log as well."""
    with transaction.atomic():
        row = InstanceSetting.objects.select_for_update().filter(name=POLLED).first()
        if row is None:
            return
        before = dict(row.value)
        row.value = {"said": said[:500], "failed": failed, "at": now.isoformat()}
        row.save(update_fields=["value"])
        if before.get("failed", False) != failed:
            kind = "instance.mailbox_failed" if failed else "instance.mailbox_back"
            record(Subject("instance", 0, None), kind, said[:300], now)


def last_poll() -> dict[str, Any]:
    """Read what the mailbox's server said last: said, failed, at (an instant); empty: it was never asked."""
    row = InstanceSetting.objects.filter(name=POLLED).first()
    if row is None or not row.value:
        return {}
    return {**row.value, "at": datetime.fromisoformat(row.value["at"])}


def mail_key() -> str:
    """Read the key of the address to which mail is posted; "": there is none, and none is taken."""
    row = InstanceSetting.objects.filter(name=KEY).first()
    return str(row.value["key"]) if row else ""


def is_mail_key(key: str) -> bool:
    """Tell whether a key opens the address to which mail is posted."""
    ours = mail_key()
    return bool(ours) and constant_time_compare(ours, key)


def make_mail_key(person: Person, now: datetime) -> str:
    """Make a new key; the old one opens nothing from now on. Raises NotAllowed."""
    require_administrator(person, "make an address for mail")
    key = secrets.token_urlsafe(24)
    with transaction.atomic():
        _write(KEY, {"key": key}, person, now)
        said = f"{person} made a new address to post mail to"
        record(Subject("instance", 0, None), "instance.mail_key_made", said, now, Actor.of(person))
    return key


def _write(name: str, value: dict[str, Any], person: Person, now: datetime) -> None:
    InstanceSetting.objects.update_or_create(
        name=name, defaults={"value": value, "changed_at": now, "changed_by": person}
    )

"""What a person's own pages show: their addresses, rules, next shifts, tokens and what was sent to them."""

from __future__ import annotations

from datetime import datetime

from watchbill.db.models import ApiToken, ContactAddress, NotificationRule, Outgoing, Person, Shift

MESSAGES = 20
SHIFTS = 8


def addresses_of(person: Person) -> list[ContactAddress]:
    """Read a person's addresses, the oldest first."""
    return list(ContactAddress.objects.filter(person=person, removed_at=None).order_by("id"))


def rules_of(person: Person) -> dict[str, list[NotificationRule]]:
    """Read a person's rules by urgency, in the order in which they are tried."""
    rules: dict[str, list[NotificationRule]] = {"important": [], "default": []}
    rows = NotificationRule.objects.filter(person=person).select_related("address").order_by("after_seconds", "id")
    for rule in rows:
        rules.setdefault(rule.urgency, []).append(rule)
    return rules


def next_shifts(person: Person, now: datetime) -> list[Shift]:
    """Read the shift that a person stands now and those that follow."""
    rows = Shift.objects.filter(person=person, ends_at__gt=now, rotation__archived_at=None)
    return list(rows.select_related("rotation", "rotation__team").order_by("starts_at", "id")[:SHIFTS])


def messages_of(person: Person, before: int | None = None) -> list[Outgoing]:
    """Read what was sent to a person, the newest first; `before` is the id at which the last page ended."""
    rows = Outgoing.objects.filter(person=person).select_related("address").order_by("-id")
    return list((rows.filter(pk__lt=before) if before else rows)[:MESSAGES])


def message_of(person: Person, number: int) -> Outgoing | None:
    """Read one message that was sent to this person."""
    return Outgoing.objects.select_related("address").filter(person=person, pk=number).first()


def tokens_of(person: Person, now: datetime) -> list[ApiToken]:
    """Read a person's tokens that still work, the newest first."""
    return list(ApiToken.objects.filter(person=person, revoked_at=None, expires_at__gt=now).order_by("-id"))

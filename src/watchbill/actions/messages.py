"""What leaves, made from rows of `Outgoing`: one row as it is, several pages to one address as a bundle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core import signing

from watchbill.channels import Listed, Message
from watchbill.core import delivery
from watchbill.db.models import Outgoing

LINK_SALT = "watchbill.answer"
OFFER_SALT = "watchbill.offer"
OFFER = re.compile(r"role-(\d{1,18})")
LINK_LIVES = timedelta(days=14)


def message_of(rows: Sequence[Outgoing]) -> Message:
    """Build what leaves: the answer links are signed here, so that they are never stored."""
    return _single(rows[0]) if len(rows) == 1 else _bundle(rows)


def _single(row: Outgoing) -> Message:
    words = row.message
    return Message(
        key=row.key,
        subject=words["subject"],
        text=words["text"],
        link=_link_of(row),
        action=words.get("action") or ("Answer this page" if row.purpose == "page" else "Open"),
        urgency="important" if row.urgency == "important" else "default",
        purpose=row.purpose,  # type: ignore[arg-type]
        thread=f"{row.subject_kind}-{row.subject_id}",
        at=row.created_at,
    )


def _bundle(rows: Sequence[Outgoing]) -> Message:
    """Carry several pages under the key of the oldest: what was tried together is tried again together."""
    pages = tuple(Listed(row.message["subject"], _link_of(row)) for row in rows)
    return Message(
        key=rows[0].key,
        subject=delivery.name_bundle([page.subject for page in pages]),
        text=f"{len(pages)} pages ask for you. Each link answers its own page.",
        link=f"{settings.WATCHBILL_URL}/",
        action="See all that is open",
        urgency="important" if any(row.urgency == "important" for row in rows) else "default",
        purpose="page",
        at=rows[0].created_at,
        pages=pages,
    )


def about_offer(number: int) -> str:
    """Give what a message is about that offers a role: by it the message is answered, or taken back."""
    return f"role-{number}"


def offer_in(row: Outgoing) -> int | None:
    """Read which offer of a role a message carries; None: none."""
    found = OFFER.fullmatch(row.message.get("about", ""))
    return int(found[1]) if found else None


def _link_of(row: Outgoing) -> str:
    if row.purpose == "page":
        return f"{settings.WATCHBILL_URL}/a/{signing.dumps(row.pk, salt=LINK_SALT)}"
    if offer_in(row) is not None:
        return f"{settings.WATCHBILL_URL}/o/{signing.dumps(row.pk, salt=OFFER_SALT)}"
    path = row.message.get("path")
    return f"{settings.WATCHBILL_URL}{path}" if path else ""

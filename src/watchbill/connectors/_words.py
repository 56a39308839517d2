"""What connectors share beside calling: signatures, marks in texts, and the words of a query."""

from __future__ import annotations

import hashlib
import hmac
import re
import shlex
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

from pydantic import SecretStr

from watchbill.connectors._shapes import Comment, Draft
from watchbill.core.foreign import read_text, read_time
from watchbill.kit.errors import DeliveryFailed, Unreadable

# Spaces are looked at from their first alone and never given back: what others write may be nothing but spaces.
SIGNED = re.compile(r"(?<!\s)\s*+(<!-- watchbill-[^>]{1,80} -->|\(watchbill-[a-z]+-\d+-[0-9a-f]{6}\))", re.IGNORECASE)
Read = TypeVar("Read")
MARK = re.compile(r"\bwatchbill-[a-z]+-\d+-[0-9a-f]{6}\b", re.IGNORECASE)


def is_signed(secret: SecretStr, body: bytes, given: str) -> bool:
    """Tell whether `given` ("sha256=<hex>") is the HMAC of the body; without a secret the address alone is checked."""
    if not secret.get_secret_value():
        return True
    made = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={made}".encode(), given.strip().lower().encode("utf-8", "replace"))


def is_token(secret: SecretStr, given: str) -> bool:
    """Tell whether the sender knows the secret itself; without a secret the address alone is checked."""
    wanted = secret.get_secret_value().encode()
    return not wanted or hmac.compare_digest(wanted, given.encode("utf-8", "replace"))


def find_mark(text: str) -> str:
    """Give the mark of ours that a text carries, or nothing."""
    found = MARK.search(text)
    return found.group(0) if found else ""


def write_comment(comment: Comment) -> str:
    """Write a comment of ours for a system in which we have one account: who wrote it stands in the text."""
    return f"{comment.author} (in Watchbill):\n\n{comment.text}" if comment.author else comment.text


def with_link(draft: Draft) -> str:
    """Give the text of a new issue with the way back to us."""
    return f"{draft.text}\n\nIn Watchbill: {draft.link}" if draft.link else draft.text


def split_mark(text: object) -> tuple[str, str]:
    """Give a text of theirs without the mark that we once put into it, and the mark."""
    whole = read_text(text, 100_000)
    return SIGNED.sub("", whole).strip(), find_mark(whole)


def read_moment(value: object) -> datetime | None:
    """Give an instant from their API, also as GitLab's webhooks write it ("2026-03-03 09:00:00 UTC")."""
    return read_time(value.replace(" UTC", "Z") if isinstance(value, str) else value)


def read_terms(query: str, known: Collection[str]) -> dict[str, str]:
    """Read `state:open label:"on call"` as pairs; a name twice joins its values by a comma.

    Raises DeliveryFailed(permanent), which a person reads beside the query, for a term that the list does not know.
    """
    terms: dict[str, str] = {}
    try:
        words = shlex.split(query)
    except ValueError as error:
        raise DeliveryFailed(f"This query cannot be read: {error}", permanent=True) from None
    for word in words:
        name, colon, value = word.partition(":")
        if not colon or name not in known or not value:
            shown = ", ".join(f"{one}:…" for one in sorted(known))
            raise DeliveryFailed(f"“{word[:60]}” is no term of this query; there are {shown}", permanent=True)
        terms[name] = f"{terms[name]},{value}" if name in terms else value
    return terms


def answered(read: Callable[[], Read]) -> Read:
    """Read what they answered; what is not of their API is a failure for now, because nobody sent it to us unasked."""
    try:
        return read()
    except Unreadable as error:
        raise DeliveryFailed(f"It did not answer as its API does: {error.message}") from error

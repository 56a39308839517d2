"""The addresses of calendar feeds, for the pages that show them."""

from __future__ import annotations

from django.conf import settings

from watchbill.actions import tokens


def feed_url(kind: tokens.FeedKind, number: int, version: int) -> str:
    """Give the whole address of a calendar feed, as a calendar program needs it."""
    return f"{settings.WATCHBILL_URL.rstrip('/')}/feeds/{kind}/{tokens.feed_token(kind, number, version)}.ics"

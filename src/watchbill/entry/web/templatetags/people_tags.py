"""Words for the pages of people and teams."""

from __future__ import annotations

from datetime import timedelta

from django import template

from watchbill import channels
from watchbill.db.screens.teams import plain
from watchbill.entry.web.templatetags.watchbill_tags import span

register = template.Library()


@register.filter
def seconds(length: int) -> str:
    """Say a number of seconds in the largest unit that says enough."""
    return span(timedelta(seconds=length)) if length < 7200 else f"{length // 3600} h"


@register.filter
def channel_title(name: str) -> str:
    """Give a channel's name as a person reads it; one that is no longer installed keeps its own."""
    channel = channels.all_channels().get(name)
    return str(channel.TITLE) if channel else name


@register.filter
def seat_words(name: str) -> str:
    """Say a seat's name without underscores."""
    return plain(name)

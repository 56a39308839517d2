"""Tickets in words: where one is, what it is, whose it is, and how one is linked to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchbill.core.tickets import STAGE_WORDS
from watchbill.entry.web.board_card import Shown, write_card
from watchbill.entry.web.watches import Watch

register = template.Library()

STAGE_LOOKS = {"to_do": "quiet", "in_progress": "taken", "waiting": "waiting", "done": "done"}
OUTCOMES = {"done": "Done", "wont_do": "Not done", "duplicate": "Duplicate"}
KINDS = {
    "task": "Task",
    "request": "Request",
    "epic": "Epic",
    "investigation": "Investigation",
    "action": "Action",
    "quick_fix": "Quick fix",
    "lasting_fix": "Lasting fix",
    "tracking": "Tracking",
}
WORK = {"feature": "Feature", "operations": "Operations"}
LINKS_OUT = {
    "lasting_fix_of": "lasting fix of",
    "spin_off_of": "came out of",
    "duplicate_of": "duplicate of",
    "blocks": "blocks",
    "relates_to": "belongs with",
}
LINKS_IN = {
    "lasting_fix_of": "mended for good by",
    "spin_off_of": "led to",
    "duplicate_of": "also written as",
    "blocks": "waits for",
    "relates_to": "belongs with",
}


@register.filter
def stage(ticket: Any) -> SafeString:
    """Show where a ticket is: its shape, its colour and its word together."""
    word = STAGE_WORDS.get(ticket.stage, ticket.stage)
    if ticket.stage == "done":
        word = OUTCOMES.get(ticket.outcome, word)
    return format_html('<span class="state {}">{}</span>', STAGE_LOOKS.get(ticket.stage, "waiting"), word)


@register.filter
def stage_word(name: str) -> str:
    """Say a stage."""
    return STAGE_WORDS.get(name, name)


@register.filter
def kind_word(kind: str) -> str:
    """Say the kind of a ticket."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


@register.filter
def work_word(kind: str) -> str:
    """Say the kind of work."""
    return WORK.get(kind, kind)


@register.filter
def link_out(kind: str) -> str:
    """Say how this ticket is linked to the other."""
    return LINKS_OUT.get(kind, kind.replace("_", " "))


@register.filter
def link_in(kind: str) -> str:
    """Say how this ticket is linked to the other, seen from the other side."""
    return LINKS_IN.get(kind, kind.replace("_", " "))


@register.filter
def of_seat(seat: str, watch: Mapping[str, Watch]) -> Watch | None:
    """Find who stands a seat now."""
    return watch.get(seat)


@register.filter
def seat_name(seat: str) -> str:
    """Say a seat without its rotation."""
    return seat.rpartition("/")[2]


@register.filter
def times(count: int | None, word: str) -> str:
    """Say a number with its noun: 1 point, 3 points."""
    return "" if count is None else f"{count} {word}{'' if count == 1 else 's'}"


@register.simple_tag(takes_context=True)
def card(context: template.Context, shown: Shown) -> SafeString:
    """Show one card of the board."""
    return write_card(shown, is_member=context["is_member"], reader=context["user"].pk, today=context["today"])


@register.filter
def level_of(name: str, levels: Mapping[str, str]) -> str:
    """Say a level of the team's order."""
    return levels.get(name, name)


@register.filter
def add_to(number: float, more: float) -> float:
    """Add two numbers, for the places of a chart."""
    return round(number + more, 1)

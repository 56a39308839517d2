"""One card of the board as HTML. Written here and not in a template: a board has hundreds, and each takes its time."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from watchbill.core.tickets import STAGE_WORDS
from watchbill.db.screens.board import Card

KINDS_TOLD = {
    "request": "Request", "epic": "Epic", "investigation": "Investigation", "action": "Action",
    "quick_fix": "Quick fix", "lasting_fix": "Lasting fix", "tracking": "Tracking",
}  # fmt: skip
OUTCOMES_TOLD = {"wont_do": "Not done", "duplicate": "Duplicate"}

# Where a card may go from each stage: the word of the button, the stage, the key.
MOVES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "to_do": (("Start", "in_progress", "ArrowRight"),),
    "in_progress": (("Put back", "to_do", "ArrowLeft"), ("Wait", "waiting", "ArrowRight"), ("Done", "done", "")),
    "waiting": (("Go on", "in_progress", "ArrowLeft"), ("Done", "done", "ArrowRight")),
    "done": (("Open again", "waiting", "ArrowLeft"),),
}


class Shown(NamedTuple):
    """A card with the words that its page adds: whose, in this stage for how long, stale for how many days."""

    card: Card
    who: str
    age: str
    stale: int | None


def write_card(shown: Shown, *, is_member: bool, reader: int, today: date) -> SafeString:
    """Write one card; `is_member`: with what may be done with it."""
    card = shown.card
    facts = " · ".join(escape(word) for word in _facts(card, today))
    who = escape(shown.who[:1].upper() + shown.who[1:]) if shown.who else "Nobody yet"
    lies = (
        f' <span class="stale" title="untouched for {shown.stale} days">Stale</span>' if shown.stale is not None else ""
    )
    acts = _acts(card, reader) if is_member else ""
    return mark_safe(  # noqa: S308 - every word of people is escaped
        f'<li class="card" id="card-{card.id}" data-id="{card.id}">'
        f'<a class="what" id="open-{card.id}" href="/tickets/{card.id}/">{escape(card.title)}</a>'
        f'<span class="why">{facts}</span><span class="who">{who} · {shown.age}{lies}</span>{acts}</li>'
    )


def _facts(card: Card, today: date) -> list[str]:
    facts = [f"T-{card.id}"]
    if card.kind in KINDS_TOLD:
        facts.append(KINDS_TOLD[card.kind])
    if card.points is not None:
        facts.append(f"{card.points} point{'' if card.points == 1 else 's'}")
    if card.service:
        facts.append(card.service)
    if card.work_kind == "feature":
        facts.append("Feature")
    if card.stage == "done":
        return [*facts, OUTCOMES_TOLD[card.outcome]] if card.outcome in OUTCOMES_TOLD else facts
    if card.due_on is not None:
        word = "was due" if card.due_on < today else "due"
        facts.append(f"{word} {card.due_on.day} {card.due_on:%b}")
    return facts


def _acts(card: Card, reader: int) -> str:
    take = ""
    if card.stage != "done" and card.assignee != reader:
        take = (
            f'<button class="button" id="take-{card.id}" data-key="a" name="take" value="{card.id}"'
            f' aria-label="Take T-{card.id}">Take</button>'
        )
    moves = "".join(
        f'<button class="button" name="move" value="{card.id}:{stage}"{f" data-press={key}" if key else ""}'
        f' aria-label="{word}: T-{card.id} to {STAGE_WORDS[stage]}">{word}</button>'
        for word, stage, key in MOVES[card.stage]
    )
    return f'<span class="acts">{take}{moves}</span>'

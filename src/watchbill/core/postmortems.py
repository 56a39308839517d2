"""Post-mortems, the pure part: their states, what is missing before each, the draft that the record gives.

    draft ──► in_review ──► reviewed ──► published      back to draft at any time, with a reason
      └──────────────────────────────────────►┘         only where the team publishes drafts, and it says so

Instants are UTC. Text is Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from watchbill.core import measures
from watchbill.kit.effects import Become, Effect, Record
from watchbill.kit.errors import Refused

DRAFT, IN_REVIEW, REVIEWED, PUBLISHED = "draft", "in_review", "reviewed", "published"
STATES = (DRAFT, IN_REVIEW, REVIEWED, PUBLISHED)
STATE_WORDS = {DRAFT: "Draft", IN_REVIEW: "In review", REVIEWED: "Reviewed", PUBLISHED: "Published"}
ACTION_KINDS = ("process", "documentation", "technical")
PURPOSES = ("prevent", "detect", "mitigate")
SLOW_TO_DETECT = timedelta(minutes=15)
SLOW_TO_ACKNOWLEDGE = timedelta(minutes=10)
LONG_TO_MITIGATE = timedelta(hours=4)
MOST_QUESTIONS = 20


@dataclass(frozen=True)
class Action:
    """What decisions need of an action: by its ticket's title."""

    title: str
    has_owner: bool
    has_date: bool
    is_done: bool = False
    is_smallest: bool = False
    in_sprint: bool = False


@dataclass(frozen=True)
class Document:
    """What decisions need of a post-mortem. `empty` are headings that the team needs and nobody wrote."""

    state: str
    empty: Sequence[str] = ()
    set_aside: Sequence[str] = ()
    actions: Sequence[Action] = ()
    milestones: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Demands:
    """What the team demands of one, as its rule says."""

    drafts_may_be_published: bool = False
    second_person: bool = False
    actions_need_owner: bool = True
    smallest_in_sprint: bool = False


def missing(document: Document, to: str, demands: Demands) -> list[str]:
    """List what is missing before it may become `to`, as reasons; nothing: it may."""
    found: list[str] = []
    if to in {IN_REVIEW, REVIEWED, PUBLISHED}:
        found += [f"words that were set aside in {heading}: settle them" for heading in document.set_aside]
    as_draft = to == PUBLISHED and demands.drafts_may_be_published
    if to in {IN_REVIEW, REVIEWED} or (to == PUBLISHED and not as_draft):
        found += [f"“{heading}” is empty" for heading in document.empty]
        found += _times(document.milestones)
    if to in {REVIEWED, PUBLISHED} and not as_draft:
        found += _actions(document.actions, demands)
    if to == PUBLISHED and not as_draft and document.state != REVIEWED:
        found.append("it is not reviewed yet")
    return found


def _times(milestones: Mapping[str, datetime]) -> list[str]:
    names = [name for name in ("started", "detected", "mitigated") if name not in milestones]
    return [f"when it {'was ' * (name != 'started')}{name} is not known" for name in names]


def _actions(actions: Sequence[Action], demands: Demands) -> list[str]:
    found = []
    for action in actions if demands.actions_need_owner else ():
        lacks = [word for word, has in (("an owner", action.has_owner), ("a date", action.has_date)) if not has]
        if lacks and not action.is_done:
            found.append(f"the action “{action.title}” needs {' and '.join(lacks)}")
    is_open = [one for one in actions if not one.is_done]
    if demands.smallest_in_sprint and is_open:
        smallest = [one for one in actions if one.is_smallest]
        if not smallest:
            found.append("say which action is the smallest that helps: it enters the next sprint")
        elif not any(one.in_sprint or one.is_done for one in smallest):
            found.append(f"“{smallest[0].title}” is the smallest that helps: put it into the next sprint")
    return found


def move(
    document: Document, to: str, who: str, now: datetime, demands: Demands, why: str = "", *, by_writer: bool = False
) -> list[Effect]:
    """Decide that it becomes `to`; `by_writer`: whoever owns it says so. Raises Refused, saying all that is missing."""
    if to not in STATES:
        raise Refused(f"a post-mortem is one of {', '.join(STATES)}", "state")
    if to == document.state:
        return []
    back = STATES.index(to) < STATES.index(document.state)
    if back and not why.strip():
        raise Refused("say why it goes back", "why")
    if to == REVIEWED and demands.second_person and by_writer:
        raise Refused(f"somebody other than {who}, who wrote it, reviews it", "reviewer")
    lacks = [] if back else missing(document, to, demands)
    if lacks:
        raise Refused("before that: " + "; ".join(lacks), "state")
    said = f"{who}: {STATE_WORDS[document.state].lower()} → {STATE_WORDS[to].lower()}"
    if to == PUBLISHED and document.state != REVIEWED:
        said += ", though it was not reviewed: the team publishes drafts"
    data = {"from": document.state, "to": to}
    said += f": {why.strip()}" if why.strip() else ""
    return [Become({"state": to, "changed_at": now, **_dates(to, now)}), Record("postmortem.moved", said, data)]


def _dates(to: str, now: datetime) -> dict[str, Any]:
    match to:
        case "reviewed":
            return {"reviewed_at": now}
        case "published":
            return {"published_at": now}
        case _:
            return {"published_at": None, **({"reviewed_at": None} if to != REVIEWED else {})}


@dataclass(frozen=True)
class Note:
    """One line of the timeline as the draft sees it; `kind` is the line's kind (note, decision, …) or the event's."""

    at: datetime
    text: str
    kind: str = "note"
    is_pinned: bool = False


@dataclass(frozen=True)
class Story:
    """What the record tells of an incident."""

    title: str
    impact: str
    summary: str = ""
    milestones: Mapping[str, datetime] = field(default_factory=dict)
    detected_by: str = "member"
    services: Sequence[str] = ()
    communities: Sequence[str] = ()
    notes: Sequence[Note] = ()
    alerts: int = 0
    requests: int = 0
    pages_exhausted: int = 0
    roles_lapsed: int = 0
    updates_late: int = 0


def compose(story: Story) -> dict[str, str]:
    """Write the draft that the record gives, by the key of the section; what nobody noted stays empty."""
    return {
        "summary": _summary(story),
        "impact": _impact(story),
        "what_happened": _happened(story),
        "resolution": _resolution(story),
        "questions": "\n".join(f"- {one}" for one in questions(story)),
    }


def _summary(story: Story) -> str:
    if story.summary.strip():
        return story.summary.strip()
    length = measures.length_of(story.milestones, "started", "mitigated")
    felt = f" People felt it for {words_of(length)}." if length else ""
    return f"{_sentence(story.impact or story.title)}{felt}"


def _impact(story: Story) -> str:
    lines = [_sentence(story.impact)] if story.impact.strip() else []
    if story.services:
        lines.append(f"Services: {', '.join(story.services)}.")
    if story.communities:
        lines.append(f"Communities: {', '.join(story.communities)}.")
    return "\n\n".join(lines)


def _happened(story: Story) -> str:
    pinned = [note for note in story.notes if note.is_pinned]
    chosen = pinned or [note for note in story.notes if note.kind in {"observation", "decision", "action", "ruled_out"}]
    return "\n".join(f"- {note.at:%H:%M} UTC: {' '.join(note.text.split())}" for note in chosen)


def _resolution(story: Story) -> str:
    ended = [note for note in story.notes if note.kind in {"incident.mitigated", "incident.resolved"}]
    said = [note.text.partition(": ")[2].partition(": ")[2] for note in ended]
    return "\n\n".join(_sentence(one) for one in said if one.strip())


# From the beginning of a sentence alone: a note without an end of one is looked through once.
_ASKS = re.compile(r"(?<![^.!?\n])[^.!?\n]*+\?")


def questions(story: Story) -> list[str]:
    """Give the questions that the notes raise: how do we prevent this in the future (PM-12)."""
    asked = [" ".join(found[0].split()) for note in story.notes for found in _ASKS.finditer(note.text)]
    asked = [one for one in asked if len(one) > 3 and "://" not in one]
    return list(dict.fromkeys([*_raised(story), *asked]))[:MOST_QUESTIONS]


def _raised(story: Story) -> list[str]:
    detect = measures.length_of(story.milestones, "started", "detected")
    acknowledge = measures.length_of(story.milestones, "detected", "acknowledged")
    mitigate = measures.length_of(story.milestones, "started", "mitigated")
    raised = (
        (detect and detect > SLOW_TO_DETECT, f"It began {words_of(detect)} before we knew. What would have told us?"),
        (story.detected_by == "requester", "Users told us. Which alert would have told us first?"),
        (story.detected_by == "vendor", "A vendor told us. What do we watch ourselves?"),
        (
            acknowledge and acknowledge > SLOW_TO_ACKNOWLEDGE,
            f"It took {words_of(acknowledge)} until somebody had it. Did the page reach people who could answer?",
        ),
        (
            mitigate and mitigate > LONG_TO_MITIGATE,
            f"People felt it for {words_of(mitigate)}. What would have ended it sooner?",
        ),
        (story.pages_exhausted, "A page went through the whole ladder without an answer. Who else could be asked?"),
        (story.roles_lapsed, "A role was offered and nobody answered in time. How do we find somebody sooner?"),
        (story.updates_late, "An update came later than promised. Who could have written it?"),
        (
            any(note.kind == "ruled_out" for note in story.notes),
            "Something was tried in vain. What would have shown at once that it was not this?",
        ),
    )
    return [text for holds, text in raised if holds]


def words_of(length: timedelta | None) -> str:
    """Say a length: 45 seconds, 12 minutes, 2 h 5 min, 1 day 3 h."""
    seconds = int(length.total_seconds()) if length else 0
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if minutes < 1:
        return f"{seconds} seconds"
    if hours < 1:
        return f"{minutes} minute{'s' * (minutes != 1)}"
    if days < 1:
        return f"{hours} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{days} day{'s' * (days != 1)}" + (f" {hours % 24} h" if hours % 24 else "")


def _sentence(text: str) -> str:
    plain = text.strip()
    if not plain:
        return ""
    return plain if plain[-1] in ".!?)" else f"{plain}."


def owed_words(state: str | None, needed: str, name: str) -> str:
    """Say what is owed before an incident closes; nothing: it is far enough. `state` None: it was not begun."""
    order = {"nothing": -1, "begun": 0, "reviewed": STATES.index(REVIEWED), "published": STATES.index(PUBLISHED)}
    reached = STATES.index(state) if state in STATES else -1
    if reached >= order[needed]:
        return ""
    if state is None:
        return f"its {name.lower()} is to be begun"
    return f"its {name.lower()} is {STATE_WORDS[state].lower()}, it is to be {needed}"

"""What the one who leaves a watch hands on: the draft from facts, and how it moves. Pure.

    draft ──► handed_on ──► accepted
      └─────────────────────────┘  (one who left without a word: taken over as it stands)
      └──► dropped  (nobody leaves after all)

A handoff decides nothing about pages: who is on watch is the rota's alone. Instants are UTC. Every draft has the same
parts in the same order (HND-14), and each line names what it is about, so that a page can lead there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchbill.kit.effects import Become, ClearTimer, Effect, Record, SetTimer
from watchbill.kit.errors import Refused

DRAFT, HANDED_ON, ACCEPTED, DROPPED = "draft", "handed_on", "accepted", "dropped"
STATES = (DRAFT, HANDED_ON, ACCEPTED, DROPPED)
OPEN = (DRAFT, HANDED_ON)
STATE_WORDS = {DRAFT: "Drafted", HANDED_ON: "Handed on", ACCEPTED: "Accepted", DROPPED: "Not needed"}
HOW = ("meeting", "call", "chat", "notes")
PARTS = {
    "incidents": "Incidents that go on",
    "open": "Open alerts and pages",
    "again": "What asks again by itself",
    "work": "Tickets and requests, in order",
    "planned": "Planned work ahead",
    "quiet": "Silences that run",
    "log": "From the log of the shift",
    "arrived": "What arrived and what was done",
    "own": "Besides",
}
# An answer is wanted on these; the order of the rest is no matter of priority.
ORDERED = ("work",)
MOST_LINES = 60
LOUDEST = 5


@dataclass(frozen=True)
class Line:
    """One line of a handoff: its part, what it is about (a kind and an id, or nothing), what is said of it.

    `at` is the instant that matters next, and `at_words` what happens then.
    """

    part: str
    about: str
    about_id: int
    title: str
    detail: str = ""
    priority: str = ""
    at: datetime | None = None
    at_words: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """Give what makes two lines the same line."""
        return self.part, self.about, self.about_id


@dataclass(frozen=True)
class Burning:
    """An open alert (`about` alert), or a page that no alert opened (`about` page)."""

    about: str
    id: int
    title: str
    where: str
    severity: str
    state: str
    held_by: str = ""
    asks_again_at: datetime | None = None


@dataclass(frozen=True)
class Going:
    """An incident that goes on, who does what, and what was promised next."""

    id: int
    title: str
    state: str
    priority: str
    roles: tuple[tuple[str, str], ...] = ()
    next_update_at: datetime | None = None


@dataclass(frozen=True)
class Work:
    """An open ticket or request that the seat or the one who leaves carries; `place` is its place in the team's order."""

    about: str
    id: int
    title: str
    state: str
    priority: str
    place: tuple[int, int, int]
    whose: str
    is_noted: bool = True
    due_at: datetime | None = None


@dataclass(frozen=True)
class Planned:
    """Planned work that goes on or lies ahead."""

    id: int
    title: str
    is_going: bool
    starts_at: datetime
    ends_at: datetime
    touches: str = ""


@dataclass(frozen=True)
class Quiet:
    """A silence in force."""

    id: int
    what: str
    why: str
    by: str
    ends_at: datetime


@dataclass(frozen=True)
class Noted:
    """An entry of the log of the shift; `ticket` 0: it has none (RUN-11)."""

    id: int
    title: str
    by: str
    at: datetime
    ticket: int = 0


@dataclass(frozen=True)
class Counts:
    """What came and went during the shift; `loudest` alerts as (id, title, times)."""

    alerts: int = 0
    alerts_over: int = 0
    pages: int = 0
    pages_answered: int = 0
    requests: int = 0
    requests_done: int = 0
    tickets: int = 0
    tickets_done: int = 0
    loudest: tuple[tuple[int, str, int], ...] = ()


@dataclass(frozen=True)
class Story:
    """Everything from which a draft follows."""

    burning: Sequence[Burning] = ()
    going: Sequence[Going] = ()
    work: Sequence[Work] = ()
    planned: Sequence[Planned] = ()
    quiet: Sequence[Quiet] = ()
    noted: Sequence[Noted] = ()
    counts: Counts = field(default_factory=Counts)


def compose(story: Story) -> list[Line]:
    """Write the draft of a handoff from facts: the same parts in the same order whoever leaves (HND-14)."""
    lines = [
        *(_incident(one) for one in story.going),
        *(_burning(one) for one in story.burning if not one.asks_again_at),
        *(_burning(one) for one in story.burning if one.asks_again_at),
        *(_work(one) for one in sorted(story.work, key=lambda one: (*one.place, one.about, one.id))),
        *(_planned(one) for one in sorted(story.planned, key=lambda one: (one.starts_at, one.id))),
        *(_quiet(one) for one in sorted(story.quiet, key=lambda one: (one.ends_at, one.id))),
        *(_noted(one) for one in sorted(story.noted, key=lambda one: (one.at, one.id))),
        *_arrived(story.counts),
    ]
    return [line for part in PARTS for line in _fitting(part, [one for one in lines if one.part == part])]


def _fitting(part: str, lines: list[Line]) -> list[Line]:
    """Give the lines of a part; of very many the first, and a line that says how many more there are."""
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], Line(part, "", 1, f"And {len(lines) - MOST_LINES} more")]


def _incident(one: Going) -> Line:
    roles = "; ".join(f"{role}: {who}" for role, who in one.roles) or "nobody has a role"
    words = "the next update is promised" if one.next_update_at else ""
    return Line("incidents", "incident", one.id, one.title, f"{one.state}; {roles}", one.priority, one.next_update_at, words)  # fmt: skip


def _burning(one: Burning) -> Line:
    held = f"{one.held_by} has it" if one.held_by else "nobody has it"
    detail = ", ".join(word for word in (one.where, one.state, held) if word)
    if one.asks_again_at:
        return Line("again", one.about, one.id, one.title, detail, one.severity, one.asks_again_at, "asks again")
    return Line("open", one.about, one.id, one.title, detail, one.severity)


def _work(one: Work) -> Line:
    noted = "" if one.is_noted else "no note of this shift on it"
    detail = ", ".join(word for word in (one.whose, one.state, noted) if word)
    return Line("work", one.about, one.id, one.title, detail, one.priority, one.due_at, "due" if one.due_at else "")


def _planned(one: Planned) -> Line:
    detail = f"touches {one.touches}" if one.touches else ""
    at, words = (one.ends_at, "under way, ends") if one.is_going else (one.starts_at, "begins")
    return Line("planned", "notice", one.id, one.title, detail, "", at, words)


def _quiet(one: Quiet) -> Line:
    return Line("quiet", "silence", one.id, one.what, f"{one.by}: {one.why}", "", one.ends_at, "ends")


def _noted(one: Noted) -> Line:
    detail = one.by + (f", T-{one.ticket}" if one.ticket else "")
    return Line("log", "entry", one.id, one.title, detail, "", one.at, "at")


def _arrived(counts: Counts) -> list[Line]:
    said = [
        _counted(counts.alerts, "alert", f"{counts.alerts_over} over"),
        _counted(counts.pages, "page", f"{counts.pages_answered} answered"),
        _counted(counts.requests, "request", f"{counts.requests_done} resolved"),
        _counted(counts.tickets, "ticket", f"{counts.tickets_done} done"),
    ]
    if not any(
        (counts.alerts, counts.pages, counts.requests, counts.tickets, counts.requests_done, counts.tickets_done)
    ):
        return [Line("arrived", "", 0, "A quiet shift: nothing arrived.")]
    loudest = [
        Line("arrived", "alert", number, title, f"{times} times")
        for number, title, times in counts.loudest[:LOUDEST]
        if times > 1
    ]
    return [Line("arrived", "", 0, ", ".join(said)), *loudest]


def _counted(count: int, what: str, done: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'} ({done})"


@dataclass(frozen=True)
class Merged:
    """What a fresh draft does to the lines that stand: new ones, changed ones, and those that are over."""

    added: tuple[Line, ...]
    kept: tuple[Line, ...]
    gone: tuple[tuple[str, str, int], ...]


def merge(standing: Collection[tuple[str, str, int]], lines: Iterable[Line]) -> Merged:
    """Lay a fresh draft over the lines that stand; what a person added (the part `own`) is nobody's to take away."""
    fresh = {line.key: line for line in lines}
    return Merged(
        tuple(line for key, line in fresh.items() if key not in standing),
        tuple(line for key, line in fresh.items() if key in standing),
        tuple(key for key in standing if key not in fresh and key[0] != "own"),
    )


@dataclass(frozen=True)
class Handoff:
    """What decisions need of a handoff."""

    state: str
    ends_at: datetime
    due_at: datetime
    summary: str = ""
    witnesses: int = 0
    has_work: bool = False
    unnoted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Demands:
    """What the team demands (C19), and how long it waits for an answer."""

    summary: bool = True
    notes: bool = False
    order: bool = True
    witnesses: int = 0
    ask_after: timedelta = timedelta(hours=1)
    lead_after: timedelta = timedelta(hours=4)


def begin(handoff: Handoff, why: str, demands: Demands) -> list[Effect]:
    """Decide what a fresh draft does: it is asked about when nobody has accepted it in time."""
    return [Record("handoff.drafted", why), SetTimer("ask", handoff.due_at + demands.ask_after)]


def missing_to_hand_on(handoff: Handoff, demands: Demands) -> list[str]:
    """Say what is missing before it is handed on."""
    found = []
    if demands.summary and not handoff.summary.strip():
        found.append("say the most important in your words")
    if demands.notes and handoff.unnoted:
        found.append(f"write a note on {', '.join(handoff.unnoted)}")
    return found


def hand_on(handoff: Handoff, who: str, to: str, now: datetime, demands: Demands) -> list[Effect]:
    """Decide that it is handed on; again when it was changed since. Raises Refused with all that is missing."""
    _demand_open(handoff)
    if missing := missing_to_hand_on(handoff, demands):
        raise Refused("; ".join(missing), "summary" if "words" in missing[0] else "")
    return [
        Become({"state": HANDED_ON, "handed_on_at": now}),
        Record("handoff.handed_on", f"{who} handed it on{f' to {to}' if to else ''}"),
        SetTimer("ask", max(handoff.due_at, now) + demands.ask_after),
        ClearTimer("raise"),
    ]


def missing_to_accept(handoff: Handoff, demands: Demands, *, confirms: bool) -> list[str]:
    """Say what is missing before it is accepted."""
    found = []
    if demands.order and handoff.has_work and not confirms:
        found.append("confirm the order of the work")
    if handoff.witnesses < demands.witnesses:
        few = demands.witnesses - handoff.witnesses
        found.append(f"{few} more of the team {'witnesses' if few == 1 else 'witness'} it first")
    return found


def accept(handoff: Handoff, who: str, how: str, now: datetime, demands: Demands, *, confirms: bool) -> list[Effect]:
    """Decide that it is accepted; from then, and from the end of the shift, nothing follows the one who leaves (HND-08).

    One that was never handed on may be taken over once the shift is over. Raises Refused with all that is missing.
    """
    _demand_open(handoff)
    if how not in HOW:
        raise Refused(f"it is handed over by {', '.join(HOW)}", "how")
    if handoff.state == DRAFT and now < handoff.ends_at:
        raise Refused("it is not handed on yet: the one who leaves still writes it")
    if missing := missing_to_accept(handoff, demands, confirms=confirms):
        raise Refused("; ".join(missing), "confirms" if "confirm" in missing[0] else "witnesses")
    order = ", the order of the work is clear" if confirms else ""
    bare = " as it stood" if handoff.state == DRAFT else ""
    return [
        Become({"state": ACCEPTED, "accepted_at": now, "order_confirmed": confirms, "how": how}),
        Record("handoff.accepted", f"{who} accepted it{bare} ({how}){order}", {"how": how, "confirms": confirms}),
        ClearTimer("ask"),
        ClearTimer("raise"),
        SetTimer("settle", max(now, handoff.ends_at)),
    ]


def drop(handoff: Handoff, why: str) -> list[Effect]:
    """Decide that it is not needed: nobody leaves after all, or somebody says so. Raises Refused without a reason."""
    _demand_open(handoff)
    if not why.strip():
        raise Refused("say why it is not needed", "why")
    return [
        Become({"state": DROPPED}),
        Record("handoff.dropped", why.strip()),
        ClearTimer("ask"),
        ClearTimer("raise"),
    ]


def ask(handoff: Handoff, now: datetime, demands: Demands) -> list[Effect]:
    """Decide that nobody accepted it in time: the one who comes is asked once, then the owners hear."""
    if handoff.state not in OPEN:
        return []
    return [
        Become({"asked_at": now}),
        Record("handoff.asked", "nobody has accepted it yet"),
        SetTimer("raise", now + demands.lead_after),
    ]


def _demand_open(handoff: Handoff) -> None:
    if handoff.state not in OPEN:
        raise Refused(f"it is {STATE_WORDS[handoff.state].lower()} already")

"""The ladder: whom a page asks, how long it waits, what an answer does.

A page is `climbing` until somebody answers: then `acknowledged` or `snoozed` (both end and ask again) or
`resolved`. When the whole ladder was climbed in vain it is `exhausted`, and the team's rule says what follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from watchbill.kit.effects import Become, ClearTimer, Effect, Notify, Record, SetTimer, Start
from watchbill.kit.errors import Refused

State = Literal["climbing", "acknowledged", "snoozed", "exhausted", "resolved"]
ASKING: frozenset[str] = frozenset({"climbing", "exhausted"})
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ASK_AGAIN_WAIT = timedelta(minutes=5)
FALLBACK_LADDER: dict[str, Any] = {
    "steps": [{"targets": ["team"], "wait_minutes": 10}, {"targets": ["fallback"], "wait_minutes": 10}],
    "repeat": 3,
    "name": "no ladder: the whole team, then the fallback person",
}
TARGET_KINDS = ("person", "seat", "next", "team", "fallback")


@dataclass(frozen=True)
class Step:
    """One rung: whom to ask, how long to wait for an answer, and when the rung counts at all."""

    targets: tuple[str, ...]
    wait: timedelta
    severities: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()
    in_coverage: bool | None = None


@dataclass(frozen=True)
class Ladder:
    """The rungs in order, climbed `repeat` times."""

    steps: tuple[Step, ...]
    repeat: int = 1


@dataclass(frozen=True)
class Page:
    """What `climb` and `answer` need to know of a page. `step` is the last rung asked, -1 before the first."""

    state: str
    severity: str
    urgency: str
    step: int
    round: int
    answered_by: int | None = None
    answered_name: str = ""


@dataclass(frozen=True)
class Reach:
    """The people that a target stands for at this moment, and the sentence that says why them."""

    people: tuple[int, ...]
    why: str


@dataclass(frozen=True)
class Moment:
    """The facts of the moment: the weekday in the team's zone, whether coverage holds, who each target is."""

    weekday: int
    in_coverage: bool
    reach: Mapping[str, Reach]


def read_ladder(steps: Sequence[Mapping[str, Any]], repeat: int) -> Ladder:
    """Read a ladder from its JSON form; raises Refused naming the step that is wrong."""
    if not steps:
        raise Refused("a ladder needs at least one step: add whom to page first", "steps")
    if not 1 <= repeat <= 20:
        raise Refused("a ladder is climbed once to twenty times", "repeat")
    return Ladder(tuple(_read_step(step, number) for number, step in enumerate(steps, 1)), repeat)


def _read_step(step: Mapping[str, Any], number: int) -> Step:
    targets = tuple(str(target) for target in step.get("targets", ()))
    wait = step.get("wait_minutes", 5)
    when = step.get("when") or {}
    for target in targets:
        kind, _, name = target.partition(":")
        if kind not in TARGET_KINDS or (kind in {"person", "seat", "next"}) != bool(name):
            raise Refused(
                f"step {number}: “{target}” is no target; use person:…, seat:…, next:…, team or fallback", "steps"
            )
    if not targets:
        raise Refused(f"step {number} pages nobody: give it a target or remove it", "steps")
    if not isinstance(wait, int | float) or isinstance(wait, bool) or not 0 < wait <= 24 * 60:
        raise Refused(f"step {number}: the wait is between 1 minute and 24 hours, not {wait!r} minutes", "steps")
    weekdays = frozenset(when.get("weekdays", ()))
    if not weekdays <= set(range(7)):
        raise Refused(f"step {number}: weekdays are numbers from 0 (Monday) to 6 (Sunday)", "steps")
    return Step(
        targets, timedelta(minutes=wait), frozenset(when.get("severities", ())), weekdays, when.get("in_coverage")
    )


def climb(page: Page, ladder: Ladder, moment: Moment, now: datetime) -> list[Effect]:
    """Decide what happens when a page opens, or when its wait is over: the next rung that reaches somebody.

    A rung whose condition does not hold, or that stands for nobody, is skipped at once and the reason is
    recorded: nobody waits for an empty rung. Past the last round the page is exhausted (`Start`).
    """
    if page.state not in ASKING:
        return []
    skipped: list[Effect] = []
    at = replace(page, step=-1, round=1) if page.state == "exhausted" else page
    for round_, number in _rungs_after(at, ladder):
        step = ladder.steps[number]
        where = f"step {number + 1} of {len(ladder.steps)}" + (f", round {round_}" if ladder.repeat > 1 else "")
        reason = why_not(step, page, moment)
        people = _people_of(step, moment)
        if reason or not people:
            why = reason or "; ".join(moment.reach[target].why for target in step.targets)
            skipped.append(Record("page.step_skipped", f"{where} skipped: {why}", {"step": number}))
            continue
        return [
            *skipped,
            Become({"state": "climbing", "step": number, "round": round_}),
            Record("page.step", f"{where}: {_sentence(step, moment)}", {"step": number, "people": list(people)}),
            *(Notify(person, page.urgency, f"{where}: {why}") for person, why in people.items()),
            SetTimer("climb", now + step.wait),
        ]
    return [*skipped, Become({"state": "exhausted"}), ClearTimer("climb"), Start("page.exhausted")]


def _rungs_after(page: Page, ladder: Ladder) -> list[tuple[int, int]]:
    rungs = [(round_, number) for round_ in range(1, ladder.repeat + 1) for number in range(len(ladder.steps))]
    return [rung for rung in rungs if rung > (page.round, page.step)]


def why_not(step: Step, page: Page, moment: Moment) -> str:
    """Say why a rung does not count at this moment; empty when it does."""
    if step.severities and page.severity not in step.severities:
        return f"only for {', '.join(sorted(step.severities))}, this is {page.severity or 'without severity'}"
    if step.weekdays and moment.weekday not in step.weekdays:
        return f"not on a {WEEKDAYS[moment.weekday]}"
    if step.in_coverage is not None and step.in_coverage != moment.in_coverage:
        return "only in coverage hours" if step.in_coverage else "only outside coverage hours"
    return ""


def _people_of(step: Step, moment: Moment) -> dict[int, str]:
    people: dict[int, str] = {}
    for target in step.targets:
        for person in moment.reach[target].people:
            people.setdefault(person, moment.reach[target].why)
    return people


def _sentence(step: Step, moment: Moment) -> str:
    return "; ".join(moment.reach[target].why for target in step.targets)


def acknowledge(page: Page, person: int | None, name: str, until: datetime | None, now: datetime) -> list[Effect]:
    """Decide what an acknowledgement does: the climb stops, the promise runs until `until` (None: no end).

    A second acknowledgement by the same person changes nothing; by another it takes the page over. Raises
    Refused once the page is resolved.
    """
    _refuse_if_resolved(page)
    if page.state == "acknowledged" and page.answered_by == person:
        return []
    over = f", taking over from {page.answered_name}" if page.state == "acknowledged" and page.answered_name else ""
    holds = f"; asks again at {until:%H:%M} UTC if it still fires" if until else ""
    effects: list[Effect] = [
        Become({"state": "acknowledged", "answered_by_id": person, "answered_at": now, "until": until}),
        Record("page.acknowledged", f"{name} acknowledged{over}{holds}"),
        ClearTimer("climb"),
        ClearTimer("snooze_over"),
    ]
    return [*effects, SetTimer("acknowledgement_expires", until) if until else ClearTimer("acknowledgement_expires")]


def snooze(page: Page, person: int | None, name: str, until: datetime, now: datetime) -> list[Effect]:
    """Decide what a snooze does: nobody is asked until `until`, then the climb starts over. Raises Refused."""
    _refuse_if_resolved(page)
    if not now < until <= now + timedelta(days=7):
        raise Refused("a snooze ends in the future, at most a week ahead", "until")
    return [
        Become({"state": "snoozed", "answered_by_id": person, "answered_at": now, "until": until}),
        Record("page.snoozed", f"{name} snoozed it until {until:%a %H:%M} UTC"),
        ClearTimer("climb"),
        ClearTimer("acknowledgement_expires"),
        SetTimer("snooze_over", until),
    ]


def resolve(page: Page, name: str, now: datetime) -> list[Effect]:
    """Decide what a resolution does: nothing is due any more. A page that is resolved stays as it is."""
    if page.state == "resolved":
        return []
    return [
        Become({"state": "resolved", "closed_at": now, "until": None}),
        Record("page.resolved", f"resolved by {name}"),
        ClearTimer("climb"),
        ClearTimer("acknowledgement_expires"),
        ClearTimer("snooze_over"),
    ]


def reassign(page: Page, to: int, to_name: str, name: str, now: datetime) -> list[Effect]:
    """Decide what handing the page to one person does: they are asked, and the ladder goes on if they do not answer."""
    _refuse_if_resolved(page)
    return [
        Become({"state": "climbing", "until": None}),
        Record("page.reassigned", f"{name} asked {to_name} to take it", {"to": to}),
        ClearTimer("acknowledgement_expires"),
        ClearTimer("snooze_over"),
        Notify(to, page.urgency, f"{name} asks you to take it"),
        SetTimer("climb", now + ASK_AGAIN_WAIT),
    ]


def hand_over(page: Page, leaver: int, to: int, to_name: str) -> list[Effect]:
    """Decide what the handoff of a watch does to a page (HND-08): what the leaver promised is the next one's promise.

    It asks again at the time at which it would have, and the ladder goes on as it stands: nothing of it is put off.
    One that still asks the leaver asks whoever comes instead.
    """
    if page.state in {"acknowledged", "snoozed"} and page.answered_by == leaver:
        said = f"{to_name} has it now: the watch was handed on by {page.answered_name}"
        return [Become({"answered_by_id": to}), Record("page.handed_over", said, {"to": to})]
    if page.state in ASKING:
        said = f"the watch was handed on: {to_name} is asked instead"
        return [
            Record("page.handed_over", said, {"to": to}),
            Notify(to, page.urgency, "the watch was handed on to you"),
        ]
    return []


def ask_for_help(page: Page, name: str) -> list[Effect]:
    """Decide what "I need help" does: the page asks again, whoever has it; the caller climbs to the next rung at once."""
    _refuse_if_resolved(page)
    return [
        Become({"state": "climbing", "until": None}),
        Record("page.help_asked", f"{name} asks for help"),
        ClearTimer("acknowledgement_expires"),
        ClearTimer("snooze_over"),
    ]


def ask_again(page: Page, why: str, now: datetime) -> list[Effect]:
    """Decide what happens when an acknowledgement or a snooze runs out: whoever answered is asked, then the ladder."""
    if page.state not in {"acknowledged", "snoozed"}:
        return []
    effects: list[Effect] = [
        Become({"state": "climbing", "step": -1, "round": 1, "until": None}),
        Record("page.asks_again", why),
        ClearTimer("acknowledgement_expires"),
        ClearTimer("snooze_over"),
    ]
    if page.answered_by is None:
        return [*effects, SetTimer("climb", now)]
    return [*effects, Notify(page.answered_by, page.urgency, why), SetTimer("climb", now + ASK_AGAIN_WAIT)]


def _refuse_if_resolved(page: Page) -> None:
    if page.state == "resolved":
        raise Refused("this page is resolved: there is nothing left to answer")

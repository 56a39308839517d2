"""Whom to ask to take work on: who knows it, who touched it last, who has time, who wants to learn it (TRI-11, TRI-12).

The order is an offer with its reasons; a person chooses, and whoever is asked may decline without giving any.
Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LEARNING = "learning:"
MOST_LOAD = 10
HALF = 0.5


@dataclass(frozen=True)
class Weights:
    """How much each reason counts for a team; 0 leaves it out. `load` and `asked` count against, once per item."""

    skill: int = 5
    touched: int = 4
    learning: int = 2
    load: int = 1
    asked: int = 2


@dataclass(frozen=True)
class Touch:
    """Somebody dealt with the service: when, and with what, in words."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Candidate:
    """What the order needs of a member: skills ("learning:dns" is a wish), last touch, open work, when asked lately.

    `away` says in words why they are not at work now, "" when they are; `about_this` that they were asked for this
    very work already.
    """

    id: int
    name: str
    skills: Sequence[str] = ()
    touch: Touch | None = None
    load: int = 0
    asked: Sequence[datetime] = field(default=())
    away: str = ""
    about_this: bool = False


@dataclass(frozen=True)
class Ranked:
    """A candidate with their points and the reasons for them, in words."""

    id: int
    points: float
    reasons: tuple[str, ...]
    is_there: bool


@dataclass(frozen=True)
class Share:
    """How often somebody was asked in a time, how often they took it on, and most times in a row."""

    id: int
    asked: int
    took: int
    in_a_row: int
    percent: int


def rank(candidates: Sequence[Candidate], topics: Collection[str], weights: Weights, now: datetime) -> list[Ranked]:
    """Order candidates for work on `topics` (words in any case), the best first; who is away or was asked comes last.

    Equals stand in the order of who was asked longest ago, then by name.
    """
    wanted = {topic.strip().lower() for topic in topics if topic.strip()}
    latest = max((one.touch.at for one in candidates if one.touch), default=None)
    ranked = [(one, _rank(one, wanted, latest, weights, now)) for one in candidates]
    ranked.sort(key=lambda pair: (not pair[1].is_there, pair[0].about_this, -pair[1].points, *_last_asked(pair[0])))
    return [result for _, result in ranked]


def _last_asked(one: Candidate) -> tuple[float, str]:
    return (max(one.asked).timestamp() if one.asked else 0.0, one.name.lower())


def _rank(one: Candidate, wanted: set[str], latest: datetime | None, weights: Weights, now: datetime) -> Ranked:
    points, reasons = 0.0, list[str]()
    for earned, reason in (
        *_knows(one, wanted, weights),
        _touched(one, latest, weights, now),
        (-weights.load * min(one.load, MOST_LOAD), _load_words(one.load)),
        _asked(one, weights, now),
    ):
        points += earned
        if reason:
            reasons.append(reason)
    if one.about_this:
        reasons.append("was asked about this already")
    if one.away:
        reasons.append(one.away)
    return Ranked(one.id, points, tuple(reasons), not one.away)


def _knows(one: Candidate, wanted: set[str], weights: Weights) -> list[tuple[float, str]]:
    words = [" ".join(skill.lower().split()) for skill in one.skills]
    knows = sorted({word for word in words if not word.startswith(LEARNING)} & wanted)
    learns = sorted({word.removeprefix(LEARNING).strip() for word in words if word.startswith(LEARNING)} & wanted)
    found: list[tuple[float, str]] = []
    if knows and weights.skill:
        found.append((weights.skill, f"knows {', '.join(knows)}"))
    if learns and weights.learning:
        found.append((weights.learning, f"wants to learn {', '.join(learns)}"))
    return found


def _touched(one: Candidate, latest: datetime | None, weights: Weights, now: datetime) -> tuple[float, str]:
    if one.touch is None or not weights.touched:
        return 0, ""
    ago = _ago(now - one.touch.at)
    if one.touch.at == latest:
        return weights.touched, f"touched it last: {one.touch.what}, {ago}"
    return weights.touched * HALF, f"{one.touch.what}, {ago}"


def _asked(one: Candidate, weights: Weights, now: datetime) -> tuple[float, str]:
    if not one.asked:
        return 0, "was not asked lately"
    times = "once" if len(one.asked) == 1 else f"{len(one.asked)} times"
    return -weights.asked * len(one.asked), f"was asked {times} lately, last {_ago(now - max(one.asked))}"


def _load_words(load: int) -> str:
    return "has nothing open" if not load else f"has {load} open"


def _ago(length: timedelta) -> str:
    if length < timedelta(hours=1):
        return "just now"
    if length < timedelta(days=1):
        return f"{length // timedelta(hours=1)} h ago"
    days = length // timedelta(days=1)
    return f"{days} day{'' if days == 1 else 's'} ago"


def spread(people: Sequence[int], asked: Sequence[int], took: Sequence[int]) -> list[Share]:
    """Show how asking was spread: who was asked most comes first; `asked` is in order of time (TRI-12, TRI-13).

    Everybody in `people` is in it, also who was never asked. Declining is nobody's business and not counted.
    """
    everybody = dict.fromkeys([*people, *asked])
    shares = [
        Share(one, asked.count(one), took.count(one), _in_a_row(asked, one), round(100 * asked.count(one) / len(asked)))
        if asked
        else Share(one, 0, 0, 0, 0)
        for one in everybody
    ]
    return sorted(shares, key=lambda share: (-share.asked, share.id))


def _in_a_row(asked: Sequence[int], one: int) -> int:
    longest = run = 0
    for who in asked:
        run = run + 1 if who == one else 0
        longest = max(longest, run)
    return longest

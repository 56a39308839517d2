"""Draw a whole status page: every address below it at once, from one reading, so that they never disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from math import floor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone

from watchbill.actions.statuspage import address_of
from watchbill.core.statuspage import (
    CONDITION_WORDS,
    HOLDS,
    NOTICE_SAID,
    NOTICE_WORDS,
    STATE_WORDS,
    Day,
    ListedDay,
    ShownComponent,
    ShownIncident,
    ShownNotice,
    View,
    list_days,
    public_view,
)
from watchbill.db.models import StatusPage
from watchbill.db.status_facts import facts_of
from watchbill.entry.status import badges, feeds, json_api
from watchbill.entry.status.answers import CSS, HTML, JSON, SVG, Answer, make

STATIC = Path(__file__).parents[1] / "web" / "static"
LOOK = b"\n".join((STATIC / name).read_bytes() for name in ("look.css", "status.css"))
LOOK_PATH = f"/status/look.css?v={sha256(LOOK).hexdigest()[:12]}"
LOOK_ANSWER = make(LOOK, CSS, is_public=True, life="max-age=31536000, immutable")
DAYS_ON_PAGE = 14
AHEAD = ("announced", "in_progress")
BAR, TALL, LOW = 5, 28, 16


@dataclass(frozen=True)
class Bar:
    """One day in the drawing of a history: where, how high, and what it says."""

    x: int
    y: int
    height: int
    name: str
    words: str


@dataclass(frozen=True)
class Drawn:
    """A component with its history in words and bars."""

    one: ShownComponent
    words: str
    uptime: str
    bars: list[Bar]
    bad: list[str]


def draw_page(page: StatusPage, now: datetime) -> Mapping[str, Answer]:
    """Draw every address of a page, by its path below the page's own."""
    view, url = public_view(facts_of(page, now), now), address_of(page)
    is_public = page.is_public
    answers = {path: make(body, HTML, is_public=is_public) for path, body in _pages(page, view).items()}
    for path, document in json_api.documents(view, page.pk, url).items():
        answers[path] = make(document, JSON, is_public=is_public)
    answers["feed.atom"] = make(feeds.atom(view, url), feeds.ATOM, is_public=is_public)
    answers["feed.rss"] = make(feeds.rss(view, url), feeds.RSS, is_public=is_public)
    answers["badge.svg"] = make(badges.draw("status", view.words, view.condition), SVG, is_public=is_public)
    for one in view.components:
        body = badges.draw(one.name, CONDITION_WORDS[one.condition], one.condition)
        answers[f"components/{one.id}.svg"] = make(body, SVG, is_public=is_public)
    return answers


def _pages(page: StatusPage, view: View) -> dict[str, bytes]:
    key = "" if page.is_public or not page.key else f"{page.key}/"
    names = {one.id: one.name for one in view.components}
    words: dict[str, Any] = {
        "view": view,
        "is_public": page.is_public,
        "look": LOOK_PATH,
        "home": f"/status/{page.slug}/{key}",
        "subscribe": f"/subscribe/{page.slug}/{key}",
        "holds": HOLDS,
    }
    with timezone.override(ZoneInfo(view.zone)):
        drawn = [(group, [_draw(one) for one in found]) for group, found in view.groups]
        front = {
            "groups": drawn,
            "open": [_incident(one, names) for one in view.open_incidents],
            "days": [_day(one, names) for one in list_days(view, DAYS_ON_PAGE)],
            "planned": [_notice(one, names) for one in view.notices if one.state in AHEAD],
        }
        past = [_incident(one, names) for one in view.incidents]
        over = [_notice(one, names) for one in view.notices if one.state not in AHEAD]
        made = {
            "": render_to_string("status/page.html", {**words, **front}),
            "history/": render_to_string("status/history.html", {**words, "incidents": past, "notices": over}),
        }
        for one in past:
            made[f"incidents/{one['id']}/"] = render_to_string("status/incident.html", {**words, "one": one})
    return {path: text.encode() for path, text in made.items()}


def _day(day: ListedDay, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "date": day.date,
        "is_quiet": day.is_quiet,
        "words": CONDITION_WORDS[day.condition],
        "told": [_incident(one, names) for one in day.told],
        "going": [(one, _went(one, day)) for one in day.going],
        "planned": [(one, "" if one.state in AHEAD else "history/") for one in day.planned],
    }


def _went(one: ShownIncident, day: ListedDay) -> str:
    """Say how an incident that is told of elsewhere stood on a day of the page's zone."""
    if timezone.localdate(one.since) == day.date:
        return "began, and goes on"
    if one.ended_at and timezone.localdate(one.ended_at) == day.date:
        return f"over at {timezone.localtime(one.ended_at):%H:%M}"
    return "went on"


def _draw(one: ShownComponent) -> Drawn:
    bars = [_bar(number, day) for number, day in enumerate(one.days)]
    bad = [bar.words for bar, day in zip(bars, one.days, strict=True) if day.lasted]
    # Never rounded up: what was not all the time is not 100.
    uptime = "" if one.uptime is None else f"{floor(one.uptime * 100) / 100:.2f}".removesuffix(".00")
    return Drawn(one, CONDITION_WORDS[one.condition], uptime, bars, bad[::-1])


def _bar(number: int, day: Day) -> Bar:
    if day.condition is None:
        return Bar(number * BAR, TALL - 3, 3, "none", f"{day.date:%-d %B}: not here yet")
    if not day.lasted:
        return Bar(number * BAR, TALL - LOW, LOW, "operational", f"{day.date:%-d %B}: worked all day")
    told = ", ".join(f"{CONDITION_WORDS[name].lower()} for {_long(minutes)}" for name, minutes in day.minutes)
    return Bar(number * BAR, 0, TALL, day.condition, f"{day.date:%-d %B}: {told}")


def _long(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def _incident(one: ShownIncident, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "state": one.state,
        "words": STATE_WORDS.get(one.state, one.state),
        "condition": one.condition,
        "since": one.since,
        "ended_at": one.ended_at,
        "components": [names[number] for number in one.components if number in names],
        "updates": [(said, STATE_WORDS.get(said.state, said.state)) for said in one.updates],
    }


def _notice(one: ShownNotice, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "text": one.text,
        "words": NOTICE_WORDS[one.state],
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "components": [names[number] for number in one.components if number in names],
        "updates": [(said, NOTICE_SAID.get(said.state, said.state)) for said in one.updates],
    }

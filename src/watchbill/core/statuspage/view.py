"""From the facts of a status page to what the public sees of it now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from watchbill.core.statuspage.conditions import (
    MAINTENANCE,
    OPERATIONAL,
    OVERALL_WORDS,
    STATE_WORDS,
    TOLD_AS,
    TROUBLE,
    worst,
)
from watchbill.core.statuspage.facts import Component, Facts, Incident, Notice, Spell, Update
from watchbill.core.statuspage.history import history, holds, uptime
from watchbill.core.statuspage.shown import (
    ShownComponent,
    ShownIncident,
    ShownNotice,
    ShownUpdate,
    View,
)


def public_view(facts: Facts, now: datetime) -> View:
    """Decide what the public sees of a page now."""
    incidents = [one for one in facts.incidents if one.is_public]
    spells = _public_spells(facts, {one.id for one in incidents})
    zone = ZoneInfo(facts.zone)
    components = tuple(
        _show_component(one, [spell for spell in spells if spell.component == one.id], zone, now)
        for one in facts.components
    )
    shown = tuple(_show_incident(one, spells) for one in sorted(incidents, key=lambda one: (one.since, one.id))[::-1])
    condition = worst(one.condition for one in components)
    return View(
        title=facts.title,
        intro=facts.intro,
        zone=facts.zone,
        at=now,
        condition=condition,
        words=_overall(condition, shown),
        components=components,
        incidents=shown,
        notices=tuple(_show_notice(one) for one in sorted(facts.notices, key=lambda one: (one.starts_at, one.id))),
    )


def _overall(condition: str, incidents: Sequence[ShownIncident]) -> str:
    watching = all(one.state == "monitoring" for one in incidents if one.ended_at is None)
    is_open = any(one.ended_at is None for one in incidents)
    if condition in {OPERATIONAL, MAINTENANCE} and is_open:
        return STATE_WORDS["monitoring"] if watching else TROUBLE
    return OVERALL_WORDS[condition]


def _public_spells(facts: Facts, incidents: set[int]) -> list[Spell]:
    """Keep what is because of something that the public may know of."""
    notices = {one.id for one in facts.notices if one.state in {"in_progress", "done"}}
    return [one for one in facts.spells if one.incident in incidents or one.notice in notices]


def _show_component(one: Component, spells: Sequence[Spell], zone: ZoneInfo, now: datetime) -> ShownComponent:
    days = history(spells, one.since, zone, now)
    return ShownComponent(
        id=one.id,
        name=one.name,
        group=one.group,
        description=one.description,
        condition=worst(spell.condition for spell in spells if holds(spell, now)),
        since=one.since,
        days=days,
        uptime=uptime(days, one.since, zone, now),
    )


def _show_incident(one: Incident, spells: Sequence[Spell]) -> ShownIncident:
    mine = [spell for spell in spells if spell.incident == one.id]
    updates = _show_updates(one.updates)
    state = "resolved" if one.ended_at else (updates[0].state if updates else "investigating")
    return ShownIncident(
        id=one.id,
        title=one.title,
        state=state,
        condition=worst(spell.condition for spell in mine),
        since=one.since,
        published_at=one.published_at,
        ended_at=one.ended_at,
        components=tuple(dict.fromkeys(spell.component for spell in mine)),
        updates=updates,
    )


def _show_updates(updates: Sequence[Update]) -> tuple[ShownUpdate, ...]:
    """Show what was said, newest first; what was put right is shown as it was put right."""
    corrected = {one.corrects for one in updates}
    said = [one for one in updates if one.id not in corrected]
    return tuple(
        ShownUpdate(one.id, TOLD_AS.get(one.state, one.state), one.text, one.at)
        for one in sorted(said, key=lambda one: (one.at, one.id))[::-1]
    )


def _show_notice(one: Notice) -> ShownNotice:
    return ShownNotice(
        id=one.id,
        title=one.title,
        text=one.text,
        state=one.state,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        components=tuple(one.components),
        updates=tuple(
            ShownUpdate(said.id, said.state, said.text, said.at)
            for said in sorted(one.updates, key=lambda said: (said.at, said.id))[::-1]
        ),
    )

"""Find somebody for a role: ask the next by the team's policy, and when nobody is left somebody always hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from watchbill.actions import delivery
from watchbill.actions.delivery import Words
from watchbill.actions.role_scene import Scene
from watchbill.core import role_order
from watchbill.core import roles as core
from watchbill.core.role_order import Ranked
from watchbill.core.roles import Someone
from watchbill.db import role_facts
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Event, IncidentMember, Person


def ranking(scene: Scene, role: str) -> list[Ranked]:
    """Read in which order people are asked for a role, each with the reasons (ROL-18)."""
    named = scene.rule.roles.get(role)
    found = role_facts.candidates(scene.incident, role, named.skill if named else "", scene.lines, scene.now)
    kind = scene.kind(role)
    able = [one for one in found if not core.why_not(kind, one.id, scene.lines)]
    return role_order.rank(able, scene.rule.order, scene.rule.most_at_once)


def asks_by_itself(scene: Scene, role: str) -> bool:
    """Tell whether Watchbill asks one after the other for a role."""
    if role == "commander":
        # What a rule declared has no declarer who could command.
        return scene.rule.designation == "offer" or (
            scene.rule.designation == "declarer" and scene.incident.declared_by_id is None
        )
    return role == "liaison" and scene.rule.liaison_is == "watch" and role in scene.needed


def seek(scene: Scene, role: str) -> None:
    """Ask the next one for a role, by the team's policy; when nobody is left, whoever breaks ties is told."""
    turned = role_order.after(
        role,
        scene.lines,
        ranking(scene, role),
        by_itself=asks_by_itself(scene, role),
        tie_after=scene.rule.tie_break_after if role == "commander" else 0,
    )
    if turned.next is not None:
        ask_next(scene, role, turned.next)
    elif turned.breaks_tie and role in scene.needed:
        call_tie_breaker(scene, role)


def ask_next(scene: Scene, role: str, one: Ranked) -> None:
    """Ask one of the order for a role, on behalf of the team's policy."""
    why = "you are asked because you are " + ", ".join(one.reasons[:2]) if one.reasons else ""
    patience = timedelta(minutes=scene.rule.offer_minutes)
    whom = Someone(one.id, one.name)
    scene.carry(core.offer(scene.kind(role), whom, None, scene.lines, scene.now, patience, why=why))


def tie_breakers(scene: Scene) -> list[Person]:
    """Give who says who it is, first the one that the team's rule names first."""
    named = (getattr(scene.incident.team, one) for one in scene.rule.tie_break)
    return [person for person in named if person is not None and person.is_active]


def call_tie_breaker(scene: Scene, role: str, by: Person | None = None) -> None:
    """Tell whoever breaks ties to say who has a role; they ask, and whoever they ask may still say no (ROL-10)."""
    title = scene.title(role)
    told = next(iter(tie_breakers(scene)), None)
    held = core.holders(scene.lines, role)
    standing = f"{held[0].name} has it until somebody agrees." if held else "Nobody has it."
    reason = f"{by} asks" if by else "nobody who was asked takes it on"
    whom = f": {told} says who" if told else ""
    line = scene.note("role_tie", f"{title}: {reason}{whom}", role=role, person=told.pk if told else None)
    words = scene.words(
        f"Say who is {title}",
        f"{reason[0].upper()}{reason[1:]}. {standing} Ask somebody, in a word or two, before you name them: they may say no.",
        urgency="important",
        action="Say who",
    )
    if told is None:
        tell_whoever(scene, words, f"nobody is {title}, and nobody is named who says who")
        return
    let_in(scene, told)
    scene.tell(told.pk, words, line, "you say who when nobody takes it on")


def tell_whoever(scene: Scene, words: Words, reason: str) -> None:
    """Tell the team's fallback person, else an owner, else whoever is responsible above."""
    delivery.tell_somebody(scene.subject, words, reason, set(), scene.now)


def let_in(scene: Scene, person: Person) -> None:
    """Let somebody see an incident that they must speak about, without counting them among those who respond."""
    if not sees_incident(person, scene.incident):
        IncidentMember.objects.create(incident=scene.incident, person=person, joined_at=scene.now, left_at=scene.now)


def tell_responders(scene: Scene, words: Words, line: Event, why: str, more: Sequence[Person] = ()) -> None:
    """Tell everybody who responds, and others who may hear of it."""
    scene.tell_all([*scene.responders(), *more], words, line, why)

"""Who does what in an incident: ask, accept, decline, hand on, step in (ROL-07 to ROL-13).

Nobody has a role that they did not accept. Every path locks the incident first, then the timers of its roles.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import incidents
from watchbill.actions.access import role_of
from watchbill.actions.log import Actor
from watchbill.actions.role_finding import call_tie_breaker, ranking, seek, tie_breakers
from watchbill.actions.role_scene import Scene
from watchbill.actions.role_settling import settle
from watchbill.actions.timers import Claim, finish
from watchbill.core import incidents as states
from watchbill.core import roles as core
from watchbill.core.role_order import Ranked
from watchbill.core.roles import Line, Someone
from watchbill.db.models import Incident, Person, RoleAssignment
from watchbill.kit.errors import NotAllowed, Refused

LONGEST_WHY = 2000


def offer(
    incident_id: int, role: str, whom: Person, person: Person, now: datetime, why: str = "", scope: str = ""
) -> Incident:
    """Ask somebody to take a role; whoever has it keeps it until they accept (ROL-08, ROL-12). Raises Refused, NotAllowed."""
    _check(why)
    with transaction.atomic():
        scene = _open(incident_id, person, now, "ask somebody for a role")
        _demand_may_offer(scene, role, person)
        if whom == person:
            raise Refused("take it yourself instead", "person")
        if not whom.is_active or role_of(whom, scene.incident.team) is None:
            raise Refused(f"{whom} is not in {scene.incident.team}", "person")
        patience = timedelta(minutes=scene.rule.offer_minutes)
        by, to = Someone(person.pk, str(person)), Someone(whom.pk, str(whom))
        steps = core.offer(scene.kind(role), to, by, scene.lines, now, patience, why=why.strip(), scope=scope.strip())
        scene.carry(steps, Actor.of(person))
    return scene.incident


def accept(offer_id: int, person: Person, now: datetime) -> Incident:
    """Say yes to a role; whoever had it is released at the same instant. Raises Refused, NotAllowed for anybody else."""
    with transaction.atomic():
        scene, line = _asked(offer_id, person, now)
        kind = scene.kind(line.role)
        before = [one.person for one in core.holders(scene.lines, line.role)] if kind.is_single else []
        scene.carry(core.accept(line, kind, scene.lines, now), Actor.of(person))
        settle(scene, line.role, before)
    return scene.incident


def decline(offer_id: int, person: Person, now: datetime) -> Incident:
    """Say no to a role; no reason is asked (ROL-09, ROL-11). The next one is asked. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene, line = _asked(offer_id, person, now)
        scene.carry(core.decline(line, scene.kind(line.role), scene.lines, now), Actor.of(person))
        seek(scene, line.role)
    return scene.incident


def take(incident_id: int, role: str, person: Person, now: datetime, why: str = "") -> Incident:
    """Take a role that nobody has, or, with a reason, one that somebody has. Raises Refused, NotAllowed."""
    _check(why)
    with transaction.atomic():
        scene = _open(incident_id, person, now, "take a role")
        kind = scene.kind(role)
        before = [one.person for one in core.holders(scene.lines, role)] if kind.is_single else []
        scene.carry(core.take(kind, Someone(person.pk, str(person)), scene.lines, now, why), Actor.of(person))
        settle(scene, role, before)
    return scene.incident


def withdraw(offer_id: int, person: Person, now: datetime) -> Incident:
    """Take back an offer before its answer: whoever made it, or may make it. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene = _open(_incident_of(offer_id), person, now, "take back an offer")
        line = scene.line(offer_id)
        if line.by != person.pk:
            _demand_may_offer(scene, line.role, person)
        scene.carry(core.withdraw(line, scene.kind(line.role), str(person), now), Actor.of(person))
    return scene.incident


def end(line_id: int, person: Person, now: datetime) -> Incident:
    """Say that a role is done; one that the incident asks for is handed on instead. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene = _open(_incident_of(line_id), person, now, "end a role")
        line = scene.line(line_id)
        if line.role in scene.needed and scene.incident.state in {states.ACTIVE, states.MITIGATED}:
            raise Refused("the incident needs it: hand it on, and it is yours until somebody agrees")
        if line.person != person.pk:
            _demand_may_offer(scene, line.role, person)
        scene.carry(core.end(line, scene.kind(line.role), str(person), now), Actor.of(person))
    return scene.incident


def ask_who(incident_id: int, role: str, person: Person, now: datetime) -> Incident:
    """Ask whoever breaks ties to say who has a role: nobody must name a colleague themselves (ROL-10, ROL-11)."""
    with transaction.atomic():
        scene = _open(incident_id, person, now, "ask who has a role")
        scene.kind(role)
        call_tie_breaker(scene, role, person)
    return scene.incident


def suggest(incident: Incident, role: str, now: datetime) -> list[Ranked]:
    """Read whom one may ask for a role, in the team's order, each with the reasons."""
    return ranking(Scene(incident, now), role)


def may_offer(scene: Scene, role: str, person: Person) -> str:
    """Say why somebody may not ask others for a role; nothing: they may.

    What somebody has is theirs to hand on; also the commander, whoever breaks ties and the team's owners may ask. A
    team whose manager says who leads leaves it to them (C11).
    """
    reason = _whose(scene, role, person)
    return reason if reason and not _overrules(scene, person) else ""


def may_offer_of(scene: Scene, roles: Iterable[str], person: Person) -> list[str]:
    """Give those of some roles for which somebody may ask others, as `may_offer` says of each."""
    reasons = {role: _whose(scene, role, person) for role in roles}
    everything = any(reasons.values()) and _overrules(scene, person)
    return [role for role, reason in reasons.items() if everything or not reason]


def _whose(scene: Scene, role: str, person: Person) -> str:
    """Say who gives a role, when it is not anybody of the team."""
    held = [line for line in core.holders(scene.lines, role) if scene.kind(role).is_single]
    if held and person.pk not in {line.person for line in held}:
        return f"{held[0].name} has it: ask them to hand it on, or step in"
    if not held and role == "commander" and scene.rule.designation == "manager":
        named = scene.incident.team.manager or "the manager"
        return f"in {scene.incident.team} the manager says who: ask {named}, or take it yourself"
    return ""


def _overrules(scene: Scene, person: Person) -> bool:
    """Tell whether somebody may ask for any role, whoever has it."""
    commands = any(line.person == person.pk for line in core.holders(scene.lines, "commander"))
    always = {one.pk for one in tie_breakers(scene)}
    return commands or person.pk in always or role_of(person, scene.incident.team) == "owner"


def _demand_may_offer(scene: Scene, role: str, person: Person) -> None:
    reason = may_offer(scene, role, person)
    if reason:
        raise NotAllowed(f"{reason[0].upper()}{reason[1:]}.")


def _open(incident_id: int, person: Person, now: datetime, what: str) -> Scene:
    incident = incidents.lock(incident_id)
    incidents.require_member(person, incident, what)
    _demand_not_over(incident)
    return Scene(incident, now)


def _demand_not_over(incident: Incident) -> None:
    if incident.state == states.CLOSED:
        raise Refused("it is closed: open it again first")


def _asked(offer_id: int, person: Person, now: datetime) -> tuple[Scene, Line]:
    incident = incidents.lock(_incident_of(offer_id))
    scene = Scene(incident, now)
    line = scene.line(offer_id)
    if line.person != person.pk or not person.is_active:
        raise NotAllowed(f"{line.name} was asked, and only they can say. Take it yourself instead.")
    _demand_not_over(incident)
    return scene, line


def _incident_of(offer_id: int) -> int:
    number = RoleAssignment.objects.filter(pk=offer_id).values_list("incident", flat=True).first()
    if number is None:
        raise Refused("there is no such offer", "offer")
    return int(number)


def _check(why: str) -> None:
    if len(why) > LONGEST_WHY:
        raise Refused(f"at most {LONGEST_WHY} characters", "why")


def lapse(claim: Claim, now: datetime) -> None:
    """Let an offer that nobody answered lapse, and ask the next; both in one transaction, so that a kill leaves neither."""
    with transaction.atomic():
        number = RoleAssignment.objects.filter(pk=claim.subject_id).values_list("incident", flat=True).first()
        incident = incidents.lock(number) if number else None
        if not finish(claim) or incident is None or incident.state == states.CLOSED:
            return
        scene = Scene(incident, now)
        line = scene.line(claim.subject_id)
        steps = core.lapse(line, scene.kind(line.role), now)
        if steps:
            scene.carry(steps)
            seek(scene, line.role)

"""What is watched about the roles of an incident: it begins with somebody, ten minutes without, hours in one role, the end.

`on_declared` begins it. Timers: `lead` (nobody leads yet), `gather` (come together), and `roles_over`, `seek_again` when the incident is over or goes on. All lock the incident first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import incident_roles, incidents
from watchbill.actions.desk import Desk
from watchbill.actions.log import Actor
from watchbill.actions.role_finding import ranking, seek, tell_responders, tell_whoever, tie_breakers
from watchbill.actions.role_scene import Scene, role_subject
from watchbill.actions.role_settling import settle
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.core import incidents as states
from watchbill.core import roles as core
from watchbill.core.roles import Load, Someone
from watchbill.db import role_facts
from watchbill.db.models import Event, Incident, Person, RoleAssignment
from watchbill.db.support_facts import people_in_seat
from watchbill.rules import incident_start

RUNNING = (states.ACTIVE, states.MITIGATED)
LONGEST_PAUSE = timedelta(hours=2)


def on_declared(incident: Incident, desk: Desk, person: Person | None, now: datetime) -> None:
    """Begin with who does what, by the team's policy; call it inside the transaction that declares."""
    scene = Scene(incident, now, desk)
    _begin(scene, person)
    _gather_later(scene)


def _gather_later(scene: Scene) -> bool:
    """Have those who respond come together in the team's minutes; False: a team or an incident that does not."""
    every = _start_rule(scene).gather_every_minutes
    if every and scene.is_major:
        set_timer(scene.subject, "gather", scene.now + timedelta(minutes=every))
    return bool(every and scene.is_major)


def _begin(scene: Scene, person: Person | None) -> None:
    """Find a commander by the policy (C11), and who talks, where that is not the commander (C12)."""
    if "commander" in scene.needed:
        match scene.rule.designation:
            case "declarer" if person is not None:
                whom = Someone(person.pk, str(person))
                scene.carry(core.take(scene.kind("commander"), whom, scene.lines, scene.now), Actor.of(person))
                settle(scene, "commander", ())
            case "team":
                _let_the_team_choose(scene)
            case "manager":
                _let_the_manager_say(scene)
            case _:
                seek(scene, "commander")
        _wait_for_a_lead(scene)
    if "liaison" in scene.needed and scene.rule.liaison_is == "watch":
        seek(scene, "liaison")


def _let_the_team_choose(scene: Scene) -> None:
    """Tell the watch, and whoever responds, that they choose (ROL-15)."""
    title = scene.title("commander")
    line = scene.note("role_asked", f"the team chooses: who is {title}?", role="commander")
    said = "Whoever can, takes it. Talk to each other; the first who takes it has it."
    words = scene.words(f"Choose: who is {title}?", said, urgency="important", action="Take it")
    watch = people_in_seat(scene.incident.team, "", scene.now)
    tell_responders(scene, words, line, "you choose together", watch)


def _let_the_manager_say(scene: Scene) -> None:
    title = scene.title("commander")
    manager = scene.incident.team.manager
    line = scene.note("role_asked", f"{manager or 'the manager'} says who is {title}", role="commander")
    said = "Ask somebody; they may say no. Whoever is on watch may also take it."
    words = scene.words(f"Say who is {title}", said, urgency="important", action="Say who")
    if manager is None or not manager.is_active:
        tell_whoever(scene, words, f"the team has no manager who says who is {title}")
        return
    scene.tell(manager.pk, words, line, "you say who leads")


def _start_rule(scene: Scene) -> incident_start.Settings:
    return incident_start.Settings.model_validate(scene.desk.rule("incident_start"))


def _patience(scene: Scene) -> timedelta:
    """Give how long it may have no commander: the team's minutes, else where people must choose, those of an offer."""
    minutes = _start_rule(scene).lead_after_minutes
    if not minutes and scene.rule.designation in {"team", "manager"}:
        minutes = scene.rule.offer_minutes
    return timedelta(minutes=minutes)


def _wait_for_a_lead(scene: Scene) -> None:
    patience = _patience(scene)
    if patience and not core.holders(scene.lines, "commander"):
        set_timer(scene.subject, "lead", scene.now + patience)


def ask_for_a_lead(claim: Claim, now: datetime) -> None:
    """Tell everybody who responds to pick one; from the second time on also who breaks ties, at growing intervals."""
    with transaction.atomic():
        scene = _scene(claim, now)
        if scene is None or core.holders(scene.lines, "commander"):
            return
        earlier = _count(scene, "incident.lead_missing")
        title = scene.title("commander")
        waited = int((now - scene.incident.declared_at).total_seconds() // 60)
        line = scene.note("lead_missing", f"nobody is {title} after {waited} minutes: pick one", minutes=waited)
        said = "Pick one, now. Whoever takes it has it, and may hand it on at once."
        words = scene.words(f"Pick one: nobody is {title}", said, urgency="important", action="Take it")
        above = tie_breakers(scene) if earlier else []
        tell_responders(scene, words, line, "you respond, and nobody leads", above)
        if not scene.responders() or (earlier and not above):
            tell_whoever(scene, words, f"nobody is {title} after {waited} minutes")
        patience = _patience(scene) or timedelta(minutes=scene.rule.offer_minutes)
        set_timer(scene.subject, "lead", now + min(patience * (earlier + 1), LONGEST_PAUSE))


def gather(claim: Claim, now: datetime) -> None:
    """Tell those who respond to come together: are more people or skills needed? (INC-19)"""
    with transaction.atomic():
        scene = _scene(claim, now)
        if scene is None or not _gather_later(scene):
            return
        line = scene.note("gather", "time to gather: are more people or skills needed?")
        said = "Come together for a moment. Do we need more people or skills? What do we tell people?"
        words = scene.words("Gather", f"{said}\n\n{scene.incident.call_url}".strip(), action="Open the incident")
        tell_responders(scene, words, line, "you respond")


def propose_fresh(claim: Claim, now: datetime) -> None:
    """Propose a fresh person for a role that somebody has had for hours, to them and to who owns it (ROL-06)."""
    with transaction.atomic():
        row = RoleAssignment.objects.select_related("incident", "person").filter(pk=claim.subject_id).first()
        incident = incidents.lock(row.incident_id) if row else None
        if not finish(claim) or row is None or incident is None or incident.state not in RUNNING:
            return
        row.refresh_from_db()
        scene = Scene(incident, now)
        after = timedelta(minutes=scene.rule.fresh_after_minutes)
        if row.state != core.ACCEPTED or row.since is None or not after:
            return
        load = Load(row.since, role_facts.at_once(row.person, incident))
        why = core.tired(load, after, scene.rule.most_at_once, now)
        if why:
            _propose(scene, row, why)
        set_timer(role_subject(row), "fresh", now + after)


def _propose(scene: Scene, row: RoleAssignment, why: list[str]) -> None:
    fresh = [one for one in ranking(scene, row.role) if one.is_there][:3]
    title = scene.title(row.role)
    names = ", ".join(f"{one.name} ({one.reasons[0]})" for one in fresh)
    said = f"{row.person} is {title}: {' and '.join(why)}"
    line = scene.note("role_tired", said, person=row.person_id, role=row.role, fresh=[one.id for one in fresh])
    more = (
        f"A fresh head may help. Hand it on to {names}."
        if names
        else "A fresh head may help: nobody else is there now."
    )
    owner = [scene.incident.owner] if scene.incident.owner else []
    words = scene.words(f"Time for a fresh {title}?", f"{said}. {more}", action="Hand it on")
    scene.tell_all([row.person, *owner], words, line, f"{title} for hours")


def end_roles(claim: Claim, now: datetime) -> None:
    """End every role of an incident that is over, with the time at which it was."""
    with transaction.atomic():
        scene = _scene(claim, now, (states.CLOSED,))
        if scene is not None:
            scene.carry(core.end_all(scene.lines, scene.incident.closed_at or now))


def seek_again(claim: Claim, now: datetime) -> None:
    """Find somebody who leads again when an incident goes on: whoever did last is asked first."""
    with transaction.atomic():
        scene = _scene(claim, now)
        if scene is not None:
            _gather_later(scene)
        if scene is None or "commander" not in scene.needed or core.holders(scene.lines, "commander"):
            return
        led = [line for line in scene.lines if line.role == "commander" and line.since]
        last = Person.objects.filter(pk=led[-1].person, is_active=True).first() if led else None
        if last is not None and not core.pending(scene.lines, "commander"):
            patience = timedelta(minutes=scene.rule.offer_minutes)
            whom = Someone(last.pk, str(last))
            steps = core.offer(
                scene.kind("commander"), whom, None, scene.lines, now, patience, why="it goes on, and you led before"
            )
            scene.carry(steps)
        else:
            _begin(scene, None)
        _wait_for_a_lead(scene)


def _scene(claim: Claim, now: datetime, in_states: tuple[str, ...] = RUNNING) -> Scene | None:
    """Lock the incident of a claim; None: it was superseded, or the incident is not in these states."""
    found = Incident.objects.filter(pk=claim.subject_id).exists()
    incident = incidents.lock(claim.subject_id) if found else None
    if not finish(claim) or incident is None or incident.state not in in_states:
        return None
    return Scene(incident, now)


def _count(scene: Scene, kind: str) -> int:
    return Event.objects.filter(subject_kind="incident", subject_id=scene.incident.pk, kind=kind).count()


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("role", "answer"): incident_roles.lapse,
    ("role", "fresh"): propose_fresh,
    ("incident", "lead"): ask_for_a_lead,
    ("incident", "gather"): gather,
    ("incident", "roles_over"): end_roles,
    ("incident", "seek_again"): seek_again,
}

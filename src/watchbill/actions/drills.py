"""Play a scenario as an exercise, against the team's own policy: real pages, real people, a clock that may run faster.

Everything that it makes is marked "Exercise", belongs to an incident that stays out of every figure, and ends with it.
A step happens once: its number stands in the row that its transaction writes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import declaring, delivery, incident_story, incidents, paging
from watchbill.actions.access import require
from watchbill.actions.declaring import Declared
from watchbill.actions.effects import carry_out
from watchbill.actions.incident_story import Entry
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.paging import Opening
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.core import drills as core
from watchbill.core import incidents as states
from watchbill.core import paging as ladders
from watchbill.core.drills import Scenario, Step
from watchbill.db import facts
from watchbill.db.incident_facts import incident_fact
from watchbill.db.models import (
    Drill,
    Event,
    Incident,
    IncidentLink,
    IncidentUpdate,
    Ladder,
    Page,
    Person,
    RoleAssignment,
    Service,
    Team,
)
from watchbill.kit.errors import Refused


def start(team: Team, text: str, speed: float, person: Person, now: datetime) -> Drill:
    """Begin a drill: an incident that is an exercise is declared, and the steps come in their time. Raises Refused."""
    require(person, team, "member", "run a drill")
    scenario, speed = core.read_scenario(text), core.check_speed(speed)
    service = _service(team, scenario)
    with transaction.atomic():
        if Drill.objects.select_for_update().filter(team=team, state="running").exists():
            raise Refused(f"a drill of {team} is running: one at a time")
        drill = Drill.objects.create(
            team=team, name=scenario.title[:120], scenario=text, speed=speed, started_at=now, started_by=person
        )
        said = Declared(
            title=scenario.title,
            impact=scenario.impact,
            impact_kind=scenario.impact_kind,
            services=[service] if service else [],
            is_exercise=True,
            door="drill",
            why="a drill",
        )
        drill.incident = declaring.begin(team, said, person, now, Actor.of(person))
        drill.save(update_fields=["incident"])
        record(_subject(drill), "drill.started", f"{person} started {drill.name}", now, Actor.of(person))
        _wake(drill, scenario)
    return drill


def _service(team: Team, scenario: Scenario) -> Service | None:
    if not scenario.service:
        return None
    found = Service.objects.filter(team=team, slug=scenario.service, archived_at=None).first()
    if found is None:
        raise Refused(f"{team} has no service {scenario.service!r}", "scenario.service")
    return found


def _wake(drill: Drill, scenario: Scenario) -> None:
    """Set the timer of what comes next: a step, or the end."""
    steps = scenario.steps[drill.next_step :]
    after = steps[0].after if steps else scenario.ends_after
    set_timer(_subject(drill), "step", core.due_at(after, drill.started_at, drill.speed))


def play_step(claim: Claim, now: datetime) -> None:
    """Play the step that is due, or end the drill."""
    with transaction.atomic():
        drill = _lock(claim.subject_id)
        if not finish(claim) or drill is None or drill.state != "running":
            return
        scenario = core.read_scenario(drill.scenario)
        if drill.next_step >= len(scenario.steps):
            _end(drill, scenario, "ended", WATCHBILL, now)
            return
        step = scenario.steps[drill.next_step]
        drill.next_step += 1
        drill.save(update_fields=["next_step"])
        _play(drill, scenario, step, now)
        _wake(drill, scenario)


def _play(drill: Drill, scenario: Scenario, step: Step, now: datetime) -> None:
    incident = incidents.lock(drill.incident_id or 0)
    if step.kind == "page":
        _open_page(drill, scenario, step, incident, now)
        return
    words = {"request": f"{step.who} asks: {step.text}", "vendor": f"{step.who} says: {step.text}", "say": step.text}
    actor = Actor(None, f"{step.who or 'The drill'} (played)")
    incident_story.write_locked(incident, Entry(words[step.kind], "observation", door="drill"), actor, now)


def _open_page(drill: Drill, scenario: Scenario, step: Step, incident: Incident, now: datetime) -> None:
    ladder = incident.service.ladder if incident.service else None
    ladder = ladder or Ladder.objects.filter(team=drill.team, archived_at=None).order_by("id").first()
    if ladder is not None:
        # A copy that is never stored: the page keeps its own, as every page does.
        ladder = Ladder(
            name=f"{ladder.name}, {drill.speed:g} times as fast",
            steps=core.shorten(ladder.steps, drill.speed),
            repeat=ladder.repeat,
            version=ladder.version,
        )
    details = [f"This is an exercise: {scenario.title}. Answer as you would."]
    if scenario.absent:
        details.append(f"In it these do not answer: {', '.join(scenario.absent)}.")
    opening = Opening(
        title=f"Exercise: {step.text}"[:1000],
        details="\n".join(details),
        severity=step.severity,
        service=incident.service,
        ladder=ladder,
    )
    page = paging.open_page(drill.team, opening, f"a step of the drill {drill.name}", now)
    IncidentLink.objects.create(incident=incident, kind="page", subject_id=page.pk, created_at=now)


def stop(drill_id: int, person: Person, now: datetime) -> Drill:
    """Stop a drill before its end. Raises Refused, NotAllowed."""
    with transaction.atomic():
        drill = _lock(drill_id)
        if drill is None:
            raise Refused("there is no such drill")
        require(person, drill.team, "member", "stop a drill")
        if drill.state != "running":
            raise Refused("it is over already")
        _end(drill, core.read_scenario(drill.scenario), "stopped", Actor.of(person), now)
    return drill


def _end(drill: Drill, scenario: Scenario, state: str, actor: Actor, now: datetime) -> None:
    """End a drill: nobody is called any more, what was learned is kept."""
    incident = incidents.lock(drill.incident_id or 0)
    debrief = look_back(drill, incident, scenario)
    for page in _pages(incident):
        _close(page, now)
    if incident.state != "closed":
        ended = states.end_early(incident_fact(incident), "exercise", "Watchbill", "the exercise is over", now)
        incidents.apply(incident, ended, now, actor)
    drill.state, drill.ended_at, drill.debrief = state, now, debrief
    drill.save(update_fields=["state", "ended_at", "debrief"])
    clear_timer(_subject(drill), "step")
    record(_subject(drill), f"drill.{state}", f"{drill.name}: {state}", now, actor)


def _close(page: Page, now: datetime) -> None:
    """Close a page of the drill: what has not left is taken back, nothing is due any more."""
    page = Page.objects.select_for_update(of=("self",)).get(pk=page.pk)
    subject = paging.subject_of(page)
    delivery.drop_waiting(subject, "the exercise is over", now)
    carry_out(ladders.resolve(facts.page_fact(page), "the end of the exercise", now), page, subject, now)


def look_back(drill: Drill, incident: Incident, scenario: Scenario) -> dict[str, Any]:
    """Read what the process did and how long people took, in scenario time (seconds)."""
    commander = RoleAssignment.objects.filter(incident=incident, role="commander", since__isnull=False)
    first = IncidentUpdate.objects.filter(incident=incident).exclude(audience="responders").order_by("id").first()
    lead = commander.order_by("since").first()
    answered = [page.answered_at for page in _pages(incident) if page.answered_at]
    reached = {
        "acknowledged": min(
            [*answered, *([incident.acknowledged_at] if incident.acknowledged_at else [])], default=None
        ),
        "commander": lead.since if lead else None,
        "update": first.at if first else None,
        "mitigated": incident.mitigated_at,
        "resolved": incident.resolved_at,
    }
    marks = core.look_back(scenario, drill.started_at, drill.speed, reached)
    return {
        "marks": [
            {
                "name": mark.name,
                "words": mark.words,
                "came": _seconds(mark.came),
                "expected": _seconds(mark.expected),
                "is_kept": mark.is_kept,
            }
            for mark in marks
        ],
        "pages": [_told(page, drill) for page in _pages(incident)],
        "steps_left": list(incident.steps.filter(done_at=None).order_by("position").values_list("text", flat=True)),
        "responders": [str(row.person) for row in incident.members.select_related("person").order_by("id")],
    }


def _told(page: Page, drill: Drill) -> dict[str, Any]:
    lines = Event.objects.filter(subject_kind="page", subject_id=page.pk).order_by("id")
    return {
        "title": page.title,
        "state": page.state,
        "lines": [
            {"after": _seconds((line.at - drill.started_at) * drill.speed), "what": line.kind, "why": line.why[:300]}
            for line in lines[:100]
        ],
    }


def _seconds(length: Any) -> int | None:
    return None if length is None else int(length.total_seconds())


def _pages(incident: Incident) -> list[Page]:
    links = IncidentLink.objects.filter(incident=incident, kind="page").values("subject_id")
    return list(Page.objects.filter(pk__in=links).order_by("id"))


def _lock(number: int) -> Drill | None:
    return Drill.objects.select_for_update(of=("self",)).select_related("team").filter(pk=number).first()


def _subject(drill: Drill) -> Subject:
    return Subject("drill", drill.pk, drill.team_id)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("drill", "step"): play_step}

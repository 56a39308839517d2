"""One outage, hour by hour, in five teams: the same hour ends differently where their documents differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.actions.desk_cast import adopt_preset
from tests.actions.status_cast import make_page
from tests.world import World, make_person
from watchbill import presets
from watchbill.actions import declaring, incident_updates, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_updates import Said
from watchbill.core.statuspage import public_view
from watchbill.db import role_facts
from watchbill.db.models import Event, Incident, IncidentUpdate, PostMortem, Service, UpdatePromise
from watchbill.db.status_facts import facts_of

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"why": "The certificate has run out", "doing": "We renew it", "next": "We watch sign-ins"}


@dataclass(frozen=True)
class Story:
    """What becomes of it. Minutes count from nine on a Tuesday, when Ana declares it; until 9:40 nobody but the clock acts."""

    severity: str
    told_at_once: tuple[str, ...]
    commands_at_once: str
    # What the process did by itself to find a lead and to widen the circle.
    by_itself: tuple[tuple[int, str], ...]
    # Audiences that were promised words and got none, and the minute of the promise.
    waits: dict[str, int]
    # Whether the status page shows it as soon as everybody has been told, without anybody publishing it.
    is_public: bool
    # The post-mortem: the day of March on which it is due, who meets, and what else keeps the incident from being closed.
    due: int
    meets: tuple[str, ...]
    owes: tuple[str, ...] = ()


STORIES = {
    # The steward commands until another agrees; after half an hour everybody knows; a report without a meeting.
    "hub-support": ("blocked", Story(
        severity="high, p1", told_at_once=("responders",), commands_at_once="Ana",
        by_itself=((30, "still felt after 30 minutes: the team hears of it"),),
        waits={"communities": 30}, is_public=False, due=10, meets=(),
    )),
    # The support team chooses its lead itself; a group session as soon as possible, and the product manager is welcome.
    "laa-ops": ("outage", Story(
        severity="high, high", told_at_once=("responders",), commands_at_once="",
        by_itself=(
            (0, "the team chooses: who is Incident lead?"),
            (15, "nobody is Incident lead after 15 minutes: pick one"),
            (30, "nobody is Incident lead after 30 minutes: pick one"),
        ),
        waits={"users": 30, "leadership": 30}, is_public=False, due=5, meets=("Ana", "Ben", "Eva", "Pia"),
    )),
    # Leadership sees it from the start; fifteen minutes with those who responded and their boss.
    "library-devops": ("down", Story(
        severity="critical, immediately", told_at_once=("responders", "leadership"), commands_at_once="",
        by_itself=(
            (0, "Watchbill asked Ana to be Incident commander"),
            (10, "Watchbill asked Ben to be Incident commander"),
            (10, "nobody is Incident commander after 10 minutes: pick one"),
            (20, "Watchbill asked Eva to be Incident commander"),
            (20, "nobody is Incident commander after 20 minutes: pick one"),
            (30, "Incident commander: nobody who was asked takes it on: Olga says who"),
            (40, "nobody is Incident commander after 40 minutes: pick one"),
        ),
        waits={}, is_public=False, due=5, meets=("Ana", "Olga"),
    )),
    # The development manager says who leads; customers hear after five minutes, by somebody's hand.
    "oncall-remodel": ("interruption", Story(
        severity="sev1, interruption", told_at_once=("responders",), commands_at_once="",
        by_itself=(
            (0, "Olga says who is Lead"),
            (15, "nobody is Lead after 15 minutes: pick one"),
            (30, "nobody is Lead after 30 minutes: pick one"),
        ),
        waits={"public": 5, "manager": 20}, is_public=False, due=10, meets=("Ana", "Ben", "Eva"),
    )),
    # Five minutes to say yes, after ten without: pick one; what the public was told is on the page at once; and it is not
    # closed before its review is published.
    "operate-first": ("outage", Story(
        severity="sev1, p1", told_at_once=("responders",), commands_at_once="",
        by_itself=(
            (0, "Watchbill asked Ana to be Incident commander"),
            (5, "Watchbill asked Ben to be Incident commander"),
            (10, "Watchbill asked Eva to be Incident commander"),
            (10, "nobody is Incident commander after 10 minutes: pick one"),
            (15, "Incident commander: nobody who was asked takes it on: Olga says who"),
            (20, "nobody is Incident commander after 20 minutes: pick one"),
            (40, "nobody is Incident commander after 40 minutes: pick one"),
        ),
        waits={"users": 15, "public": 15}, is_public=True, due=10, meets=("Ana", "Ben", "Eva", "Olga"),
        owes=("its post-mortem review is draft, it is to be published",),
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", presets.all_presets())
def test_the_same_outage_is_lived_through_in_five_ways(world: World, name: str) -> None:
    """C9 to C16, INC-07, INC-13, ROL-09 to ROL-18, COM-01, PM-01, PM-02: nobody answers for forty minutes."""
    impact, expected = STORIES[name]
    world.team.manager, world.team.product_manager = world.olga, make_person("Pia", world.now)
    world.team.save()
    adopt_preset(world, name)
    assert live_through(world, impact) == expected


def live_through(world: World, impact: str) -> Story:
    """Declare it, be silent until 9:40, tell everybody, resolve it; read what the process made of it."""
    page = make_page(world)
    idp = Service.objects.get(name="idp-prod")
    said = Declared("Nobody can sign in", "Users see an error", impact, services=[idp], condition="major_outage")
    incident = declaring.declare(world.team, said, world.ana, world.now)
    at_once = str(role_facts.commander_of(incident) or "")
    incidents.acknowledge(incident.pk, world.ana, world.now)
    world.forward(minutes=40)
    promised = UpdatePromise.objects.filter(incident=incident)
    waits = {row.audience: minute(incident, row.due_at) for row in promised if row.late_told_at and row.due_at}
    by_itself = done_by_itself(incident)
    incident_updates.write_updates(incident.pk, [Said(row.audience, PARTS) for row in promised], world.ana, world.now)
    is_public = bool(public_view(facts_of(page, world.now), world.now).incidents)
    incidents.resolve(incident.pk, world.ana, world.now, words="a new certificate")
    incident.refresh_from_db()
    postmortem = PostMortem.objects.get(incident=incident)
    last_words, *owes = incidents.missing_of(incident, world.now)
    assert last_words.startswith("not told that it is over: "), "in every team those outside hear the end (COM-06)"
    assert postmortem.due_at is not None
    return Story(
        severity=f"{incident.severity}, {incident.priority}",
        told_at_once=told_at_once(incident),
        commands_at_once=at_once,
        by_itself=by_itself,
        waits=waits,
        is_public=is_public,
        due=postmortem.due_at.day,
        meets=tuple(sorted(str(row.person) for row in postmortem.attendees.all())),
        owes=tuple(owes),
    )


def minute(incident: Incident, at: datetime) -> int:
    return (at - incident.declared_at) // timedelta(minutes=1)


def told_at_once(incident: Incident) -> tuple[str, ...]:
    rows = IncidentUpdate.objects.filter(incident=incident, at=incident.declared_at)
    return tuple(rows.order_by("id").values_list("audience", flat=True))


def done_by_itself(incident: Incident) -> tuple[tuple[int, str], ...]:
    """What was done about who leads and who knows, not about who talks; of one minute by its words, for no order is promised."""
    kinds = [f"incident.{kind}" for kind in ("role_asked", "role_offered", "lead_missing", "role_tie", "wider")]
    lines = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind__in=kinds).order_by("at", "id")
    return tuple(
        sorted(
            (minute(incident, line.at), line.why.partition(": you are asked")[0])
            for line in lines
            if line.data.get("role", "commander") == "commander"
        )
    )

"""What the tests of handoffs share: Ana's week ends on Monday at 09:00, Ben comes, the team has adopted how it hands on."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.world import World
from watchbill.actions import handoff, teams, tickets
from watchbill.actions.tickets import Written
from watchbill.db import facts
from watchbill.db.models import Handoff, HandoffItem, Outgoing, Ticket

STANDUP = {"mode": "meeting", "minutes_before": 60, "meet_at": "10:00", "witnesses_min": 1}
NOTES = {"mode": "notes", "needs_summary": False, "confirm_order": False}


def hands_on(world: World, **rule: object) -> None:
    """The team adopts how it hands a watch on."""
    more = {"handoff_due": {**(rule or STANDUP)}}
    rules = {**facts.policy_of(world.team).get("rules", {}), **more}
    teams.adopt_policy(world.team, {"rules": rules}, world.eva, "we hand on", world.now)
    world.work()


def at(world: World, moment: str) -> None:
    """It is that moment; what was due long before it is done late, so that a week costs no more than two hours."""
    then = datetime.fromisoformat(moment)
    world.now = max(world.now, then - timedelta(minutes=90))
    world.work()
    world.forward(seconds=(then - world.now).total_seconds())


def monday(world: World, clock: str = "08:30") -> Handoff:
    """It is the Monday on which Ana's week ends at 09:00, and Ben comes."""
    at(world, f"2026-03-09T{clock}:00+00:00")
    return Handoff.objects.select_related("leaver", "comer", "rotation", "team").latest("id")


def lines(given: Handoff, part: str) -> list[str]:
    return list(given.items.filter(part=part).order_by("position").values_list("title", flat=True))


def told(person: object) -> list[str]:
    rows = Outgoing.objects.filter(person=person, subject_kind="handoff").order_by("id")
    return [row.message["subject"] for row in rows]


def line_of(given: Handoff, ticket: Ticket) -> HandoffItem:
    return given.items.get(about="ticket", about_id=ticket.pk)


def watch_ticket(world: World, title: str = "Renew the certificate", **more: object) -> Ticket:
    written = Written(title=title, **{"seat": "engineer", "is_unplanned": True, **more})
    return tickets.add_ticket(world.team, written, world.ana, world.now)


def accept(world: World, given: Handoff, **more: object) -> Handoff:
    return handoff.accept(given.pk, world.ben, world.now, **{"confirms": True, "witnesses": [world.eva], **more})

"""One of everything at the desk of the small team's world."""

from __future__ import annotations

from datetime import timedelta

from tests.world import World
from watchbill.actions import (
    communities,
    connectors,
    desk_settings,
    experts,
    filters,
    sprints,
    support,
    tickets,
    vendor_cases,
)
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db.models import Connection, ExternalRef, SupportRequest, Ticket
from watchbill.egress import Allow, Client

RIA = Asker("Ria", "ria@example.net")


def ask(world: World, title: str = "I cannot log in", **more: object) -> SupportRequest:
    """Ria asks the platform team for something."""
    asked = Asked(title, str(more.pop("text", "Since this morning.")), **more)  # type: ignore[arg-type]
    return support.open_request(world.team, RIA, asked, world.now)


def write(world: World, title: str = "Renew the certificate", **more: object) -> Ticket:
    """Ana writes a ticket."""
    return tickets.add_ticket(world.team, Written(title, **more), world.ana, world.now)  # type: ignore[arg-type]


def connect(world: World) -> Connection:
    """Eva connects a tracker that nobody runs."""
    values = {"url": "http://127.0.0.1:9", "project": "ops/desk", "token": "t"}
    http = Client(Allow.read("127.0.0.0/8"))
    return connectors.connect(world.team, "gitlab", "Lab", values, world.eva, http, world.now)


def fill_desk(world: World) -> None:
    """Put one of everything there."""
    values = {"name": "Research", "mail_domains": ["research.example"], "budget_minutes": 60}
    communities.add_community(world.team, values, world.eva, world.now)
    desk_settings.add_faq(world.team, {"question": "Where?", "answer": "Here."}, world.ana, world.now)
    canned = {"kind": "other", "name": "Thanks", "text": "Thank you, {requester}."}
    desk_settings.add_canned(world.team, canned, world.ana, world.now)
    request = ask(world)
    ticket = write(world)
    write(world, "Leave the old cluster", kind="epic")
    vendor_cases.open_case(request, {"vendor": "Cloud", "reference": "C-1"}, world.ana, world.now)
    experts.ask(ticket, world.ana, "you know it", world.ben, world.now)
    today = world.now.date()
    values = {"name": "Ops March", "kind": "ops", "starts_on": today, "ends_on": today + timedelta(days=13)}
    sprints.add_sprint(world.team, values, world.ana, world.now)
    filters.save_filter(world.team, world.ana, "Mine", "assignee = me", world.now, is_shared=True)
    tracker = connect(world)
    ExternalRef.objects.create(
        connection=tracker, subject_kind="ticket", subject_id=ticket.pk, ref="#7", sync="failed", error="it was away"
    )

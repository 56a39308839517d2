"""What the tests of connections share: a team that is connected with a tracker on the loopback, and a worker by hand."""

from __future__ import annotations

import json
from typing import Any

from tests.connectors.vendors import Vendor
from tests.connectors.world import settings_for
from tests.egress.outside import HERE
from tests.world import World
from watchbill.actions import connector_in, connector_out, connectors, desk_inbox, export_sending, exports, tickets
from watchbill.actions.tickets import Written
from watchbill.db.models import Export, ExternalRef, Inbox, Ticket
from watchbill.egress import Client

HTTP = Client(HERE)
REGISTERED = (connector_in, connector_out)


class Tracked:
    """A team and its tracker."""

    def __init__(self, world: World, name: str, vendor: Vendor, **mapping: Any) -> None:
        self.world = world
        self.vendor = vendor
        values = settings_for(name, vendor.url)
        self.connection = connectors.connect(world.team, name, "Tracker", values, world.eva, HTTP, world.now)
        if mapping:
            connectors.change_agreement(self.connection, mapping, world.eva, world.now)

    def ticket(self, title: str = "Disk of db1 grows", **values: Any) -> Ticket:
        return tickets.add_ticket(self.world.team, Written(title, **values), self.world.ana, self.world.now)

    def twin(self, ticket: Ticket) -> ExternalRef:
        connector_out.open_twin(ticket.pk, self.connection.pk, self.world.ana, self.world.now)
        self.leave()
        return self.ref(ticket)

    def ref(self, ticket: Ticket) -> ExternalRef:
        return ExternalRef.objects.get(subject_kind="ticket", subject_id=ticket.pk, connection=self.connection)

    def leave(self, rounds: int = 30) -> list[str]:
        """What is due leaves, as a worker would have it."""
        left = []
        for _ in range(rounds):
            claims = exports.claim_due(lambda: self.world.now, 20)
            if not claims:
                break
            left += [export_sending.send_one(claim, HTTP, lambda _: {}, lambda: self.world.now) for claim in claims]
        return left

    def hears(self, payload: Any, **headers: str) -> Inbox:
        """The tracker calls us, and a worker reads it."""
        body = json.dumps(payload).encode()
        note = {"headers": headers}
        number = desk_inbox.store(
            self.connection.connector, self.connection.pk, body, note, "127.0.0.1", self.world.now
        )
        desk_inbox.receive(self.world.now)
        return Inbox.objects.get(pk=number)

    def answers(self, what: str) -> list[tuple[str, str]]:
        rows = Export.objects.filter(connection=self.connection, what=what).order_by("id")
        return [(row.state, row.answer or row.reference) for row in rows]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)

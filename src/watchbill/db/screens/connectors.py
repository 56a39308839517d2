"""What the pages of connections show: how each is doing, what is not in step, what did not leave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max

from watchbill.db.models import Connection, Export, ExternalRef, Inbox, Team

MOST = 1000
MOST_ROWS = 20
UNSETTLED = ("failed", "refused", "unknown_state", "waiting", "gone")


@dataclass(frozen=True)
class Health:
    """How a connection is doing: the number of what is not in step, by its sync (up to 1000 each)."""

    connection: Connection
    counts: dict[str, int]
    failing: int
    unread: int

    @property
    def needs_somebody(self) -> bool:
        """Tell whether a person must look at it."""
        wrong = self.counts["failed"] + self.counts["refused"] + self.counts["unknown_state"]
        return bool(wrong or self.failing or self.unread or self.connection.failure)


def list_connections(team: Team) -> list[Health]:
    """Read the connections of a team by name, each with how it is doing."""
    rows = Connection.objects.filter(team=team, removed_at=None).order_by("name", "id")
    return [health_of(connection) for connection in rows]


def health_of(connection: Connection) -> Health:
    """Read how one connection is doing."""
    refs = ExternalRef.objects.filter(connection=connection).exclude(sync="in_step")
    found = Counter(refs.values_list("sync", flat=True).order_by()[: MOST * len(UNSETTLED)])
    failing = Export.objects.filter(connection=connection, state="failed")[:MOST].count()
    return Health(connection, {sync: found[sync] for sync in UNSETTLED}, failing, unread_of(connection)[:MOST].count())


def unread_of(connection: Connection) -> Any:
    """Read the webhooks of a connection that were kept unread, the newest first."""
    rows = Inbox.objects.filter(connection_id=connection.pk, service_id=0, state__gt=Inbox.PARSED)
    return rows.defer("body").order_by("-id")


def unknown_states(connection: Connection) -> list[dict[str, Any]]:
    """Read the states that no mapping knows, with how many stand in each and since when the newest."""
    rows = ExternalRef.objects.filter(connection=connection, sync="unknown_state")
    found = rows.values("their_state").annotate(number=Count("id"), newest=Max("synced_at"))
    return [dict(row) for row in found.order_by("-number", "their_state")[:50]]


def unsettled(connection: Connection, sync: str) -> list[ExternalRef]:
    """Read what is in one state of not being in step, the newest first."""
    rows = ExternalRef.objects.filter(connection=connection, sync=sync).select_related("connection")
    return list(rows.order_by("-id")[:MOST_ROWS])


def failed_exports(connection: Connection) -> list[Export]:
    """Read what did not leave for good, the newest first."""
    return list(Export.objects.filter(connection=connection, state="failed").order_by("-id")[:MOST_ROWS])


def waiting_exports(connection: Connection) -> list[Export]:
    """Read what is tried again, with the reason."""
    rows = Export.objects.filter(connection=connection, state="waiting", due_at__isnull=False).exclude(answer="")
    return list(rows.order_by("due_at")[:MOST_ROWS])

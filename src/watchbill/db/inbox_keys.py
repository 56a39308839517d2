"""The keys that monitors may use, read whole: the door keeps them in memory."""

from __future__ import annotations

from typing import NamedTuple

from django.db import DatabaseError, InterfaceError, connection

from watchbill.db.inbox_writer import InboxAway
from watchbill.db.models import MonitorConnection


class KeyOwner(NamedTuple):
    """Whose key it is."""

    connection_id: int
    service_id: int
    monitor: str


def read_keys() -> dict[str, KeyOwner]:
    """Read every key in use by its hash; raises InboxAway. The thread's connection is given back at once.

    Removed connections and those of archived services are not among them: their sender must hear that nobody
    is told.
    """
    rows = MonitorConnection.objects.filter(removed_at=None, service__archived_at=None)
    try:
        return {
            key_hash: KeyOwner(connection_id, service_id, monitor)
            for key_hash, connection_id, service_id, monitor in rows.values_list(
                "key_hash", "id", "service_id", "monitor"
            ).iterator()
        }
    except (DatabaseError, InterfaceError) as error:
        raise InboxAway(str(error)) from error
    finally:
        connection.close()

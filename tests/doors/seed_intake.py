"""Writes what the intake's tests copy into a migrated database: python seed_intake.py '{"events_v2": "key", ...}'.

The table refuses any body that holds `poison`, so that a test can send a row that the database will not have.
"""

import json
import sys
from datetime import UTC, datetime

import django
from django.db import connection

POISON = {
    "sqlite": "CREATE TRIGGER no_poison BEFORE INSERT ON watchbill_inbox WHEN instr(NEW.body, CAST('poison' AS BLOB)) > 0"
    " BEGIN SELECT RAISE(ABORT, 'this body is poison'); END",
    "postgresql": "ALTER TABLE watchbill_inbox ADD CONSTRAINT no_poison"
    r" CHECK (position('\x706f69736f6e'::bytea in body) = 0)",
}


def seed(keys: dict[str, str]) -> None:
    """Write one team, one service, and a connection of each monitor with the key given."""
    from watchbill.actions.catalogue import hash_key  # noqa: PLC0415 - Django is set up first
    from watchbill.db.models import MonitorConnection, Service, Team  # noqa: PLC0415

    now = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    team = Team.objects.create(slug="platform", name="Platform", created_at=now)
    service = Service.objects.create(team=team, slug="shop", name="Shop", created_at=now)
    for monitor, key in keys.items():
        MonitorConnection.objects.create(
            service=service, monitor=monitor, name=monitor, key=key, key_hash=hash_key(key), created_at=now
        )


if __name__ == "__main__":
    django.setup()
    with connection.cursor() as cursor:
        cursor.execute(POISON[connection.vendor])
    seed(json.loads(sys.argv[1]))
    connection.close()

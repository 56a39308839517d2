"""A JSON field that keeps the order of its keys on every database.

PostgreSQL's jsonb sorts the keys of an object, and in a policy their order means something: the levels of work, the
severities and the classes of request stand in the team's own order (PRI-10). Its json type keeps what was written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    JsonOfAny = models.JSONField[Any, Any]
else:
    JsonOfAny = models.JSONField


class OrderedJSONField(JsonOfAny):
    """JSON whose objects come back with their keys as they were written. Its parts can be read, not compared."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        """Ask PostgreSQL for the type that keeps the text."""
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_placeholder(self, value: object, compiler: object, connection: BaseDatabaseWrapper) -> str:
        """Say what the text is that goes out."""
        return "%s::json" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Write the text ourselves, in the order of the keys."""
        return None if value is None else json.dumps(value, cls=self.encoder)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """Leave alone what the driver of PostgreSQL has read already; its json is no text here."""
        return value if connection.vendor == "postgresql" else super().from_db_value(value, expression, connection)

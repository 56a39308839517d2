"""Copy one row into a million: what a bench needs of the past, written by the database itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Model

Moment = Callable[[datetime], str]


def ago(seconds: int) -> Moment:
    """Give the moment of row `i`: so many seconds apart, the last one now."""

    def moment(now: datetime) -> str:
        if connection.vendor == "sqlite":
            return f"strftime('%Y-%m-%d %H:%M:%f000', '{now:%Y-%m-%d %H:%M:%S}', '-' || (({seconds}) * (n.most - i)) || ' seconds')"
        return f"'{now.isoformat()}'::timestamptz - (n.most - i) * interval '{seconds} seconds'"

    return moment


def copy_rows(
    row: Model, changed: Mapping[str, str], times: Mapping[str, Moment], size: int, now: datetime
) -> tuple[str, list[int]]:
    """Give the statement that copies a row, with some columns computed from the number `i`, and its parameters."""
    table = row._meta.db_table
    columns = [field.column for field in row._meta.concrete_fields]
    computed = {**changed, **{name: moment(now) for name, moment in times.items()}}
    values = ", ".join(computed.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    series = (
        f"WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {size})"
        if connection.vendor == "sqlite"
        else f"WITH s AS (SELECT generate_series(1, {size}) AS i)"
    )
    most = f"(SELECT {size} AS most) n"
    return f'INSERT INTO "{table}" ({names}) {series} SELECT {values} FROM s, {most}, "{table}" t WHERE t.id = %s', [
        row.pk
    ]


def settle(*tables: str) -> None:
    """Let PostgreSQL do what autovacuum does within the minute, and go on counting where the copies end."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            cursor.execute("VACUUM ANALYZE")

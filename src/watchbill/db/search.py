"""Full-text search over alerts: one table beside them, filled by the database itself, inside the same transaction.

A group is found by its title, its service's name and the description of its first alert, as they were when it
opened. SQLite keeps them in an FTS5 table whose rows come back newest first without sorting; PostgreSQL in a generated
tsvector under a GIN index. A trigger writes it: no code path can forget to. A migration that rebuilds the table
of alerts or of groups on SQLite drops its triggers, and calls `install` again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from watchbill.db.models import AlertGroup

WORDS_MOST = 12
WORD = re.compile(r"[^\W_]+")

SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS alert_search USING fts5(title, service, description, team, tokenize='unicode61')",
    "DROP TRIGGER IF EXISTS alert_search_write",
    """CREATE TRIGGER alert_search_write AFTER INSERT ON watchbill_alert
       WHEN NOT EXISTS (SELECT 1 FROM watchbill_alert WHERE group_id = NEW.group_id AND id < NEW.id)
       BEGIN
         INSERT OR REPLACE INTO alert_search (rowid, title, service, description, team)
         SELECT g.id, g.title, s.name, substr(NEW.description, 1, 500), 'team' || g.team_id
         FROM watchbill_alertgroup g JOIN watchbill_service s ON s.id = g.service_id WHERE g.id = NEW.group_id;
       END""",
    "DROP TRIGGER IF EXISTS alert_search_forget",
    """CREATE TRIGGER alert_search_forget AFTER DELETE ON watchbill_alertgroup
       BEGIN DELETE FROM alert_search WHERE rowid = OLD.id; END""",
)
POSTGRESQL = (
    """CREATE TABLE IF NOT EXISTS alert_search (
         group_id bigint PRIMARY KEY,
         title text NOT NULL,
         words tsvector GENERATED ALWAYS AS
           (to_tsvector('simple'::regconfig, regexp_replace(title, '[^[:alnum:]]+', ' ', 'g'))) STORED)""",
    "CREATE INDEX IF NOT EXISTS alert_search_words ON alert_search USING gin (words)",
    """CREATE OR REPLACE FUNCTION alert_search_write() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF NOT EXISTS (SELECT 1 FROM watchbill_alert WHERE group_id = NEW.group_id AND id < NEW.id) THEN
           INSERT INTO alert_search (group_id, title)
           SELECT g.id, concat_ws(' ', g.title, s.name, left(NEW.description, 500))
           FROM watchbill_alertgroup g JOIN watchbill_service s ON s.id = g.service_id WHERE g.id = NEW.group_id
           ON CONFLICT (group_id) DO UPDATE SET title = excluded.title;
         END IF;
         RETURN NULL;
       END $$""",
    """CREATE OR REPLACE TRIGGER alert_search_write AFTER INSERT ON watchbill_alert
       FOR EACH ROW EXECUTE FUNCTION alert_search_write()""",
    """CREATE OR REPLACE FUNCTION alert_search_forget() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN DELETE FROM alert_search WHERE group_id = OLD.id; RETURN NULL; END $$""",
    """CREATE OR REPLACE TRIGGER alert_search_forget AFTER DELETE ON watchbill_alertgroup
       FOR EACH ROW EXECUTE FUNCTION alert_search_forget()""",
)


def install(schema_editor: Any) -> None:
    """Make the table and its triggers; doing it again changes nothing."""
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def uninstall(schema_editor: Any) -> None:
    """Take the table and its triggers away."""
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, table in (("write", "watchbill_alert"), ("forget", "watchbill_alertgroup")):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS alert_search_{name}" + ("" if sqlite else f" ON {table}"))
    schema_editor.execute("DROP TABLE IF EXISTS alert_search")


def read_words(text: str) -> list[str]:
    """Read what somebody typed into words; punctuation separates."""
    return WORD.findall(text)[:WORDS_MOST]


def search(
    groups: QuerySet[AlertGroup], text: str, teams: Sequence[int] | None, before: int | None = None
) -> QuerySet[AlertGroup]:
    """Keep the groups that hold every word of `text`, the newest first; text without a word keeps none.

    `groups` is what the reader may see already; `teams` (None: all) says the same to the index, so that it does not
    walk through the matches of others; `before` keeps only groups with a lower id, and begins there. The last word may
    be the beginning of one, because it may still be being typed, unless a space follows it; to look every word up by
    its beginning would gather half the index first.
    """
    words = read_words(text)
    if not words or teams == []:
        return groups.none()
    if connection.vendor == "sqlite":
        typed = "" if text[-1:].isspace() else "*"
        asked = "{title service description} : (" + " AND ".join(f'"{word}"' for word in words) + typed + ")"
        if teams is not None:
            asked += " AND team : (" + " OR ".join(f'"team{team}"' for team in teams) + ")"
        # The plus keeps SQLite from asking the index once for each row of a service: seconds instead of a millisecond.
        found = groups.extra(
            tables=["alert_search"],
            where=["+alert_search.rowid = watchbill_alertgroup.id", "alert_search MATCH %s"],
            params=[asked],
        )
        if before is not None:
            found = found.extra(where=["alert_search.rowid < %s"], params=[before])
        return found.extra(order_by=["-alert_search.rowid"])
    if before is not None:
        groups = groups.filter(pk__lt=before)
    return groups.extra(
        tables=["alert_search"],
        where=["alert_search.group_id = watchbill_alertgroup.id", "alert_search.words @@ to_tsquery('simple', %s)"],
        params=[" & ".join(words) + ("" if text[-1:].isspace() else ":*")],
    ).order_by("-id")

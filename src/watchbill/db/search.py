"""Full-text search over alerts: one table beside them, filled by the database itself, inside the same transaction.

A group is found by its title and the description of its first alert, as they were when it opened, and by its
service's name as it is now: the index holds the service's number, and a word that begins a service's name also asks
for that number. So a service that is renamed is found by its new name at once, and nothing is written again. SQLite keeps them in an FTS5 table whose rows come back newest first without sorting; PostgreSQL in a generated
tsvector under a GIN index. A trigger writes it: no code path can forget to. A migration that rebuilds the table
of alerts or of groups on SQLite drops its triggers, and calls `install` again; one for a database whose index still
holds names calls `rebuild`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from watchbill.db.models import AlertGroup, Service

WORDS_MOST = 12
SERVICES_MOST = 200
WORD = re.compile(r"[^\W_]+")

SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS alert_search USING fts5(title, service, description, team, tokenize='unicode61')",
    "DROP TRIGGER IF EXISTS alert_search_write",
    """CREATE TRIGGER alert_search_write AFTER INSERT ON watchbill_alert
       WHEN NOT EXISTS (SELECT 1 FROM watchbill_alert WHERE group_id = NEW.group_id AND id < NEW.id)
       BEGIN
         INSERT OR REPLACE INTO alert_search (rowid, title, service, description, team)
         SELECT g.id, g.title, 'service' || g.service_id, substr(NEW.description, 1, 500), 'team' || g.team_id
         FROM watchbill_alertgroup g WHERE g.id = NEW.group_id;
       END""",
    "DROP TRIGGER IF EXISTS alert_search_forget",
    """CREATE TRIGGER alert_search_forget AFTER DELETE ON watchbill_alertgroup
       BEGIN DELETE FROM alert_search WHERE rowid = OLD.id; END""",
)
POSTGRESQL = (
    """CREATE TABLE IF NOT EXISTS alert_search (
         group_id bigint PRIMARY KEY,
         title text NOT NULL,
         service_id bigint NOT NULL,
         words tsvector GENERATED ALWAYS AS
           (to_tsvector('simple'::regconfig, regexp_replace(title, '[^[:alnum:]]+', ' ', 'g'))
            || array_to_tsvector(ARRAY['=' || service_id::text])) STORED)""",
    "CREATE INDEX IF NOT EXISTS alert_search_words ON alert_search USING gin (words)",
    """CREATE OR REPLACE FUNCTION alert_search_write() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF NOT EXISTS (SELECT 1 FROM watchbill_alert WHERE group_id = NEW.group_id AND id < NEW.id) THEN
           INSERT INTO alert_search (group_id, title, service_id)
           SELECT g.id, concat_ws(' ', g.title, left(NEW.description, 500)), g.service_id
           FROM watchbill_alertgroup g WHERE g.id = NEW.group_id
           ON CONFLICT (group_id) DO UPDATE SET title = excluded.title, service_id = excluded.service_id;
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


# Fill what the triggers did not see.
FILL = {
    "sqlite": """INSERT INTO alert_search (rowid, title, service, description, team)
       SELECT g.id, g.title, 'service' || g.service_id, coalesce(substr((SELECT a.description FROM watchbill_alert a
         WHERE a.group_id = g.id ORDER BY a.id LIMIT 1), 1, 500), ''), 'team' || g.team_id
       FROM watchbill_alertgroup g WHERE g.id NOT IN (SELECT rowid FROM alert_search)""",
    "postgresql": """INSERT INTO alert_search (group_id, title, service_id)
       SELECT g.id, concat_ws(' ', g.title, left((SELECT a.description FROM watchbill_alert a
         WHERE a.group_id = g.id ORDER BY a.id LIMIT 1), 500)), g.service_id
       FROM watchbill_alertgroup g ON CONFLICT DO NOTHING""",
}


@dataclass(frozen=True)
class Ask:
    """One word that somebody seeks; `is_begun`: it may be the beginning of one, because it is still being typed."""

    word: str
    is_begun: bool

    def is_in(self, name: Sequence[str]) -> bool:
        """Tell whether a name, given in plain words, holds it."""
        wanted = "".join(_plain(self.word)) or self.word
        return any(word == wanted or (self.is_begun and word.startswith(wanted)) for word in name)


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


def rebuild(schema_editor: Any) -> None:
    """Make the index anew from the alerts: for one that was made before this version of it."""
    uninstall(schema_editor)
    install(schema_editor)
    schema_editor.execute(FILL[schema_editor.connection.vendor])


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
    asks = [Ask(word, is_begun=False) for word in words]
    asks[-1] = Ask(words[-1], is_begun=not text[-1:].isspace())
    named = _services_named(asks, teams)
    if connection.vendor == "sqlite":
        asked = " AND ".join(_ask_sqlite(ask, services) for ask, services in zip(asks, named, strict=True))
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
    params: list[str] = []
    for ask, services in zip(asks, named, strict=True):
        params += [ask.word + (":*" if ask.is_begun else ""), " | ".join(f"'={service}'" for service in services)]
    each = " && ".join(["(to_tsquery('simple', %s) || %s::tsquery)"] * len(asks))
    return groups.extra(  # noqa: S610 - fixed text, once for each word
        tables=["alert_search"],
        where=["alert_search.group_id = watchbill_alertgroup.id", f"alert_search.words @@ ({each})"],
        params=params,
    ).order_by("-id")


def _ask_sqlite(ask: Ask, services: Sequence[int]) -> str:
    here = f'{{title description}} : "{ask.word}"' + ("*" if ask.is_begun else "")
    if not services:
        return f"({here})"
    return f"({here} OR service : (" + " OR ".join(f'"service{number}"' for number in services) + "))"


def _services_named(asks: Sequence[Ask], teams: Sequence[int] | None) -> list[list[int]]:
    """Read for each word the services whose name holds it, at most `SERVICES_MOST`."""
    rows = Service.objects.all() if teams is None else Service.objects.filter(team__in=teams)
    names = [(number, _plain(name)) for number, name in rows.order_by("id").values_list("id", "name")]
    return [[number for number, name in names if ask.is_in(name)][:SERVICES_MOST] for ask in asks]


def _plain(text: str) -> list[str]:
    """Read a name's words without case and accents."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return WORD.findall(bare.casefold())

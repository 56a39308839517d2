"""Full-text search over tickets and requests: one table each, kept by the database itself as `db.search` keeps alerts'.

A ticket is found by its title, its text and what was written on it; a request by its title, its conversation, its
component and whoever asked. The index holds whole words in any case; the last word that somebody types may be the
beginning of one. A migration that rebuilds one of these tables on SQLite drops its triggers, and calls `rebuild`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from watchbill.db.models import SupportRequest, Ticket
from watchbill.db.search import read_words

LONGEST = 4000
# How many letters of a begun word SQLite finds as quickly as a whole one; it merges the rows of every word for the rest.
BEGUN = "2 3 4 5 6 7 8"
FEW = 500
NEWEST = 1000
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Subject:
    """What is searched: its table, its column in `watchbill_message`, what is found beside the title, and what changes it.

    `beside` is SQL in which `{row}` stands for a row of the table.
    """

    name: str
    table: str
    column: str
    beside: str
    watched: tuple[str, ...]


TICKET = Subject("ticket", "watchbill_ticket", "ticket_id", "{row}.text", ("title", "text"))
REQUEST = Subject(
    "request",
    "watchbill_supportrequest",
    "request_id",
    "{row}.component || ' ' || coalesce((SELECT q.name || ' ' || q.email FROM watchbill_requester q"
    " WHERE q.id = {row}.requester_id), '')",
    ("title", "component", "requester_id"),
)
SUBJECTS = (TICKET, REQUEST)


def install(schema_editor: Any) -> None:
    """Make both tables with their triggers, and fill them from what is there."""
    for subject in SUBJECTS:
        make = _sqlite if schema_editor.connection.vendor == "sqlite" else _postgresql
        for statement in make(subject):
            schema_editor.execute(statement, params=None)


def uninstall(schema_editor: Any) -> None:
    """Take both tables and their triggers away."""
    sqlite = schema_editor.connection.vendor == "sqlite"
    for one in SUBJECTS:
        triggers = [("new", one.table), ("change", one.table), ("gone", one.table), ("message", "watchbill_message")]
        for trigger, on in [*triggers, ("requester", "watchbill_requester")]:
            name = f"{one.name}_search_{trigger}"
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}" + ("" if sqlite else f" ON {on}"))
        schema_editor.execute(f"DROP TABLE IF EXISTS {one.name}_search")


def rebuild(schema_editor: Any) -> None:
    """Make both indexes anew: for a database whose indexes were made before this version of them."""
    uninstall(schema_editor)
    install(schema_editor)


def _sqlite(subject: Subject) -> list[str]:
    name, table, column = subject.name, subject.table, subject.column

    def words(row: str) -> str:
        return (
            f"substr({subject.beside.format(row=row)}, 1, {LONGEST}) || ' ' ||"
            f" coalesce((SELECT group_concat(substr(m.text, 1, {LONGEST}), ' ') FROM watchbill_message m"
            f" WHERE m.{column} = {row}.id), '')"
        )

    changed = " OR ".join(f"OLD.{part} IS NOT NEW.{part}" for part in subject.watched)
    requester = f"""CREATE TRIGGER IF NOT EXISTS {name}_search_requester AFTER UPDATE OF name, email ON watchbill_requester
            WHEN OLD.name IS NOT NEW.name OR OLD.email IS NOT NEW.email BEGIN
            UPDATE {name}_search SET words = (SELECT {words("t")} FROM {table} t WHERE t.id = {name}_search.rowid)
            WHERE rowid IN (SELECT t.id FROM {table} t WHERE t.requester_id = NEW.id); END"""
    return [
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_search USING fts5(title, words, team, tokenize='unicode61', prefix='{BEGUN}')",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_new AFTER INSERT ON {table} BEGIN
            INSERT INTO {name}_search (rowid, title, words, team)
            VALUES (NEW.id, NEW.title, substr({subject.beside.format(row="NEW")}, 1, {LONGEST}), 'team' || NEW.team_id); END""",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_change AFTER UPDATE OF {", ".join(subject.watched)} ON {table}
            WHEN {changed} BEGIN
            UPDATE {name}_search SET title = NEW.title, words = {words("NEW")} WHERE rowid = NEW.id; END""",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_gone AFTER DELETE ON {table} BEGIN
            DELETE FROM {name}_search WHERE rowid = OLD.id; END""",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_message AFTER INSERT ON watchbill_message
            WHEN NEW.{column} IS NOT NULL BEGIN
            UPDATE {name}_search SET words = words || ' ' || substr(NEW.text, 1, {LONGEST})
            WHERE rowid = NEW.{column}; END""",
        *([requester] if "requester_id" in subject.watched else []),
        f"""INSERT INTO {name}_search (rowid, title, words, team)
            SELECT t.id, t.title, {words("t")}, 'team' || t.team_id
            FROM {table} t WHERE t.id NOT IN (SELECT rowid FROM {name}_search)""",
    ]


def _postgresql(subject: Subject) -> list[str]:
    name, table, column = subject.name, subject.table, subject.column
    plain = "regexp_replace({}, '[^[:alnum:]]+', ' ', 'g')"

    def words(row: str) -> str:
        return (
            f"left(concat_ws(' ', {row}.title, left({subject.beside.format(row=row)}, {LONGEST}),"
            f" coalesce((SELECT string_agg(left(m.text, {LONGEST}), ' ' ORDER BY m.id) FROM watchbill_message m"
            f" WHERE m.{column} = {row}.id), '')), 200000)"
        )

    changed = " OR ".join(f"OLD.{part} IS DISTINCT FROM NEW.{part}" for part in subject.watched)
    requester = [
        f"""CREATE OR REPLACE FUNCTION {name}_search_requester() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE {name}_search s SET words = {words("t")} FROM {table} t
            WHERE t.id = s.subject_id AND t.requester_id = NEW.id; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_requester AFTER UPDATE OF name, email ON watchbill_requester
            FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email)
            EXECUTE FUNCTION {name}_search_requester()""",
    ]
    return [
        f"""CREATE TABLE IF NOT EXISTS {name}_search (
            subject_id bigint PRIMARY KEY, words text NOT NULL,
            found tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, {plain.format("words")})) STORED)""",
        f"CREATE INDEX IF NOT EXISTS {name}_search_found ON {name}_search USING gin (found)",
        f"""CREATE OR REPLACE FUNCTION {name}_search_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO {name}_search (subject_id, words) VALUES (NEW.id, {words("NEW")})
            ON CONFLICT (subject_id) DO UPDATE SET words = excluded.words; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_new AFTER INSERT ON {table}
            FOR EACH ROW EXECUTE FUNCTION {name}_search_new()""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_change AFTER UPDATE OF {", ".join(subject.watched)} ON {table}
            FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION {name}_search_new()""",
        f"""CREATE OR REPLACE FUNCTION {name}_search_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            DELETE FROM {name}_search WHERE subject_id = OLD.id; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_gone AFTER DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {name}_search_gone()""",
        f"""CREATE OR REPLACE FUNCTION {name}_search_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE {name}_search SET words = left(words || ' ' || left(NEW.text, {LONGEST}), 200000)
            WHERE subject_id = NEW.{column}; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_message AFTER INSERT ON watchbill_message
            FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) EXECUTE FUNCTION {name}_search_message()""",
        *(requester if "requester_id" in subject.watched else []),
        f"""INSERT INTO {name}_search (subject_id, words)
            SELECT t.id, {words("t")} FROM {table} t ON CONFLICT DO NOTHING""",
    ]


def search_tickets(tickets: QuerySet[Ticket], text: str) -> QuerySet[Ticket]:
    """Keep the tickets that hold every word of `text`; text without a word keeps none."""
    return tickets.filter(pk__in=found_in(Ticket, text)) if read_words(text) else tickets.none()


def search_requests(requests: QuerySet[SupportRequest], text: str) -> QuerySet[SupportRequest]:
    """Keep the requests that hold every word of `text`; text without a word keeps none."""
    return requests.filter(pk__in=found_in(SupportRequest, text)) if read_words(text) else requests.none()


def found_in(model: type[Model], text: str) -> RawSQL:
    """Give the ids of all rows of a model that hold every word of `text`, which holds one at least."""
    name = _name_of(model)
    if connection.vendor == "sqlite":
        asked = _ask_sqlite(text)
        return RawSQL(f"SELECT rowid FROM {name}_search WHERE {name}_search MATCH %s", [asked])
    words = read_words(text)
    asked = " & ".join([*words[:-1], words[-1] + ("" if text[-1:].isspace() else ":*")])
    return RawSQL(f"SELECT subject_id FROM {name}_search WHERE found @@ to_tsquery('simple'::regconfig, %s)", [asked])


def join_found(rows: QuerySet[Row], texts: Sequence[str], teams: Sequence[int] | None = None) -> QuerySet[Row]:
    """Keep the rows that hold every word of all `texts`, to be read by `newest_first`; without a word: none.

    `teams` (None: all) says to the index what `rows` says already, so that it does not walk what others wrote. Many
    rows may hold the words: SQLite's index gives the newest of them at once only when it is read in its own order.
    """
    if not all(read_words(text) for text in texts) or (teams is not None and not teams):
        return rows.none()
    if connection.vendor != "sqlite":
        for text in texts:
            few = _few(rows.model, text)
            rows = rows.filter(pk__in=found_in(rows.model, text) if few is None else few)
        return rows
    asked = " AND ".join(f"({_ask_sqlite(text)})" for text in texts)
    if teams is not None:
        asked += " AND team : (" + " OR ".join(f'"team{team}"' for team in teams) + ")"
    table = f"{_name_of(rows.model)}_search"
    # The plus keeps SQLite from asking the index once for each row.
    where = [f"+{table}.rowid = {rows.model._meta.db_table}.id", f"{table} MATCH %s"]
    return rows.extra(tables=[table], where=where, params=[asked])  # noqa: S610 - names of ours


def _few(model: type[Model], text: str) -> list[int] | None:
    """Read the ids of the rows that hold the words, when they are few; None: many.

    PostgreSQL guesses how many hold a word that it has never counted, and walks all rows when it guesses too high. A
    word that many of the newest rows hold is found by that walk at once; any other is asked of the index alone.
    """
    found, table = found_in(model, text), f"{_name_of(model)}_search"
    newest = f"SELECT * FROM {table} ORDER BY subject_id DESC LIMIT {NEWEST}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({found.sql.replace(table, f'({newest}) n')}) f", found.params)
        if cursor.fetchone()[0] > NEWEST // 20:
            return None
        cursor.execute(f"WITH f AS MATERIALIZED ({found.sql}) SELECT * FROM f LIMIT {FEW + 1}", found.params)
        ids = [row[0] for row in cursor.fetchall()]
    return ids if len(ids) <= FEW else None


def newest_first(rows: QuerySet[Row], before: int | None = None) -> QuerySet[Row]:
    """Sort rows by their ids, the newest first, those below `before` alone; after `join_found` in the index's order."""
    table = next((name for name in rows.query.extra_tables if name.endswith("_search")), None)
    if table is None:
        return (rows if before is None else rows.filter(pk__lt=before)).order_by("-pk")
    if before is not None:
        rows = rows.extra(where=[f"{table}.rowid < %s"], params=[before])  # noqa: S610 - a name of ours
    return rows.extra(order_by=[f"-{table}.rowid"])


def _name_of(model: type[Model]) -> str:
    return next(subject.name for subject in SUBJECTS if subject.table == model._meta.db_table)


def _ask_sqlite(text: str) -> str:
    words = " ".join(f'"{word}"' for word in read_words(text))
    return f"{{title words}} : ({words}{'' if text[-1:].isspace() else '*'})"

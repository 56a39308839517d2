"""Full-text search over tickets and requests: one table each, kept by the database itself as `db.search` keeps alerts'.

A ticket is found by its title, its text and what was written on it; a request by its title and its conversation. The
index holds whole words in any case; the last word that somebody types may be the beginning of one.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from watchbill.db.models import SupportRequest, Ticket
from watchbill.db.search import read_words

LONGEST = 4000

# subject, its table, the column of watchbill_message that names it, the text beside the title
SUBJECTS = (
    ("ticket", "watchbill_ticket", "ticket_id", "text"),
    ("request", "watchbill_supportrequest", "request_id", "''"),
)


def install(schema_editor: Any) -> None:
    """Make both tables with their triggers, and fill them from what is there."""
    for subject in SUBJECTS:
        make = _sqlite if schema_editor.connection.vendor == "sqlite" else _postgresql
        for statement in make(*subject):
            schema_editor.execute(statement, params=None)


def uninstall(schema_editor: Any) -> None:
    """Take both tables and their triggers away."""
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, table, _, _ in SUBJECTS:
        for trigger, on in (("new", table), ("change", table), ("gone", table), ("message", "watchbill_message")):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}_search_{trigger}" + ("" if sqlite else f" ON {on}"))
        schema_editor.execute(f"DROP TABLE IF EXISTS {name}_search")


def _sqlite(name: str, table: str, column: str, text: str) -> list[str]:
    new_text, row_text = (text if text == "''" else f"{side}.{text}" for side in ("NEW", "t"))
    watched = "title" if text == "''" else f"title, {text}"
    messages = (
        f"coalesce((SELECT group_concat(substr(m.text, 1, {LONGEST}), ' ') FROM watchbill_message m"
        f" WHERE m.{column} = {{row}}.id), '')"
    )
    return [
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name}_search USING fts5(title, words, team, tokenize='unicode61')",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_new AFTER INSERT ON {table} BEGIN
            INSERT INTO {name}_search (rowid, title, words, team)
            VALUES (NEW.id, NEW.title, substr({new_text}, 1, {LONGEST}), 'team' || NEW.team_id); END""",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_change AFTER UPDATE OF {watched} ON {table}
            WHEN {" OR ".join(f"OLD.{part.strip()} IS NOT NEW.{part.strip()}" for part in watched.split(","))} BEGIN
            UPDATE {name}_search SET title = NEW.title,
            words = substr({new_text}, 1, {LONGEST}) || ' ' || {messages.format(row="NEW")} WHERE rowid = NEW.id; END""",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_gone AFTER DELETE ON {table} BEGIN
            DELETE FROM {name}_search WHERE rowid = OLD.id; END""",
        f"""CREATE TRIGGER IF NOT EXISTS {name}_search_message AFTER INSERT ON watchbill_message
            WHEN NEW.{column} IS NOT NULL BEGIN
            UPDATE {name}_search SET words = words || ' ' || substr(NEW.text, 1, {LONGEST})
            WHERE rowid = NEW.{column}; END""",
        f"""INSERT INTO {name}_search (rowid, title, words, team)
            SELECT t.id, t.title, substr({row_text}, 1, {LONGEST}) || ' ' || {messages.format(row="t")}, 'team' || t.team_id
            FROM {table} t WHERE t.id NOT IN (SELECT rowid FROM {name}_search)""",
    ]


def _postgresql(name: str, table: str, column: str, text: str) -> list[str]:
    new_text, row_text = (text if text == "''" else f"{side}.{text}" for side in ("NEW", "t"))
    watched = "title" if text == "''" else f"title, {text}"
    plain = "regexp_replace({}, '[^[:alnum:]]+', ' ', 'g')"
    messages = (
        f"coalesce((SELECT string_agg(left(m.text, {LONGEST}), ' ' ORDER BY m.id) FROM watchbill_message m"
        f" WHERE m.{column} = {{row}}.id), '')"
    )
    return [
        f"""CREATE TABLE IF NOT EXISTS {name}_search (
            subject_id bigint PRIMARY KEY, words text NOT NULL,
            found tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, {plain.format("words")})) STORED)""",
        f"CREATE INDEX IF NOT EXISTS {name}_search_found ON {name}_search USING gin (found)",
        f"""CREATE OR REPLACE FUNCTION {name}_search_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO {name}_search (subject_id, words)
            VALUES (NEW.id, left(concat_ws(' ', NEW.title, left({new_text}, {LONGEST}), {messages.format(row="NEW")}), 200000))
            ON CONFLICT (subject_id) DO UPDATE SET words = excluded.words; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_new AFTER INSERT ON {table}
            FOR EACH ROW EXECUTE FUNCTION {name}_search_new()""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_change AFTER UPDATE OF {watched} ON {table}
            FOR EACH ROW WHEN ({" OR ".join(f"OLD.{part.strip()} IS DISTINCT FROM NEW.{part.strip()}" for part in watched.split(","))})
            EXECUTE FUNCTION {name}_search_new()""",
        f"""CREATE OR REPLACE FUNCTION {name}_search_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            DELETE FROM {name}_search WHERE subject_id = OLD.id; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_gone AFTER DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {name}_search_gone()""",
        f"""CREATE OR REPLACE FUNCTION {name}_search_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE {name}_search SET words = left(words || ' ' || left(NEW.text, {LONGEST}), 200000)
            WHERE subject_id = NEW.{column}; RETURN NULL; END $$""",
        f"""CREATE OR REPLACE TRIGGER {name}_search_message AFTER INSERT ON watchbill_message
            FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) EXECUTE FUNCTION {name}_search_message()""",
        f"""INSERT INTO {name}_search (subject_id, words)
            SELECT t.id, left(concat_ws(' ', t.title, left({row_text}, {LONGEST}), {messages.format(row="t")}), 200000)
            FROM {table} t ON CONFLICT DO NOTHING""",
    ]


def search_tickets(tickets: QuerySet[Ticket], text: str) -> QuerySet[Ticket]:
    """Keep the tickets that hold every word of `text`; text without a word keeps none."""
    return tickets.filter(pk__in=_found("ticket", text)) if read_words(text) else tickets.none()


def search_requests(requests: QuerySet[SupportRequest], text: str) -> QuerySet[SupportRequest]:
    """Keep the requests that hold every word of `text`; text without a word keeps none."""
    return requests.filter(pk__in=_found("request", text)) if read_words(text) else requests.none()


def _found(name: str, text: str) -> RawSQL:
    words = read_words(text)
    begun = "" if text[-1:].isspace() else "*"
    if connection.vendor == "sqlite":
        asked = " ".join(f'"{word}"' for word in words) + begun
        return RawSQL(f"SELECT rowid FROM {name}_search WHERE {name}_search MATCH %s", [f"{{title words}}: ({asked})"])
    asked = " & ".join([*words[:-1], words[-1] + (":*" if begun else "")])
    return RawSQL(f"SELECT subject_id FROM {name}_search WHERE found @@ to_tsquery('simple'::regconfig, %s)", [asked])

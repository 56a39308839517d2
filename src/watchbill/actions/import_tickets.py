"""Take in many issues of a tracker, page by page: each page is an export that puts the next, so nothing waits for it.

How far it is stands in `Connection.cursor["import"]`; a page and that line are written together, so that an import
goes on where it was after any death, and a page that comes twice makes nothing twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill import connectors
from watchbill.actions import exports, ticket_places, twins
from watchbill.actions.access import may_change
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor, Subject, event_of, record, write_lines
from watchbill.actions.twin_refs import agreement_of
from watchbill.connectors import Issue, IssuePage
from watchbill.core.tickets import STAGES
from watchbill.core.twins import Agreement, split_target
from watchbill.db.models import Connection, Event, Export, ExternalRef, Person, Ticket
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Refused

LONGEST_TEXT = 100_000
MOST_LABELS = 20
LONGEST_QUERY = 2000


def start_import(connection: Connection, query: str, person: Person, now: datetime) -> None:
    """Begin to take in what a query finds there, as tickets. Raises Refused naming the field, NotAllowed."""
    may_change(person, connection.team, "import tickets")
    if len(query) > LONGEST_QUERY:
        raise Refused(f"at most {LONGEST_QUERY} characters", "query")
    if connection.connector == "jira" and not query.strip():
        raise Refused("write which issues, in JQL: Jira gives none for an empty query", "query")
    with transaction.atomic():
        locked = lock_connection(connection.pk)
        present = locked.cursor.get("import", {})
        if present.get("state") == "running":
            raise Refused("an import is running already", "query")
        run = secrets.token_hex(4)
        progress = {
            "run": run, "query": query.strip(), "state": "running", "page": 0, "made": 0, "known": 0, "total": None,
            "started_at": now.isoformat(), "failure": "",
        }  # fmt: skip
        change_cursor(connection.pk, **{"import": progress})
        said = f"{person} imports from {connection.name}: {query.strip() or 'everything'}"
        record(subject_of(locked), "connector.import", said, now, Actor.of(person))
        _put_page(locked, run, 1, "", now)
    connection.refresh_from_db()


def stop_import(connection: Connection, person: Person, now: datetime) -> None:
    """Stop an import after the page that is being read; what was taken in stays. Raises NotAllowed."""
    may_change(person, connection.team, "stop an import")
    with transaction.atomic():
        progress = lock_connection(connection.pk).cursor.get("import", {})
        if progress.get("state") == "running":
            change_cursor(connection.pk, **{"import": {**progress, "state": "stopped", "ended_at": now.isoformat()}})
            record(subject_of(connection), "connector.import_stopped", f"{person} stopped it", now, Actor.of(person))
    connection.refresh_from_db()


def send_page(export: Export, http: Client, now: datetime) -> str:
    """Read one page and write its tickets; the next page is another export. Raises DeliveryFailed."""
    connection = Connection.objects.select_related("team").get(pk=export.connection_id or 0)
    progress = connection.cursor.get("import", {})
    if not _is_expected(progress, export):
        return "this page was read already, or the import was stopped"
    settings = connectors.read_settings(connection.connector, connection.settings)
    module = connectors.all_connectors()[connection.connector]
    try:
        page = module.search(settings, http, str(progress["query"]), str(export.payload.get("cursor", "")))
    except DeliveryFailed as failure:
        _tell_failure(connection.pk, failure, export)
        raise
    return _take_in_page(connection.pk, page, export, now)


def _tell_failure(connection_id: int, failure: DeliveryFailed, export: Export) -> None:
    with transaction.atomic():
        progress = lock_connection(connection_id).cursor.get("import", {})
        if _is_expected(progress, export):
            change_cursor(connection_id, **{"import": {**progress, "failure": failure.message[:1000]}})


def _is_expected(progress: dict[str, Any], export: Export) -> bool:
    same = progress.get("run") == export.payload.get("run") and progress.get("state") == "running"
    return same and progress.get("page", 0) + 1 == export.payload.get("page")


def _take_in_page(connection_id: int, page: IssuePage, export: Export, now: datetime) -> str:
    with transaction.atomic():
        connection = lock_connection(connection_id)
        progress = connection.cursor.get("import", {})
        if not _is_expected(progress, export):
            return "this page was read already, or the import was stopped"
        made = take_in_new(connection, page.issues, "imported", now)
        number = int(progress["page"]) + 1
        progress = {
            **progress, "page": number, "made": progress["made"] + made,
            "known": progress["known"] + len(page.issues) - made, "total": page.total or progress["total"], "failure": "",
        }  # fmt: skip
        if page.next is None:
            progress |= {"state": "done", "ended_at": now.isoformat()}
            said = f"{progress['made']} tickets from {connection.name}, {progress['known']} were here already"
            record(subject_of(connection), "connector.imported", said, now)
        else:
            _put_page(connection, str(progress["run"]), number + 1, page.next, now)
        change_cursor(connection_id, **{"import": progress})
    return f"page {number}: {made} new of {len(page.issues)}"


def _put_page(connection: Connection, run: str, page: int, cursor: str, now: datetime) -> None:
    exports.put(
        subject_of(connection),
        "import.page",
        f"import-{connection.pk}-{run}-{page}",
        f"page {page} of an import",
        now,
        connection=connection,
        payload={"run": run, "page": page, "cursor": cursor},
    )


def take_in_new(connection: Connection, issues: Sequence[Issue], why: str, now: datetime) -> int:
    """Write tickets for the issues that have none here, in a few statements; gives how many. Call it in a transaction.

    An issue that is known is followed as if it had been told by a webhook.
    """
    words = agreement_of(connection)
    issues = list({issue.ref: issue for issue in issues}.values())
    refs = ExternalRef.objects.filter(connection=connection, ref__in=[issue.ref for issue in issues])
    known = {ref.ref: ref for ref in refs}
    fresh = [issue for issue in issues if issue.ref not in known]
    rows = _ticket_rows(connection, fresh, words, now)
    made = Ticket.objects.bulk_create(rows, batch_size=250)
    ExternalRef.objects.bulk_create(
        [_ref_row(connection, ticket, issue, words, now) for ticket, issue in zip(made, fresh, strict=True)],
        batch_size=250,
    )
    write_lines([_line(connection, ticket, issue, why, now) for ticket, issue in zip(made, fresh, strict=True)])
    for issue in issues:
        if issue.ref in known and known[issue.ref].subject_kind == "ticket":
            twins.take_in(known[issue.ref].pk, issue, now)
    return len(fresh)


def _ticket_rows(connection: Connection, issues: Sequence[Issue], words: Agreement, now: datetime) -> list[Ticket]:
    desk = desk_of(connection.team, now)
    users = {issue.assignee for issue in issues if issue.assignee}
    people = {user: twins.person_of(user, words, connection.team_id) for user in sorted(users)}
    rows = []
    for issue in issues:
        stage, outcome = split_target(words.target_of(issue.state))
        stage = stage if stage in STAGES else STAGES[0]
        changed = min(issue.updated_at or now, now)
        ticket = Ticket(
            team=connection.team,
            title=issue.title[:300] or issue.ref,
            text=issue.text[:LONGEST_TEXT],
            kind=words.kind_of(issue.kind),
            labels=[label[:40] for label in words.labels_here(issue.labels)][:MOST_LABELS],
            assignee=people.get(issue.assignee),
            stage=stage,
            outcome=outcome if stage == "done" else "",
            stage_at=changed,
            done_at=changed if stage == "done" else None,
            created_at=min(issue.created_at or now, now),
            changed_at=changed,
        )
        ticket_places.place(ticket, desk)
        rows.append(ticket)
    return rows


def _ref_row(connection: Connection, ticket: Ticket, issue: Issue, words: Agreement, now: datetime) -> ExternalRef:
    unknown = bool(issue.state) and not words.target_of(issue.state)
    ours, theirs = twins.face_of(ticket, words), twins.face_there(issue)
    at = issue.updated_at.isoformat() if issue.updated_at else None
    return ExternalRef(
        connection=connection,
        subject_kind="ticket",
        subject_id=ticket.pk,
        ref=issue.ref,
        url=issue.url[:500],
        sync="unknown_state" if unknown else "in_step",
        their_state=issue.state[:80],
        pushed={"ours": asdict(ours), "theirs": asdict(theirs), "at": at},
        synced_at=now,
    )


def _line(connection: Connection, ticket: Ticket, issue: Issue, why: str, now: datetime) -> Event:
    said = f"{issue.ref} in {connection.name}: {why}"
    subject = Subject("ticket", ticket.pk, ticket.team_id)
    actor = Actor(None, connection.name)
    line = event_of(subject, "ticket.added", said, now, actor, {"kind": ticket.kind})
    line.at = ticket.created_at
    return line


def subject_of(connection: Connection) -> Subject:
    """Give the log's name for a connection."""
    return Subject("connector", connection.pk, connection.team_id)


def lock_connection(connection_id: int) -> Connection:
    """Lock a connection against other writers of its cursor; rows that point at it may still be written."""
    rows = Connection.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("team").get(pk=connection_id)


def change_cursor(connection_id: int, **values: Any) -> None:
    """Change a part of what a connection remembers, under its lock. Call it inside a transaction."""
    locked = lock_connection(connection_id)
    locked.cursor = {**locked.cursor, **values}
    locked.save(update_fields=["cursor"])

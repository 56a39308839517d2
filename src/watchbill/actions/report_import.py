"""Import reports that were written elsewhere: each becomes a closed incident, its timeline, its post-mortem, its actions.

Titles are never trusted for dates. The original stays whole, what was not understood is listed, done boxes stay done,
and the same file a second time makes nothing new. An imported incident wakes nobody and has no timers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from django.db import transaction

from watchbill.actions.access import require
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor, Subject, event_of, record, write_lines
from watchbill.actions.postmortem_begin import add_section, subject_of
from watchbill.actions.postmortem_files import UNKNOWN, report_of
from watchbill.actions.report_files import read_report
from watchbill.actions.tickets import LONGEST_TEXT, Written, add_by_rule, move_locked
from watchbill.core.reports.report import ActionItem, Doubt, Entry, Report
from watchbill.db.models import ActionItem as ActionRow
from watchbill.db.models import Event, Incident, IncidentLink, Membership, Person, PostMortem, Team
from watchbill.kit.errors import Refused, Unreadable

LABEL = "post-mortem"
MOST_FILES = 100
MOST_ENTRIES = 2000


@dataclass(frozen=True)
class Imported:
    """What became of one file: its post-mortem, whether it is new, what was guessed and what was not understood."""

    name: str
    postmortem: PostMortem
    is_new: bool
    guesses: Sequence[Doubt] = ()
    not_understood: Sequence[Doubt] = ()


def import_file(team: Team, content: bytes, name: str, person: Person, now: datetime) -> Imported:
    """Import one report. Raises Refused naming the file when it cannot be read, NotAllowed."""
    require(person, team, "member", "import a report")
    try:
        report = read_report(content, name)
    except Unreadable as error:
        raise Refused(f"{name}: {error.message}", "files") from None
    with transaction.atomic():
        # Two who import the same file at once wait for each other.
        Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
        standing = _find(team, report)
        if standing is not None:
            return Imported(name, standing, is_new=False, not_understood=report.not_understood)
        started, guess = _begun(report, now)
        report = replace(report, guesses=(*report.guesses, *guess))
        postmortem = _write(team, report, name, started, person, now)
    return Imported(name, postmortem, is_new=True, guesses=report.guesses, not_understood=report.not_understood)


def _known(report: Report, now: datetime) -> list[datetime]:
    times = [report.started_at, report.ended_at, *(one.at for one in report.timeline)]
    return [one for one in times if one and one <= now]


def _begun(report: Report, now: datetime) -> tuple[datetime, list[Doubt]]:
    """Decide when it began: what the report says, else the first time it knows, else noon of its day, else now."""
    if report.started_at:
        return report.started_at, []
    known = _known(report, now)
    if known:
        return min(known), [Doubt(1, report.title[:80], "when it began is not told: the first time in it is taken")]
    noon = datetime.combine(report.day, time(12), UTC) if report.day else now
    taken = f"noon of {report.day} (UTC)" if report.day and noon <= now else "the moment of the import"
    return min(noon, now), [Doubt(1, report.title[:80], f"when it began is not told: {taken} is taken")]


def _find(team: Team, report: Report) -> PostMortem | None:
    """Find the post-mortem of this file, or the one that was exported as it."""
    rows = PostMortem.objects.filter(team=team).select_related("incident", "team", "owner")
    same = rows.filter(original=report.original).exclude(original="").order_by("id").first()
    if same is not None:
        return same
    alike = rows.filter(title=_title(report)).order_by("id")[:20]
    return next((one for one in alike if report_of(one) == report), None)


def _title(report: Report) -> str:
    return " ".join(report.title.split())[:200] or "A report without a title"


def _write(team: Team, report: Report, name: str, started: datetime, person: Person, now: datetime) -> PostMortem:
    doubts = [{"line": one.line, "text": one.text[:300], "why": one.why} for one in report.not_understood]
    doubts += [{"line": one.line, "text": one.text[:300], "why": f"guessed: {one.why}"} for one in report.guesses]
    incident = _incident(team, report, started, person, now)
    owner = _member(team, report.owner)
    postmortem = PostMortem.objects.create(
        team=team,
        incident=incident,
        title=_title(report),
        state=report.status if report.status in {"draft", "in_review", "reviewed", "published"} else "draft",
        owner=owner,
        impact={one.name[:120]: one.value[:500] for one in report.impact},
        created_at=now,
        changed_at=now,
        reviewed_at=now if report.status in {"reviewed", "published"} else None,
        published_at=now if report.status == "published" else None,
        original=report.original,
        original_name=name[:255],
        not_understood=doubts,
    )
    _sections(postmortem, report, now)
    _timeline(incident, report.timeline, person, now)
    desk = desk_of(team, now)
    actions = {}
    for place, item in enumerate(report.actions):
        ticket_id = _action(postmortem, item, place, desk, person, now)
        told = {"text": item.text, "kind": item.kind, "reference": item.reference, "part": item.part}
        actions[str(ticket_id)] = told
    data = {
        "file": name[:255],
        "day": str(report.day or ""),
        "zone": report.zone,
        "status": report.status,
        "state": postmortem.state,
        "owner": "" if owner is not None and str(owner) == report.owner else report.owner,
        "impact_time": report.impact_time,
        "duration": report.duration,
        "has_start": report.started_at is not None,
        "has_end": report.ended_at is not None,
        "actions": actions,
    }
    said = f"{person} imported it from {name[:100]}"
    record(subject_of(postmortem), "postmortem.imported", said, now, Actor.of(person), data)
    return postmortem


def _incident(team: Team, report: Report, started: datetime, person: Person, now: datetime) -> Incident:
    """Write the incident, dated back and closed; an end that is not told is no milestone, so that nothing is measured."""
    ended = report.ended_at if report.ended_at and report.ended_at >= started else None
    last = max(_known(report, now), default=started)
    summary = report.section("summary")
    impact = report.section("impact")
    incident = Incident.objects.create(
        team=team,
        title=_title(report),
        impact=((impact.text if impact else "") or (summary.text if summary else "") or _title(report))[:10_000],
        summary=(summary.text if summary else "")[:10_000],
        state="closed",
        detection_source="member",
        started_at=started,
        declared_at=started,
        mitigated_at=ended,
        resolved_at=ended,
        closed_at=max(ended or last, last),
        declared_by=person,
        owner=_member(team, report.owner) or person,
    )
    data = {"door": "import"}
    about = Subject("incident", incident.pk, team.pk)
    record(about, "incident.imported", f"{person} imported it", now, Actor.of(person), data, started)
    return incident


def _member(team: Team, name: str) -> Person | None:
    if not name.strip():
        return None
    rows = Membership.objects.filter(team=team, person__name__iexact=name.strip()).select_related("person")
    found = [row.person for row in rows[:2]]
    return found[0] if len(found) == 1 else None


def _sections(postmortem: PostMortem, report: Report, now: datetime) -> None:
    taken: set[str] = set()
    for place, section in enumerate(report.sections):
        key = section.key or f"{UNKNOWN}{place}"
        while key in taken:
            key = f"{section.key}~{place}"
        taken.add(key)
        add_section(postmortem, key, section.heading, section.text, place, now)


def _timeline(incident: Incident, entries: Sequence[Entry], person: Person, now: datetime) -> None:
    """Write the lines with the time that they happened; one without a time stands where its neighbour does."""
    about, lines, last = Subject("incident", incident.pk, incident.team_id), [], incident.started_at
    for place, entry in enumerate(entries[:MOST_ENTRIES]):
        last = entry.at or last
        kept = {
            "place": place,
            "written": entry.written,
            "kind": entry.kind,
            "author": entry.author,
            "place_name": entry.place,
            "part": entry.part,
            "has_at": entry.at is not None,
        }
        data = {"kind": "note", "door": "import", "report": kept}
        by = Actor(None, entry.author or "report")
        lines.append(event_of(about, "incident.entry", entry.text, now, by, data, last))
    write_lines(lines)


def _action(postmortem: PostMortem, item: ActionItem, place: int, desk: Desk, person: Person, now: datetime) -> int:
    """Make the ticket of an action; its box is its stage."""
    title = " ".join(item.text.split("\n")[0].split()) or item.reference or "An action without words"
    written = Written(title[:300], item.text[:LONGEST_TEXT], kind="action", labels=(LABEL,))
    ticket = add_by_rule(postmortem.team, written, Actor.of(person), now)
    if item.is_done:
        move_locked(ticket, "done", "done", Actor.of(person), now)
    kind = item.kind if item.kind in {"process", "documentation", "technical"} else "technical"
    ActionRow.objects.create(postmortem=postmortem, ticket=ticket, kind=kind, position=place)
    IncidentLink.objects.create(
        incident=postmortem.incident,
        kind="ticket",
        subject_id=ticket.pk,
        created_at=now,
        created_by=person,
        note="action",
    )
    return ticket.pk


def import_of(postmortem: PostMortem) -> Event | None:
    """Read when a post-mortem was imported and by whom; None: it was written here."""
    rows = Event.objects.filter(subject_kind="postmortem", subject_id=postmortem.pk, kind="postmortem.imported")
    return rows.order_by("id").first()

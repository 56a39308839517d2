"""A post-mortem as a report that leaves: the whole record for the team, and the public one without names.

What an imported report had and our tables have no place for (its words for times, its owner's name) stands in the log
line `postmortem.imported`, so that exporting it again gives the same record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from watchbill.core.postmortems import words_of
from watchbill.core.reports.blameless import replace_names
from watchbill.core.reports.report import ACTIONS, SECTION_KEYS, TIMELINE, ActionItem, Entry, Figure, Report, Section
from watchbill.core.reports.words import key_of
from watchbill.core.reports.write import impact_words
from watchbill.core.wallclock import day_of
from watchbill.db.models import Event, Incident, Person, PostMortem, RoleAssignment
from watchbill.db.postmortem_facts import actions_of, counted, entry_words, lines_of

# A key of ours that the format of reports does not know: its heading tells it.
UNKNOWN = "other-"
TOOL = "Watchbill"
SOMEBODY = "a colleague"


def report_of(postmortem: PostMortem) -> Report:
    """Give a post-mortem as a report, whole."""
    incident, kept = postmortem.incident, imported_data(postmortem)
    zone = str(kept.get("zone", "Etc/UTC" if postmortem.team.zone == "UTC" else postmortem.team.zone))
    ended = incident.mitigated_at or incident.resolved_at
    report = Report(
        title=postmortem.title,
        day=_day(kept) if kept else day_of(incident.started_at, postmortem.team.zone),
        status=str(kept["status"]) if kept.get("state") == postmortem.state else postmortem.state,
        owner=str(postmortem.owner or kept.get("owner", "")),
        zone=zone,
        started_at=incident.started_at if kept.get("has_start", True) else None,
        ended_at=ended if kept.get("has_end", True) else None,
        impact_time=str(kept.get("impact_time", "")),
        duration=str(kept.get("duration", "")),
        impact=_figures(postmortem, is_imported=bool(kept)),
        sections=_sections(postmortem, is_imported=bool(kept)),
        timeline=tuple(_entry(line, zone) for line in _told(incident, is_imported=bool(kept))),
        actions=_actions(postmortem, kept),
    )
    if kept:
        return report
    length = ended - incident.started_at if ended else None
    return replace(report, impact_time=impact_words(report), duration=words_of(length) if length else "")


def imported_data(postmortem: PostMortem) -> dict[str, Any]:
    """Read what an import kept beside the tables; nothing: it was written here."""
    rows = Event.objects.filter(subject_kind="postmortem", subject_id=postmortem.pk, kind="postmortem.imported")
    line = rows.order_by("id").first()
    return dict(line.data) if line else {}


def _day(kept: dict[str, Any]) -> date | None:
    return date.fromisoformat(kept["day"]) if kept.get("day") else None


def _figures(postmortem: PostMortem, *, is_imported: bool) -> tuple[Figure, ...]:
    typed = [(name, str(value)) for name, value in postmortem.impact.items()]
    known = [] if is_imported else [(name, str(number)) for name, number in counted(postmortem.incident)]
    return tuple(Figure(name, value) for name, value in [*known, *typed])


def _sections(postmortem: PostMortem, *, is_imported: bool) -> tuple[Section, ...]:
    rows = list(postmortem.sections.order_by("position", "id"))
    found = [
        Section(_key(row.key, row.heading), row.heading, row.text)
        for row in rows
        if is_imported or row.text.strip() or row.key in {ACTIONS, TIMELINE}
    ]
    standing = {one.key for one in found}
    if not is_imported and ACTIONS not in standing and postmortem.actions.exists():
        found.append(Section(ACTIONS, "Action items"))
    if not is_imported and TIMELINE not in standing:
        found.append(Section(TIMELINE, "Timeline"))
    return tuple(found)


def _key(key: str, heading: str) -> str:
    if key.startswith(UNKNOWN):
        return ""
    plain = key.partition("~")[0]
    return plain if plain in SECTION_KEYS else key_of(heading)


def _told(incident: Incident, *, is_imported: bool) -> Sequence[Event]:
    lines = lines_of(incident)
    if is_imported:
        lines = [line for line in lines if "report" in line.data]
        return sorted(lines, key=lambda line: int(line.data["report"]["place"]))
    return lines


def _entry(line: Event, zone: str) -> Entry:
    kept = line.data.get("report")
    if kept:
        at = line.at if kept["has_at"] else None
        return Entry(at, kept["written"], line.why, kept["kind"], kept["author"], kept["place_name"], kept["part"])
    local = line.at.astimezone(ZoneInfo(zone))
    text = " ".join(line.why.split()) if line.kind != "incident.entry" else line.why
    if line.kind == "incident.entry" and line.data.get("kind", "note") != "note":
        text = f"{entry_words(line).capitalize()}: {text}"
    kind = "entry" if line.kind == "incident.entry" else "system"
    author = line.actor_name if line.kind == "incident.entry" and line.actor_name != TOOL else ""
    return Entry(line.at.replace(microsecond=0), f"{local:%H:%M}", text.strip(), kind, author)  # type: ignore[arg-type]


def _actions(postmortem: PostMortem, kept: dict[str, Any]) -> tuple[ActionItem, ...]:
    told = kept.get("actions", {})
    found = []
    for item in actions_of(postmortem):
        more = told.get(str(item.ticket_id), {})
        text = item.ticket.title if not more else str(more["text"])
        reference = str(more.get("reference", ""))
        kind = str(more.get("kind", item.kind))
        found.append(ActionItem(text, item.ticket.stage == "done", kind, reference, str(more.get("part", ""))))
    if not kept:
        # Written under the heading of their kind, in the order in which kinds first appear.
        order = {kind: place for place, kind in enumerate(dict.fromkeys(one.kind for one in found))}
        found.sort(key=lambda one: order[one.kind])
    return tuple(found)


def public_report(postmortem: PostMortem) -> Report:
    """Give a post-mortem as everybody may read it: names became roles, who spoke and who owns it is left out (PM-06)."""
    report, roles = report_of(postmortem), roles_in(postmortem)
    # What Watchbill wrote about who took which role when says nothing to the public.
    shown = [one for one in report.timeline if one.kind != "system" or _is_milestone(one)]
    return replace(
        report,
        title=replace_names(report.title, roles),
        owner="",
        impact=tuple(Figure(one.name, replace_names(one.value, roles)) for one in report.impact),
        sections=tuple(replace(one, text=replace_names(one.text, roles)) for one in report.sections),
        timeline=tuple(replace(one, text=replace_names(one.text, roles), author="", place="") for one in shown),
        actions=tuple(replace(one, text=replace_names(one.text, roles)) for one in report.actions),
    )


def _is_milestone(entry: Entry) -> bool:
    return any(word in entry.text for word in ("declared it", "no longer feel it", "all is normal", "has it"))


def roles_in(postmortem: PostMortem) -> dict[str, str]:
    """Give what stands in the place of each name that the record holds: `{"Ana": "the commander"}`."""
    incident = postmortem.incident
    names = {str(one) for one in _people(postmortem)}
    names |= {line.actor_name for line in lines_of(incident) if line.actor_name not in {TOOL, ""}}
    names |= {one.name for one in postmortem.attendees.filter(person=None) if one.name}
    kept = imported_data(postmortem)
    names |= {str(kept["owner"])} if kept.get("owner") else set()
    names |= {line.data["report"]["author"] for line in lines_of(incident) if line.data.get("report", {}).get("author")}
    found = dict.fromkeys(names, SOMEBODY)
    rows = RoleAssignment.objects.filter(incident=incident).exclude(since=None).select_related("person")
    for row in rows.order_by("since"):
        found[str(row.person)] = f"the {row.role.replace('_', ' ')}"
    return {name: role for name, role in found.items() if len(name) > 1}


def _people(postmortem: PostMortem) -> list[Person]:
    incident = postmortem.incident
    some = [postmortem.owner, postmortem.reviewed_by, incident.owner, incident.declared_by]
    some += [row.person for row in incident.members.select_related("person")]
    some += [row.person for row in postmortem.attendees.select_related("person")]
    some += [item.ticket.assignee for item in actions_of(postmortem)]
    team = Person.objects.filter(memberships__team=postmortem.team_id)
    return [one for one in {*some, *team} if one is not None]


def file_name(postmortem: PostMortem, ending: str) -> str:
    """Give the name of its file: the day it began, and words of its title."""
    return f"{day_words(postmortem)}-{slug_of(postmortem.title) or postmortem.pk}.{ending}"


def day_words(postmortem: PostMortem) -> str:
    """Give the day on which the incident began, in the team's zone."""
    return day_of(postmortem.incident.started_at, postmortem.team.zone).isoformat()


def slug_of(title: str) -> str:
    """Give a title as part of a file's name."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in title.lower()).split()
    return "-".join(words)[:60].strip("-")

"""Write a report as Markdown: our own shape, which loses nothing, and the MyST shape that 2i2c publishes.

What is read again from either is the record that was written (`read_markdown`); the MyST shape has no place for the
status, the owner and the figures' exact instants, and begins its sections with its own headings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import yaml

from watchbill.core.reports.front import FORMAT
from watchbill.core.reports.report import ACTIONS, TIMELINE, ActionItem, Entry, Report, Section
from watchbill.core.reports.sheet import inside
from watchbill.core.reports.timeline import INSTANT, NO_INSTANT, SPOKEN, zone_of_heading
from watchbill.core.reports.when import Clock, Day, lead_of
from watchbill.core.reports.words import DAY_NOT_KNOWN, KIND_HEADINGS, NO_VALUE, key_of, one_line, trimmed

_MYST_HEADINGS = {
    "summary": "Overview", "what_happened": "What Happened", "resolution": "Resolution", "lucky": "Where We Got Lucky",
    "went_well": "What Went Well", "went_wrong": "What Didn't Go So Well", ACTIONS: "Action Items", TIMELINE: "Timeline",
}  # fmt: skip
_MYST_ORDER = ("summary", "what_happened", "resolution", "lucky", "went_well", "went_wrong")
_BLOCK_MARKS = ("```", "~~~", ">", "#", "|", "-", "*", "+", "=", "    ", "\t")
Row = tuple[str, Entry]


def write_markdown(report: Report) -> str:
    """Write a report so that reading it gives the same record."""
    front: dict[str, object] = {"title": one_line(report.title), "date": str(report.day or "")}
    front |= {"status": report.status, "owner": one_line(report.owner), "zone": report.zone}
    front |= {"started_at": _utc(report.started_at), "ended_at": _utc(report.ended_at)}
    front |= {"impact_time": one_line(report.impact_time), "duration": one_line(report.duration)}
    sections = _whole(report)
    front["headings"] = {_heading(each): each.key for each in sections if key_of(_heading(each)) != each.key}
    said = {name: value for name, value in front.items() if value} | {"format": FORMAT}
    head = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1_000_000)
    rows = [*_impact_rows(report), *((one_line(figure.name), one_line(figure.value)) for figure in report.impact)]
    return _page(report, head, rows, sections, _bullets)


def write_myst(report: Report) -> str:
    """Write a report in the shape of 2i2c's published ones, whose action items keep their boxes here."""
    title = yaml.safe_dump(one_line(report.title), default_style='"', allow_unicode=True, width=1_000_000).strip()
    head = f"title: {title}\ndate: {report.day or NO_VALUE}\n"
    sections = [_in_myst(each) for each in _whole(report)]
    return _page(report, head, _impact_rows(report), sorted(sections, key=_place), _tables)


def _page(
    report: Report,
    head: str,
    rows: Iterable[tuple[str, str]],
    sections: list[Section],
    entries: Callable[[Report, str, Clock], str],
) -> str:
    table = ["| Field | Value |", "| --- | --- |", *(f"| **{_cell(name)}** | {_cell(value)} |" for name, value in rows)]
    blocks = [f"---\n{head}---", f"# {one_line(report.title)}".rstrip(), "\n".join(table)]
    first: set[str] = set()
    for section in sections:
        part = "" if section.key not in first else _heading(section)
        blocks += [f"## {_heading(section)}"] if section.heading or first or section.key else []
        blocks += _statement(report, section) if section.key == TIMELINE and TIMELINE not in first else []
        blocks += [inside(section.text, 2)]
        if section.key == TIMELINE:
            zone = zone_of_heading(section.heading)
            clock = Clock(report.day, zone[1].iana if zone and zone[1] else report.zone)
            blocks.append(entries(report, part, clock))
        elif section.key == ACTIONS:
            blocks.append(_items(each for each in report.actions if each.part == part))
        first.add(section.key)
    return "\n\n".join(block for block in blocks if block) + "\n"


def _whole(report: Report) -> list[Section]:
    """Give the sections with one for every part of the timeline and of the action items, added where it is missing."""
    sections = list(report.sections)
    for key, heading, parts in (
        (ACTIONS, "Action Items", [each.part for each in report.actions]),
        (TIMELINE, "Timeline", [each.part for each in report.timeline]),
    ):
        mine = [each for each in sections if each.key == key]
        if parts and not mine:
            mine = [Section(key, heading)]
            sections += mine
        known = {"", *(_heading(each) for each in mine[1:])}
        sections += [Section(key, part) for part in dict.fromkeys(parts) if part not in known]
    if sections and not sections[0].heading and not sections[0].key and "#" in sections[0].text:
        sections[0] = _named(sections[0])
    return sections


def _named(section: Section) -> Section:
    """Give what stands before all headings a heading when it has some of its own, which would begin sections."""
    text = inside(section.text, 2)
    return Section("notes", "Notes", text) if any(line.startswith("#") for line in text.split("\n")) else section


def _heading(section: Section) -> str:
    return one_line(section.heading).rstrip("# ") or _MYST_HEADINGS.get(section.key, "Notes")


def _in_myst(section: Section) -> Section:
    heading = _MYST_HEADINGS.get(section.key, section.heading)
    return Section(section.key, heading, section.text)


def _place(section: Section) -> int:
    if not section.heading:
        return -1
    if section.key in _MYST_ORDER:
        return _MYST_ORDER.index(section.key)
    return {ACTIONS: 100, TIMELINE: 101}.get(section.key, 99)


def _statement(report: Report, section: Section) -> list[str]:
    if not report.zone or zone_of_heading(section.heading):
        return []
    return [f"_All times in {report.zone}_"]


def _impact_rows(report: Report) -> list[tuple[str, str]]:
    return [
        ("Impact Time", one_line(impact_words(report)) or NO_VALUE),
        ("Duration", one_line(report.duration) or NO_VALUE),
    ]


def impact_words(report: Report) -> str:
    """Give the impact time as PagerDuty writes it, `Feb 11 at 08:46 to Feb 11 at 22:44`, in the report's zone."""
    if report.impact_time or not report.started_at or not report.ended_at:
        return report.impact_time
    ends = (_local(each, report.zone) for each in (report.started_at, report.ended_at))
    return " to ".join(f"{end:%b} {end.day} at {end:%H:%M}" for end in ends)


def _local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone or "Etc/UTC"))


def _utc(instant: datetime | None) -> str:
    return instant.isoformat().replace("+00:00", "Z") if instant else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _items(items: Iterable[ActionItem]) -> str:
    lines: list[str] = []
    kind = ""
    for item in items:
        if item.kind != kind:
            lines += ["", f"### {KIND_HEADINGS.get(item.kind, KIND_HEADINGS[''])}", ""]
            kind = item.kind
        text = item.text if item.reference in item.text else f"{item.text} {item.reference}"
        box = "[x]" if item.is_done else "[ ]"
        lines.append(_bullet(f"{box} ", text))
    return trimmed(lines)


def _bullet(before: str, text: str) -> str:
    """Write a list item: what begins like a block goes on a line of its own, so that it stays one."""
    lines = inside(text, 2).split("\n")
    if before and len(lines) > 1 and lines[0].startswith(_BLOCK_MARKS):
        lines.insert(0, "")
    first, *rest = lines
    return trimmed([f"- {before}{first}", *(f"  {line}" for line in rest)])


def _days(report: Report, part: str, clock: Clock) -> list[tuple[date | None, list[Row]]]:
    """Give the entries of a part by day, each with what stands before its text so that it is read as it is."""
    days: list[tuple[date | None, list[Row]]] = []
    for entry in report.timeline:
        if entry.part != part:
            continue
        day = _local(entry.at, clock.zone).date() if entry.at else None
        if not days or day != clock.day:
            clock.turn_to(Day(day.year, day.month, day.day) if day else None)
            days.append((day, []))
        days[-1][1].append(_row(entry, clock))
    return days


def _row(entry: Entry, clock: Clock) -> Row:
    """Give the time as it is written, and before the text the instant (if the time does not tell it) and who spoke."""
    written = one_line(entry.written).replace("*", "") or (f"{_local(entry.at, clock.zone):%H:%M}" if entry.at else "")
    lead = lead_of(written)
    lead = lead if lead and not lead.rest else None
    at = clock.at(lead)[0] if lead else None
    exact = [f"({_utc(entry.at)})" if entry.at else NO_INSTANT] if at != entry.at else []
    who = _who(entry)
    text = trimmed(entry.text.split("\n"))
    is_bare = (not lead and not exact) or SPOKEN.match(text) or INSTANT.match(text)
    marks = [*exact, *([f"_{' '.join(who)}:_"] if who[1:] or who[0] != "entry" or is_bare else [])]
    return written, Entry(entry.at, " ".join(marks), text, entry.kind, entry.author, entry.place)


def _who(entry: Entry) -> list[str]:
    author = one_line(entry.author).replace(":_", ":").replace("#", "")
    place = "".join(entry.place.split()).replace(":_", ":")
    return [entry.kind, *([author.strip()] if author.strip() else []), *([f"#{place.lstrip('#')}"] if place else [])]


def _bullets(report: Report, part: str, clock: Clock) -> str:
    lines: list[str] = []
    for day, rows in _days(report, part, clock):
        lines += ["", f"### {day or DAY_NOT_KNOWN}", ""]
        for written, entry in rows:
            before = " ".join(each for each in (f"**{written}**" if written else "", entry.written) if each)
            lines.append(_bullet(f"{before} ", entry.text) if before else _bullet("", entry.text))
    return trimmed(lines)


def _tables(report: Report, part: str, clock: Clock) -> str:
    lines: list[str] = []
    for day, rows in _days(report, part, clock):
        lines += ["", f"### {f'{day:%b} {day.day}, {day.year}' if day else DAY_NOT_KNOWN}", ""]
        lines += ["| Time | Event |", "| --- | --- |"]
        for written, entry in rows:
            said = "<br>".join(line.rstrip() for line in entry.text.split("\n"))
            event = " ".join(each for each in (entry.written, said) if each)
            lines.append(f"| {_cell(written)} | {_cell(event)} |")
    return trimmed(lines)

"""Nothing of a report may be lost: every line of the original is in the record, or among what was not understood."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from watchbill.core.reports.pagerduty import is_furniture
from watchbill.core.reports.report import Report
from watchbill.core.reports.when import lead_of
from watchbill.core.reports.words import KIND_HEADINGS, NO_COMMENTS

NOT_WORDS = re.compile(r"[\W_]+")
# What a shape's own marks leave: they say how the text is laid out, and the record holds what they mean.
MARKS = (
    re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+(?:\[[ xX]\]\s*)?"),
    re.compile(r"^\s*(?:format|date|title|status|owner|zone|started_at|ended_at|impact_time|duration):\s*"),
)
LABELS = {
    "owner of review process", "impact time", "duration", "field value", "time event", NO_COMMENTS.lower(), "unknown",
    "format watchbill report 1", *(heading.lower() for heading in KIND_HEADINGS.values()),
}  # fmt: skip
BEFORE_A_VALUE = re.compile(r"^\W*(?:impact time|duration|status|review owner|owner)\b\W*", re.IGNORECASE)
ZONE = re.compile(r".*\btimes\b.*\b(?:in|are)\b", re.IGNORECASE)


def squash(text: str) -> str:
    """Give the letters and digits of a text, and nothing else."""
    return NOT_WORDS.sub("", text.replace("<br>", "")).casefold()


def held(report: Report) -> str:
    """Give everything that a record holds, in its order."""
    said = [report.title, report.status_as_read, report.status, report.owner, report.zone_as_read, report.zone]
    said += [report.impact_time, report.duration, str(report.day)]
    said += [f"{figure.name} {figure.value}" for figure in report.impact]
    said += [f"{section.heading} {section.text}" for section in report.sections]
    said += [f"{entry.part}{entry.written}{entry.author}{entry.place}{entry.text}" for entry in report.timeline]
    said += [item.text for item in report.actions]
    said += [doubt.text for doubt in (*report.not_understood, *report.guesses)]
    return squash("\n".join(said))


def lost(report: Report) -> list[str]:
    """Give the lines of the original that the record does not hold."""
    everything, days = held(report), held_days(report)
    return [line for line in report.original.split("\n") if not (_is_day(line, days) or _is_held(line, everything))]


def held_days(report: Report) -> set[tuple[int, int]]:
    """Give the days of the timeline's instants, in the report's zone: what becomes of a day that is a heading."""
    zone = ZoneInfo(report.zone or "Etc/UTC")
    local = [entry.at.astimezone(zone) for entry in report.timeline if entry.at]
    written = [lead_of(entry.written) for entry in report.timeline]
    kept = {(lead.day.month, lead.day.of_month) for lead in written if lead and lead.day}
    return kept | {(each.month, each.day) for each in local}


def _is_day(line: str, days: set[tuple[int, int]]) -> bool:
    lead = lead_of(line.lstrip("# "))
    return bool(
        lead and lead.day and lead.wall is None and not lead.rest and (lead.day.month, lead.day.of_month) in days
    )


def _is_held(line: str, everything: str) -> bool:
    if is_furniture(line) or NOT_WORDS.sub(" ", line).strip().casefold() in LABELS:
        return True
    shorter = line
    for mark in MARKS:
        shorter = mark.sub("", shorter)
    without_label, without_zone = BEFORE_A_VALUE.sub("", shorter), ZONE.sub("", shorter)
    return any(squash(each) in everything for each in (line, shorter, without_label, without_zone))

"""Begin a post-mortem when an incident is resolved and the team's rule asks for one: the draft, its dates, its owner.

`incidents` calls this inside the transaction that ends one; what happens to a post-mortem afterwards is `postmortems`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from watchbill.actions import delivery
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.postmortem_rules import decision_for, rule_of
from watchbill.actions.timers import clear_timer, set_timer
from watchbill.core import postmortems as core
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import (
    Event,
    Incident,
    Person,
    PostMortem,
    PostMortemAttendee,
    PostMortemSection,
    SectionRevision,
)
from watchbill.db.postmortem_facts import people_called, story_of
from watchbill.rules.postmortem_due import Decision, Settings

QUESTIONS = "questions"
TIMERS = ("remind", "late", "publish_late")


def subject_of(postmortem: PostMortem) -> Subject:
    """Give the log's name for a post-mortem."""
    return Subject("postmortem", postmortem.pk, postmortem.team_id)


def on_resolved(incident: Incident, desk: Desk, now: datetime) -> PostMortem | None:
    """Begin the post-mortem of a locked incident that is resolved, when the team's rule asks for one (C15)."""
    decision = decision_for(incident, desk)
    standing = PostMortem.objects.filter(incident=incident).first()
    if standing is not None:
        standing.incident, standing.team = incident, incident.team
        if standing.state != core.PUBLISHED and (decision.required or incident.outcome):
            set_due(standing, decision, rule_of(desk), desk, now)
        return standing
    return begin(incident, desk, decision, decision.why, now) if decision.required else None


def on_ended(incident: Incident, desk: Desk, now: datetime) -> PostMortem | None:
    """Begin one after what was no incident, where the team learns from false alarms too; a duplicate owes none."""
    return on_resolved(incident, desk, now)


def begin(
    incident: Incident, desk: Desk, decision: Decision, why: str, now: datetime, actor: Actor = WATCHBILL
) -> PostMortem:
    """Write the draft that the record of a locked incident gives, with its due dates (PM-05, PM-12)."""
    rule = rule_of(desk)
    postmortem = PostMortem.objects.create(
        team=incident.team,
        incident=incident,
        title=incident.title,
        owner=_writer(incident, rule),
        required_why=why if decision.required else "",
        meeting_minutes=decision.ask.minutes if decision.ask.meeting != "none" else None,
        created_at=now,
        changed_at=now,
    )
    _write_sections(postmortem, rule, now)
    record(subject_of(postmortem), "postmortem.begun", why, now, actor)
    about, data = Subject("incident", incident.pk, incident.team_id), {"postmortem": postmortem.pk}
    record(about, "incident.postmortem", f"{rule.name}: {why}", now, actor, data)
    set_due(postmortem, decision, rule, desk, now)
    if decision.ask.meeting != "none":
        propose_attendees(postmortem, desk)
    if postmortem.owner is not None:
        said = f"It is yours to write. {due_words(postmortem)}"
        tell_reader(postmortem, postmortem.owner, f"{rule.name}: {postmortem.title}", said, now)
    return postmortem


def _writer(incident: Incident, rule: Settings) -> Person | None:
    found = (person for name in rule.writer for person in people_called(incident, name, incident.owner))
    return next(found, None)


def _write_sections(postmortem: PostMortem, rule: Settings, now: datetime) -> None:
    draft = core.compose(story_of(postmortem.incident))
    parts = [(key, section.heading, section.hint) for key, section in rule.sections.items()]
    if QUESTIONS not in rule.sections:
        parts.append((QUESTIONS, "Questions that the notes raise", "Answer each, or make it an action."))
    for place, (key, heading, hint) in enumerate(parts):
        add_section(postmortem, key, heading, draft.get(key, ""), place, now, hint=hint)


def add_section(
    postmortem: PostMortem, key: str, heading: str, text: str, place: int, now: datetime, *, hint: str = ""
) -> PostMortemSection:
    """Add a part to a locked post-mortem; its first text is its version 0, from which editors begin."""
    section = PostMortemSection.objects.create(
        postmortem=postmortem, key=key, heading=heading, hint=hint, text=text, position=place, changed_at=now
    )
    SectionRevision.objects.create(section=section, version=0, text=text, at=now)
    return section


def propose_attendees(postmortem: PostMortem, desk: Desk) -> list[PostMortemAttendee]:
    """Ask those whom the team's rule names, in addition to whoever is asked already; the post-mortem is locked."""
    ask = decision_for(postmortem.incident, desk).ask
    asked = set(postmortem.attendees.exclude(person=None).values_list("person", flat=True))
    rows: list[PostMortemAttendee] = []
    for names, required in ((ask.invite, True), (ask.welcome, False)):
        for name in names:
            for person in people_called(postmortem.incident, name, postmortem.owner):
                if person.pk not in asked:
                    asked.add(person.pk)
                    why = name.replace("_", " ").replace("managers manager", "the manager's manager")
                    rows.append(PostMortemAttendee(postmortem=postmortem, person=person, is_required=required, why=why))
    return PostMortemAttendee.objects.bulk_create(rows)


def set_due(postmortem: PostMortem, decision: Decision, rule: Settings, desk: Desk, now: datetime) -> None:
    """Set by when it is due and published, counted from when the incident was resolved, with its timers."""
    start = postmortem.incident.resolved_at or now
    due, publish = decision.due if decision.required else None, decision.publish if decision.required else None
    postmortem.due_at = due.after(desk.coverage, start) if due else None
    postmortem.publish_by = publish.after(desk.coverage, start) if publish else None
    postmortem.save(update_fields=["due_at", "publish_by"])
    set_timers_of(postmortem, rule, now)


def set_timers_of(postmortem: PostMortem, rule: Settings, now: datetime) -> None:
    """Wake a locked post-mortem before it is due, after it was, and when it should be public."""
    subject = subject_of(postmortem)
    for kind in TIMERS:
        clear_timer(subject, kind)
    if postmortem.due_at is not None and postmortem.state in {core.DRAFT, core.IN_REVIEW}:
        if rule.remind_hours and postmortem.due_at - timedelta(hours=rule.remind_hours) > now:
            set_timer(subject, "remind", postmortem.due_at - timedelta(hours=rule.remind_hours))
        set_timer(subject, "late", max(postmortem.due_at + timedelta(days=rule.manager_after_days), now))
    if postmortem.publish_by is not None and postmortem.state != core.PUBLISHED:
        set_timer(subject, "publish_late", max(postmortem.publish_by, now))


def title_for_mail(postmortem: PostMortem, words: str) -> str:
    """Give a subject line: every message about an exercise says so first (INC-21)."""
    return (f"Exercise: {words}" if postmortem.incident.is_exercise else words)[:200]


def tell_reader(postmortem: PostMortem, person: Person, subject: str, text: str, now: datetime) -> None:
    """Tell somebody who may see the incident; of a private one nobody else is told instead."""
    if not sees_incident(person, postmortem.incident):
        return
    line = record(subject_of(postmortem), "postmortem.told", f"told {person}: {subject}"[:1000], now)
    tell(postmortem, person, subject, text, line, now)


def tell(postmortem: PostMortem, person: Person, subject: str, text: str, line: Event, now: datetime) -> None:
    """Reach one person about a post-mortem, because of a line."""
    words = Words(
        subject=title_for_mail(postmortem, subject),
        text=text,
        purpose="notice",
        path=f"/postmortems/{postmortem.pk}/",
        action="Open it",
    )
    reach = delivery.reach if postmortem.incident.is_private else delivery.reach_or_tell
    reach(person.pk, subject_of(postmortem), words, line, "it is about a post-mortem", now)


def due_words(postmortem: PostMortem) -> str:
    """Say by when it is due."""
    return f"Due {postmortem.due_at:%a %d %b %H:%M} UTC." if postmortem.due_at else "No date was set."

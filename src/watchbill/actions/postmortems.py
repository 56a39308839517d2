"""Post-mortems: begun when an incident is resolved and the team's rule asks, or by hand; moved, reminded of, chased.

Every path locks the incident first, then its post-mortem, then timers. `postmortem_sections` keeps its text,
`action_items` what follows from it, `postmortem_meeting` the meeting, `publishing` where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import incidents
from watchbill.actions.access import role_of
from watchbill.actions.checking import check_text
from watchbill.actions.desk import desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.log import Actor, record
from watchbill.actions.postmortem_begin import begin, due_words, set_timers_of, subject_of, tell_reader
from watchbill.actions.postmortem_rules import decision_for, demands_of, rule_of
from watchbill.actions.timers import Claim, finish
from watchbill.core import postmortems as core
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Person, PostMortem, SectionRevision
from watchbill.db.postmortem_facts import document_of, story_of
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules.postmortem_due import Settings

QUESTIONS = "questions"
LONGEST_FIGURE = 120
MOST_FIGURES = 20
TIMERS = ("remind", "late", "publish_late")


def lock(postmortem_id: int) -> PostMortem:
    """Lock an incident and its post-mortem for the rest of the transaction. Raises Refused when there is none."""
    number = PostMortem.objects.filter(pk=postmortem_id).values_list("incident", flat=True).first()
    if number is None:
        raise Refused("there is no such post-mortem", "postmortem")
    incident = incidents.lock(number)
    found = PostMortem.objects.select_related("owner").select_for_update(of=("self",)).get(pk=postmortem_id)
    found.incident, found.team = incident, incident.team
    return found


def lock_for(postmortem_id: int, person: Person, what: str) -> PostMortem:
    """Lock a post-mortem for somebody who may do this with it. Raises Refused, NotAllowed."""
    postmortem = lock(postmortem_id)
    incidents.require_member(person, postmortem.incident, what)
    return postmortem


def begin_by_hand(incident_id: int, person: Person, now: datetime, why: str = "") -> PostMortem:
    """Begin a post-mortem that nobody asked for, or before its time. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        incidents.require_member(person, incident, "begin a post-mortem")
        standing = PostMortem.objects.filter(incident=incident).first()
        if standing is not None:
            return standing
        desk = desk_of(incident.team, now)
        reason = why.strip() or f"{person} asked for one"
        return begin(incident, desk, decision_for(incident, desk), reason, now, Actor.of(person))


def refill(postmortem_id: int, person: Person, now: datetime) -> PostMortem:
    """Draft anew, from what was noted since, the sections that nobody has touched. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "draft a post-mortem")
        draft = core.compose(story_of(postmortem.incident))
        for section in postmortem.sections.filter(version=0):
            section.text = draft.get(section.key, section.text)
            section.save(update_fields=["text"])
            SectionRevision.objects.filter(section=section, version=0).update(text=section.text)
        record(subject_of(postmortem), "postmortem.refilled", f"{person} drafted it anew", now, Actor.of(person))
    return postmortem


def change(postmortem_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> PostMortem:
    """Change the title, the owner, by when it is due. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "change a post-mortem")
        checked: dict[str, Any] = {}
        if "title" in values:
            checked["title"] = check_text(dict(values), "title", 200, "give it a title")
        if "owner" in values:
            checked["owner"] = _check_owner(postmortem, values["owner"])
        if "due_at" in values:
            checked["due_at"] = values["due_at"]
        changed = {name: value for name, value in checked.items() if getattr(postmortem, name) != value}
        if not changed:
            return postmortem
        for name, value in changed.items():
            setattr(postmortem, name, value)
        postmortem.changed_at = now
        postmortem.save(update_fields=[*changed, "changed_at"])
        what = ", ".join(name.removesuffix("_at").replace("_", " ") for name in changed)
        record(subject_of(postmortem), "postmortem.changed", f"{person} changed {what}", now, Actor.of(person))
        set_timers_of(postmortem, rule_of(desk_of(postmortem.team, now)), now)
        if changed.get("owner") not in {None, person}:
            tell_reader(postmortem, changed["owner"], f"Yours to write: {postmortem.title}", due_words(postmortem), now)
    return postmortem


def _check_owner(postmortem: PostMortem, owner: Person | None) -> Person | None:
    if owner is not None and not (owner.is_active and sees_incident(owner, postmortem.incident)):
        raise Refused(f"{owner} does not see this incident", "owner")
    return owner


def set_impact(postmortem_id: int, figures: Mapping[str, str], person: Person, now: datetime) -> PostMortem:
    """Write down the numbers of the impact, by their words; an empty one is taken away. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "write down the impact")
        given = {" ".join(name.split()): " ".join(str(value).split()) for name, value in figures.items()}
        if any(not name or max(len(name), len(value)) > LONGEST_FIGURE for name, value in given.items()):
            raise Refused(f"a figure has a name, at most {LONGEST_FIGURE} characters", "impact")
        merged = {name: value for name, value in {**postmortem.impact, **given}.items() if value}
        if len(merged) > MOST_FIGURES:
            raise Refused(f"at most {MOST_FIGURES} figures", "impact")
        if merged != postmortem.impact:
            postmortem.impact, postmortem.changed_at = merged, now
            postmortem.save(update_fields=["impact", "changed_at"])
            said = f"{person}: " + ", ".join(f"{name} {value}" for name, value in merged.items())
            record(subject_of(postmortem), "postmortem.impact", said[:1000], now, Actor.of(person))
    return postmortem


def missing_of(postmortem: PostMortem, to: str, now: datetime) -> list[str]:
    """Read what is missing before it becomes `to`, as reasons."""
    rule = rule_of(desk_of(postmortem.team, now))
    return core.missing(document_of(postmortem, _needed(rule)), to, demands_of(rule))


def _needed(rule: Settings) -> list[str]:
    return [key for key, section in rule.sections.items() if section.is_needed]


def move(postmortem_id: int, to: str, person: Person, now: datetime, why: str = "") -> PostMortem:
    """Move it on, or back with a reason. Raises Refused with all that is missing, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "move a post-mortem")
        return move_locked(postmortem, to, person, now, why)


def move_locked(postmortem: PostMortem, to: str, person: Person, now: datetime, why: str = "") -> PostMortem:
    """Move a locked post-mortem. Raises Refused with all that is missing, NotAllowed."""
    rule = rule_of(desk_of(postmortem.team, now))
    if to == core.REVIEWED:
        _demand(rule.reviewer, postmortem, person, "review it")
    if to == core.PUBLISHED:
        demand_approval(postmortem, rule, person)
    document = document_of(postmortem, _needed(rule))
    by_writer = person.pk == postmortem.owner_id
    effects = core.move(document, to, str(person), now, demands_of(rule), why, by_writer=by_writer)
    carry_out(effects, postmortem, subject_of(postmortem), now, actor=Actor.of(person))
    if effects:
        _note_who(postmortem, to, person)
        set_timers_of(postmortem, rule, now)
    if effects and to == core.IN_REVIEW and postmortem.owner_id not in {None, person.pk} and postmortem.owner:
        tell_reader(postmortem, postmortem.owner, f"In review: {postmortem.title}", f"{person} asks for a review.", now)
    return postmortem


def demand_approval(postmortem: PostMortem, rule: Settings, person: Person) -> None:
    """Demand the right to let it out, by the team's rule. Raises Refused, NotAllowed."""
    _demand(rule.approve, postmortem, person, "publish it")


def _demand(who: str, postmortem: PostMortem, person: Person, what: str) -> None:
    team = postmortem.team
    if who == "owner" and role_of(person, team) != "owner":
        raise NotAllowed(f"To {what} you need to be one of the owners of {team}.")
    if who == "manager" and person.pk != team.manager_id and not person.is_superuser:
        raise NotAllowed(f"In {team} the manager does this. Ask {team.manager or 'an owner to name one'}.")
    if who == "second_person" and what == "publish it" and person.pk == postmortem.owner_id:
        raise Refused(f"somebody other than {person}, who wrote it, lets it out", "state")


def _note_who(postmortem: PostMortem, to: str, person: Person) -> None:
    match to:
        case "reviewed":
            postmortem.reviewed_by = person
        case "published":
            postmortem.published_by = person
        case _:
            postmortem.is_public = False
    postmortem.save(update_fields=["reviewed_by", "published_by", "is_public"])


def remind(claim: Claim, now: datetime) -> None:
    """Remind the owner before it is due (PM-09)."""
    with transaction.atomic():
        postmortem = _claimed(claim)
        if postmortem is None or postmortem.state not in {core.DRAFT, core.IN_REVIEW} or postmortem.owner is None:
            return
        tell_reader(postmortem, postmortem.owner, f"Due soon: {postmortem.title}", due_words(postmortem), now)


def late(claim: Claim, now: datetime) -> None:
    """Tell the owner and the manager that it was due."""
    with transaction.atomic():
        postmortem = _claimed(claim)
        if postmortem is None or postmortem.state not in {core.DRAFT, core.IN_REVIEW}:
            return
        _tell_late(postmortem, f"Overdue: {postmortem.title}", f"It was due. {due_words(postmortem)}", now)


def publish_late(claim: Claim, now: datetime) -> None:
    """Tell the owner and the manager that it should be public by now."""
    with transaction.atomic():
        postmortem = _claimed(claim)
        if postmortem is None or postmortem.state == core.PUBLISHED:
            return
        said = f"It is {core.STATE_WORDS[postmortem.state].lower()}, and was to be published by now."
        _tell_late(postmortem, f"Not yet published: {postmortem.title}", said, now)


def _tell_late(postmortem: PostMortem, subject: str, text: str, now: datetime) -> None:
    team = postmortem.team
    above = team.manager or team.fallback
    for person in dict.fromkeys(one for one in (postmortem.owner, above) if one is not None and one.is_active):
        tell_reader(postmortem, person, subject, text, now)


def _claimed(claim: Claim) -> PostMortem | None:
    exists = PostMortem.objects.filter(pk=claim.subject_id).exists()
    postmortem = lock(claim.subject_id) if exists else None
    if not finish(claim) or postmortem is None or postmortem.incident.state in {"active", "mitigated"}:
        # One that goes on again is due once more when it is resolved.
        return None
    return postmortem


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("postmortem", "remind"): remind,
    ("postmortem", "late"): late,
    ("postmortem", "publish_late"): publish_late,
}

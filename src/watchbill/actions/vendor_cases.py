"""Cases at a third party: reference, contact, times, reminders in coverage hours (INT-12).

While a case of a request is open the vendor has the ball and our promise stands still; closing the last one gives it
back. A ticket waits meanwhile; an incident goes on. The subject is locked first, then its case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from watchbill.actions import delivery, incidents, support, tickets, work_clock
from watchbill.actions.access import require
from watchbill.actions.checking import check_text
from watchbill.actions.delivery import Words
from watchbill.actions.desk import desk_of
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.actions.work_clock import Work
from watchbill.core.coverage import after_covered, covered_time
from watchbill.db import facts
from watchbill.db.models import Event, Incident, Person, SupportRequest, Ticket, VendorCase
from watchbill.db.role_facts import commander_of, may_hear
from watchbill.db.support_facts import people_in_seat
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span
from watchbill.rules import vendor_reminder

LINES = {"vendor": 80, "reference": 80}
LONGEST_TEXT = 2000
MOST_HOURS = 2000
# What may wait for a vendor.
Waits = Work | Incident


@dataclass(frozen=True)
class Waiting:
    """How long a vendor was waited for: by the clock, and in the team's coverage hours."""

    clock: timedelta
    covered: timedelta


def open_case(work: Waits, values: Mapping[str, Any], person: Person, now: datetime) -> VendorCase:
    """Write a case at a vendor: vendor, reference, contact, url, note, remind_after_hours (covered; None: the team's).

    What is not given is read from the service. The ball goes to the vendor. Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        work = _lock_one(work)
        _require(person, work, "open a case at a vendor")
        given = {"vendor": "", "reference": "", "contact": "", "url": "", "note": ""} | _of_service(work) | dict(values)
        checked = _check(given)
        case = VendorCase.objects.create(
            team=work.team,
            request=work if isinstance(work, SupportRequest) else None,
            ticket=work if isinstance(work, Ticket) else None,
            incident=work if isinstance(work, Incident) else None,
            opened_at=now,
            opened_by=person,
            **checked,
        )
        data = {"remind_after_hours": _hours(values)}
        _note(case, work, "opened", f"{person} opened a case at {case}", person, now, data)
        _wait(work, str(case), person, now)
        _set_reminder(case, work, now)
    return case


def _of_service(work: Waits) -> dict[str, str]:
    return {"vendor": work.service.vendor, "contact": work.service.vendor_contact} if work.service else {}


def change_case(case: VendorCase, values: Mapping[str, Any], person: Person, now: datetime) -> VendorCase:
    """Change what is given of a case, and when it is reminded of. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        work, case = _lock(case)
        _require(person, work, "change a case at a vendor")
        checked = _check({"vendor": case.vendor, **values})
        changed = [name for name, value in checked.items() if getattr(case, name) != value]
        for name in changed:
            setattr(case, name, checked[name])
        data = {"remind_after_hours": _hours(values)} if "remind_after_hours" in values else {}
        if changed or data:
            case.save(update_fields=changed)
            what = ", ".join([*changed, *(["the reminder"] if data else [])])
            _note(case, work, "changed", f"{person} changed {what} of the case at {case}", person, now, data)
        if data and case.closed_at is None:
            _set_reminder(case, work, now)
    return case


def heard(case: VendorCase, note: str, person: Person, now: datetime) -> VendorCase:
    """Write what the vendor said; the reminder begins anew. Raises Refused, NotAllowed."""
    said = note.strip()
    if not 0 < len(said) <= LONGEST_TEXT:
        raise Refused(f"say what they said, at most {LONGEST_TEXT} characters", "note")
    with transaction.atomic():
        work, case = _lock(case)
        _require(person, work, "write on a case")
        if case.closed_at is not None:
            raise Refused("this case is closed; open another")
        case.heard_at = now
        case.save(update_fields=["heard_at"])
        _note(case, work, "heard", f"{case}: {said}", person, now)
        _set_reminder(case, work, now)
    return case


def close_case(case: VendorCase, person: Person, now: datetime, note: str = "") -> VendorCase:
    """Close a case; with the last one the ball is with us again and the promise goes on. Raises NotAllowed."""
    with transaction.atomic():
        work, case = _lock(case)
        _require(person, work, "close a case at a vendor")
        if case.closed_at is not None:
            return case
        case.closed_at, case.remind_at = now, None
        case.save(update_fields=["closed_at", "remind_at"])
        clear_timer(_subject(case), "remind")
        waited = waiting_time(case, now)
        hours = round(waited.covered / timedelta(hours=1), 1)
        said = f"{person} closed the case at {case} after {hours:g} working hours" + (
            f": {note.strip()}" if note else ""
        )
        _note(case, work, "closed", said, person, now, {"seconds": int(waited.covered.total_seconds())})
        if not VendorCase.objects.filter(**_same(case), closed_at=None).exists():
            _go_on(work, f"the case at {case} is closed", person, now)
    return case


def waiting_time(case: VendorCase, now: datetime) -> Waiting:
    """Measure how long the vendor was waited for, until the case was closed or until now (INT-12)."""
    whole = Span(case.opened_at, max(case.opened_at, case.closed_at or now))
    coverage = facts.coverage_of(case.team, facts.policy_of(case.team), case.opened_at)
    return Waiting(whole.length, covered_time(coverage, whole))


def _wait(work: Waits, case: str, person: Person, now: datetime) -> None:
    if isinstance(work, SupportRequest):
        support.pass_ball(work.pk, "vendor", f"a case at {case}", person, now)
    elif isinstance(work, Ticket) and work.stage != "waiting":
        tickets.move_locked(work, "waiting", "", Actor.of(person), now)


def _go_on(work: Waits, why: str, person: Person, now: datetime) -> None:
    if isinstance(work, SupportRequest):
        if work.state == "open" and work.waiting_on == "vendor":
            support.pass_ball(work.pk, "us", why, person, now)
    elif isinstance(work, Ticket) and work.stage == "waiting":
        tickets.move_locked(work, "in_progress", "", Actor.of(person), now)


def _check(values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {
        name: check_text(dict(values), name, longest, "name the vendor" if name == "vendor" else "")
        for name, longest in LINES.items()
        if name in values
    }
    for name in ("contact", "note"):
        if name in values:
            checked[name] = str(values[name] or "").strip()
            if len(checked[name]) > LONGEST_TEXT:
                raise Refused(f"at most {LONGEST_TEXT} characters", name)
    if "url" in values:
        checked["url"] = str(values["url"] or "").strip()
        if checked["url"] and (urlsplit(checked["url"]).scheme not in {"http", "https"} or len(checked["url"]) > 500):
            raise Refused("the address starts with https:// or http://, at most 500 characters", "url")
    return checked


def _hours(values: Mapping[str, Any]) -> int | None:
    given = values.get("remind_after_hours")
    if given is None or given == "":
        return None
    if not str(given).isdigit() or int(given) > MOST_HOURS:
        raise Refused(f"working hours, 0 (never) to {MOST_HOURS}", "remind_after_hours")
    return int(given)


def _own_hours(case: VendorCase, work: Waits) -> int | None:
    """Read what was last said about this case's reminder."""
    subject = subject_of(work)
    lines = Event.objects.filter(subject_kind=subject.kind, subject_id=subject.id, data__case=case.pk)
    said = lines.filter(data__has_key="remind_after_hours").order_by("id").last()
    return said.data["remind_after_hours"] if said else None


def _set_reminder(case: VendorCase, work: Waits, now: datetime) -> None:
    desk = desk_of(case.team, now)
    settings = vendor_reminder.Settings.model_validate(desk.rule("vendor_reminder"))
    wait = vendor_reminder.decide(_own_hours(case, work), settings)
    case.remind_at = after_covered(desk.coverage, now, wait) if wait else None
    case.save(update_fields=["remind_at"])
    if case.remind_at is None:
        clear_timer(_subject(case), "remind")
    else:
        set_timer(_subject(case), "remind", case.remind_at)


def remind(claim: Claim, now: datetime) -> None:
    """Remind whoever has it, else the watch, that a vendor has not answered; and again after as long (INT-12)."""
    with transaction.atomic():
        found = VendorCase.objects.filter(pk=claim.subject_id).first()
        work, case = _lock(found) if found else (None, None)
        if not finish(claim) or work is None or case is None or case.closed_at is not None:
            return
        since = case.heard_at or case.opened_at
        why = f"nothing heard of {case} since {since:%a %d %b %H:%M} UTC"
        line = _note(case, work, "reminded", why, None, now)
        exercise = "Exercise: " if isinstance(work, Incident) and work.is_exercise else ""
        words = Words(
            subject=f"{exercise}Ask {case.vendor} again: {work.title}"[:200],
            text=exercise + "\n\n".join(part for part in (f"{why}.", case.contact, case.url) if part),
            purpose="notice",
            path=f"/{subject_of(work).kind}s/{work.pk}/",
            action="Open it",
        )
        for person in _holders(work, now):
            delivery.reach_or_tell(person.pk, subject_of(work), words, line, why, now)
        _set_reminder(case, work, now)


def _holders(work: Waits, now: datetime) -> list[Person]:
    if isinstance(work, Incident):
        return _who_leads(work, now)
    if work.assignee and work.assignee.is_active:
        return [work.assignee]
    seat = "" if isinstance(work, SupportRequest) else work.seat
    return people_in_seat(work.team, seat, now) or [one for one in (work.team.fallback,) if one and one.is_active]


def _who_leads(incident: Incident, now: datetime) -> list[Person]:
    """Give who is reminded of a case of an incident: who commands, else who owns it, else the watch that may hear of it."""
    for person in (commander_of(incident), incident.owner):
        if person is not None and person.is_active:
            return [person]
    watch = [one for one in people_in_seat(incident.team, "", now) if may_hear(one, incident)]
    return watch or [one for one in (incident.team.fallback,) if one and one.is_active and may_hear(one, incident)]


def _require(person: Person, work: Waits, what: str) -> None:
    if isinstance(work, Incident):
        incidents.require_member(person, work, what)
    else:
        require(person, work.team, "member", what)


def _same(case: VendorCase) -> dict[str, Any]:
    """Give what else waits with a case: the cases of the same request, ticket or incident."""
    return {"request": case.request, "ticket": case.ticket, "incident": case.incident}


def subject_of(work: Waits) -> Subject:
    """Give the log's name for what waits."""
    return incidents.subject_of(work) if isinstance(work, Incident) else work_clock.subject_of(work)


def _lock_one(work: Waits) -> Waits:
    return incidents.lock(work.pk) if isinstance(work, Incident) else work_clock.lock_work(work)


def _lock(case: VendorCase) -> tuple[Waits, VendorCase]:
    work = _lock_one(case.incident or work_clock.work_of(case))
    fresh = VendorCase.objects.select_related("team").select_for_update(of=("self",)).get(pk=case.pk)
    return work, fresh


def _subject(case: VendorCase) -> Subject:
    return Subject("vendor_case", case.pk, case.team_id)


def _note(
    case: VendorCase,
    work: Waits,
    what: str,
    why: str,
    person: Person | None,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    subject = subject_of(work)
    by = Actor.of(person) if person else WATCHBILL
    return record(subject, f"{subject.kind}.vendor_{what}", why, now, by, {"case": case.pk, **(data or {})})


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("vendor_case", "remind"): remind,
}

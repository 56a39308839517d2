"""The meeting of a post-mortem: who is asked, and the invitation that any calendar takes (iCalendar, RFC 5545, by iMIP).

The first attendees are those that the team's rule names (boss and grand boss, whoever responded); people may change
them. Every change of the time leaves as a new SEQUENCE of the same UID, so that calendars move what they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from icalendar import Calendar, Event, vCalAddress, vText

from watchbill.actions import exports
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor, record
from watchbill.actions.postmortem_begin import propose_attendees, subject_of, title_for_mail
from watchbill.actions.postmortem_rules import decision_for, rule_of
from watchbill.actions.postmortems import lock_for
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Person, PostMortem, PostMortemAttendee
from watchbill.kit.errors import Refused

MOST_ATTENDEES = 60


def plan(postmortem_id: int, at: datetime, person: Person, now: datetime, *, minutes: int | None = None) -> PostMortem:
    """Plan the meeting, or move it: everybody gets an invitation for their calendar. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "plan the meeting")
        length = minutes or postmortem.meeting_minutes or _minutes(postmortem, now)
        if at <= now:
            raise Refused("a meeting lies ahead", "at")
        if not 5 <= length <= 480:
            raise Refused("a meeting is 5 to 480 minutes long", "minutes")
        if postmortem.meeting_at is None:
            propose_attendees(postmortem, desk_of(postmortem.team, now))
        elif (postmortem.meeting_at, postmortem.meeting_minutes) != (at, length):
            postmortem.meeting_sequence += 1
        postmortem.meeting_at, postmortem.meeting_minutes = at, length
        postmortem.save(update_fields=["meeting_at", "meeting_minutes", "meeting_sequence"])
        said = f"{person} planned the meeting for {at:%a %d %b %H:%M} UTC, {length} minutes"
        record(subject_of(postmortem), "postmortem.meeting", said, now, Actor.of(person))
        _send(postmortem, list(_attendees(postmortem)), "REQUEST", person, now)
    return postmortem


def _minutes(postmortem: PostMortem, now: datetime) -> int:
    return decision_for(postmortem.incident, desk_of(postmortem.team, now)).ask.minutes


def call_off(postmortem_id: int, why: str, person: Person, now: datetime) -> PostMortem:
    """Call the meeting off: calendars take it away. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "call the meeting off")
        if postmortem.meeting_at is None:
            raise Refused("no meeting is planned")
        postmortem.meeting_sequence += 1
        _send(postmortem, list(_attendees(postmortem)), "CANCEL", person, now)
        postmortem.meeting_at = None
        # The next invitation goes on counting: calendars take nothing that is older than what they have.
        postmortem.meeting_sequence += 1
        postmortem.save(update_fields=["meeting_at", "meeting_sequence"])
        said = f"{person} called the meeting off{f': {why.strip()}' if why.strip() else ''}"
        record(subject_of(postmortem), "postmortem.meeting", said, now, Actor.of(person))
    return postmortem


def ask(
    postmortem_id: int,
    person: Person,
    now: datetime,
    *,
    whom: Person | None = None,
    name: str = "",
    email: str = "",
    is_required: bool = True,
) -> PostMortemAttendee:
    """Ask somebody to the meeting: a person, or a guest by name and address. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "ask somebody to the meeting")
        _check_guest(postmortem, whom, email)
        if postmortem.attendees.count() >= MOST_ATTENDEES:
            raise Refused(f"at most {MOST_ATTENDEES} people", "whom")
        rows = postmortem.attendees.filter(person=whom) if whom else postmortem.attendees.filter(email=email.strip())
        row = rows.first() or PostMortemAttendee(
            postmortem=postmortem, person=whom, email="" if whom else email.strip()
        )
        row.name, row.is_required, row.why = name.strip()[:80], is_required, f"asked by {person}"[:200]
        is_new = row.pk is None
        row.save()
        if is_new:
            said = f"{person} asked {whom or row.name or 'a guest'} to the meeting"
            record(subject_of(postmortem), "postmortem.asked", said, now, Actor.of(person))
            if postmortem.meeting_at is not None:
                _send(postmortem, [row], "REQUEST", person, now)
    return row


def _check_guest(postmortem: PostMortem, whom: Person | None, email: str) -> None:
    if whom is not None:
        if not whom.is_active:
            raise Refused(f"{whom} has no active account", "whom")
        if postmortem.incident.is_private and not sees_incident(whom, postmortem.incident):
            raise Refused(f"{whom} does not see this private incident: call them into it first", "whom")
        return
    if postmortem.incident.is_private:
        raise Refused("a private incident has no guests: give them an account and call them into it", "email")
    try:
        validate_email(email.strip())
    except ValidationError:
        raise Refused("give a mail address", "email") from None


def excuse(attendee_id: int, person: Person, now: datetime) -> None:
    """Take somebody off the list; their calendar takes the meeting away. Raises Refused, NotAllowed."""
    with transaction.atomic():
        found = PostMortemAttendee.objects.filter(pk=attendee_id).first()
        if found is None:
            return
        postmortem = lock_for(found.postmortem_id, person, "take somebody off the list")
        row = _attendees(postmortem, attendee_id)
        if not row:
            return
        if postmortem.meeting_at is not None:
            _send(postmortem, row, "CANCEL", person, now)
        said = f"{person} took {row[0].person or row[0].name or 'a guest'} off the list"
        record(subject_of(postmortem), "postmortem.excused", said, now, Actor.of(person))
        row[0].delete()


def _attendees(postmortem: PostMortem, only: int | None = None) -> Sequence[PostMortemAttendee]:
    rows = postmortem.attendees.select_related("person").order_by("id")
    return list(rows.filter(pk=only) if only else rows)


def _send(
    postmortem: PostMortem, to: Sequence[PostMortemAttendee], method: str, organiser: Person, now: datetime
) -> None:
    """Put an invitation for each on its way by mail; the same one a second time is nothing new."""
    calendar = write_invitation(postmortem, method, organiser, now)
    verb = "Cancelled: " if method == "CANCEL" else ""
    rule = rule_of(desk_of(postmortem.team, now))
    subject = title_for_mail(postmortem, f"{verb}{rule.name}: {postmortem.title}")
    for one in to:
        address = one.person.email if one.person else one.email
        if (
            one.person is not None
            and not sees_incident(one.person, postmortem.incident)
            and postmortem.incident.is_private
        ):
            continue
        exports.put(
            subject_of(postmortem),
            "mail",
            f"postmortem-{postmortem.pk}-{method.lower()}-{postmortem.meeting_sequence}-{one.pk}",
            f"the meeting of post-mortem {postmortem.pk}",
            now,
            recipient={"name": str(one.person or one.name), "email": address},
            payload={
                "subject": subject,
                "text": _words(postmortem, rule.also_in),
                "calendar": calendar,
                "method": method,
            },
        )


def _words(postmortem: PostMortem, also_in: str) -> str:
    when = f"{postmortem.meeting_at:%A %d %B %Y, %H:%M} UTC, {postmortem.meeting_minutes} minutes."
    link = f"{django_settings.WATCHBILL_URL.rstrip('/')}/postmortems/{postmortem.pk}/"
    more = [f"It is talked about in {also_in} as well."] if also_in else []
    kind = "We look at what happened and what we change, not at who did what."
    return "\n\n".join([postmortem.title, when, kind, *more, link])


def write_invitation(postmortem: PostMortem, method: str, organiser: Person, now: datetime) -> str:
    """Write the meeting as iCalendar: METHOD REQUEST or CANCEL, one UID for ever, SEQUENCE counts the changes."""
    if postmortem.meeting_at is None:
        raise Refused("no meeting is planned", "at")
    host = urlsplit(django_settings.WATCHBILL_URL).hostname or "watchbill"
    calendar = Calendar()
    calendar.add("prodid", "-//Watchbill//Post-mortem//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = Event()
    event.add("uid", f"postmortem-{postmortem.pk}@{host}")
    event.add("sequence", postmortem.meeting_sequence)
    event.add("dtstamp", now)
    event.add("dtstart", postmortem.meeting_at)
    event.add("dtend", postmortem.meeting_at + timedelta(minutes=postmortem.meeting_minutes or 30))
    event.add("summary", title_for_mail(postmortem, postmortem.title))
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("url", f"{django_settings.WATCHBILL_URL.rstrip('/')}/postmortems/{postmortem.pk}/")
    event.add("description", "Free of blame: what happened, what we change.")
    if postmortem.incident.call_url:
        event.add("location", postmortem.incident.call_url)
    event["organizer"] = _address(str(organiser), organiser.email)
    for one in _attendees(postmortem):
        guest = _address(str(one.person or one.name), one.person.email if one.person else one.email)
        guest.params["ROLE"] = vText("REQ-PARTICIPANT" if one.is_required else "OPT-PARTICIPANT")
        guest.params["RSVP"] = vText("TRUE")
        event.add("attendee", guest, encode=False)
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(name)
    return address

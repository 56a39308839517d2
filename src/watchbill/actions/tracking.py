"""A tracking ticket gathers what happened each time a thing that nobody can explain yet occurs (SPN-05).

It may watch for an alarm: a timer of its own, every hour, adds what fired since, so that placing an alert never waits
for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from watchbill.actions import tickets
from watchbill.actions.access import require
from watchbill.actions.log import WATCHBILL, Actor, event_of, record, write_lines
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.db.models import AlertGroup, Event, Person, Service, Ticket
from watchbill.kit.errors import Refused

EVERY = timedelta(hours=1)
MOST_AT_ONCE = 50
MOST_SHOWN = 500
LONGEST = 10_000


def happened(
    ticket_id: int, text: str, at: datetime, person: Person, now: datetime, *, group: AlertGroup | None = None
) -> Event:
    """Note down one occurrence: everything that can be told from it, and the alert if there was one.

    Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        ticket = tickets.lock(ticket_id)
        require(person, ticket.team, "member", "write on a ticket")
        if at > now:
            raise Refused("this time is in the future", "at")
        if group is not None and group.team_id != ticket.team_id:
            raise Refused(f"alert {group.pk} is not of {ticket.team}", "group")
        if not (text.strip() or group) or len(text) > LONGEST:
            raise Refused(f"write what happened, at most {LONGEST} characters", "text")
        if group is not None and group.pk in _gathered(ticket):
            raise Refused(f"alert {group.pk} is here already", "group")
        return _add(ticket, text.strip() or str(group and group.title), at, Actor.of(person), now, group)


def _add(ticket: Ticket, text: str, at: datetime, by: Actor, now: datetime, group: AlertGroup | None) -> Event:
    data = {"group": group.pk} if group else {}
    line = event_of(tickets.subject_of(ticket), "ticket.happened", text, now, by, data)
    line.at = at
    write_lines([line])
    ticket.changed_at = now
    ticket.save(update_fields=["changed_at"])
    return line


def _gathered(ticket: Ticket) -> set[int]:
    return {line.data["group"] for line in _lines(ticket, "ticket.happened") if line.data.get("group")}


def _lines(ticket: Ticket, kind: str) -> list[Event]:
    return list(Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk, kind=kind).order_by("id"))


@dataclass(frozen=True)
class Occurrence:
    """One time it happened: when, what was seen, who noted it, and the alert."""

    at: datetime
    text: str
    who: str
    group: AlertGroup | None


def occurrences(ticket: Ticket) -> list[Occurrence]:
    """Read each time it happened, the latest first."""
    rows = Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk, kind="ticket.happened")
    lines = list(rows.order_by("-at", "-id")[:MOST_SHOWN])
    groups = AlertGroup.objects.in_bulk([line.data["group"] for line in lines if line.data.get("group")])
    return [Occurrence(line.at, line.why, line.actor_name, groups.get(line.data.get("group"))) for line in lines]


@dataclass(frozen=True)
class Watched:
    """What a tracking ticket watches for: a service, and an alarm's key or words of its title."""

    service: int
    key: str
    after: int

    def matches(self, group: AlertGroup) -> bool:
        """Tell whether an alert is one of those that are watched for."""
        same = group.key == self.key or self.key.casefold() in group.title.casefold()
        return group.service_id == self.service and same


def watched(ticket: Ticket) -> Watched | None:
    """Read what a ticket watches for: what was said last."""
    line = _newest(ticket)
    if line is None or not line.data.get("key"):
        return None
    return Watched(line.data["service"], line.data["key"], line.data["after"])


def _newest(ticket: Ticket) -> Event | None:
    rows = Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk, kind="ticket.watches")
    return rows.order_by("-id").first()


def watch_for(ticket_id: int, service: Service | None, key: str, person: Person, now: datetime) -> Ticket:
    """Let a tracking ticket gather each alert of a service with this key, or with these words in its title.

    Without a key it watches for nothing any more. Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        ticket = tickets.lock(ticket_id)
        require(person, ticket.team, "member", "change a ticket")
        subject, key = tickets.subject_of(ticket), " ".join(key.split())
        if not key:
            record(subject, "ticket.watches", f"{person}: it watches for nothing", now, Actor.of(person), {"key": ""})
            clear_timer(subject, "gather")
            return ticket
        _check(ticket, service, key)
        newest = AlertGroup.objects.filter(service=service).order_by("-id").values_list("pk", flat=True).first()
        data = {"service": service.pk if service else 0, "key": key, "after": newest or 0}
        record(subject, "ticket.watches", f"{person}: it watches {service} for “{key}”", now, Actor.of(person), data)
        set_timer(subject, "gather", now + EVERY)
    return ticket


def _check(ticket: Ticket, service: Service | None, key: str) -> None:
    if ticket.kind != "tracking" or ticket.stage == "done":
        raise Refused("only an open tracking ticket watches for alerts", "kind")
    if service is None or service.team_id != ticket.team_id:
        raise Refused(f"choose a service of {ticket.team}", "service")
    if not 3 <= len(key) <= 200:
        raise Refused("3 to 200 characters of the alert's title, or its key", "key")


def gather(claim: Claim, now: datetime) -> None:
    """Add the alerts that fired since the last look to a tracking ticket; it looks again in an hour."""
    with transaction.atomic():
        ticket = (
            Ticket.objects.select_for_update(of=("self",)).select_related("team").filter(pk=claim.subject_id).first()
        )
        if not finish(claim) or ticket is None or ticket.stage == "done":
            return
        what = watched(ticket)
        if what is None:
            return
        here, lines = _gathered(ticket), _lines(ticket, "ticket.happened")
        seen = max([what.after, *(line.data["group"] for line in lines if line.actor_id is None)])
        like = Q(key=what.key) | Q(title__icontains=what.key)
        rows = AlertGroup.objects.filter(like, service=what.service, pk__gt=seen).exclude(pk__in=here)
        for group in rows.order_by("id"):
            _add(ticket, group.title, group.opened_at, WATCHBILL, now, group)
        set_timer(tickets.subject_of(ticket), "gather", now + EVERY)


def tracking_for(group: AlertGroup) -> list[Ticket]:
    """Read the open tracking tickets of a service that watch for an alert like this, or for its service: to add it there."""
    rows = Ticket.objects.filter(team=group.team_id, kind="tracking").exclude(stage="done")
    found = list(rows.order_by(*("rank", "position", "id"))[:MOST_AT_ONCE])
    wanted = [ticket for ticket in found if ticket.service_id in {None, group.service_id}]
    matching = {ticket.pk for ticket in found if (what := watched(ticket)) and what.matches(group)}
    return [ticket for ticket in found if ticket.pk in matching] + [one for one in wanted if one.pk not in matching]


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("ticket", "gather"): gather}

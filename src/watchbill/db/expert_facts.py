"""Read what suggestions of people need: skills, who touched a service last, open work, who was asked lately, who is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count

from watchbill.core.experts import Touch
from watchbill.core.rota.holidays import public_holidays
from watchbill.core.wallclock import DAY
from watchbill.db import facts
from watchbill.db.models import Absence, ExpertAsk, Membership, Page, Person, Service, SupportRequest, Team, Ticket

MOST_TOUCHES = 300


def serving(team: Team, now: datetime) -> list[Membership]:
    """Read who of a team serves today: members and owners with an account, within their dates."""
    today = now.astimezone(ZoneInfo(team.zone)).date()
    rows = Membership.objects.filter(team=team, role__in=facts.SERVING, person__is_active=True)
    return [
        row
        for row in rows.select_related("person").order_by("id")
        if (row.active_from is None or row.active_from <= today)
        and (row.active_until is None or today <= row.active_until)
    ]


def touches(service: Service, since: datetime) -> dict[int, Touch]:
    """Read who dealt with a service since: a resolved request, a ticket that is done, an answered page; the last of each.

    Of each the newest few hundred are looked at: a busy service has a hundred thousand.
    """
    found: dict[int, Touch] = {}
    requests = SupportRequest.objects.filter(service=service)
    tickets = Ticket.objects.filter(service=service)
    pages = Page.objects.filter(service=service)
    for what, rows in (
        (f"resolved a request of {service}", requests.values_list("assignee", "resolved_at")),
        (f"finished a ticket of {service}", tickets.values_list("assignee", "done_at")),
        (f"answered a page of {service}", pages.values_list("answered_by", "answered_at")),
    ):
        for person, at in rows.order_by("-id")[:MOST_TOUCHES]:
            if person and at and at >= since and (person not in found or at > found[person].at):
                found[person] = Touch(at, what)
    return found


def loads(people: Collection[int]) -> Counter[int]:
    """Count the open requests and tickets of people, of all their teams."""
    counted: Counter[int] = Counter()
    requests = SupportRequest.objects.filter(assignee__in=people, state="open").values_list("assignee")
    tickets = Ticket.objects.filter(assignee__in=people).exclude(stage="done").values_list("assignee")
    for rows in (requests, tickets):
        counted.update(dict(rows.annotate(n=Count("id")).order_by()))
    return counted


def asked_since(team: Team, since: datetime) -> dict[int, list[datetime]]:
    """Read when members of a team were asked since, in order of time."""
    found: dict[int, list[datetime]] = {}
    rows = ExpertAsk.objects.filter(team=team, asked_at__gte=since).order_by("asked_at", "id")
    for person, at in rows.values_list("person", "asked_at"):
        found.setdefault(person, []).append(at)
    return found


def away_now(people: Iterable[Person], now: datetime) -> dict[int, str]:
    """Read who is not at work today by their own calendar, with the words for it; why they are away is theirs."""
    found: dict[int, str] = {}
    people = list(people)
    absences = list(
        Absence.objects.filter(
            person__in=people, removed_at=None, last_day__gte=now.date() - DAY, first_day__lte=now.date() + DAY
        )
    )
    for person in people:
        today = now.astimezone(ZoneInfo(person.zone)).date()
        if person.holiday_country:
            holidays = public_holidays(person.holiday_country, person.holiday_subdivision, (today.year,))
            if today in holidays:
                found[person.pk] = f"has a holiday today: {holidays[today]}"
        ends = [
            row.last_day for row in absences if row.person_id == person.pk and row.first_day <= today <= row.last_day
        ]
        if ends:
            found[person.pk] = f"is away until {max(ends):%a %d %b}"
    return found

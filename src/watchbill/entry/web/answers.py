"""The answers that a person may give on the pages of an alert or a page, from one form field `answer`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from watchbill.actions import alerts, paging
from watchbill.actions.access import find_near
from watchbill.core.wallclock import DAY, day_of, start_instant
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Page, Person, Team
from watchbill.entry.web.numbers import number_in
from watchbill.kit.errors import Refused

MORNING = datetime.min.time().replace(hour=9)
SAID = {
    "acknowledge": "You have it.",
    "resolve": "Resolved.",
    "snooze": "Snoozed: nobody is asked until then.",
    "help": "The next ones are being asked.",
    "reassign": "They are being asked.",
}


def snooze_until(choice: str, team: Team, reader: Person, now: datetime) -> datetime:
    """Work out when a snooze ends: so many minutes, or "morning": the team's next coverage, else 09:00 of the reader."""
    minutes = number_in(choice)
    if minutes is not None and 0 < minutes <= 7 * 24 * 60:
        return now + timedelta(minutes=minutes)
    if choice == "morning":
        return next_morning(team, reader, now)
    raise Refused("choose how long to snooze", "until")


def next_morning(team: Team, reader: Person, now: datetime) -> datetime:
    """Give the next start of the team's coverage within a week, else the reader's next 09:00."""
    coverage = facts.coverage_starts(facts.coverage_of(team, facts.policy_of(team), now), now)
    if coverage is not None and now < coverage <= now + 7 * DAY:
        return coverage
    today = day_of(now, reader.zone)
    mornings = (start_instant(today + n * DAY, MORNING, reader.zone) for n in (0, 1))
    return next(at for at in mornings if at > now)


def answer_page(request: HttpRequest, page: Page, reader: Person, now: datetime) -> str:
    """Do what the form asks with a page; returns what to say. Raises Refused, NotAllowed."""
    answer = request.POST.get("answer", "")
    match answer:
        case "acknowledge":
            paging.acknowledge(page.pk, reader, now)
        case "resolve":
            paging.resolve(page.pk, reader, now)
        case "help":
            paging.ask_for_help(page.pk, reader, now)
        case "snooze":
            until = snooze_until(request.POST.get("until", "15"), page.team, reader, now)
            paging.snooze(page.pk, reader, until, now)
        case "reassign":
            person = _whom(page, number_in(request.POST.get("to", "")), reader)
            if person is None:
                raise Refused("choose whom to ask", "to")
            paging.reassign(page.pk, person, reader, now)
        case _:
            raise Refused("choose an answer")
    return SAID[answer]


def _whom(page: Page, number: int | None, reader: Person) -> Person | None:
    """Find somebody of the page's team, or of a team of the reader's; nobody else's phone rings by a number."""
    members = Person.objects.filter(memberships__team=page.team_id, is_active=True)
    return members.filter(pk=number or 0).first() or find_near(reader, number or 0)


def answer_group(request: HttpRequest, group: AlertGroup, page: Page | None, reader: Person, now: datetime) -> str:
    """Do what the form asks with an alert, through its open page when it has one. Raises Refused, NotAllowed."""
    answer = request.POST.get("answer", "")
    whole: dict[str, Callable[[int, Person, datetime], AlertGroup]] = {
        "acknowledge": alerts.acknowledge_group,
        "resolve": alerts.resolve_group,
    }
    if answer in whole:
        whole[answer](group.pk, reader, now)
        return SAID[answer]
    if page is None:
        raise Refused("nobody is paged for this alert, so there is nothing to snooze or to pass on")
    return answer_page(request, page, reader, now)


def next_url(request: HttpRequest, otherwise: str) -> str:
    """Give where to go afterwards: an address of ours that the form named, else `otherwise`."""
    url = request.POST.get("next", "")
    return url if url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else otherwise

"""What every page's frame needs."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from watchbill.db.models import AlertGroup, Person
from watchbill.db.screens.incidents import count_open
from watchbill.db.screens.requests import count_unassigned


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give the frame its section and how much is open in the reader's teams: alerts, incidents, requests that nobody has (up to 99).

    What is counted is counted when a template asks for it, once: a part of a page has no frame.
    """
    section = request.path.strip("/").split("/")[0]
    words: dict[str, Any] = {"path": request.path, "section": section}
    person = request.user
    if isinstance(person, Person):
        words["open_alerts"] = cache(lambda: _count_alerts(person))
        words["open_incidents"] = cache(lambda: count_open(person))
        words["unassigned_requests"] = cache(lambda: count_unassigned(person))
    return words


def _count_alerts(person: Person) -> int:
    open_ones = AlertGroup.objects.filter(team__memberships__person=person).exclude(state="resolved")
    return len(open_ones.values_list("pk", flat=True)[:99])

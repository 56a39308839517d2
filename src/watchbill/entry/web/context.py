"""What every page's frame needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from watchbill.db.models import AlertGroup, Person
from watchbill.db.screens.incidents import count_open
from watchbill.db.screens.requests import count_unassigned


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give the frame its section and how much is open in the reader's teams: alerts, incidents, requests that nobody has (up to 99)."""
    section = request.path.strip("/").split("/")[0]
    words: dict[str, Any] = {"path": request.path, "section": section}
    if isinstance(request.user, Person):
        open_ones = AlertGroup.objects.filter(team__memberships__person=request.user).exclude(state="resolved")
        words["open_alerts"] = len(open_ones.values_list("pk", flat=True)[:99])
        words["open_incidents"] = count_open(request.user)
        words["unassigned_requests"] = count_unassigned(request.user)
    return words

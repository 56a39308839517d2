"""A mail about a request that did not arrive: refused by the mail server at once, or returned later by another."""

from __future__ import annotations

from datetime import datetime

from watchbill.actions import request_watch, support
from watchbill.actions.log import record
from watchbill.db.models import Event


def tell(request_id: int, reason: str, mark: str, now: datetime) -> None:
    """Say on a request that a mail did not arrive, once for each `mark`; tell whoever has it, else the watch.

    Call it inside a transaction. Raises Refused when there is no such request.
    """
    request = support.lock(request_id)
    subject = support.subject_of(request)
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.undeliverable")
    if lines.filter(data__mark=mark).exists():
        return
    said = f"a mail to the requester did not arrive: {reason[:300]}"
    record(subject, "request.undeliverable", said, now, data={"mark": mark})
    people = request_watch.readers(request, "holder", now)
    if not people and request.team.fallback is not None:
        people = [request.team.fallback]
    request_watch.tell(request, people, "request.undeliverable_told", "A mail did not arrive", now, more=said)

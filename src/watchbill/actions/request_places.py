"""Place open requests again when what their order depends on is another: the policy, a service, a community's budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from watchbill.actions import support
from watchbill.actions.timers import Claim, finish
from watchbill.db.models import SupportRequest


def place(requests: QuerySet[SupportRequest], now: datetime) -> None:
    """Place requests again, each in a transaction of its own, so that nobody waits long for a lock."""
    for number in list(requests.filter(state="open").order_by("id").values_list("pk", flat=True)):
        with transaction.atomic():
            support.place_again(support.lock(number), now)


def place_all(claim: Claim, now: datetime) -> None:
    """Place the open requests of a team again: its order of work is another, or a service became chronic (PRI-10)."""
    place(SupportRequest.objects.filter(team=claim.subject_id), now)
    with transaction.atomic():
        finish(claim)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("team", "request_places"): place_all}

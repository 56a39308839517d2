"""Note that a channel fails for a reason on the operator's side: Settings and /readyz say so, no address is blamed."""

from __future__ import annotations

from datetime import datetime

from watchbill.actions.log import Subject, record
from watchbill.db.channel_health import KIND, failing_channels
from watchbill.db.models import Outgoing
from watchbill.kit.errors import DeliveryFailed


def note_failure(row: Outgoing, failure: DeliveryFailed, now: datetime) -> None:
    """Write one line when a channel begins to fail on the operator's side, or fails for another reason than before."""
    if not failure.operators:
        return
    why = f"{row.channel}: {failure.message[:500]}"
    known = failing_channels().get(row.channel)
    if known is None or known.why != why:
        record(Subject("instance", 0, None), KIND, why, now, data={"channel": row.channel, "outgoing": row.pk})

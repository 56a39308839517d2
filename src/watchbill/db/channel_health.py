"""Which channels fail for a reason on the operator's side: no mail server, a wrong password, a refused sender.

What failed is a line on the instance's record; a channel is well again once a message has left by it since. So nothing
is written, or asked, for a message that leaves.
"""

from __future__ import annotations

from watchbill.db.models import Event, Outgoing

KIND = "channel.failed"
LOOKED_AT = 50
EARLIER = 1000


def failing_channels() -> dict[str, Event]:
    """Read the channels that fail on the operator's side, each with the newest line that says why."""
    lines = Event.objects.filter(subject_kind="instance", subject_id=0, kind=KIND).order_by("-id")[:LOOKED_AT]
    newest: dict[str, Event] = {}
    for line in lines:
        newest.setdefault(str(line.data.get("channel")), line)
    return {channel: line for channel, line in sorted(newest.items()) if not _left_since(channel, line)}


def _left_since(channel: str, line: Event) -> bool:
    """Tell whether a message left after the failure; one that was made before it may have left by a later try."""
    first = int(line.data.get("outgoing", 0)) - EARLIER
    sent = Outgoing.objects.filter(pk__gt=first, channel=channel, state="sent", finished_at__gt=line.at)
    return sent.exists()

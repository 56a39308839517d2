"""What a chat shows of the watch by itself: a group of people that follows it, and each new page in a channel (DUT-15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from watchbill import connectors
from watchbill.actions import exports
from watchbill.actions.log import Subject
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.db.models import Connection, Page, Shift, Team
from watchbill.db.support_facts import people_in_seat
from watchbill.kit.errors import DeliveryFailed

LOOK_AGAIN = timedelta(minutes=15)


def start(connection: Connection, now: datetime) -> None:
    """Begin to keep a chat's group in step, after it was connected or changed."""
    if connection.connector in connectors.connectors_of("chat"):
        set_timer(_subject(connection), "usergroup", now)


def watch_changed(team: Team, now: datetime) -> None:
    """Look at the groups of a team at once: its shifts were published anew."""
    for connection in _chats(team):
        set_timer(_subject(connection), "usergroup", now)


def _chats(team: Team) -> Iterable[Connection]:
    return Connection.objects.filter(team=team, removed_at=None, connector__in=connectors.connectors_of("chat"))


def _subject(connection: Connection) -> Subject:
    return Subject("connector", connection.pk, connection.team_id)


def keep_group(claim: Claim, now: datetime) -> None:
    """Put the group of who is on watch on its way when it changed; look again at the next handoff."""
    with transaction.atomic():
        rows = Connection.objects.select_related("team").select_for_update(of=("self",), no_key=True)
        connection = rows.filter(pk=claim.subject_id, removed_at=None).first()
        if not finish(claim) or connection is None:
            return
        settings = _settings_of(connection)
        if settings is None or not settings.group:
            return
        people = [person.pk for person in people_in_seat(connection.team, settings.seat, now)]
        if people and connection.cursor.get("watch") != [settings.group, *people]:
            connection.cursor = {**connection.cursor, "watch": [settings.group, *people]}
            connection.save(update_fields=["cursor"])
            key = f"chat-{connection.pk}-group-{now.isoformat()}"
            exports.put(_subject(connection), "chat.group", key, "the watch changed", now, connection=connection)
        set_timer(_subject(connection), "usergroup", _next_look(connection.team, now))


def _next_look(team: Team, now: datetime) -> datetime:
    """Give the next handoff, or a quarter of an hour, so that an override is seen however it was made."""
    ahead = Shift.objects.filter(rotation__team=team, rotation__archived_at=None)
    starts = ahead.filter(starts_at__gt=now).order_by("starts_at").values_list("starts_at", flat=True).first()
    ends = ahead.filter(ends_at__gt=now).order_by("ends_at").values_list("ends_at", flat=True).first()
    return min([one for one in (starts, ends) if one] + [now + LOOK_AGAIN])


def _settings_of(connection: Connection) -> Any:
    """Read a connection's settings; None when they are of an older form, which its page says."""
    try:
        return connectors.read_settings(connection.connector, connection.settings)
    except DeliveryFailed:
        return None


def announce(team: Team, pages: Iterable[Page], now: datetime) -> None:
    """Put new pages on their way to the team's channel, where it chose one. Call it inside a transaction."""
    for connection in _chats(team):
        settings = _settings_of(connection)
        if settings is None or not settings.alerts_room:
            continue
        for page in pages:
            subject, key = Subject("page", page.pk, team.pk), f"chat-{connection.pk}-page-{page.pk}"
            exports.put(subject, "chat.announce", key, f"page {page.pk} opened", now, connection=connection)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("connector", "usergroup"): keep_group}

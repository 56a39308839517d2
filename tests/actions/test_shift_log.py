"""The on-call log: noted on watch, with a ticket or without, under a title that can be edited."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.handoff_cast import watch_ticket
from tests.world import World
from watchbill.actions import shift_log
from watchbill.db.models import Event
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_entry_of_the_log_needs_no_ticket_belongs_to_its_shift_and_its_title_can_be_edited(world: World) -> None:
    """RUN-10, RUN-11."""
    entry = shift_log.add_entry(world.team, {"title": "Printer on fire", "text": "Not really."}, world.ana, world.now)
    assert (entry.ticket, entry.seat, entry.rotation) == (None, "engineer", world.rotation)
    beside = shift_log.add_entry(world.team, {"title": "Ben helped"}, world.ben, world.now)
    assert (beside.seat, beside.rotation) == ("", None)
    ticket = watch_ticket(world)
    shift_log.change_entry(entry.pk, {"title": "Printer smells", "ticket": ticket}, world.ana, world.now)
    entry.refresh_from_db()
    assert (entry.title, entry.ticket) == ("Printer smells", ticket)
    renamed = Event.objects.get(subject_kind="log_entry", kind="log_entry.changed")
    assert renamed.why == "Ana renamed it from “Printer on fire” to “Printer smells”"
    with pytest.raises(NotAllowed, match="Ana wrote this entry"):
        shift_log.change_entry(entry.pk, {"title": "No"}, world.ben, world.now)
    shift_log.change_entry(entry.pk, {"text": "It was the fan."}, world.eva, world.now)
    with pytest.raises(Refused, match="in a line what happened"):
        shift_log.add_entry(world.team, {"title": " "}, world.ana, world.now)
    with pytest.raises(Refused, match="last month"):
        shift_log.add_entry(world.team, {"title": "x", "at": world.now + timedelta(hours=1)}, world.ana, world.now)
    with pytest.raises(NotAllowed):
        shift_log.add_entry(world.team, {"title": "x"}, world.olga, world.now)

"""Issues are taken in page by page: every one once, whatever dies in between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.tracker_world import Tracked
from tests.connectors.vendors import CUT, GitHub, Jira, running
from tests.world import World
from watchbill.actions import import_tickets
from watchbill.db.models import Connection, Event, Export, ExternalRef, Ticket
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def progress(tracked: Tracked) -> dict[str, object]:
    found: dict[str, object] = Connection.objects.get(pk=tracked.connection.pk).cursor["import"]
    return found


def begin(tracked: Tracked, query: str = "project = OPS") -> None:
    import_tickets.start_import(tracked.connection, query, tracked.world.eva, tracked.world.now)


def test_every_issue_becomes_one_ticket_with_its_stage_and_label(world: World) -> None:
    """BKL-01: what carried the label of operations there is operations here."""
    with running(Jira(page=3)) as vendor:
        tracked = Tracked(world, "jira", vendor)
        for number in range(8):
            vendor.add(summary=f"Number {number}", labels=["feature"] if number % 2 else ["operations"])
        vendor.set_status(3, "Done")
        vendor.set_status(4, "Ready for CAB")
        begin(tracked)
        tracked.leave()
        assert (progress(tracked)["state"], progress(tracked)["made"], progress(tracked)["page"]) == ("done", 8, 3)
        assert Ticket.objects.count() == 8
        done = Ticket.objects.get(stage="done")
        assert done.title == "Number 2"
        assert done.done_at is not None
        assert Ticket.objects.filter(work_kind="feature").count() == 4
        assert ExternalRef.objects.get(sync="unknown_state").their_state == "Ready for CAB"
        assert ExternalRef.objects.filter(sync="in_step").count() == 7
        assert Event.objects.filter(kind="ticket.added").count() == 8
        assert tracked.leave() == []
        assert len(vendor.calls("PUT")) == 0


def test_an_import_goes_on_where_it_was_and_makes_nothing_twice(world: World) -> None:
    with running(Jira(page=2)) as vendor:
        tracked = Tracked(world, "jira", vendor)
        for number in range(5):
            vendor.add(summary=f"Number {number}")
        begin(tracked)
        tracked.leave(rounds=1)
        vendor.trouble.append(("POST search", CUT))
        tracked.leave()
        assert progress(tracked)["page"] == 1
        world.now += timedelta(minutes=1)
        tracked.leave()
        assert (progress(tracked)["state"], progress(tracked)["made"]) == ("done", 5)
        # A page whose worker died after its commit comes again.
        Export.objects.filter(what="import.page").update(state="waiting", due_at=world.now)
        tracked.leave()
        assert Ticket.objects.count() == 5
        begin(tracked)
        tracked.leave()
        assert (progress(tracked)["made"], progress(tracked)["known"]) == (0, 5)
        assert Ticket.objects.count() == 5


def test_a_second_import_follows_what_was_moved_meanwhile(world: World) -> None:
    with running(GitHub()) as vendor:
        tracked = Tracked(world, "github", vendor)
        vendor.create({"title": "One"}, {})
        begin(tracked, "state:all")
        tracked.leave()
        vendor.edit({"state": "closed", "state_reason": "not_planned"}, {}, "1")
        begin(tracked, "state:all")
        tracked.leave()
        assert (Ticket.objects.get().stage, Ticket.objects.get().outcome) == ("done", "wont_do")


def test_a_query_that_they_refuse_is_said_and_the_import_can_be_stopped(world: World) -> None:
    with running(Jira()) as vendor:
        tracked = Tracked(world, "jira", vendor)
        begin(tracked, "nonsense = 1")
        assert tracked.leave() == ["failed"]
        assert "is not known" in Export.objects.get(what="import.page").answer
        assert "is not known" in str(progress(tracked)["failure"])
        with pytest.raises(Refused, match="running already"):
            begin(tracked)
        import_tickets.stop_import(tracked.connection, world.eva, world.now)
        assert progress(tracked)["state"] == "stopped"
        begin(tracked)


def test_only_an_owner_imports_and_jira_wants_a_query(world: World) -> None:
    with running(Jira()) as vendor:
        tracked = Tracked(world, "jira", vendor)
        with pytest.raises(NotAllowed):
            import_tickets.start_import(tracked.connection, "project = OPS", world.ana, world.now)
        with pytest.raises(Refused) as refused:
            begin(tracked, " ")
        assert refused.value.field == "query"

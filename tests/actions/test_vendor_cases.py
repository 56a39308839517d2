"""Cases at a third party: the ball, the reminder in coverage hours, how long it took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.actions.desk_cast import adopt, ask, fresh, reason, story, subjects
from tests.world import World
from watchbill.actions import support, tickets, vendor_cases
from watchbill.actions.tickets import Written
from watchbill.db.models import Ticket, VendorCase
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)
CASE = {"vendor": "Red Centric", "reference": "RC-77", "contact": "noc@example.org"}


def test_a_case_gives_the_ball_to_the_vendor_and_takes_it_back(world: World) -> None:
    """INT-12, INT-13: the promise stands still while a third party works, and the wait is measured."""
    adopt(world, request_classes={"classes": {"x": {"title": "X", "resolution": {"amount": 10, "unit": "hours"}}}})
    request = ask(world, request_class="x")
    case = vendor_cases.open_case(request, CASE, world.ana, world.now)
    assert (fresh(request).waiting_on, fresh(request).due_at) == ("vendor", None)
    world.forward(hours=3)
    vendor_cases.close_case(case, world.ana, world.now, "they rebooted it")
    assert fresh(request).waiting_on == "us"
    assert fresh(request).due_at == datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    waited = vendor_cases.waiting_time(VendorCase.objects.get(), world.now + timedelta(days=9))
    assert waited.covered == waited.clock == timedelta(hours=3)
    assert reason(request, "request.vendor_closed") == (
        "Ana closed the case at Red Centric RC-77 after 3 working hours: they rebooted it"
    )


def test_the_ball_comes_back_with_the_last_case(world: World) -> None:
    """INT-12: two vendors, one request."""
    request = ask(world)
    first, second = (vendor_cases.open_case(request, {"vendor": v}, world.ana, world.now) for v in ("AWS", "6dg"))
    vendor_cases.close_case(first, world.ana, world.now)
    assert fresh(request).waiting_on == "vendor"
    vendor_cases.close_case(second, world.ana, world.now)
    vendor_cases.close_case(second, world.ana, world.now)
    assert (fresh(request).waiting_on, story(request).count("request.vendor_closed")) == ("us", 2)


def test_a_silent_vendor_is_remembered_in_working_hours_until_heard(world: World) -> None:
    """INT-12: reminders."""
    adopt(world)
    request = ask(world)
    support.take(request.pk, world.ben, world.now)
    case = vendor_cases.open_case(request, {**CASE, "remind_after_hours": 4}, world.ana, world.now)
    world.forward(hours=3)
    vendor_cases.heard(case, "they look into it", world.ben, world.now)
    world.forward(hours=3)
    assert "Ask Red Centric again: I cannot log in" not in subjects(world, "ben")
    world.forward(hours=1)
    assert subjects(world, "ben").count("Ask Red Centric again: I cannot log in") == 1
    assert VendorCase.objects.get().remind_at == datetime(2026, 3, 4, 10, 0, tzinfo=UTC), "two today, two tomorrow"
    vendor_cases.close_case(case, world.ben, world.now)
    world.forward(days=3)
    assert story(request).count("request.vendor_reminded") == 1


def test_without_an_assignee_the_watch_asks_the_vendor_again(world: World) -> None:
    """INT-12, INT-08."""
    vendor_cases.open_case(ask(world), {**CASE, "remind_after_hours": "2"}, world.ben, world.now)
    world.forward(hours=2)
    assert "Ask Red Centric again: I cannot log in" in subjects(world, "ana")


def test_a_ticket_waits_for_its_vendor_too(world: World) -> None:
    """INT-12: what the service knows of its vendor need not be typed."""
    world.service.vendor, world.service.vendor_contact = "AWS", "console"
    world.service.save()
    ticket = tickets.add_ticket(world.team, Written("Quota", service=world.service), world.ana, world.now)
    case = vendor_cases.open_case(ticket, {"reference": "88"}, world.ana, world.now)
    assert (case.vendor, case.contact, Ticket.objects.get().stage) == ("AWS", "console", "waiting")
    vendor_cases.change_case(case, {"reference": "89"}, world.ana, world.now)
    vendor_cases.close_case(case, world.ana, world.now)
    assert Ticket.objects.get().stage == "in_progress"
    assert VendorCase.objects.get().reference == "89"
    with pytest.raises(Refused):
        vendor_cases.heard(case, "more", world.ana, world.now)


def test_a_case_needs_a_vendor_and_a_member(world: World) -> None:
    request = ask(world)
    for values, field in (({}, "vendor"), ({**CASE, "url": "ftp://x"}, "url"), ({**CASE, "remind_after_hours": "soon"}, "remind_after_hours")):  # fmt: skip
        with pytest.raises(Refused) as refused:
            vendor_cases.open_case(request, values, world.ana, world.now)
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        vendor_cases.open_case(request, CASE, world.olga, world.now)
    assert fresh(request).waiting_on == "us"

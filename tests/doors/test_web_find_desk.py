"""The palette finds requests and tickets, of the reader's teams alone, however long the words are."""

from __future__ import annotations

import pytest

from tests.doors.desk_world import ask, write
from tests.doors.web_world import Cast
from tests.world import World


@pytest.fixture
def desk(world: World) -> World:
    """The small team with its desk."""
    return world


@pytest.fixture
def as_(world: World) -> Cast:
    """Everybody's browser."""
    return Cast(world)


def test_a_ticket_and_a_request_are_found_by_number_and_by_words(desk, as_):
    request, ticket = ask(desk, "The printer on floor 3"), write(desk, "Buy a printer")
    for words in (f"R-{request.pk}", f"r-{request.pk}", "printer", "print"):
        assert f'href="/requests/{request.pk}/"' in as_.ana.text(f"/find/?q={words}"), words
    for words in (f"T-{ticket.pk}", f"t-{ticket.pk}", str(ticket.pk), "buy print"):
        assert f'href="/tickets/{ticket.pk}/"' in as_.ana.text(f"/find/?q={words}"), words
    assert f"ticket T-{ticket.pk}, to do" in as_.ana.text("/find/?q=printer")
    for words in (f"R-{request.pk}", f"T-{ticket.pk}", "printer"):
        found = as_.charlie.text(f"/find/?q={words}")
        assert "/tickets/1" not in found
        assert f'href="/requests/{request.pk}/"' not in found
    assert "floor 3" not in as_.ana.text(f"/find/?q=T-{request.pk + 10**6}")


def test_what_may_be_done_is_found_by_its_name(desk, as_):
    """DUT-14."""
    assert 'href="/tickets/new/"' in as_.ana.text("/find/?q=new ticket")
    assert 'href="/requests/new/"' in as_.ana.text("/find/?q=log a request")
    assert 'href="/next/"' in as_.ana.text("/find/?q=what do i do now")
    for strange in ("R-99999999999999999999", 'printer" OR "x', "%00", "'", "team:1", "*"):
        assert as_.ana.text(f"/find/?q={strange}")

"""Requests from the first word to the last: promises, the ball, who hears of it, how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.world import TUESDAY_NINE, World
from watchbill.actions import support
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import Event, Export, Message, Policy, SupportRequest
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)
DAY = [{"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "start": "08:00", "end": "18:00"}]
RIA = Asker("Ria", "ria@example.net")


def office_hours(world: World, **rules: dict[str, object]) -> None:
    settings = {"coverage": DAY, "rules": rules}
    Policy.objects.create(
        team=world.team, version=9, preset="laa-ops", settings=settings, adopted_at=world.now, why="test"
    )


def ask(world: World, **asked: object) -> SupportRequest:
    values: dict[str, object] = {"title": "I cannot log in", "text": "Since this morning.", **asked}
    return support.open_request(world.team, RIA, Asked(**values), world.now)  # type: ignore[arg-type]


def kinds(request: SupportRequest) -> list[str]:
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk).order_by("id")
    return list(lines.values_list("kind", flat=True))


def fresh(request: SupportRequest) -> SupportRequest:
    return SupportRequest.objects.get(pk=request.pk)


def test_the_watch_hears_of_a_new_request_and_its_requester_hears_what_is_next(world: World) -> None:
    """INT-09: the requester is told the class, what happens next and by when."""
    office_hours(world)
    request = ask(world, request_class="incident_report")
    world.work()
    assert [message["Subject"] for message in world.mailbox.to(world.ana)] == ["New request: I cannot log in"]
    told = Export.objects.get(subject_id=request.pk, what="mail")
    assert told.recipient == {"email": "ria@example.net", "name": "Ria"}
    assert "Whoever is on watch looks at it first." in told.payload["text"]
    assert "You hear from us by Tuesday 03 March, 11:00" in told.payload["text"]
    assert f"R-{request.pk}" in told.payload["subject"]


def test_the_promise_runs_in_the_teams_hours(world: World) -> None:
    """INT-05, MET-07: two working hours, asked at 17:50 on a Friday, are over on Monday at 09:50."""
    office_hours(world)
    world.now = datetime(2026, 3, 6, 17, 50, tzinfo=UTC)
    request = ask(world, request_class="incident_report")
    assert (request.due_at, request.due_what) == (datetime(2026, 3, 9, 9, 50, tzinfo=UTC), "first_response")


def test_a_missed_promise_is_told_once_and_comes_first(world: World) -> None:
    """PRI-05: what missed its promise is critical."""
    office_hours(world)
    request = ask(world, request_class="incident_report")
    support.take(request.pk, world.ben, world.now)
    world.forward(hours=3)
    assert kinds(request).count("request.promise_missed") == 1
    late = fresh(request)
    assert late.is_late
    assert late.priority == "interruption"
    assert "A promise has run out: I cannot log in" in [m["Subject"] for m in world.mailbox.to(world.ben)]


def test_an_answer_keeps_the_promise_and_passes_the_ball(world: World) -> None:
    """INT-13: it is visible who has the ball; the clock stands while it is with the requester."""
    office_hours(world)
    request = ask(world, request_class="incident_report")
    support.answer(request.pk, "Which page do you see?", world.ana, world.now)
    kept = fresh(request)
    assert (kept.waiting_on, kept.due_at, kept.assignee) == ("requester", None, world.ana)
    support.hear(request.pk, RIA, Asked("Re", "A white one."), world.now + timedelta(hours=1))
    assert fresh(request).waiting_on == "us"


def test_nothing_unassigned_is_missed(world: World) -> None:
    """INT-08: the watch is reminded after a working hour, the fallback person after the second."""
    office_hours(world)
    request = ask(world)
    world.forward(hours=1)
    assert world.mailbox.to(world.ana)[-1]["Subject"] == "Nobody has this request: I cannot log in"
    assert not world.mailbox.to(world.eva)
    world.forward(hours=1)
    assert world.mailbox.to(world.eva)[-1]["Subject"] == "Nobody has this request: I cannot log in"
    world.forward(days=3)
    assert kinds(request).count("request.reminded") == 2


def test_what_interrupts_pages_the_watch(world: World) -> None:
    """PRI-01: a service interruption comes before everything."""
    request = ask(world, request_class="incident_report", impact="everyone")
    assert "request.paged" in kinds(request)
    assert world.page().title == f"R-{request.pk}: I cannot log in"


def test_resolved_is_closed_after_silence_and_a_reply_opens_it_again(world: World) -> None:
    """MET-02: confirmation, silence, reopen by reply."""
    office_hours(world, request_ends={"close_after_hours": 10})
    request = ask(world)
    support.resolve(request.pk, "done", "Please try again.", world.ana, world.now)
    assert Message.objects.filter(request=request, direction="out").latest("id").text.startswith("Please try again.")
    world.forward(hours=9)
    assert fresh(request).state == "resolved"
    world.forward(days=1)
    assert fresh(request).state == "closed"
    again = support.hear(request.pk, RIA, Asked("Re", "Still broken."), world.now)
    assert (again.pk, fresh(request).state, fresh(request).waiting_on) == (request.pk, "open", "us")


def test_a_reply_that_comes_too_late_is_a_new_request(world: World) -> None:
    """MET-02: the team's days of reopening have an end."""
    office_hours(world, request_ends={"close_after_hours": 1, "reopen_days": 3})
    request = ask(world)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    world.forward(days=10)
    later = support.hear(request.pk, RIA, Asked("Another thing", "Hello again."), world.now)
    assert later.pk != request.pk
    assert fresh(request).state == "closed"


def test_only_members_answer_and_nonsense_is_refused(world: World) -> None:
    request = ask(world)
    with pytest.raises(NotAllowed):
        support.answer(request.pk, "Hello", world.olga, world.now)
    with pytest.raises(Refused) as refused:
        support.open_request(world.team, RIA, Asked("  "), world.now)
    assert refused.value.field == "title"
    with pytest.raises(Refused) as refused:
        support.open_request(world.team, Asker("Ria", "nonsense"), Asked("Help"), world.now)
    assert refused.value.field == "email"


def test_a_priority_by_hand_needs_its_reason_and_stays(world: World) -> None:
    """PRI-09: a person promotes chronic slowness, with a reason."""
    request = ask(world)
    with pytest.raises(Refused):
        support.set_priority(request.pk, "interruption", " ", world.ana, TUESDAY_NINE)
    support.set_priority(request.pk, "interruption", "it is slow every day", world.ana, TUESDAY_NINE)
    support.change(request.pk, {"request_class": "guidance_request"}, world.ana, TUESDAY_NINE)
    assert fresh(request).priority == "interruption"
    assert "it is slow every day" in fresh(request).priority_why

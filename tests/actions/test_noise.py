"""Noise, and turning work away: nothing is lost, and both are counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from tests.actions.desk_cast import adopt, adopt_preset, ask, fresh, mails, reason, story, subjects
from tests.world import World
from watchbill.actions import desk_settings, noise, support, turning_away
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import Page, SupportRequest, Timer
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules import noise as rule

pytestmark = pytest.mark.django_db(transaction=True)
LINES = [
    {"sender": r"@budgets\.example$", "act": "log_and_close"},
    {"subject": "lottery|prize", "text": "click", "act": "drop_as_spam"},
    {"subject": r"^\[6dg\]", "act": "attach_to_service", "value": "checkout"},
    {"text": "CVE-", "act": "class", "value": "incident_report"},
    {"text": "CVE-", "act": "class", "value": "guidance_request"},
]


def take_in(world: World, title: str, text: str = "", sender: str = "ria@example.net") -> SupportRequest:
    return noise.open_judged(world.team, Asker("Ria", sender), Asked(title, text, door="email"), world.now)


def test_spam_is_a_closed_row_that_nobody_is_told_of(world: World) -> None:
    """INT-08: nothing is dropped without a row; it is listed and can be opened again."""
    adopt(world, noise={"lines": LINES})
    request = take_in(world, "You won a PRIZE", "Click here")
    assert (request.state, request.outcome) == ("closed", "spam")
    assert (mails(request), subjects(world, "ana")) == ([], [])
    assert not Timer.objects.filter(subject_kind="request", subject_id=request.pk).exists()
    assert reason(request, "request.judged") == "line 2: drop as spam"
    assert list(SupportRequest.objects.filter(team=world.team, outcome="spam")) == [request]
    support.reopen(request.pk, "a real prize", world.ana, world.now)
    assert fresh(request).state == "open"


def test_budget_alerts_are_logged_and_closed(world: World) -> None:
    """DUT-19: what reaches the one on watch is decided before it does."""
    adopt(world, noise={"lines": LINES})
    request = take_in(world, "80 % of the month", sender="billing@budgets.example")
    assert (request.state, request.outcome) == ("closed", "done")


def test_a_line_gives_the_class_and_the_service_to_what_stays_a_request(world: World) -> None:
    """INT-02, DUT-19: a routing field in the subject; vulnerability tickets have a class of their own."""
    adopt(world, noise={"lines": LINES})
    request = take_in(world, "[6DG] patch", "cve-2026-1 is out")
    assert (request.state, request.service, request.request_class) == ("open", world.service, "incident_report")
    assert reason(request, "request.judged") == "line 3: attach to service checkout; line 4: class incident_report"
    chosen = noise.open_judged(
        world.team, Asker("Ria"), Asked("CVE-1", "CVE-1", request_class="change_request"), world.now
    )
    assert chosen.request_class == "change_request", "what the asker chose stands"


def test_what_no_line_meets_is_a_request_like_others(world: World) -> None:
    """INT-01, INT-04: two doors, one inbox."""
    adopt(world, noise={"lines": LINES})
    verdict = noise.judge(world.team, "ria@example.net", "A prize question", "no link")
    assert (verdict.ends, verdict.request_class, verdict.service, verdict.why) == ("", "", None, "")
    request = take_in(world, "A prize question", "no link")
    other = noise.open_judged(world.team, Asker("Ria"), Asked("The same", door="chat"), world.now)
    assert {request.state, other.state} == {"open"}
    assert "request.judged" not in story(request)
    assert len(subjects(world, "ana")) == 2


def test_a_service_that_is_gone_and_a_class_that_is_gone_are_none(world: World) -> None:
    adopt(world, noise={"lines": [{"subject": "x", "act": "class", "value": "gone"}, {"subject": "x", "act": "attach_to_service", "value": "gone"}]})  # fmt: skip
    verdict = noise.judge(world.team, "", "x", "")
    assert (verdict.request_class, verdict.service) == ("", None)


def test_a_line_that_meets_everything_or_is_no_pattern_is_refused() -> None:
    for line in (
        {"act": "drop_as_spam"},
        {"subject": "(", "act": "drop_as_spam"},
        {"subject": "x", "act": "class"},
        {"subject": "x", "act": "delete"},
        {"subject": "x" * 501, "act": "drop_as_spam"},
    ):
        with pytest.raises(ValidationError):
            rule.Settings.model_validate({"lines": [line]})


def test_a_person_marks_spam_and_its_sender_hears_nothing(world: World) -> None:
    request = ask(world)
    before = len(mails(request))
    with pytest.raises(NotAllowed):
        noise.mark_as_spam(request.pk, world.olga, world.now)
    noise.mark_as_spam(request.pk, world.ana, world.now)
    assert (fresh(request).state, fresh(request).outcome, len(mails(request))) == ("closed", "spam", before)


def test_work_is_turned_away_in_the_teams_words_with_where_to_raise_it(world: World) -> None:
    """DUT-09, TRI-16: the authority to turn non-urgent work away into the queue."""
    adopt(world)
    request = ask(world)
    turning_away.turn_away(request.pk, "", world.ana, world.now)
    assert (fresh(request).state, fresh(request).outcome) == ("resolved", "turned_away")
    assert "please raise it here" in mails(request)[-1]
    assert "/support/platform/" in mails(request)[-1]
    assert not any("we believe that" in text for text in mails(request))
    desk_settings.add_canned(
        world.team, {"kind": "not_now", "name": "Later", "text": "{requester}: later, at {queue}"}, world.ana, world.now
    )
    other = ask(world)
    assert turning_away.words_to_turn_away(other, world.ana, world.now).startswith("Ria: later, at http")
    turning_away.turn_away(other.pk, "Not this sprint.", world.ana, world.now)
    assert mails(other)[-1] == "Not this sprint."


def test_what_was_turned_away_is_counted_per_month(world: World) -> None:
    """DUT-09: and what was opened again is not."""
    adopt(world)
    start = world.now
    for _ in range(2):
        turning_away.turn_away(ask(world).pk, "", world.ana, world.now)
    again = ask(world)
    turning_away.turn_away(again.pk, "", world.ana, world.now)
    support.reopen(again.pk, "urgent after all", world.ana, world.now)
    world.now = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
    turning_away.turn_away(ask(world).pk, "", world.ana, world.now)
    until = world.now + timedelta(hours=1)
    assert turning_away.count_turned_away(world.team, start, until) == 3
    assert turning_away.turned_away_by_month(world.team, start, until) == {
        date(2026, 3, 1): 2,
        date(2026, 4, 1): 0,
        date(2026, 5, 1): 1,
    }


def test_what_interrupts_is_not_turned_away_unless_its_class_is_at_discretion(world: World) -> None:
    """DUT-09, DUT-19: three classes of input, one of them with discretion."""
    adopt_preset(world, "oncall-remodel")
    broken = ask(world, request_class="incident_report", impact="everyone")
    with pytest.raises(Refused):
        turning_away.turn_away(broken.pk, "", world.ana, world.now)
    partner = ask(world, request_class="partner_request", impact="security")
    assert Page.objects.count() == 2, "both interrupt"
    turning_away.turn_away(partner.pk, "", world.ana, world.now)
    assert fresh(partner).outcome == "turned_away"

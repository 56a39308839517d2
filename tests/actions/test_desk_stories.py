"""Five kinds of team, one event: the same words arrive at 17:50 on the Friday before a bank holiday."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.world import World
from watchbill.actions import support, teams
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import Community, Event, Export, Page, Person, Requester, SupportRequest, Team

pytestmark = pytest.mark.django_db(transaction=True)

RIA = Asker("Ria", "ria@uni.example")
WORDS = "The notebooks are slow since noon, for all of us."


def at(zone: str, hour: int, minute: int = 0, day: int = 1, month: int = 5) -> datetime:
    """A time on the wall of that zone, as an instant."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def team_of(world: World, preset: str, zone: str, country: str = "GB", part: str = "ENG") -> Team:
    """A team that works as its document says, made in March; Ana stands the first watch."""
    world.eva.is_superuser = True
    world.eva.save()
    cast: list[Person] = [world.ana, world.ben]
    name = f"Team {preset}"
    team = teams.create_team(name, zone, preset, world.eva, world.now, members=cast, fallback=world.eva)
    values = {
        "name": name,
        "zone": zone,
        "holiday_country": country,
        "holiday_subdivision": part,
        "fallback": world.eva.pk,
    }
    return teams.change_team(team, values, world.eva, world.now)


def arrive(world: World, team: Team, zone: str, request_class: str) -> SupportRequest:
    """The event, the same for each team but for the class that it has for such a thing."""
    world.now = at(zone, 17, 50)
    world.forward(seconds=0)
    asked = Asked("Notebooks are slow", WORDS, request_class=request_class)
    request = support.open_request(team, RIA, asked, world.now)
    world.work()
    return SupportRequest.objects.get(pk=request.pk)


def told(request: SupportRequest) -> list[str]:
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk).order_by("id")
    return [f"{line.kind}: {line.why}" for line in lines]


def mail(request: SupportRequest) -> str:
    return str(Export.objects.filter(subject_id=request.pk, what="mail").order_by("id")[0].payload["text"])


def test_laa_ops_answers_within_two_support_hours_which_end_on_tuesday(world: World) -> None:
    """INT-05, MET-07, C5: ten minutes of Friday, nothing of the bank holiday, the rest on Tuesday morning."""
    team = team_of(world, "laa-ops", "Europe/London")
    request = arrive(world, team, "Europe/London", "incident_report")
    assert request.due_at == at("Europe/London", 9, 50, day=5)
    assert "Tuesday 05 May, 09:50" in mail(request)
    assert request.approval == ""
    assert request.priority == "other"
    # Two duties by day, a third after five: both seats that are filled hear of it.
    assert any(line.startswith("request.told") for line in told(request))
    world.forward(days=4)
    assert "request.promise_missed: the first response was promised by Tue 05 May 08:50 UTC" in told(request)
    assert SupportRequest.objects.get(pk=request.pk).priority == "high"


def test_hub_support_has_a_working_day_of_24_hours_and_asks_a_representative_first(world: World) -> None:
    """C5, INT-04, TRI-07: 24 hours from Monday to Friday, bank holidays are people's own; others need a word."""
    team = team_of(world, "hub-support", "UTC", "", "")
    made = Community.objects.create(
        team=team, slug="uni", name="Uni", mail_domains=["uni.example"], created_at=world.now
    )
    Requester.objects.create(
        team=team, community=made, name="Rex", email="rex@uni.example", is_representative=True, created_at=world.now
    )
    request = arrive(world, team, "UTC", "change_request")
    assert (request.approval, request.waiting_on, request.due_at) == ("asked", "requester", None)
    assert "we have asked one of them to approve it" in mail(request)
    assert [e.recipient["email"] for e in Export.objects.filter(subject_id=request.pk).order_by("id")] == [
        "ria@uni.example", "rex@uni.example",
    ]  # fmt: skip
    broken = arrive(world, team, "UTC", "incident_report")
    # Friday 17:50 and Monday 17:50: the weekend does not count, the English holiday does for nobody else.
    assert (broken.approval, broken.due_at) == ("", at("UTC", 17, 50, day=4))
    assert broken.priority == "incident"
    assert not Page.objects.filter(team=team).exists()


def test_oncall_remodel_never_closes_and_pages_for_an_interruption(world: World) -> None:
    """PRI-01, DUT-16: what stops everybody is a service interruption and wakes the watch, whatever the hour."""
    team = team_of(world, "oncall-remodel", "America/Los_Angeles", "US", "CA")
    request = arrive(world, team, "America/Los_Angeles", "incident_report")
    assert request.due_at == at("America/Los_Angeles", 18, 50)
    assert request.priority == "customer"
    assert not Page.objects.filter(team=team).exists()
    asked = Asked("Notebooks are down", WORDS, request_class="incident_report", impact="everyone")
    worse = support.open_request(team, RIA, asked, world.now)
    page = Page.objects.get(team=team)
    assert page.title == f"R-{worse.pk}: Notebooks are down"
    assert "request.paged" in " ".join(told(worse))


def test_operate_first_tells_the_engineer_of_the_day_and_pages_nobody(world: World) -> None:
    """DUT-01, DUT-03, C3: whoever has the day answers; out of hours nobody is woken for a question."""
    team = team_of(world, "operate-first", "America/New_York", "US", "MA")
    request = arrive(world, team, "America/New_York", "incident_report")
    assert request.due_at is not None
    assert request.due_at >= at("America/New_York", 9, 0, day=4)
    assert not Page.objects.filter(team=team).exists()
    assert not world.mailbox.to(world.eva)
    world.forward(days=5)
    # This team does not go past the one on call: reminded, and no fallback person.
    reminded = [line for line in told(request) if line.startswith("request.reminded")]
    assert len(reminded) == 1


def test_library_devops_says_when_it_will_respond_and_a_missed_promise_is_critical(world: World) -> None:
    """INT-09, PRI-05, PRI-09: users know when; slowness is a warning until the promise is missed."""
    team = team_of(world, "library-devops", "America/New_York", "US", "NY")
    request = arrive(world, team, "America/New_York", "slow")
    assert request.priority == "warning"
    assert request.due_at == at("America/New_York", 17, 0, day=5)
    assert "You hear from us by Tuesday 05 May, 17:00" in mail(request)
    world.forward(days=5)
    late = SupportRequest.objects.get(pk=request.pk)
    assert (late.is_late, late.priority) == (True, "critical")

"""The order in which a team wrote its levels survives the database, whichever it is."""

from __future__ import annotations

import pytest

from tests.actions.desk_cast import adopt, ask, fresh
from tests.world import World
from watchbill.actions import teams
from watchbill.actions.desk import desk_of
from watchbill.db.models import Policy

pytestmark = pytest.mark.django_db(transaction=True)


def test_levels_and_severities_stay_in_the_teams_order(world: World) -> None:
    """PRI-10, PRI-01: the list itself is the team's; neither length nor alphabet decides what comes first."""
    levels = {name: {"title": name.title()} for name in ("interruption", "b", "aa", "customer", "a")}
    severities = {name: {"respond": "page_now", "urgency": "important"} for name in ("worst", "bad", "a")}
    order = {"levels": levels, "table": [], "otherwise": "a"}
    settings = {"rules": {"priority_order": order, "severity_response": {"severities": severities, "unknown": "a"}}}
    teams.adopt_policy(world.team, settings, world.eva, "our order", world.now)
    desk = desk_of(world.team, world.now)
    assert list(desk.order.levels) == list(levels)
    assert list(desk.rule("severity_response")["severities"]) == list(severities)


def test_parts_of_a_policy_are_still_read_by_the_database(world: World) -> None:
    adopt(world, None, timebox={"ticket_after_minutes": 7})
    newest = Policy.objects.filter(team=world.team).order_by("-version")
    assert newest.values_list("settings__rules", flat=True)[0] == {"timebox": {"ticket_after_minutes": 7}}
    assert newest.values_list("settings__nothing", flat=True)[0] is None


def test_open_requests_take_their_place_in_a_new_order(world: World) -> None:
    """PRI-10: the list is for discussion, and counts for what lies there already."""
    request = ask(world)
    assert fresh(request).priority == "customer"
    order = {"levels": {"first": {"title": "First"}, "all": {"title": "All"}}, "table": [], "otherwise": "all"}
    teams.adopt_policy(world.team, {"rules": {"priority_order": order}}, world.eva, "simpler", world.now)
    world.work()
    assert (fresh(request).priority, fresh(request).rank) == ("all", 1)

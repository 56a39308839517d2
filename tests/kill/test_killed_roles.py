"""Kill -9 around each commit and each mail while an offer of a role lapses and the next one is asked.

As in test_killed_anywhere: the process is killed in turn at each of its boundaries, then a fresh one finishes: nobody is
asked twice, and somebody is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt
from tests.kill.killing import MOVED, Moments, Step, Zygote
from tests.kill.test_killed_desk import deaths_of
from tests.world import World
from watchbill.actions import declaring
from watchbill.actions.declaring import Declared
from watchbill.db.models import Event, RoleAssignment

TABLES = (*MOVED, "incident", "incidentmember", "incidentstep", "roleassignment")


@pytest.fixture
def moments(world: World) -> Iterator[Moments]:
    kept = Moments(TABLES)
    yield kept
    kept.forget()


def test_killed_while_an_offer_lapses_nobody_is_asked_twice_and_somebody_is(
    world: World, moments: Moments, zygote: Zygote
) -> None:
    """ROL-09, ROL-18: the lapse and the next offer are there together, or neither is."""
    adopt(world, incident_roles={"designation": "offer", "offer_minutes": 30})
    declaring.declare(world.team, Declared("Nobody can sign in", "Errors"), world.ana, world.now)
    world.work()
    due = world.now = world.now + timedelta(minutes=30)
    for death in deaths_of(Step("lapses", due, {"do": "work", "only": ["COMMIT", "vendor"]}), moments, zygote, world):
        assert standing() in ([("Ana", "offered")], [("Ana", "lapsed"), ("Ben", "offered")]), death
        world.work()
        assert standing() == [("Ana", "lapsed"), ("Ben", "offered")], death
        assert Event.objects.filter(kind="incident.role_offered").count() == 2
        check_asked_once(world)


def standing() -> list[tuple[str, str]]:
    return [(str(row.person), row.state) for row in RoleAssignment.objects.select_related("person").order_by("id")]


def check_asked_once(world: World) -> None:
    """Ben got one message; twice with one Message-ID only if the mail server had it before we could write that down."""
    mails = [mail for mail in world.mailbox.to(world.ben) if "Will you be" in str(mail["Subject"])]
    assert len(Counter(str(mail["Message-ID"]) for mail in mails)) == 1

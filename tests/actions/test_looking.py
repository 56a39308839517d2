"""Looking without an alarm, and calls that one would make differently."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import World
from watchbill.actions import idle, looking, support
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_consoles_are_looked_at_once_a_day(world: World) -> None:
    """DUT-02: the duty is to look at the platform's console; the log says who did, and what was seen."""
    link = {"kind": "dashboard", "title": "Console", "url": "https://console.example/"}
    world.service.links = [link, {"kind": "runbook", "title": "Runbook", "url": "https://wiki.example/"}]
    world.service.save()
    assert [(one.service, one.links) for one in looking.consoles(world.team)] == [(world.service, (link,))]
    assert looking.last_look(world.team, world.now) is None
    looking.look(world.team, "  memory of node 4 grows ", world.ana, world.now)
    seen = looking.last_look(world.team, world.now + timedelta(hours=5))
    assert seen is not None
    assert seen.why == "Ana looked at the consoles: memory of node 4 grows"
    assert looking.last_look(world.team, world.now + timedelta(days=1)) is None
    with pytest.raises(NotAllowed):
        looking.look(world.team, "", world.olga, world.now)


def test_calls_that_one_would_make_differently_are_gathered(world: World) -> None:
    """DUT-08: "you made a judgement call of not calling additional help and you wished you did it the other way"."""
    world.event()
    world.work()
    looking.regret(world.group(), "I should have woken Ben at 02:10.", world.ana, world.now)
    request = support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked("Slow"), world.now)
    looking.regret(request, "This was a job for a DBA.", world.ben, world.now + timedelta(days=2))
    found = looking.regrets(world.team, world.now, world.now + timedelta(days=7))
    assert [(line.subject_kind, line.actor_name, line.data["title"]) for line in found] == [
        ("request", "Ben", "Slow"),
        ("alert", "Ana", "Disk full on db1"),
    ]
    assert looking.regrets(world.team, world.now + timedelta(days=3), world.now + timedelta(days=7)) == []
    with pytest.raises(Refused) as refused:
        looking.regret(request, "  ", world.ben, world.now)
    assert refused.value.field == "text"
    with pytest.raises(NotAllowed):
        looking.regret(request, "Not my team.", world.charlie, world.now)


def test_what_to_do_now_offers_a_look_and_what_is_not_written_down(world: World) -> None:
    """DUT-02, DUT-04: no document for what was mended: whoever is on watch writes it, once it is over."""
    world.service.links = [{"kind": "dashboard", "title": "Console", "url": "https://console.example/"}]
    world.service.save()
    world.event()
    world.work()
    world.event("resolve")
    world.work()

    def kinds() -> list[str]:
        return [idea.kind for idea in idle.suggest(world.ana, world.team, world.now)]

    assert {"console", "runbook"} <= set(kinds())
    looking.look(world.team, "", world.ana, world.now)
    world.service.links = [*world.service.links, {"kind": "runbook", "title": "How", "url": "https://wiki.example/"}]
    world.service.save()
    assert not {"console", "runbook"} & set(kinds())

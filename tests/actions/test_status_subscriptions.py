"""Hearing of a status page: asked twice, told once of each thing, ended with one click; nothing withdrawn leaves."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings

from tests.actions.status_cast import declare, make_page, say
from tests.egress.outside import Heard, Host, Say, http_host
from tests.world import World
from watchbill.actions import status_incidents, status_subscriptions
from watchbill.actions.status_subscriptions import Asked
from watchbill.channels import webhook
from watchbill.db.models import Export, StatusPage, StatusSubscription
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def ask(world: World, page: StatusPage, address: str = "ria@example.net", **more: object) -> StatusSubscription:
    given = {"kind": "email", "address": address, **more}
    return status_subscriptions.ask(page, Asked(**given), "203.0.113.7", world.now)


def subscribe(world: World, page: StatusPage, address: str = "ria@example.net", **more: object) -> StatusSubscription:
    row = ask(world, page, address, **more)
    return status_subscriptions.confirm(status_subscriptions.token_of(row), world.now)


def letters(world: World, address: str = "ria@example.net") -> list[str]:
    world.work()
    return [one["Subject"] for one in world.mailbox.messages if one["X-To"] == address]


def test_nobody_hears_before_they_said_so_twice(world: World) -> None:
    """Double opt-in: the link in the letter says yes; it works for a week."""
    page = make_page(world)
    ask(world, page)
    assert letters(world) == ["Do you want to hear of Status of the hub?"]
    letter = world.mailbox.messages[0]
    assert letter["List-Unsubscribe"] is None
    incident = declare(world)
    status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
    assert len(letters(world)) == 1
    token = re.search(r"/subscription/(\S+)/", letter.get_content())[1]
    assert status_subscriptions.find(token).confirmed_at is None
    with pytest.raises(Refused, match="ended"):
        status_subscriptions.confirm(token, world.now + timedelta(days=8))
    with pytest.raises(Refused, match="not whole"):
        status_subscriptions.find(token[:-1] + "x")


def test_a_subscriber_hears_each_thing_once_and_leaves_with_one_click(world: World) -> None:
    """RFC 8058: List-Unsubscribe and List-Unsubscribe-Post in every mail."""
    page = make_page(world)
    row = subscribe(world, page)
    incident = declare(world)
    status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
    world.work()
    say(world, incident, "The disk is full", state="identified")
    say(world, incident, "acme's disk", audience="responders")
    heard = letters(world)[1:]
    assert heard == [
        "We are looking into it: Nobody can sign in",
        "We know what it is: Nobody can sign in",
    ]
    letter = world.mailbox.messages[-1]
    base = f"{settings.WATCHBILL_URL}/subscription/{status_subscriptions.token_of(row)}/end/"
    assert letter["List-Unsubscribe"] == f"<{base}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "The disk is full" in letter.get_content()
    Export.objects.filter(what="status_tell").update(state="waiting", due_at=world.now)
    assert len(letters(world)) == 3
    status_subscriptions.leave(status_subscriptions.token_of(row), world.now)
    say(world, incident, "Over", state="resolved")
    assert len(letters(world)) == 3


def test_what_was_withdrawn_before_it_left_does_not_leave(world: World) -> None:
    """Asked once more, just before it leaves."""
    page = make_page(world)
    subscribe(world, page)
    row = status_incidents.publish(declare(world).pk, page, "Nobody can sign in", world.ana, world.now)
    status_incidents.withdraw(row.pk, "it was ours", world.ana, world.now)
    assert letters(world) == ["You hear of Status of the hub already"]


def test_one_hears_of_the_chosen_components_alone(world: World) -> None:
    page = make_page(world)
    mail, sign_in = (page.components.get(name=name) for name in ("Mail", "Signing in"))
    row = subscribe(world, page, components=[mail.pk])
    incident = declare(world)
    status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
    assert len(letters(world)) == 1
    status_subscriptions.choose(status_subscriptions.token_of(row), [sign_in.pk], world.now)
    say(world, incident, "We are on it")
    assert len(letters(world)) == 2
    with pytest.raises(Refused, match="choose"):
        ask(world, page, "other@example.net", components=[999])


def test_nobody_floods_a_mailbox_or_the_page(world: World) -> None:
    """Limits within the hour for an address and for where it came from; whether one is subscribed is not told."""
    page = make_page(world)
    for _ in range(status_subscriptions.MOST_BY_ADDRESS):
        ask(world, page)
    with pytest.raises(Refused, match="already"):
        ask(world, page)
    for number in range(status_subscriptions.MOST_BY_ORIGIN - status_subscriptions.MOST_BY_ADDRESS):
        ask(world, page, f"{number}@example.net")
    with pytest.raises(Refused, match="very many"):
        ask(world, page, "more@example.net")
    world.now += timedelta(hours=1, minutes=1)
    ask(world, page)
    assert StatusSubscription.objects.filter(ended_at=None).count() == 8


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c"])
def test_what_is_no_address_is_refused(world: World, address: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(world, make_page(world), address)
    assert refused.value.field == "address"


def echo(heard: Heard) -> Say:
    return Say(body=json.loads(heard.body).get("challenge", "").encode())


def told(host: Host) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in host.heard]


def test_a_webhook_answers_a_challenge_and_is_told_with_a_signature(world: World) -> None:
    page = make_page(world)
    with http_host(echo) as host:
        row = ask(world, page, host.url("/status?token=1"), kind="webhook")
        assert row.confirmed_at is None
        world.work()
        row.refresh_from_db()
        assert (row.confirmed_at, told(host)[0]["type"]) == (world.now, "challenge")
        incident = declare(world)
        status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
        world.work()
        last = host.heard[-1]
        assert webhook.verify(row.secret["key"], last.headers, last.body)
        assert (told(host)[-1]["title"], told(host)[-1]["impact"]) == ("Nobody can sign in", "major_outage")


def test_a_webhook_that_does_not_answer_the_challenge_hears_nothing(world: World) -> None:
    page = make_page(world)
    with http_host() as host:
        row = ask(world, page, host.url(), kind="webhook")
        status_incidents.publish(declare(world).pk, page, "Nobody can sign in", world.ana, world.now)
        world.work()
        row.refresh_from_db()
        assert row.confirmed_at is None
        assert [one["type"] for one in told(host)] == ["challenge"]


def test_a_webhook_that_refuses_for_good_several_times_is_ended(world: World) -> None:
    page = make_page(world)
    answers = [Say(404)] * status_subscriptions.MOST_BY_ADDRESS
    with http_host(lambda heard: echo(heard) if "challenge" in json.loads(heard.body) else answers.pop()) as host:
        row = ask(world, page, host.url(), kind="webhook")
        world.work()
        incident = declare(world)
        status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
        for number in range(4):
            say(world, incident, f"Still {number}")
            world.work()
        row.refresh_from_db()
        assert (row.failures, row.ended_at, answers) == (3, world.now, [])


def test_only_owners_learn_how_many_hear_of_a_page(world: World) -> None:
    page = make_page(world)
    subscribe(world, page)
    assert status_subscriptions.count_of(page, world.eva) == {"email": 1, "webhook": 0}
    with pytest.raises(NotAllowed):
        status_subscriptions.count_of(page, world.ana)

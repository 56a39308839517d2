"""An operator's mistake blames no address: the instance says that it cannot send, and forgets it once it can."""

from __future__ import annotations

import pytest
from django.conf import settings

from tests.doors.rota_pages import as_, text_of
from tests.world import free_port
from watchbill.db.channel_health import failing_channels
from watchbill.db.models import ContactAddress, Event, NotificationRule, Outgoing
from watchbill.entry import clock, probes


@pytest.fixture
def world(world, monkeypatch):
    """The pages and the probes read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


def ready() -> str:
    return probes.answer("/readyz", "", "")[2].decode()


def blamed() -> list[str]:
    return list(ContactAddress.objects.exclude(failed_at=None).values_list("person__name", flat=True))


def with_settings(world, **changed):
    settings.CHANNEL_SETTINGS = {"email": {**world.mailbox.channel_settings(), **changed}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"username": "watch", "password": "wrong"}, "cannot do what is set"),
        ({"port": 1}, "No answer from the mail server"),
        ({"security": "starttls"}, "cannot do what is set"),
    ],
)
def test_a_mistake_in_the_mail_servers_settings_is_the_instances_and_nobodys(world, changed, said):
    with_settings(world, **changed)
    world.event()
    world.work()
    assert said in failing_channels()["email"].why
    assert blamed() == []
    assert ready() == "ready, but email fails since 2026-03-03 09:00 UTC: Settings say why\n"


def test_without_a_mail_server_nobodys_address_fails_and_settings_say_so_once(world):
    settings.CHANNEL_SETTINGS = {"email": {}}
    world.event()
    world.event(key="other")
    world.work()
    assert Outgoing.objects.filter(state="waiting").count() > 1, "they leave once it is set up"
    assert blamed() == []
    assert Event.objects.filter(kind="channel.failed").count() == 1
    world.eva.is_superuser = True
    world.eva.save()
    page = text_of(as_(world.eva).get("/settings/"))
    assert "Messages do not leave as they should." in page
    assert "E-mail is not set up here" in page


def test_it_is_well_again_once_a_message_leaves(world):
    with_settings(world, port=free_port())
    world.event()
    world.work()
    assert list(failing_channels()) == ["email"]
    with_settings(world)
    world.forward(minutes=2)
    assert world.mailbox.messages
    assert failing_channels() == {}
    assert ready() == "ready\n"
    with_settings(world, port=free_port())
    world.event(key="again")
    world.work()
    assert list(failing_channels()) == ["email"], "and it says so again when it breaks again"


def test_an_address_that_the_server_refuses_is_still_to_blame(world):
    world.mailbox.refuse("ana@example.org", "550 no such user")
    world.event()
    world.work()
    assert blamed() == ["Ana"]
    assert failing_channels() == {}


def test_what_the_operator_mends_within_the_hour_lets_the_page_leave_after_all(world):
    """Promise 2: a page leaves at least once. A password that is changed at three must not cost those of that minute."""
    with_settings(world, username="watch", password="wrong")
    world.event()
    world.work()
    assert "nobody else of the team" in world.reasons(world.page()), "it was tried to tell somebody at once"
    with_settings(world)
    world.forward(seconds=10)
    assert sorted(world.mailbox.readers()) == ["ana@example.org", "eva@example.org"]


def test_while_the_mail_server_says_no_to_us_the_next_address_is_asked_at_once(world, listener):
    with_settings(world, username="watch", password="wrong")
    hook = ContactAddress.objects.create(
        person=world.ana,
        channel="webhook",
        label="hook",
        address={"url": f"http://127.0.0.1:{listener.port}/page", "secret": "a secret of sixteen or more"},
        created_at=world.now,
        verified_at=world.now,
    )
    NotificationRule.objects.create(person=world.ana, urgency="important", address=hook, after_seconds=600)
    world.event()
    world.forward(seconds=1)
    assert listener.heard.is_set()
    assert world.mailbox.to(world.eva) == []
    assert not Outgoing.objects.filter(person=world.eva).exists(), "Ana was reached"

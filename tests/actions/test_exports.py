"""What leaves to outside systems: handed to whoever is registered for it, tried again, never in the way of mail."""

from __future__ import annotations

from threading import Event as Waiting

import pytest

from tests.doors.nodes import until
from tests.mail_world import give_desk, letter
from tests.world import World
from watchbill.actions import desk_inbox, export_sending, exports
from watchbill.actions.log import Subject
from watchbill.db.models import Connection, Export
from watchbill.kit.errors import DeliveryFailed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def connect(world: World, name: str = "Board") -> Connection:
    return Connection.objects.create(
        team=world.team, connector="stub", name=name, settings={}, key="", key_hash=name, created_at=world.now
    )


def put(world: World, connection: Connection, key: str) -> None:
    exports.put(Subject("ticket", 1, world.team.pk), "ticket.state", key, "moved", world.now, connection=connection)


def states() -> dict[str, str]:
    return dict(Export.objects.values_list("key", "state"))


def test_an_export_is_handed_to_whoever_is_registered_for_its_connector(world, monkeypatch) -> None:
    """INT-03: the worker knows no system; the connector's module does."""
    monkeypatch.setitem(export_sending.SENDERS, "stub", lambda export, http, now: f"there-{export.key}")
    connection = connect(world)
    put(world, connection, "one")
    put(world, connection, "one")
    world.work()
    assert list(Export.objects.values_list("state", "reference")) == [("sent", "there-one")]
    assert Connection.objects.get().worked_at == world.now


def test_a_system_that_is_away_is_tried_again_and_one_that_refuses_is_not(world, monkeypatch) -> None:
    errors: list[Exception] = [DeliveryFailed("away"), KeyError("a bug")]

    def send(export: Export, http: object, now: object) -> str:
        if export.key == "refused":
            raise Refused("no such project")
        if errors:
            raise errors.pop()
        return "ok"

    monkeypatch.setitem(export_sending.SENDERS, "stub", send)
    connection = connect(world)
    put(world, connection, "first")
    put(world, connection, "refused")
    world.work()
    assert states() == {"first": "waiting", "refused": "failed"}
    assert Connection.objects.get().failure == "no such project"
    world.forward(seconds=30)
    assert states() == {"first": "sent", "refused": "failed"}


def test_what_was_put_for_a_connection_that_is_gone_is_dropped(world) -> None:
    connection = connect(world)
    put(world, connection, "late")
    Connection.objects.update(removed_at=world.now)
    world.work()
    assert states() == {"late": "dropped"}


def test_trackers_that_hang_hold_back_neither_mail_nor_what_comes_in(world, monkeypatch) -> None:
    """INT-08: of the threads of the desks two at most wait for connections, one for each."""
    give, held = Waiting(), []

    def hang(export: Export, http: object, now: object) -> str:
        held.append(export.key)
        give.wait(20)
        return "at last"

    monkeypatch.setitem(export_sending.SENDERS, "stub", hang)
    for name in ("a", "b", "c"):
        connection = connect(world, name)
        for number in range(3):
            put(world, connection, f"{name}{number}")
    give_desk(world)
    world.worker.run_once()
    assert until(lambda: len(held) == 2, 10)
    assert sorted(held) == ["a0", "b0"]
    desk_inbox.store("mail", 0, letter().as_bytes(), {}, "", world.now)

    def confirmed() -> bool:
        world.worker.run_once()
        return any(mail["X-To"] == "ria@example.net" for mail in world.mailbox.messages)

    assert until(confirmed, 10)
    assert sorted(held) == ["a0", "b0"]
    give.set()
    world.work()
    assert set(states().values()) == {"sent"}
    assert [key for key in held if key.startswith("a")] == ["a0", "a1", "a2"]

"""The door under pressure: killed, full, without its database, with a row that the database will not have."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import count
from threading import Event

from tests.doors.intake_world import KEYS, Door, event

AM = f"/in/alertmanager/{KEYS['alertmanager']}"
LOST = (http.client.HTTPException, OSError)


def send_until_the_line_breaks(door: Door, sender: int, acked: list[str], enough: Event) -> None:
    line = door.connect()
    try:
        for number in count():
            key = f"{sender}-{number}"
            if door.event(key, line=line).status == 202:
                acked.append(key)
            if len(acked) > 400:
                enough.set()
    except LOST:
        line.close()


def stored_keys(door: Door) -> list[str]:
    """The dedup keys in the table, in the order of their ids."""
    rows = door.store.query("SELECT body FROM watchbill_inbox ORDER BY id")
    return [json.loads(bytes(row[0]))["dedup_key"] for row in rows]


def test_a_kill_loses_nothing_that_was_answered_with_202(open_door: Callable[..., Door]):
    door = open_door()
    acked: list[str] = []
    enough = Event()
    with ThreadPoolExecutor(16) as senders:
        for sender in range(16):
            senders.submit(send_until_the_line_breaks, door, sender, acked, enough)
        assert enough.wait(60)
        door.process.send_signal(signal.SIGKILL)
        door.process.wait()
        # The listening socket is the test's own and still takes lines that nobody will answer.
        door.listener.shutdown(socket.SHUT_RDWR)
    stored = stored_keys(door)
    assert len(acked) > 400
    assert set(acked) <= set(stored)
    assert len(stored) == len(set(stored))


def test_sigterm_answers_what_it_holds_and_loses_nothing(open_door: Callable[..., Door]):
    door = open_door()
    acked: list[str] = []
    enough = Event()
    with ThreadPoolExecutor(16) as senders:
        for sender in range(16):
            senders.submit(send_until_the_line_breaks, door, sender, acked, enough)
        assert enough.wait(60)
        door.process.terminate()
        assert door.process.wait(10) in (0, -signal.SIGTERM)
        door.listener.shutdown(socket.SHUT_RDWR)
    assert set(acked) <= set(stored_keys(door))


def test_each_sender_finds_its_events_in_the_order_in_which_they_were_sent(open_door: Callable[..., Door]):
    door = open_door()

    def send(sender: int) -> None:
        line = door.connect()
        for number in range(60):
            assert door.event(f"{sender}-{number}", line=line).status == 202
        line.close()

    with ThreadPoolExecutor(12) as senders:
        list(senders.map(send, range(12)))
    stored = stored_keys(door)
    for sender in range(12):
        ours = [key for key in stored if key.startswith(f"{sender}-")]
        assert ours == [f"{sender}-{number}" for number in range(60)]


def test_requests_sent_at_once_on_one_line_are_stored_and_answered_in_order(open_door: Callable[..., Door]):
    door = open_door()
    bodies = [json.dumps(event(f"p-{number}")).encode() for number in range(50)]
    head = "POST /v2/enqueue HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as line:
        line.sendall(b"".join(head.format(len(body)).encode() + body for body in bodies))
        answers = b""
        while answers.count(b"dedup_key") < 50:
            answers += line.recv(65536)
    assert [f'"p-{number}"'.encode() in answers for number in range(50)] == [True] * 50
    assert stored_keys(door) == [f"p-{number}" for number in range(50)]


def test_one_bad_row_fails_alone_and_its_neighbours_are_stored(open_door: Callable[..., Door]):
    door = open_door()
    with ThreadPoolExecutor(24) as senders:
        with door.store.held():  # so that many wait for the same commit
            good = [senders.submit(door.event, f"good-{number}") for number in range(20)]
            bad = [senders.submit(door.event, f"poison-{number}") for number in range(2)]
        statuses = [future.result().status for future in good]
        refused = [future.result() for future in bad]
    assert statuses == [202] * 20
    assert [reply.status for reply in refused] == [500, 500]
    assert "poison" in refused[0].json["errors"][0]
    assert sorted(stored_keys(door)) == sorted(f"good-{number}" for number in range(20))


def test_a_full_list_is_429_at_once_and_what_waits_is_stored_later(open_door: Callable[..., Door]):
    door = open_door(most_waiting=3)
    assert door.event("warm").status == 202
    with ThreadPoolExecutor(8) as senders:
        with door.store.held():
            sent = [senders.submit(door.event, f"event-{number}") for number in range(8)]
            answered = as_completed(sent)
            refused = [next(answered).result() for _ in range(5)]
        taken = [future.result() for future in answered]
    assert [reply.status for reply in refused] == [429] * 5
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json["status"] == "throttle exceeded"
    assert [reply.status for reply in taken] == [202] * 3
    assert len(stored_keys(door)) == 4


def test_bodies_that_wait_are_bounded_in_bytes_too(open_door: Callable[..., Door]):
    door = open_door(most_bytes=1000)
    reply = door.ask(AM, b'"' + b"x" * 2000 + b'"')
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    assert door.event("small").status == 202


def test_without_its_database_it_says_503_and_serves_again_once_it_is_back(open_door: Callable[..., Door], until):
    door = open_door(patience=0.3)
    assert door.event("before").status == 202
    with door.store.away():
        away = [door.event("lost"), door.ask(AM, b"[]"), door.event("lost")]
        unknown = door.ask("/in/alertmanager/" + "n" * 32, b"[]")
    assert [reply.status for reply in away] == [503] * 3
    assert [reply.headers["retry-after"] for reply in away] == ["5"] * 3
    assert away[0].json["status"] == "unavailable"
    assert "nothing was stored" in away[1].json["message"]
    # On SQLite the file can still be read, so an unknown key is known to be unknown.
    assert unknown.status in (401, 503)
    assert until(lambda: door.event("after").status == 202, seconds=60)
    assert set(stored_keys(door)) == {"before", "after"}

"""The door of the monitors: what it takes, what it refuses, and what it says then (promise 1: accepted is stored)."""

from __future__ import annotations

import base64
import json
import socket

import pytest

from tests.doors.intake_world import KEYS, Door, event

ALERTS = {"version": "4", "receiver": "watchbill", "alerts": [{"status": "firing", "labels": {"alertname": "Disk"}}]}
AM = f"/in/alertmanager/{KEYS['alertmanager']}"


def test_an_event_is_answered_as_pagerduty_answers_and_is_there_for_everybody_when_the_answer_is(door: Door):
    reply = door.event("answered")
    found = door.store.query("SELECT monitor, body, note, sender, state FROM watchbill_inbox ORDER BY id DESC LIMIT 1")
    assert reply.status == 202
    assert reply.json == {"status": "success", "message": "Event processed", "dedup_key": "answered"}
    assert reply.headers["content-type"] == "application/json"
    monitor, body, note, sender, state = found[0]
    assert (monitor, note, sender, state) == ("events_v2", "", "127.0.0.1", 0)
    assert json.loads(bytes(body)) == event("answered")


def test_a_trigger_without_a_key_is_given_one_that_the_worker_will_use_too(door: Door):
    sent = event()
    del sent["dedup_key"]
    reply = door.ask("/v2/enqueue", sent)
    note = door.store.query("SELECT note FROM watchbill_inbox ORDER BY id DESC LIMIT 1")[0][0]
    assert reply.status == 202
    assert len(reply.json["dedup_key"]) == 32
    assert json.loads(note) == {"dedup_key": reply.json["dedup_key"]}


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_acknowledge_and_resolve_are_taken_with_their_key(door: Door, action: str):
    sent = {"routing_key": KEYS["events_v2"], "event_action": action, "dedup_key": "disk"}
    assert door.ask("/v2/enqueue", sent).status == 202
    del sent["dedup_key"]
    reply = door.ask("/v2/enqueue", sent)
    assert reply.status == 400
    assert reply.json == {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": ["'dedup_key' is missing or blank"],
    }


def test_a_change_is_answered_as_pagerduty_answers_and_refused_in_its_words(door: Door):
    sent = {"routing_key": KEYS["events_v2"], "payload": {"summary": "Deployed checkout 4.2"}}
    taken = door.ask("/v2/change/enqueue", sent)
    assert (taken.status, taken.json) == (202, {"status": "success", "message": "Change event processed"})
    newest = "SELECT monitor, note FROM watchbill_inbox ORDER BY id DESC LIMIT 1"
    assert door.store.query(newest)[0] == ("events_v2", '{"change": true}')
    for wrong, error in (
        ({**sent, "payload": {"source": "ci"}}, "'payload.summary' is missing or blank"),
        ({**sent, "payload": None}, "'payload' is missing or blank"),
        ({"payload": sent["payload"]}, "'routing_key' is missing or blank"),
        ({**sent, "routing_key": "0" * 32}, "'routing_key' is invalid (no connection has this key)"),
    ):
        refused = door.ask("/v2/change/enqueue", wrong)
        assert (refused.status, refused.json["status"]) == (400, "invalid event")
        assert refused.json["errors"] == [error]


def test_an_event_that_pagerduty_would_refuse_is_refused_in_its_words_and_not_stored(door: Door):
    before = door.store.query("SELECT count(*) FROM watchbill_inbox")
    reply = door.event("refused", payload={"summary": "no source", "severity": "catastrophic"})
    assert reply.status == 400
    assert reply.json["errors"] == [
        "'payload.source' is missing or blank",
        "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
    ]
    assert door.store.query("SELECT count(*) FROM watchbill_inbox") == before


@pytest.mark.parametrize(
    ("body", "line", "column", "says"),
    [
        (b'{"routing_key": "x",\n  "event_action": trigger}', 2, 19, "expecting value"),
        (b'{"routing_key": ', 1, 17, "ends too early"),
        (b"", 1, 1, "empty"),
        ('{"a": "\u00e9\u00e9",, '.encode(), 1, 12, "expecting property name"),
        (b'{"a": "\xff"}', 1, 8, "not UTF-8"),
        (b"[" * 100_000, 1, 1, "nested too deep"),
        (b'{"a": NaN}', 1, 7, "does not have"),
        (b"alert=1&x=2", 1, 1, "expecting value"),
    ],
)
@pytest.mark.parametrize("path", ["/v2/enqueue", AM])
def test_what_is_not_json_is_answered_with_the_place_of_the_error(door: Door, path, body, line, column, says):
    reply = door.ask(path, body)
    assert reply.status == 400
    assert (reply.json["line"], reply.json["column"]) == (line, column)
    assert says in str(reply.json)


def test_a_monitor_posts_to_its_own_address_whatever_it_calls_its_content(door: Door):
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"):
        reply = door.ask(AM, ALERTS, {"Content-Type": kind})
        stored = door.store.query("SELECT id, monitor, body FROM watchbill_inbox ORDER BY id DESC LIMIT 1")[0]
        assert reply.status == 202
        assert reply.json == {"status": "accepted", "id": stored[0]}
        assert stored[1] == "alertmanager"
        assert json.loads(bytes(stored[2])) == ALERTS


def test_json_that_no_monitor_understands_is_kept_as_it_came(door: Door):
    body = b'[ "not", "of", 7, "alertmanager", "\\u0000", null ]\n'
    assert door.ask(AM, body).status == 202
    assert bytes(door.store.query("SELECT body FROM watchbill_inbox ORDER BY id DESC LIMIT 1")[0][0]) == body


@pytest.mark.parametrize(
    "header",
    [
        {"Authorization": f"Bearer {KEYS['alertmanager']}"},
        {"Authorization": f"GenieKey {KEYS['alertmanager']}"},
        {"Authorization": KEYS["alertmanager"]},
        {"Authorization": "Basic " + base64.b64encode(f"any:{KEYS['alertmanager']}".encode()).decode()},
    ],
)
def test_the_key_may_come_in_a_header_where_the_tool_can_set_one(door: Door, header):
    assert door.ask("/in/alertmanager", ALERTS, header).status == 202
    assert door.ask("/in/alertmanager/", ALERTS, header).status == 202


def test_events_may_carry_the_key_in_a_header_or_in_the_path(door: Door):
    sent = event("header")
    del sent["routing_key"]
    assert door.ask("/v2/enqueue", sent, {"X-Routing-Key": KEYS["events_v2"]}).status == 202
    assert door.ask(f"/in/events_v2/{KEYS['events_v2']}", sent).json["dedup_key"] == "header"
    reply = door.ask("/v2/enqueue", sent)
    assert (reply.status, reply.json["errors"]) == (400, ["'routing_key' is missing or blank"])


def test_a_wrong_key_is_401_at_a_monitors_address_and_pagerdutys_400_at_enqueue(door: Door):
    plain = door.ask("/in/alertmanager/wrong", ALERTS)
    assert plain.status == 401
    assert plain.json == {"status": "error", "message": "No connection has this key."}
    assert plain.headers["www-authenticate"].startswith("Bearer")
    missing = door.ask("/in/alertmanager/", ALERTS)
    assert missing.status == 401
    assert "/in/alertmanager/<key>" in missing.json["message"]
    like_pagerduty = door.ask("/v2/enqueue", event(routing_key="wrong"))
    assert like_pagerduty.status == 400
    assert like_pagerduty.json["status"] == "invalid event"
    assert like_pagerduty.json["errors"] == ["'routing_key' is invalid (no connection has this key)"]


def test_the_key_of_one_monitor_at_the_address_of_another_is_told_where_it_belongs(door: Door):
    reply = door.ask(f"/in/grafana/{KEYS['alertmanager']}", ALERTS)
    assert reply.status == 401
    assert "post to /in/alertmanager/<key>" in reply.json["message"]
    assert KEYS["alertmanager"] not in reply.json["message"]
    reply = door.ask("/v2/enqueue", event(routing_key=KEYS["grafana"]))
    assert reply.status == 400
    assert "post to /in/grafana/<key>" in reply.json["errors"][0]


def test_strange_keys_are_refused_and_break_nothing(door: Door):
    for key in ("%00", "%F0%9F%92%A9", "a/b/c", "x" * 5000, "%ff"):
        assert door.ask(f"/in/alertmanager/{key}", ALERTS).status == 401
    assert door.ask("/v2/enqueue", event(routing_key={"not": "text"})).status == 400
    assert door.ask("/v2/enqueue", b'{"event_action":"resolve","dedup_key":"x","routing_key":"\\ud800"}').status == 400
    assert door.ask("/in/alertmanager", ALERTS, {"Authorization": "Basic !!!"}).status == 401


def test_a_new_key_works_at_once_and_a_removed_one_stops_within_five_seconds(door: Door, until):
    from watchbill.actions.catalogue import hash_key  # noqa: PLC0415 - after Django's settings

    door.store.query(
        "INSERT INTO watchbill_monitorconnection (service_id, monitor, name, key_hash, key, settings, created_at)"
        " SELECT service_id, monitor, name, %s, key, '{}', created_at FROM watchbill_monitorconnection"
        " WHERE monitor = 'alertmanager'",
        hash_key("brand-new"),
    )
    assert door.ask("/in/alertmanager/brand-new", ALERTS).status == 202
    door.store.query(
        "UPDATE watchbill_monitorconnection SET removed_at = created_at WHERE key_hash = %s", hash_key("brand-new")
    )
    assert until(lambda: door.ask("/in/alertmanager/brand-new", ALERTS).status == 401, seconds=60)


def test_too_large_is_413_and_the_line_stays_open_for_the_next(door: Door):
    line = door.connect()
    reply = door.ask("/v2/enqueue", event(note="x" * 512 * 1024), line=line)
    assert reply.status == 413
    assert reply.json["errors"] == ["The body is larger than 512 KiB."]
    assert door.ask(AM, b'"' + b"x" * (1024 * 1024) + b'"', line=line).status == 413
    assert door.ask(AM, b'"' + b"x" * (1024 * 1024 - 2) + b'"', line=line).status == 202
    assert door.event(line=line).status == 202
    line.close()


def test_a_body_without_an_end_is_cut_off(door: Door):
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as line:
        line.sendall(f"POST {AM} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            list(map(line.sendall, [chunk] * 2000))  # 128 MiB, far above the limit
    assert door.event().status == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/v2/enqueue", AM])
def test_other_methods_are_405_and_say_what_the_address_takes(door: Door, method, path):
    reply = door.ask(path, method=method)
    assert reply.status == 405
    assert reply.headers["allow"] == "POST"
    assert "POST" in str(reply.json)


@pytest.mark.parametrize("path", ["/in/", "/in/nagios/key", "/v2/enqueue/more", "/in/%00/x", "/in/__init__/x"])
def test_an_unknown_address_is_404_and_names_those_there_are(door: Door, path):
    reply = door.ask(path, ALERTS)
    assert reply.status == 404
    assert "/in/alertmanager/<key>" in reply.json["message"]

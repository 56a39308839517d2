"""Tickets, sprints, filters and connectors through the API: written, moved, found, told, and refused in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import ask, connect, fill_desk, write
from watchbill.db.models import Event, Export, ExternalRef, Ticket


def error(response: Any) -> tuple[int, str, str]:
    told = response.json()["error"]
    return response.status_code, told["field"], told["message"]


def test_a_ticket_is_written_moved_and_told_with_its_times(api: ApiWorld):
    """MET-01: the time at each stage; DUT-16: where the team's rule says that it belongs."""
    ana = api.as_("ana", "write")
    body = {"team": "platform", "title": "Renew the certificate", "points": 2, "labels": ["ops"], "service": "checkout"}
    made = ana.post("/tickets", body, 201)
    path = f"/tickets/{made['id']}"
    assert (made["reference"], made["stage"], made["points"]) == (f"T-{made['id']}", "to_do", 2)
    api.world.now += timedelta(hours=2)
    assert ana.post(f"{path}/move", {"stage": "in_progress"})["stage"] == "in_progress"
    ana.post(f"{path}/comment", {"text": "The old one ends on Friday."})
    changed = ana("PATCH", path, {"assignee": api.world.ben.pk, "due_on": "2026-03-06", "service": None}).json()
    assert (changed["assignee"]["name"], changed["due_on"], changed["service"]) == ("Ben", "2026-03-06", None)
    assert ana("PATCH", path, {"seat": "engineer"}).json()["assignee"] is None
    placed = ana("PUT", f"{path}/priority", {"level": "security", "why": "it ends"}).json()
    assert placed["priority"] == "security"
    ana.post(f"{path}/time", {"minutes": 30})
    api.world.now += timedelta(hours=1)
    assert ana.post(f"{path}/move", {"stage": "done"})["outcome"] == "done"
    whole = ana.get(path)
    assert {stay["stage"]: stay["seconds"] for stay in whole["times"]}["to_do"] == 7200
    assert (whole["spent_seconds"], whole["belongs"] in {"watch", "epic", "queue"}) == (1800, True)
    assert [one["text"] for one in ana.get(f"{path}/comments")["items"]] == ["The old one ends on Friday."]
    kinds = [line["kind"] for line in ana.get(f"{path}/log")["items"]]
    assert {"ticket.added", "ticket.moved", "ticket.changed"} <= set(kinds), kinds
    times = ana.get("/backlog/platform/times?since=2026-03-01&until=2026-03-31")
    assert ({one["stage"]: one["seconds"] for one in times["stages"]}["to_do"], times["count"]) == (7200, 1)
    assert error(ana("GET", "/backlog/platform/times?since=2026-03-02&until=2026-03-01"))[:2] == (422, "until")


def test_an_observer_reads_and_is_refused_in_words_and_a_stranger_sees_nothing(api: ApiWorld):
    ticket = write(api.world)
    olga, charlie = api.as_("olga", "write"), api.as_("charlie", "write")
    assert olga.get(f"/tickets/{ticket.pk}")["title"] == "Renew the certificate"
    for method, way, body in (
        ("PATCH", "", {"title": "x"}), ("POST", "/move", {"stage": "done"}), ("POST", "/comment", {"text": "x"}),
        ("POST", "/time", {"minutes": 1}), ("POST", "/clock", None), ("POST", "/epic", None),
        ("PUT", "/priority", {"level": "security", "why": "x"}), ("GET", "/experts", None),
    ):  # fmt: skip
        refused = olga(method, f"/tickets/{ticket.pk}{way}", body)
        assert (refused.status_code, "Ask Eva" in refused.json()["error"]["message"]) == (403, True), way
        assert charlie(method, f"/tickets/{ticket.pk}{way}", body).status_code == 404, way
    assert charlie.get("/tickets")["items"] == []
    assert charlie.get("/tickets?query=id %3E 0 or not id = 0")["items"] == []
    for path in ("/tickets?team=platform", "/backlog/platform/epics", "/tickets/next?team=platform"):
        assert charlie("GET", path).status_code == 404, path
    mine = charlie.post("/tickets", {"team": "payments", "title": "Mine"}, 201)
    assert charlie("POST", f"/tickets/{mine['id']}/links", {"target": ticket.pk, "kind": "blocks"}).status_code == 404
    assert error(charlie("PATCH", f"/tickets/{mine['id']}", {"epic": ticket.pk}))[:2] == (422, "epic")
    assert charlie("POST", "/tickets/many", {"ids": [mine["id"], ticket.pk], "stage": "done"}).status_code == 404
    assert api.as_("ana", "answer")("POST", "/tickets", {"team": "platform", "title": "x"}).status_code == 403


def test_a_query_narrows_orders_and_is_refused_at_its_place(api: ApiWorld):
    first = write(api.world, "Renew the certificate", points=3)
    second = write(api.world, "Turn the key", seat="engineer", labels=("ops",))
    ana = api.as_("ana", "read")

    def found(query: str) -> list[int]:
        return [one["id"] for one in ana.get(f"/tickets?query={query}")["items"]]

    assert found("points %3E 2") == [first.pk]
    assert found("seat = my_seats and label = ops") == [second.pk]
    assert found("not points %3E 2") == [second.pk]
    assert found("text ~ certif") == [first.pk]
    assert found("created %3E= today order by points desc") == [first.pk, second.pk]
    assert found("text ~ t order by id desc") == [second.pk, first.pk]
    assert found("environment is empty order by id") == [first.pk, second.pk]
    for query, said in (
        ("stage = away", "stage is one of"), ("points ~ x", "points is no text"), ("due = 9999-12-31", "the years are"),
        ("created %3C 0001-01-01", "the years are"), ("colour = red", "there is no field"), ("= red", "character 1"),
    ):  # fmt: skip
        code, field, message = error(ana("GET", f"/tickets?query={query}"))
        assert (code, field) == (422, "query")
        assert said in message
    assert found("points = 99999999999999999") == []


def test_lists_go_on_by_key_and_cost_the_same(api: ApiWorld):
    for number in range(6):
        write(api.world, f"Ticket {number}", points=number % 2 or None)
    ana = api.as_("ana", "read")
    for order in ("", "order by points desc", "order by created, id desc", "order by assignee"):
        seen, after = [], ""
        while True:
            page = ana.get(f"/tickets?limit=4&query={order}&after={after}")
            seen += [one["id"] for one in page["items"]]
            after = page["next"]
            if not after:
                break
        assert len(seen) == len(set(seen)) == 6, order

    def cost(limit: int) -> int:
        with CaptureQueriesContext(connection) as caught:
            ana.get(f"/tickets?limit={limit}")
        return len(caught)

    assert cost(1) == cost(6)
    assert error(ana("GET", "/tickets?after=WyJ4Il0"))[:2] == (422, "after")


def test_wrong_input_names_its_field_and_one_key_writes_once(api: ApiWorld):
    ana = api.as_("ana", "write")
    new = {"team": "platform", "title": "x"}
    for body, field in (
        ({**new, "title": " "}, "title"), ({**new, "points": 1000}, "points"), ({**new, "seat": "nowhere"}, "seat"),
        ({**new, "kind": "wish"}, "kind"), ({**new, "sprint": 9}, "sprint"), ({**new, "labels": ["a\0"]}, "labels.0"),
        ({**new, "kind": None}, "kind"), ({**new, "due_on": "tomorrow"}, "due_on"), ({"title": "x"}, "team"),
    ):  # fmt: skip
        response = ana("POST", "/tickets", body)
        assert error(response)[:2] == (422, field), response.content
    first = ana.post("/tickets", new, 201, Idempotency_Key="k")
    assert ana.post("/tickets", new, 201, Idempotency_Key="k")["id"] == first["id"]
    assert Ticket.objects.count() == 1


def test_a_quick_fix_is_closed_with_its_pair(api: ApiWorld):
    """SPN-01, SPN-02, SPN-04: unpaired ones age in the open."""
    fix = write(api.world, "Restart the worker", kind="quick_fix")
    ana = api.as_("ana", "write")
    (row,) = ana.get("/backlog/platform/unpaired")["items"]
    assert (row["ticket"]["id"], row["is_done"]) == (fix.pk, False)
    assert ana("POST", f"/tickets/{fix.pk}/move", {"stage": "done"}).status_code == 422
    ana.post(f"/tickets/{fix.pk}/pair", {"title": "Mend the leak"})
    (link,) = ana.get(f"/tickets/{fix.pk}")["links"]
    assert (link["kind"], link["target"]) == ("lasting_fix_of", fix.pk)
    assert ana.get("/backlog/platform/unpaired")["items"] == []
    other = ana.post(f"/tickets/{fix.pk}/spin-off", {"title": "Tell the vendor"}, 201)
    made = ana.post(f"/tickets/{other['id']}/links", {"target": link["source"], "kind": "relates_to"}, 201)
    assert made == {"source": other["id"], "kind": "relates_to", "target": link["source"]}


def test_what_happens_again_is_gathered(api: ApiWorld):
    """SPN-05, SPN-06."""
    tracking = write(api.world, "The queue stops at night", kind="tracking")
    ana = api.as_("ana", "write")
    path = f"/tickets/{tracking.pk}"
    assert (
        ana.post(f"{path}/happened", {"text": "again", "at": "2026-03-01T02:00:00Z"}, 201)["kind"] == "ticket.happened"
    )
    watched = ana("PUT", f"{path}/watches", {"service": "checkout", "key": "disk-full"})
    assert watched.status_code == 200, watched.content
    (seen,) = ana.get(f"{path}/occurrences")
    assert (seen["text"].endswith("again"), seen["by"], seen["alert"]) == (True, "Ana", None)
    alert = api.alert()
    about = ana.post(f"/alerts/{alert}/ticket", {"title": "Grow the disk", "solved": False}, 201)
    assert (about["title"], about["service"]["slug"]) == ("Grow the disk", "checkout")


def test_epics_are_split_groomed_and_seen_against_their_date(api: ApiWorld):
    """DUT-12, BKL-02, BKL-05."""
    ana = api.as_("ana", "write")
    big = write(api.world, "Leave the old cluster")
    path = f"/tickets/{big.pk}"
    assert error(ana("POST", f"{path}/parts", {"parts": [{"title": "One"}]}))[:2] == (422, "kind")
    assert ana.post(f"{path}/epic")["kind"] == "epic"
    parts = ana.post(
        f"{path}/parts", {"parts": [{"title": "Move the queue", "points": 3}, {"title": "Delete it"}]}, 201
    )
    assert [part["title"] for part in parts] == ["Move the queue", "Delete it"]
    ana.post(f"/tickets/{parts[0]['id']}/move", {"stage": "done"})
    progress = ana.get(f"{path}/progress")
    assert (progress["parts"], progress["done_parts"], progress["unsized"]) == (2, 1, 1)
    ana("PATCH", path, {"due_on": "2026-03-01"})
    (outlook,) = ana.get("/backlog/platform/epics")
    assert (outlook["epic"]["id"], outlook["state"]) == (big.pk, "late")
    agenda = ana.get("/backlog/platform/grooming")
    assert parts[1]["id"] in [one["ticket"]["id"] for one in [*agenda["feature"], *agenda["operations"]]]
    dropped = ana.post(f"/tickets/{parts[1]['id']}/groom", {"decision": "drop", "note": "not worth it"})
    assert (dropped["stage"], dropped["outcome"]) == ("done", "wont_do")
    assert error(ana("POST", f"/tickets/{big.pk}/groom", {"decision": "plan"}))[:2] == (422, "sprint")


def test_sprints_say_what_operations_got(api: ApiWorld):
    """BKL-04, BKL-10."""
    ana = api.as_("ana", "write")
    days = {"starts_on": "2026-03-02", "ends_on": "2026-03-15"}
    sprint = ana.post(
        "/sprints", {"team": "platform", "name": "March", "capacity_points": 20, "ops_share": 30, **days}, 201
    )
    assert sprint["state"] == "running"
    ticket = write(api.world)
    decided = {"decision": "plan", "sprint": sprint["id"], "points": 2}
    assert ana.post(f"/tickets/{ticket.pk}/groom", decided)["sprint"]["name"] == "March"
    assert ana.get("/tickets?query=sprint = March")["items"][0]["id"] == ticket.pk
    ana.post(f"/tickets/{ticket.pk}/move", {"stage": "done"})
    whole = ana.get(f"/sprints/{sprint['id']}")
    assert (whole["ops_share"], whole["points"]["feature"] + whole["points"]["operations"]) == (30, 2)
    (week, *_) = ana.get("/sprints/shares?team=platform&since=2026-03-02&until=2026-03-08")
    assert week["tickets"]["feature"] + week["tickets"]["operations"] == 1
    assert [one["id"] for one in ana.get("/sprints?team=platform")["items"]] == [sprint["id"]]
    changed = ana("PATCH", f"/sprints/{sprint['id']}", {"ends_on": "2026-03-20", "ops_share": None}).json()
    assert (changed["name"], changed["ends_on"], changed["ops_share"]) == ("March", "2026-03-20", None)
    assert error(ana("PATCH", f"/sprints/{sprint['id']}", {"name": None}))[:2] == (422, "name")
    later = {"team": "platform", "name": "Ops", "kind": "ops", "starts_on": "2026-03-09", "ends_on": "2026-03-30"}
    ops = ana.post("/sprints", later, 201)
    assert (ops["state"], ana.post(f"/sprints/{ops['id']}/start")["state"]) == ("planned", "running")
    assert ana.post(f"/sprints/{sprint['id']}/close")["state"] == "closed"
    assert error(ana("PATCH", f"/sprints/{sprint['id']}", {"name": "April"}))[0] == 422
    assert (
        error(
            ana(
                "POST",
                "/sprints",
                {"team": "platform", "name": "x", "starts_on": "2026-03-09", "ends_on": "2026-03-01"},
            )
        )[0]
        == 422
    )


def test_what_to_do_now_what_lies_and_many_at_once(api: ApiWorld):
    """DUT-11, BKL-08."""
    first, second = write(api.world, assignee=api.world.ana), write(api.world, kind="quick_fix")
    ana = api.as_("ana", "write")
    assert first.pk in [one["ticket"] for one in ana.get("/tickets/next?team=platform")]
    done = ana.post("/tickets/many", {"ids": [first.pk, second.pk], "stage": "done"})
    assert (done["done"], list(done["refused"])) == ([first.pk], [str(second.pk)])
    assert ana.post("/tickets/many", {"ids": [second.pk], "values": {"points": 1}})["done"] == [second.pk]
    assert error(ana("POST", "/tickets/many", {"ids": [second.pk]}))[:2] == (422, "stage")
    assert ana.get("/backlog/platform/stale") == []
    lies = write(api.world, "Forgotten", assignee=api.world.ana)
    ana.post(f"/tickets/{lies.pk}/move", {"stage": "in_progress"})
    api.world.now += timedelta(days=90)
    ana = api.as_("ana", "read")
    assert [one["ticket"]["id"] for one in ana.get("/backlog/platform/stale?mine=true")] == [lies.pk]
    ask_about = ask(api.world)
    api.as_("ana", "answer").post(f"/requests/{ask_about.pk}/standup", {"why": "it is odd"})
    assert [one["request"] for one in ana.get("/backlog/platform/standup")] == [ask_about.pk]


def test_a_ticket_has_a_clock_a_vendor_and_experts_as_a_request_has(api: ApiWorld):
    ticket = write(api.world, assignee=api.world.ana)
    ana = api.as_("ana", "answer")
    path = f"/tickets/{ticket.pk}"
    assert ana.post(f"{path}/clock")["ticket"] == ticket.pk
    assert ana.post(f"{path}/vendor-cases", {"vendor": "Cloud"}, 201)["vendor"] == "Cloud"
    assert ana.get(path)["stage"] == "waiting"
    assert isinstance(ana.get(f"{path}/experts"), list)
    assert ana.post(f"{path}/experts", {"person": api.world.ben.pk}, 201)["ticket"] == ticket.pk


def test_filters_are_ones_own_or_shared_and_have_a_feed(api: ApiWorld):
    ticket = write(api.world)
    ana, ben = api.as_("ana", "write"), api.as_("ben", "write")
    made = ana.post("/filters", {"team": "platform", "name": "Mine", "query": "stage = to_do"}, 201)
    assert ben("GET", f"/filters/{made['id']}").status_code == 404
    assert error(ana("POST", "/filters", {"team": "platform", "name": "x", "query": "stage ="}))[:2] == (422, "query")
    assert ana("PATCH", f"/filters/{made['id']}", {"is_shared": True}).json()["is_shared"] is True
    assert [one["name"] for one in ben.get("/filters?about=tickets")["items"]] == ["Mine"]
    assert ben("PATCH", f"/filters/{made['id']}", {"name": "Ours"}).status_code == 403
    address = ana.post(f"/filters/{made['id']}/feed")["address"]
    feed = Client().get("/feeds/" + address.partition("/feeds/")[2])
    assert f"T-{ticket.pk} ".encode() in feed.content
    assert ben.get(f"/filters/{made['id']}")["has_feed"] is True
    assert ana("DELETE", f"/filters/{made['id']}/feed").json()["has_feed"] is False
    assert Client().get("/feeds/" + address.partition("/feeds/")[2]).status_code == 404
    ana("DELETE", f"/filters/{made['id']}")
    assert ana.get("/filters")["items"] == []


def test_connections_say_how_they_do_and_try_again(api: ApiWorld):
    ticket, tracker = write(api.world), connect(api.world)
    eva, ana = api.as_("eva", "write"), api.as_("ana", "write")
    (line,) = ana.get("/connectors?team=platform")["items"]
    assert (line["name"], line["connector"], "t" in line.get("settings", {})) == ("Lab", "gitlab", False)
    assert "gitlab" in [one["name"] for one in ana.get("/connectors/kinds")]
    twin = ana.post(f"/tickets/{ticket.pk}/twins", {"connection": tracker.pk, "ref": "#7"}, 201)
    assert (twin["ref"], twin["sync"], twin["subject_id"]) == ("#7", "waiting", ticket.pk)
    assert ana.post(f"/tickets/{ticket.pk}/twins", {"connection": tracker.pk}, 201)["id"] == twin["id"]
    ExternalRef.objects.update(sync="failed", error="it was away", their_state="Parked")
    Export.objects.update(state="failed", due_at=None)
    assert ana.get(f"/connectors/{tracker.pk}")["needs_somebody"] is True
    assert [one["error"] for one in ana.get(f"/connectors/{tracker.pk}/twins")["items"]] == ["it was away"]
    assert ana.post(f"/connectors/{tracker.pk}/retry")["number"] == 1
    assert ana.post(f"/twins/{twin['id']}/retry")["sync"] == "waiting"
    ExternalRef.objects.update(sync="unknown_state")
    assert ana.get(f"/connectors/{tracker.pk}")["unknown_states"] == [{"state": "Parked", "number": 1}]
    assert (
        ana("PUT", f"/connectors/{tracker.pk}/states", {"state": "Parked", "target": "waiting"}).json()["number"] == 1
    )
    assert error(ana("PUT", f"/connectors/{tracker.pk}/states", {"state": "x", "target": "gone"}))[:2] == (
        422,
        "target",
    )
    words = eva.get(f"/connectors/{tracker.pk}/mapping")
    assert words["stages"]["parked"] == "waiting"
    given = {"stages": {"On Ice": "waiting"}, "door": "ticket", "people": {"ben1": "ben@example.net"}}
    assert ana("PUT", f"/connectors/{tracker.pk}/mapping", given).status_code == 403
    whole = eva("PUT", f"/connectors/{tracker.pk}/mapping", given).json()
    assert (whole["stages"]["on ice"], whole["door"], "parked" in whole["stages"]) == ("waiting", "ticket", False)
    assert eva.get(f"/connectors/{tracker.pk}/mapping") == whole
    assert eva("PUT", f"/connectors/{tracker.pk}/mapping", whole).json() == whole
    assert error(eva("PUT", f"/connectors/{tracker.pk}/mapping", {"stages": {"x": "gone"}}))[0] == 422
    assert error(eva("PUT", f"/connectors/{tracker.pk}/mapping", {"opens_for": ["pony"]}))[:2] == (422, "opens_for")
    assert ana("POST", f"/connectors/{tracker.pk}/import", {}).status_code == 403
    assert eva.post(f"/connectors/{tracker.pk}/import", {})["last_import"]["state"] == "running"
    assert eva("DELETE", f"/connectors/{tracker.pk}/import").json()["last_import"]["state"] == "stopped"
    assert error(eva("POST", f"/connectors/{tracker.pk}/try"))[0] == 422
    ana("DELETE", f"/twins/{twin['id']}")
    assert ana.get(f"/tickets/{ticket.pk}")["twins"] == []
    values = {"url": "http://127.0.0.1:9", "project": "ops/desk", "token": "t"}
    body = {"team": "platform", "connector": "gitlab", "settings": values}
    assert ana("POST", "/connectors", body).status_code == 403
    assert error(eva("POST", "/connectors", {**body, "settings": {}}))[0] == 422
    assert eva("DELETE", f"/connectors/{tracker.pk}").status_code == 200
    assert ana.get("/connectors")["items"] == []


def test_nothing_of_the_desk_is_anybodys_but_its_teams(api: ApiWorld):
    fill_desk(api.world)
    charlie = api.as_("charlie", "write")
    lines = Event.objects.count()
    for path in ("/tickets", "/sprints", "/filters", "/connectors", "/vendor-cases", "/me/asks"):
        assert charlie.get(path)["items"] == [], path
    for path in (
        "/connectors/1/retry",
        "/twins/1/retry",
        "/vendor-cases/1/close",
        "/filters/1/feed",
        "/sprints/1/close",
    ):
        assert charlie("POST", path, {} if "vendor" in path else None).status_code == 404, path
    assert Event.objects.count() == lines

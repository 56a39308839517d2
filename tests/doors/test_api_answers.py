"""Alerts and pages through the API: seen by the team, answered by its members, told in one shape when refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections

from tests.doors.api_world import ApiWorld, Caller
from watchbill.db.models import Event, Page


def test_who_is_on_watch_is_answered_for_now_for_the_past_and_for_later(api: ApiWorld):
    """ROT-07: one answer everywhere, from the published shifts."""
    ana = api.as_("ana", "read")
    (now,) = ana.get("/who")["items"]
    assert [(seat["seat"], seat["person"]["name"]) for seat in now["seats"]] == [("engineer", "Ana")]
    assert now["next"]["engineer"]["person"]["name"] == "Ben"
    (later,) = ana.get("/who?team=platform&at=2026-03-10T12:00:00%2B02:00")["items"]
    assert later["seats"][0]["person"]["name"] == "Ben"
    assert later["at"] == "2026-03-10T10:00:00Z"
    (before,) = ana.get("/who?rotation=platform-engineers&at=2026-02-01T00:00:00Z")["items"]
    assert before["seats"] == []


def test_an_alert_tells_its_whole_story(api: ApiWorld):
    """PAG-04: received by, parsed as, grouped into, paged through, because; and every notification."""
    number = api.alert()
    alert = api.as_("ana", "read").get(f"/alerts/{number}")
    assert alert["state"] == "firing"
    assert alert["explanation"]["received_by"] == "events_v2"
    assert alert["explanation"]["parsed_as"] == "Disk full on db1"
    assert alert["explanation"]["paged_through"] == "Standard"
    assert [part["title"] for part in alert["alerts"]] == ["Disk full on db1"]
    assert [(sent["person"]["name"], sent["state"]) for sent in alert["notifications"]] == [("Ana", "sent")]
    assert {"alert.opened", "page.opened", "page.step", "delivery.sent"} <= {line["kind"] for line in alert["timeline"]}


def test_a_member_acknowledges_twice_and_it_counts_once(api: ApiWorld):
    number = api.alert()
    ana = api.as_("ana", "answer")
    assert ana.post(f"/alerts/{number}/acknowledge")["state"] == "acknowledged"
    again = ana.post(f"/alerts/{number}/acknowledge")
    assert again["acknowledged_by"]["name"] == "Ana"
    assert Event.objects.filter(kind="page.acknowledged").count() == 1


def test_every_answer_goes_through_the_api(api: ApiWorld):
    number = api.alert()
    ana = api.as_("ana", "answer")
    ben = api.world.ben.pk
    until = (api.world.now + timedelta(hours=1)).isoformat()
    assert ana.post(f"/alerts/{number}/snooze", {"until": until})["snoozed_until"] == "2026-03-03T10:00:00Z"
    ana.post(f"/alerts/{number}/reassign", {"to": ben})
    ana.post(f"/alerts/{number}/help")
    ana.post(f"/alerts/{number}/notes", {"text": "It is the backup volume."}, 201)
    assert ana.post(f"/alerts/{number}/resolve")["state"] == "resolved"
    kinds = [line["kind"] for line in ana.get(f"/alerts/{number}")["timeline"]]
    for kind in ("page.snoozed", "page.reassigned", "page.help_asked", "alert.note", "page.resolved"):
        assert kind in kinds


def test_an_alert_that_paged_nobody_can_be_taken_and_closed_all_the_same(api: ApiWorld):
    """PRI-04: a warning is listed as due, without a page."""
    api.world.event(severity="warning")
    api.world.work()
    ana = api.as_("ana", "answer")
    (alert,) = ana.get("/alerts?state=open")["items"]
    assert alert["response"] == "list_due"
    assert ana.post(f"/alerts/{alert['id']}/acknowledge")["acknowledged_by"]["name"] == "Ana"
    refused = ana("POST", f"/alerts/{alert['id']}/help")
    assert refused.status_code == 422
    assert "nobody was paged" in refused.json()["error"]["message"]
    assert ana.post(f"/alerts/{alert['id']}/resolve")["state"] == "resolved"
    assert ana.get("/alerts?state=open")["items"] == []


def test_what_an_action_refuses_names_the_field_and_what_a_role_lacks_names_the_owner(api: ApiWorld):
    number = api.alert()
    late = api.as_("ana", "answer")("POST", f"/alerts/{number}/snooze", {"until": "2027-01-01T00:00:00Z"})
    assert (late.status_code, late.json()["error"]["field"]) == (422, "until")
    olga = api.as_("olga", "answer")("POST", f"/alerts/{number}/acknowledge")
    assert olga.status_code == 403
    assert "Ask Eva" in olga.json()["error"]["message"]


def test_a_page_is_opened_once_however_often_it_is_asked_for_with_one_key(api: ApiWorld):
    ben = api.as_("ben", "answer")
    body = {"team": "platform", "title": "need you", "to": api.world.ana.pk}
    first = ben.post("/pages", body, 201, Idempotency_Key="try-1")
    again = ben.post("/pages", body, 201, Idempotency_Key="try-1")
    other = ben.post("/pages", body, 201, Idempotency_Key="try-2")
    assert first["id"] == again["id"] != other["id"]
    assert Page.objects.count() == 2
    api.world.work()
    page = ben.get(f"/pages/{first['id']}")
    assert [sent["person"]["name"] for sent in page["notifications"]] == ["Ana"]
    assert page["opened_by"]["name"] == "Ben"


def test_retries_that_arrive_together_open_one_page(api: ApiWorld):
    """A program whose first call hangs sends the second beside it."""
    token = api.token("ben", "answer")
    body = {"team": "platform", "title": "need you"}

    def ask(_: int) -> int:
        try:
            return int(Caller(token).post("/pages", body, 201, Idempotency_Key="together")["id"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        numbers = set(pool.map(ask, range(8)))
    assert len(numbers) == Page.objects.count() == 1


def test_the_key_of_one_person_is_not_that_of_another(api: ApiWorld):
    body = {"team": "platform", "title": "need you", "to": api.world.eva.pk}
    first = api.as_("ben", "answer").post("/pages", body, 201, Idempotency_Key="same")
    other = api.as_("ana", "answer").post("/pages", body, 201, Idempotency_Key="same")
    assert first["id"] != other["id"]


def test_lists_are_paged_by_key_without_gap_or_repetition(api: ApiWorld):
    for number in range(5):
        api.world.event(key=f"k{number}", summary=f"alert {number}")
    api.world.work()
    ana = api.as_("ana", "read")
    seen, after = [], ""
    while True:
        page = ana.get(f"/alerts?limit=2&after={after}")
        seen += [alert["title"] for alert in page["items"]]
        api.world.event(key=f"more{len(seen)}", summary="came meanwhile")
        api.world.work()
        after = page["next"]
        if not after:
            break
    assert seen == [f"alert {number}" for number in (4, 3, 2, 1, 0)]


def test_a_cursor_that_is_not_ours_is_refused(api: ApiWorld):
    for after in ("x", "W10", "WyJhIl0", "WzFlOTldzz", "%00"):
        answer = api.as_("ana", "read")("GET", f"/alerts?after={after}")
        assert answer.status_code == 422, after
        assert answer.json()["error"]["field"] == "after"


def test_somebody_of_another_team_who_was_asked_by_a_page_may_see_and_answer_it(api: ApiWorld):
    number = api.alert()
    api.as_("ana", "answer")
    charlie = api.as_("charlie", "answer")
    assert charlie("GET", f"/alerts/{number}").status_code == 404
    api.world.service.ladder.steps.insert(0, {"targets": [f"person:{api.world.charlie.pk}"], "wait_minutes": 5})
    api.world.service.ladder.save()
    api.world.event(key="another")
    api.world.work()
    asked = api.world.group().pk
    assert charlie.post(f"/alerts/{asked}/acknowledge")["acknowledged_by"]["name"] == "Charlie"
    assert charlie("GET", f"/alerts/{number}").status_code == 404

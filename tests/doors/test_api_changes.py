"""What a team changes through the API: services and their monitors, the rota with a look ahead, people and me."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.doors.api_world import ApiWorld
from watchbill.db.models import ContactAddress, Inbox, Outgoing, Shift


def settings_of(*people: int) -> dict[str, Any]:
    return {"zone": "UTC", "unit": "week", "starts_on": "2026-03-02", "members": [{"person": one} for one in people]}


def test_a_service_is_added_changed_in_part_and_archived(api: ApiWorld):
    """INT-11, RUN-02, ROL-17: owner, vendor, links, the ladder that answers."""
    eva = api.as_("eva", "write")
    body = {"team": "platform", "name": "Search", "vendor": "Acme", "ladder": api.world.ladder.pk, "tier": 1}
    made = eva.post("/services", body, 201)
    assert (made["slug"], made["ladder"]["name"]) == ("search", "Standard")
    changed = eva("PATCH", "/services/search", {"host": "db1"}).json()
    assert (changed["vendor"], changed["host"], changed["tier"]) == ("Acme", "db1", 1)
    wrong = eva("PATCH", "/services/search", {"links": [{"url": "javascript:alert(1)"}]})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "links")
    eva.post("/services/search/archive")
    assert [service["slug"] for service in eva.get("/services")["items"]] == ["checkout"]
    assert [service["slug"] for service in eva.get("/services?archived=true")["items"]] == ["search"]


def test_a_monitor_is_connected_tried_set_and_disconnected(api: ApiWorld):
    eva = api.as_("eva", "write")
    made = eva.post("/services/checkout/connections", {"monitor": "generic", "name": "Cron"}, 201)
    way = f"/services/checkout/connections/{made['id']}"
    set_up = eva.get(f"{way}/set-up")
    assert set_up["key"] in set_up["address"]
    assert set_up["key"] not in str(eva.get("/services/checkout/connections"))
    trial = {"settings": {"title": "{{ job }}"}, "payload": {"job": "backup failed"}}
    seen = eva.post(f"{way}/preview", trial)
    assert [signal["title"] for signal in seen["signals"]] == ["backup failed"]
    set_ = eva("PUT", f"{way}/settings", {"settings": {"title": "{{ job }}"}}).json()
    assert set_["settings"] == {"title": "{{ job }}"}
    eva.post(f"{way}/examples", {"payload": {"job": "backup failed"}}, 201)
    api.world.work()
    assert [alert["title"] for alert in eva.get("/alerts")["items"]] == ["backup failed"]
    assert eva("DELETE", way).json()["removed_at"]


def test_a_test_alert_is_raised_once_however_often_the_call_is_retried(api: ApiWorld):
    ana = api.as_("ana", "write")
    way = f"/services/checkout/connections/{api.world.connection.pk}/test"
    first = ana.post(way, {"severity": "critical"}, 201, Idempotency_Key="one")
    assert ana.post(way, {"severity": "critical"}, 201, Idempotency_Key="one") == first
    api.world.work()
    assert len(ana.get("/alerts")["items"]) == 1


def test_what_was_not_understood_is_listed_and_read_again(api: ApiWorld):
    api.world.arrives({"nobody": "understands"})
    api.world.work()
    eva = api.as_("eva", "write")
    (missed,) = eva.get("/services/checkout/not-understood")["items"]
    assert '"nobody"' in missed["body"]
    assert missed["error"]
    assert [row["id"] for row in eva.get("/inbox?team=platform")["items"]] == [missed["id"]]
    # It may hold the key of the monitor: only the owners read it, as on the pages.
    for name in ("ana", "olga"):
        for way in ("/inbox", "/services/checkout/not-understood"):
            (listed,) = api.as_(name, "read").get(way)["items"]
            assert (listed["error"], listed["body"]) == (missed["error"], "")
    assert eva.post("/services/checkout/replay")["count"] == 1
    assert Inbox.objects.get(pk=missed["id"]).state == Inbox.WAITING


def test_a_new_order_shows_whom_it_moves_before_it_is_adopted(api: ApiWorld):
    """ROT-09: nothing changes until it is adopted, and what was served stays."""
    eva, world = api.as_("eva", "write"), api.world
    slug = world.rotation.slug
    before = list(Shift.objects.order_by("pk").values_list("pk", "person_id"))
    wanted = settings_of(world.ana.pk, world.eva.pk)
    seen = eva.post(f"/rotations/{slug}/preview", {"settings": wanted, "days": 30})
    assert {move["after"]["name"] for move in seen["moves"]} <= {"Ana", "Eva"}
    assert "Eva" in {move["after"]["name"] for move in seen["moves"]}
    assert list(Shift.objects.order_by("pk").values_list("pk", "person_id")) == before
    changed = eva("PUT", f"/rotations/{slug}", {"settings": wanted, "why": "Ben leaves"}).json()
    assert (changed["revision"]["version"], changed["revision"]["why"]) == (2, "Ben leaves")
    people = {row["person"]["name"] for row in eva.get(f"/shifts?rotation={slug}&limit=200")["items"]}
    assert people == {"Ana", "Eva"}
    assert eva("PATCH", f"/rotations/{slug}", {"name": "Late watch"}).json()["name"] == "Late watch"
    assert eva.get(f"/rotations/{slug}")["slug"] == slug
    nobody = eva("PUT", f"/rotations/{slug}", {"settings": settings_of(10**9)})
    assert (nobody.status_code, nobody.json()["error"]["field"]) == (422, "settings.members.0.person")


def test_an_override_and_an_absence_show_whom_they_move(api: ApiWorld):
    ana, world = api.as_("ana", "write"), api.world
    slug = world.rotation.slug
    wanted = {"person": world.ben.pk, "starts_at": "2026-03-04T09:00:00Z", "ends_at": "2026-03-04T17:00:00Z"}
    (move,) = ana.post(f"/rotations/{slug}/overrides/preview", wanted)["moves"]
    assert (move["before"]["name"], move["after"]["name"]) == ("Ana", "Ben")
    assert ana.get(f"/rotations/{slug}/overrides")["items"] == []
    made = ana.post(f"/rotations/{slug}/overrides", wanted | {"why": "dentist"}, 201)
    (seat,) = ana.get("/who?at=2026-03-04T10:00:00Z")["items"][0]["seats"]
    assert seat["person"]["name"] == "Ben"
    ana("DELETE", f"/rotations/{slug}/overrides/{made['id']}")
    (seat,) = ana.get("/who?at=2026-03-04T10:00:00Z")["items"][0]["seats"]
    assert seat["person"]["name"] == "Ana"
    away = {"first_day": "2026-03-16", "last_day": "2026-03-22"}
    (seen,) = ana.post("/absences/preview", away)
    assert seen["rotation"]["slug"] == slug
    assert "Ana" in {move["before"]["name"] for move in seen["moves"]}
    absence = ana.post("/absences", away, 201)
    assert ana.get("/absences?team=platform")["items"][0]["id"] == absence["id"]
    assert ana("DELETE", f"/absences/{absence['id']}").json()["removed_at"]


def test_shifts_are_paged_in_the_order_of_time(api: ApiWorld):
    ana, seen, after = api.as_("ana", "read"), [], ""
    while True:
        page = ana.get(f"/shifts?ends=2026-04-20T00:00:00Z&limit=2&after={after}")
        seen += [shift["starts_at"] for shift in page["items"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) > 4
    assert seen == sorted(seen)


def test_my_address_counts_once_its_code_came_back(api: ApiWorld):
    ana = api.as_("ana", "write")
    made = ana.post("/me/addresses", {"channel": "email", "address": {"email": "ana@phone.example"}}, 201)
    assert made["verified_at"] is None
    api.world.work()
    code = Outgoing.objects.get(purpose="code").message["subject"].removeprefix("Your code is ")
    wrong = ana("POST", f"/me/addresses/{made['id']}/verify", {"code": "1" if code != "1" else "2"})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "code")
    assert ana.post(f"/me/addresses/{made['id']}/verify", {"code": code})["verified_at"]
    rules = ana("PUT", "/me/rules/important", {"rules": [{"address": made["id"], "after_seconds": 60}]}).json()
    assert rules["important"] == [{"address": made["id"], "after_seconds": 60}]
    ana.post(f"/me/addresses/{made['id']}/test", status=201)
    api.world.work()
    assert ana.get("/me/notifications")["items"][0]["state"] == "sent"
    inside = ana("POST", "/me/addresses", {"channel": "ntfy", "address": {"server": "http://10.0.0.1", "topic": "x"}})
    assert inside.status_code == 422
    assert ContactAddress.objects.filter(person=api.world.ana).count() == 2


def test_a_calendar_address_is_read_and_ended(api: ApiWorld, client):
    eva = api.as_("eva", "write")
    first = eva.get("/me/feed")["address"]
    assert client.get(first.removeprefix("http://watchbill.test")).status_code == 200
    second = eva("DELETE", "/me/feed").json()["address"]
    assert client.get(first.removeprefix("http://watchbill.test")).status_code == 404
    assert client.get(second.removeprefix("http://watchbill.test")).status_code == 200
    assert "/feeds/team/" in eva.get("/teams/platform/feed")["address"]


def test_a_team_changes_its_members_its_ladder_and_its_policy_on_the_record(api: ApiWorld):
    """COM-10, GEN-01, ROT-03."""
    eva, world = api.as_("eva", "write"), api.world
    skills = eva("PATCH", f"/teams/platform/members/{world.ben.pk}", {"skills": ["dba"]}).json()
    assert (skills["role"], skills["skills"]) == ("member", ["dba"])
    ladder = eva.post("/teams/platform/ladders", {"name": "Quiet", "steps": [{"targets": ["team"]}]}, 201)
    assert ladder["steps"] == [{"targets": ["team"], "wait_minutes": 5}]
    wrong = eva("POST", "/teams/platform/ladders", {"name": "X", "steps": [{"targets": ["nobody"]}]})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "steps")
    settings = {"rules": {"reachability": {"days": 14}}}
    adopted = eva("PUT", "/teams/platform/policy", {"settings": settings, "why": "we plan further ahead"}).json()
    assert adopted["version"] == 2
    assert [row["version"] for row in eva.get("/teams/platform/policy/history")["items"]] == [2, 1]
    kinds = [line["kind"] for line in eva.get("/log?team=platform")["items"]]
    assert {"policy.adopted", "team.member_changed", "ladder.added"} <= set(kinds)


def test_somebody_is_invited_and_leaves(api: ApiWorld):
    eva = api.as_("eva", "write")
    made = eva.post("/people", {"email": "zoe@example.org", "name": "Zoe", "team": "platform"}, 201)
    assert made["mailed"] is True
    assert made["token"] is None
    assert [row["name"] for row in eva.get("/people?search=zoe")["items"]] == ["Zoe"]
    api.world.eva.is_superuser = True
    api.world.eva.save()
    left = api.as_("eva", "admin").post(f"/people/{api.world.ana.pk}/deactivate")
    assert {held["kind"] for held in left["holds"]} == {"shift"}
    assert left["person"]["is_active"] is False


def test_a_silence_is_seen_before_it_is_set_and_ends_early(api: ApiWorld):
    number, ana = api.alert(), api.as_("ana", "write")
    covered = ana.post("/silences/preview", {"service": "checkout"})
    assert [alert["id"] for alert in covered] == [number]
    ends = (api.world.now + timedelta(hours=2)).isoformat()
    made = ana.post("/silences", {"service": "checkout", "why": "disk swap", "ends_at": ends}, 201)
    api.world.work()
    assert ana.get(f"/alerts/{number}")["explanation"]["silenced_by"] == "Ana: disk swap"
    assert [row["id"] for row in ana.get("/silences?state=now")["items"]] == [made["id"]]
    ana.post(f"/silences/{made['id']}/end")
    assert ana.get("/silences?state=now")["items"] == []
    assert [row["id"] for row in ana.get("/silences?state=over")["items"]] == [made["id"]]

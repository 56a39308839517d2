"""Who may call: tokens with scopes and an end, sessions with CSRF, and the cast of two teams."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from tests.doors.api_probe import TrueNames, fill
from tests.doors.api_world import ApiWorld, Caller
from tests.doors.test_api_schema import operations
from watchbill.actions import tokens
from watchbill.db.models import ApiToken, Event


def test_a_token_works_until_it_ends_or_is_revoked_or_its_person_is_switched_off(api: ApiWorld):
    ana, ben, eva = (api.as_(name, "read") for name in ("ana", "ben", "eva"))
    assert ana.get("/me")["name"] == "Ana"
    tokens.revoke_token(ApiToken.objects.get(person=api.world.ana), api.world.ana, api.world.now)
    api.world.ben.is_active = False
    api.world.ben.save()
    for caller in (ana, ben, Caller("wb_nobodys"), Caller()):
        answer = caller("GET", "/me")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["error"]["message"]
    api.world.now += timedelta(days=1, seconds=-1)
    assert eva.get("/me")["name"] == "Eva"
    api.world.now += timedelta(seconds=1)
    assert eva("GET", "/me").status_code == 401


def test_the_time_of_the_last_use_is_written_once_a_minute(api: ApiWorld):
    ana = api.as_("ana", "read")
    ana.get("/me")
    first = ApiToken.objects.get().last_used_at
    api.world.now += timedelta(seconds=59)
    ana.get("/me")
    assert ApiToken.objects.get().last_used_at == first
    api.world.now += timedelta(seconds=1)
    ana.get("/me")
    assert ApiToken.objects.get().last_used_at == api.world.now


def test_no_operation_answers_without_a_token(api: ApiWorld):
    fill(api)
    names = TrueNames(api)
    for method, path, _ in operations():
        answer = Caller()(method.upper(), path_of(path, names), {})
        assert answer.status_code == 401, f"{method} {path}"


def test_a_token_that_may_only_read_changes_nothing(api: ApiWorld):
    """Neither a page answered nor a row written, by any operation that is not a GET."""
    fill(api)
    names, token = TrueNames(api), api.as_("eva", "read")
    lines = Event.objects.count()
    for method, path, _ in operations():
        if method != "get" and "preview" not in path:
            answer = token(method.upper(), path_of(path, names), {})
            assert answer.status_code == (403 if "/me/tokens/" not in path else 404), f"{method} {path}"
    assert Event.objects.count() == lines


def test_a_token_that_may_answer_does_not_change_the_team(api: ApiWorld):
    number = api.alert()
    eva = api.as_("eva", "answer")
    assert eva.post(f"/alerts/{number}/acknowledge")["state"] == "acknowledged"
    refused = eva("POST", "/services", {"team": "platform", "name": "search"})
    assert refused.status_code == 403
    assert "scope “write”" in refused.json()["error"]["message"]


def test_what_administers_the_instance_needs_the_scope_and_the_role(api: ApiWorld):
    body = {"name": "Search", "zone": "UTC", "preset": "oncall-remodel"}
    api.world.eva.is_superuser = True
    api.world.eva.save()
    assert api.as_("eva", "write")("POST", "/teams", body).status_code == 403
    made = api.as_("eva", "admin").post("/teams", body, 201)
    assert made["slug"] == "search"


def test_a_token_makes_none_that_is_stronger_or_lives_longer_than_itself(api: ApiWorld):
    """Whoever finds a token gains nothing beyond it."""
    answer = api.as_("ana", "answer")
    assert answer("POST", "/me/tokens", {"name": "more", "scopes": ["read"]}).status_code == 403
    write = api.as_("ana", "write")
    assert write("POST", "/me/tokens", {"name": "more", "scopes": ["admin"]}).status_code == 403
    late = (api.world.now + timedelta(days=30)).isoformat()
    assert write("POST", "/me/tokens", {"name": "more", "scopes": ["read"], "expires_at": late}).status_code == 403
    made = write.post("/me/tokens", {"name": "reader", "scopes": ["read"]}, 201)
    assert made["expires_at"] == "2026-03-04T09:00:00Z"
    reader = Caller(made["token"])
    assert reader.get("/me")["scopes"] == ["read"]
    listed = json.dumps(write.get("/me/tokens"))
    assert made["token"] not in listed
    assert made["prefix"] in listed
    reader("DELETE", f"/me/tokens/{made['id']}")
    assert reader("GET", "/me").status_code == 401


def test_a_browser_reads_with_its_session_and_writes_only_with_its_csrf_token(api: ApiWorld):
    number = api.alert()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(api.world.ana, "allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get("/api/me").json()["name"] == "Ana"
    assert browser.post(f"/api/alerts/{number}/acknowledge").status_code == 403
    browser.cookies["csrftoken"] = "a" * 32
    good = browser.post(f"/api/alerts/{number}/acknowledge", headers={"X-CSRFToken": "a" * 32})
    assert good.json()["acknowledged_by"]["name"] == "Ana"


def test_charlie_of_another_team_sees_nothing_of_anas_by_any_operation(api: ApiWorld):
    """Every operation is asked for what is Ana's: the answer is that there is no such thing, or a list without it."""
    fill(api)
    names, charlie = TrueNames(api), api.as_("charlie", "write")
    api.world.ana.is_superuser = False
    api.world.ana.save()
    others = Event.objects.exclude(actor=api.world.charlie)
    lines = others.count()
    shown = []
    for method, path, operation in operations():
        if path == "/api/pages" and method == "post":
            continue  # whoever needs help may page any team: see below
        for query in ("", f"?{theirs(operation, names)}"):
            answer = charlie(method.upper(), path_of(path, names) + query, theirs_in(operation, names))
            assert answer.status_code in {200, 401, 403, 404, 422}, f"{method} {path}: {answer.status_code}"
            if any(secret in answer.content.decode() for secret in SECRETS):
                shown.append(f"{method} {path}{query}: {answer.content.decode()[:200]}")
    assert shown == []
    assert others.count() == lines


SECRETS = ("Disk full", "Ana", "Ben", "Eva", '"Platform"', "Engineers", '"Standard"', "a test", "understands")


def path_of(path: str, names: TrueNames) -> str:
    return path.removeprefix("/api").format(**names.path(path))


def theirs(operation: dict[str, Any], names: TrueNames) -> str:
    wanted = {part["name"] for part in operation["parameters"] if part["in"] == "query"}
    pairs = {
        "team": "platform",
        "service": "checkout",
        "rotation": names.fields["rotation"],
        "person": names.fields["person"],
    }
    return "&".join(f"{name}={value}" for name, value in pairs.items() if name in wanted)


def theirs_in(operation: dict[str, Any], names: TrueNames) -> dict[str, Any]:
    """A body that would be good if it came from the team."""
    soon, later = names.fields["starts_at"], names.fields["ends_at"]
    week = {"zone": "UTC", "unit": "week", "starts_on": "2026-03-02", "members": [{"person": names.fields["person"]}]}
    return {
        "alerts_snooze": {"until": soon},
        "alerts_reassign": {"to": names.fields["person"]},
        "alerts_note": {"text": "hello"},
        "pages_snooze": {"until": soon},
        "pages_reassign": {"to": names.fields["person"]},
        "silences_preview": {"team": "platform", "matchers": [{"label": "a"}]},
        "silences_add": {"service": "checkout", "why": "no", "ends_at": later},
        "services_add": {"team": "platform", "name": "mine"},
        "connections_connect": {"monitor": "generic"},
        "connections_send_example": {"payload": {}},
        "rota_add": {"team": "platform", "name": "mine", "settings": week},
        "rota_change": {"settings": week},
        "rota_preview": {"settings": week},
        "rota_preview_new": {"team": "platform", "name": "mine", "settings": week},
        "overrides_preview": {"person": names.fields["person"], "starts_at": soon, "ends_at": later},
        "absences_preview": {"person": names.fields["person"], "first_day": "2026-03-05", "last_day": "2026-03-05"},
        "connections_preview": {"payload": {}, "settings": {}},
        "overrides_add_override": {"person": names.fields["person"], "starts_at": soon, "ends_at": later},
        "absences_add": {"person": names.fields["person"], "first_day": "2026-03-05", "last_day": "2026-03-05"},
        "teams_add_member": {"person": names.fields["person"]},
        "teams_adopt_policy": {"settings": {}, "why": "no"},
        "ladders_add_ladder": {"name": "mine", "steps": [{"targets": ["team"]}]},
        "ladders_change_ladder": {"name": "mine", "steps": [{"targets": ["team"]}]},
        "people_invite": {"email": "x@example.org", "name": "X", "team": "platform"},
    }.get(operation["operationId"], {})  # fmt: skip


def test_whoever_needs_help_may_page_any_team_and_follow_that_page_alone(api: ApiWorld):
    charlie = api.as_("charlie", "answer")
    page = charlie.post("/pages", {"service": "checkout", "title": "the till is down"}, 201)
    api.world.work()
    followed = charlie.get(f"/pages/{page['id']}")
    assert followed["opened_by"]["name"] == "Charlie"
    assert followed["notifications"] == []
    assert [row["id"] for row in charlie.get("/pages")["items"]] == [page["id"]]
    assert charlie.get("/alerts")["items"] == []
    named = charlie("POST", "/pages", {"service": "checkout", "title": "help", "to": api.world.ana.pk})
    assert named.status_code == 404


def test_an_observer_reads_everything_of_the_team_and_changes_nothing(api: ApiWorld):
    fill(api)
    names, olga = TrueNames(api), api.as_("olga", "write")
    # Whom to ask, who was asked, and who is away is for those who serve.
    for_members = ("/me/", "set-up", "/instance/", "/experts", "/asking", "/tickets/next")
    for method, path, operation in operations():
        if method == "get" and not any(part in path for part in for_members):
            needed = [part["name"] for part in operation["parameters"] if part["required"] and part["in"] == "query"]
            query = urlencode({name: names.needed[name] for name in needed})
            answer = olga("GET", f"{path_of(path, names)}?{query}")
            assert answer.status_code == 200, f"{path}: {answer.content!r}"
    service = olga("PATCH", "/services/checkout", {"tier": 1})
    assert service.status_code == 403
    assert "Ask Eva" in service.json()["error"]["message"]
    set_up = olga("GET", f"/services/checkout/connections/{api.world.connection.pk}/set-up")
    assert set_up.status_code == 403

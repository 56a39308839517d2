"""Requests, the desk and communities through the API: asked, answered, resolved, seen by the team and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import ask, fill_desk
from watchbill.actions import communities, requester_side, support
from watchbill.db.models import Event, Export, Message, Policy, Requester, SupportRequest, Team


def error(response: Any) -> tuple[int, str, str]:
    told = response.json()["error"]
    return response.status_code, told["field"], told["message"]


def test_a_request_is_asked_answered_and_resolved(api: ApiWorld):
    """INT-13: whoever has the ball is said at every step; INT-09: the requester hears each."""
    ben = api.as_("ben", "answer")
    body = {
        "team": "platform",
        "title": "I cannot log in",
        "text": "Since Monday.",
        "requester_email": "ria@example.net",
    }
    made = ben.post("/requests", {**body, "is_logged": True, "service": "checkout"}, 201)
    assert (made["reference"], made["waits_on"], made["assignee"]["name"]) == (f"R-{made['id']}", "us", "Ben")
    path = f"/requests/{made['id']}"
    answered = ben.post(f"{path}/answer", {"text": "Which page do you see?"})
    assert (answered["waits_on"], answered["due_at"]) == ("requester", None)
    assert answered["first_response_at"] is not None
    ben.post(f"{path}/note", {"text": "Looks like the proxy."})
    ben.post(f"{path}/ball", {"waits_on": "us", "why": "they called"})
    resolved = ben.post(f"{path}/resolve", {"outcome": "answered"})
    assert (resolved["state"], resolved["outcome"]) == ("resolved", "answered")
    assert ben.post(f"{path}/reopen", {"why": "not yet"})["state"] == "open"
    said = ben.get(f"{path}/messages")["items"]
    assert [(one["direction"], one["by"]) for one in said if one["by"] != "Watchbill"][:3] == [
        ("in", "ria"), ("out", "Ben"), ("note", "Ben")
    ]  # fmt: skip
    kinds = [line["kind"] for line in ben.get(f"{path}/log")["items"]]
    assert {"request.opened", "request.answered", "request.resolved", "request.reopened"} <= set(kinds)
    assert Export.objects.filter(subject_id=made["id"], what="mail").count() >= 2


def test_an_observer_asks_for_themselves_and_is_refused_the_rest_in_words(api: ApiWorld):
    olga = api.as_("olga", "write")
    made = olga.post("/requests", {"team": "platform", "title": "May I have a bucket?"}, 201)
    assert made["requester"]["email"] == "olga@example.org"
    for method, way, body in (
        ("POST", "answer", {"text": "Yes."}), ("POST", "take", None), ("POST", "note", {"text": "No."}),
        ("PATCH", "", {"title": "Mine"}), ("PUT", "priority", {"level": "interruption", "why": "mine"}),
        ("POST", "turn-away", {"text": "no"}), ("POST", "clock", None), ("GET", "experts", None),
    ):  # fmt: skip
        refused = olga(method, f"/requests/{made['id']}/{way}".rstrip("/"), body)
        assert refused.status_code == 403, (way, refused.content)
        assert "Ask Eva" in refused.json()["error"]["message"]
    assert SupportRequest.objects.get().assignee is None


def test_nothing_of_a_team_exists_for_a_stranger(api: ApiWorld):
    fill_desk(api.world)
    request = SupportRequest.objects.latest("pk")
    charlie = api.as_("charlie", "write")
    for path in (f"/requests/{request.pk}", f"/requests/{request.pk}/messages", "/requests?team=platform",
                 "/desks/platform", "/communities?team=platform", "/requesters?team=platform"):  # fmt: skip
        assert charlie("GET", path).status_code == 404, path
    for path in ("/requests", "/communities", "/requesters", "/vendor-cases"):
        assert charlie.get(path)["items"] == [], path
    assert charlie("POST", "/requests", {"team": "platform", "title": "x"}).status_code == 404
    assert charlie.get('/requests?query=text ~ "log"')["items"] == []


def test_a_query_finds_requests_and_one_that_cannot_be_read_is_refused_at_its_place(api: ApiWorld):
    first, second = ask(api.world, "The printer is away"), ask(api.world, "I cannot log in")
    support.take(second.pk, api.world.ana, api.world.now)
    ana = api.as_("ana", "read")

    def found(query: str) -> list[int]:
        return [one["id"] for one in ana.get(f"/requests?query={query}")["items"]]

    assert found("assignee = me") == [second.pk]
    assert found("assignee is empty and text ~ printer") == [first.pk]
    assert found("order by opened desc, id desc") == [second.pk, first.pk]
    assert error(ana("GET", "/requests?query=state = open and")) == (
        422, "query", "the query stops in the middle: a field, an operator such as = or ~, and a value belong together"
    )  # fmt: skip
    code, field, message = error(ana("GET", "/requests?query=state ! open"))
    assert (code, field) == (422, "query")
    assert "character 7" in message
    assert "there is no field “colour”" in error(ana("GET", "/requests?query=colour = red"))[2]


def test_a_list_goes_on_after_its_last_row_whatever_it_is_ordered_by(api: ApiWorld):
    for number in range(5):
        ask(api.world, f"Question {number % 3}")
    ana = api.as_("ana", "read")
    for order in ("", "order by title desc", "order by assignee", "order by due, id desc"):
        seen, after = [], ""
        while True:
            page = ana.get(f"/requests?limit=2&query={order}&after={after}")
            seen += [one["id"] for one in page["items"]]
            after = page["next"]
            if not after:
                break
        assert len(seen) == len(set(seen)) == 5, order
    for wrong in ("x", "W10", "WzEsIltdIiwzXQ", "WyJhIiwiYiIsImMiXQ", "W3RydWUsbnVsbCxudWxsXQ", "WzEsIlx1MDAwMCIsMV0"):
        assert error(ana("GET", f"/requests?after={wrong}"))[:2] == (422, "after"), wrong


def test_a_list_costs_the_same_however_long_it_is(api: ApiWorld):
    ana = api.as_("ana", "read")

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            ana.get("/requests")
        return len(caught)

    ask(api.world)
    ask(api.world)
    cost()  # The first call of a token writes when it was used.
    first = cost()
    for number in range(12):
        ask(api.world, f"Question {number}")
    assert cost() == first


def test_wrong_input_is_refused_naming_the_field(api: ApiWorld):
    request = ask(api.world)
    ana = api.as_("ana", "write")
    new = {"team": "platform", "title": "x"}
    for method, path, body, field in (
        ("POST", "/requests", {**new, "title": ""}, "title"),
        ("POST", "/requests", {**new, "text": "a\0b"}, "text"),
        ("POST", "/requests", {**new, "request_class": "wish"}, "request_class"),
        ("POST", "/requests", {**new, "colour": "red"}, "colour"),
        ("POST", f"/requests/{request.pk}/answer", {"text": "x", "waits_on": "god"}, "waits_on"),
        ("PATCH", f"/requests/{request.pk}", {"community": "nobody"}, "community"),
        ("PUT", f"/requests/{request.pk}/priority", {"level": "first", "why": "x"}, "level"),
        ("POST", f"/requests/{request.pk}/time", {"minutes": 0}, "minutes"),
        ("GET", "/requests?limit=9999", None, "limit"),
        ("GET", "/requests?query=a%00", None, "query"),
    ):  # fmt: skip
        response = ana(method, path, body)
        assert error(response)[:2] == (422, field), (path, response.content)
    broken = ana.client.generic("POST", "/api/requests", "{", "application/json")
    assert broken.status_code == 400


def test_one_key_asks_once(api: ApiWorld):
    ana = api.as_("ana", "answer")
    body = {"team": "platform", "title": "I cannot log in"}
    first = ana.post("/requests", body, 201, Idempotency_Key="k")
    assert ana.post("/requests", body, 201, Idempotency_Key="k")["id"] == first["id"]
    assert SupportRequest.objects.count() == 1


def test_a_request_is_given_changed_and_placed(api: ApiWorld):
    request = ask(api.world)
    ana = api.as_("ana", "write")
    path = f"/requests/{request.pk}"
    assert ana.post(f"{path}/take")["assignee"]["name"] == "Ana"
    assert ana.post(f"{path}/assign", {"person": api.world.ben.pk})["assignee"]["name"] == "Ben"
    assert ana.post(f"{path}/assign", {"person": None})["assignee"] is None
    communities.add_community(api.world.team, {"name": "Research"}, api.world.eva, api.world.now)
    changed = ana("PATCH", path, {"service": "checkout", "community": "research", "component": "login"}).json()
    assert (changed["service"]["slug"], changed["community"]["name"], changed["component"]) == (
        "checkout", "Research", "login"
    )  # fmt: skip
    assert ana("PATCH", path, {"service": None}).json()["service"] is None
    placed = ana("PUT", f"{path}/priority", {"level": "interruption", "why": "the board meets"}).json()
    assert (placed["priority"], "the board meets" in placed["priority_why"]) == ("interruption", True)
    assert ana("POST", f"{path}/turn-away", {"text": "No."}).status_code == 422
    ana("PUT", f"{path}/priority", {"level": "customer", "why": "it can wait"})
    assert ana.post(f"{path}/turn-away", {"text": "Please raise it in the queue."})["outcome"] == "turned_away"


def test_time_ticket_help_and_standup_of_a_request(api: ApiWorld):
    """TRI-01, TRI-02, TRI-04, TRI-09."""
    request = ask(api.world)
    ana = api.as_("ana", "answer")
    path = f"/requests/{request.pk}"
    assert ana.get(f"{path}/advice")["spent_seconds"] == 0
    assert ana.post(f"{path}/clock")["request"] == request.pk
    api.world.now += timedelta(minutes=5)
    assert ana.get("/me/clock")["clock"]["request"] == request.pk
    assert ana("DELETE", "/me/clock").json()["seconds"] == 300
    assert ana.get("/me/clock") == {"clock": None}
    assert error(ana("DELETE", "/me/clock"))[0] == 422
    ana.post(f"{path}/clock")
    api.world.now += timedelta(minutes=50)
    assert ana.post("/me/clock/stop", {"minutes": 10, "note": "forgot it"})["seconds"] == 600
    assert ana.post(f"{path}/time", {"minutes": 15})["spent_seconds"] == 300 + 600 + 900
    ticket = ana.post(f"{path}/ticket", {"points": 2}, 201)
    assert (ticket["request"], ticket["points"]) == (request.pk, 2)
    assert ana.get(path)["tickets"] == [ticket["id"]]
    ana.post(f"{path}/help", {"why": "I know no more", "hopeless": True})
    api.as_("ben", "answer").post(f"{path}/help/offer")
    ana.post(f"{path}/standup", {"why": "it is complex"})
    ana("DELETE", f"{path}/standup")
    kinds = set(Event.objects.filter(subject_kind="request", subject_id=request.pk).values_list("kind", flat=True))
    assert {"request.help_asked", "request.ticket"} & kinds
    other = ask(api.world, "Where is the handbook?")
    done = ana.post(f"/requests/{other.pk}/answer-and-log", {"text": "On the shelf."})
    assert (done["state"], done["outcome"]) == ("resolved", "answered")


def test_an_expert_is_suggested_asked_and_answers_for_themselves(api: ApiWorld):
    """TRI-11, TRI-12: with consent, and no needs no reason."""
    request = ask(api.world)
    support.take(request.pk, api.world.ana, api.world.now)
    ana, ben = api.as_("ana", "answer"), api.as_("ben", "answer")
    suggested = ana.get(f"/requests/{request.pk}/experts")
    assert "Ben" in [one["person"]["name"] for one in suggested]
    asked = ana.post(f"/requests/{request.pk}/experts", {"person": api.world.ben.pk, "why": "you built it"}, 201)
    (mine,) = ben.get("/me/asks")["items"]
    assert (mine["id"], mine["why"], mine["asked_by"]["name"]) == (asked["id"], "you built it", "Ana")
    assert ana.get("/me/asks")["items"] == []
    assert ana("POST", f"/me/asks/{asked['id']}", {"willing": True}).status_code == 404
    assert ben.post(f"/me/asks/{asked['id']}", {"willing": True})["answer"] == "willing"
    assert ana.get(f"/requests/{request.pk}")["assignee"]["name"] == "Ben"
    assert [one["id"] for one in ben.get("/me/asks?answered=true")["items"]] == [asked["id"]]
    shares = ana.get("/backlog/platform/asking?since=2026-03-01&until=2026-03-03")
    assert next((one["person"]["name"], one["asked"], one["took"]) for one in shares) == ("Ben", 1, 1)


def test_a_case_at_a_vendor_is_opened_heard_of_and_closed(api: ApiWorld):
    """INT-12: its reference, its times; the ball comes back with the last one."""
    request = ask(api.world)
    ana = api.as_("ana", "answer")
    case = ana.post(f"/requests/{request.pk}/vendor-cases", {"vendor": "Cloud", "reference": "C-1"}, 201)
    assert ana.get(f"/requests/{request.pk}")["waits_on"] == "vendor"
    assert [one["reference"] for one in ana.get("/vendor-cases?team=platform")["items"]] == ["C-1"]
    api.world.now += timedelta(hours=2)
    assert ana.post(f"/vendor-cases/{case['id']}/heard", {"note": "they look at it"})["heard_at"] is not None
    assert ana("PATCH", f"/vendor-cases/{case['id']}", {"contact": "Joe"}).json()["contact"] == "Joe"
    whole = ana.get(f"/vendor-cases/{case['id']}")
    assert (whole["request"], whole["waited_seconds"]) == (request.pk, 7200)
    assert error(ana("POST", f"/vendor-cases/{case['id']}/heard", {"note": ""}))[:2] == (422, "note")
    assert ana.post(f"/vendor-cases/{case['id']}/close", {})["closed_at"] is not None
    assert ana.get(f"/requests/{request.pk}")["waits_on"] == "us"
    assert ana.get("/vendor-cases")["items"] == []
    assert len(ana.get("/vendor-cases?closed=true")["items"]) == 1


def test_communities_are_written_budgeted_and_archived(api: ApiWorld):
    """TRI-14: where the soft budget stands; INT-04: who speaks for a community."""
    eva, ana = api.as_("eva", "write"), api.as_("ana", "write")
    body = {"team": "platform", "name": "Research", "mail_domains": ["example.net"], "budget_minutes": 60}
    refused = ana("POST", "/communities", body)
    assert (refused.status_code, "Ask Eva" in refused.json()["error"]["message"]) == (403, True)
    made = eva.post("/communities", body, 201)
    request = ask(api.world)
    ana.post(f"/requests/{request.pk}/time", {"minutes": 60})
    stands = ana.get(f"/communities/{made['id']}")
    assert (stands["used_minutes"], stands["allowed_minutes"], stands["budget"]) == (60, 60, "spent")
    assert eva("PATCH", f"/communities/{made['id']}", {"budget_minutes": 120}).json()["budget"] == "used"
    assert error(eva("PATCH", f"/communities/{made['id']}", {"mail_domains": ["no"]}))[:2] == (422, "mail_domains")
    (ria,) = ana.get(f"/requesters?search=ria&community={made['id']}")["items"]
    speaks = ana("PATCH", f"/requesters/{ria['id']}", {"is_representative": True, "name": "Ria R."}).json()
    assert (speaks["is_representative"], speaks["name"]) == (True, "Ria R.")
    eva.post(f"/communities/{made['id']}/archive")
    assert ana.get("/communities")["items"] == []
    assert len(ana.get("/communities?archived=true")["items"]) == 1
    assert eva.post(f"/communities/{made['id']}/restore")["archived_at"] is None


def test_a_representatives_word_is_written_down(api: ApiWorld):
    """INT-04: what is refused ends, and its requester is told."""
    rules = {"representatives": {"who": "representatives"}}
    Policy.objects.create(
        team=api.world.team, version=9, preset="laa-ops", settings={"rules": rules}, adopted_at=api.world.now, why="t"
    )
    made = communities.add_community(
        api.world.team, {"name": "Research", "mail_domains": ["example.net"]}, api.world.eva, api.world.now
    )
    Requester.objects.create(
        team=api.world.team, community=made, name="Rep", email="rep@example.net", is_representative=True,
        created_at=api.world.now,
    )  # fmt: skip
    request = ask(api.world)
    assert request.approval == "asked"
    ana = api.as_("ana", "answer")
    assert ana.post(f"/requests/{request.pk}/approve", {"by": "Rep"})["approval"] == "given"


def test_the_desk_is_set_up_by_owners_and_its_words_by_members(api: ApiWorld):
    """RUN-08, TRI-16, INT-10."""
    eva, ana = api.as_("eva", "write"), api.as_("ana", "write")
    assert ana.get("/desks/platform")["is_public"] is False
    assert ana("PATCH", "/desks/platform", {"is_public": True}).status_code == 403
    body = {"is_public": True, "what": "Everything.", "contacts": [{"name": "Eva", "person": api.world.eva.pk}]}
    desk = eva("PATCH", "/desks/platform", body).json()
    assert (desk["is_public"], desk["what"], desk["contacts"][0]["name"]) == (True, "Everything.", "Eva")
    assert error(eva("PATCH", "/desks/platform", {"mail_address": "nobody"}))[:2] == (422, "mail_address")
    first = ana.post("/desks/platform/faq", {"question": "Where?", "answer": "Here."}, 201)
    second = ana.post("/desks/platform/faq", {"question": "When?", "answer": "Now.", "service": "checkout"}, 201)
    ana("PATCH", f"/desks/platform/faq/{second['id']}", {"position": 0})
    assert [one["question"] for one in ana.get("/desks/platform/faq")] == ["When?", "Where?"]
    ana("DELETE", f"/desks/platform/faq/{first['id']}")
    assert [one["question"] for one in ana.get("/desks/platform/faq")] == ["When?"]
    made = ana.post("/desks/platform/messages", {"name": "Thanks", "text": "Thank you, {requester}."}, 201)
    assert error(ana("POST", "/desks/platform/messages", {"name": "x", "text": "{colour}"}))[:2] == (422, "text")
    changed = ana("PATCH", f"/desks/platform/messages/{made['id']}", {"text": "Thanks, {requester}!"}).json()
    assert (changed["name"], changed["text"]) == ("Thanks", "Thanks, {requester}!")
    ana("DELETE", f"/desks/platform/messages/{made['id']}")
    assert ana.get("/desks/platform/messages") == []


def test_what_the_requester_alone_does_is_seen_and_not_done_by_a_token(api: ApiWorld):
    """INT-10, MET-02: to escalate, to confirm and to rate belong to the requester's page."""
    request = ask(api.world)
    ana = api.as_("ana", "write")
    ana.post(f"/requests/{request.pk}/resolve", {})
    requester_side.rate(SupportRequest.objects.get(), 5, "quick", api.world.now)
    assert (ana.get(f"/requests/{request.pk}")["rating"], ana.get("/requests?query=rating = 5")["items"] != []) == (
        5,
        True,
    )
    for way in ("rate", "confirm", "escalate"):
        assert ana("POST", f"/requests/{request.pk}/{way}", {}).status_code == 404
    assert Message.objects.filter(request=request).exists()
    assert Team.objects.count() == 2

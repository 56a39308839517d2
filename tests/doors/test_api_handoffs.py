"""Handoffs and the on-call log by the API: the same acts, the same refusals, nothing of another team's."""

from __future__ import annotations

import pytest

from tests.actions.handoff_cast import NOTES, hands_on, line_of, monday, watch_ticket
from tests.doors.api_world import ApiWorld
from watchbill.db.models import LogEntry

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_watch_is_handed_on_by_the_api(world, api: ApiWorld) -> None:
    """HND-02 to HND-08."""
    hands_on(world)
    ticket = watch_ticket(world)
    given = monday(world)
    ana, ben, here = api.as_("ana"), api.as_("ben"), f"/handoffs/{given.pk}"
    assert ana("POST", f"{here}/hand-on").json()["error"]["field"] == "summary"
    whole = ana("PATCH", here, {"summary": "Look at the certificate.", "version": 0}).json()
    assert whole["version"] == 1
    assert ana("PATCH", here, {"summary": "Late.", "version": 0}).status_code == 422
    item = line_of(given, ticket).pk
    noted = ana("PATCH", f"{here}/items/{item}", {"is_first": True, "note": "Ordered."}).json()
    assert (noted["is_first"], noted["note"], noted["about"]) == (True, "Ordered.", "ticket")
    assert ana("PATCH", f"{here}/items/{item}", {"keeps": None}).status_code == 422
    own = ana.post(f"{here}/items", {"title": "The vendor calls"}, status=201)["id"]
    assert ana("DELETE", f"{here}/items/{own}").status_code == 200
    assert ana("DELETE", f"{here}/items/{item}").status_code == 422
    assert ana.post(f"{here}/redraft")["state"] == "draft"
    assert ana.post(f"{here}/hand-on")["comer"]["name"] == "Ben"
    asked = ben.post(f"{here}/questions", {"text": "Until when?", "item": item}, status=201)
    answered = ana.post(f"{here}/questions/{asked['id']}/answer", {"text": "Friday."})
    assert (answered["answer"], answered["item"]) == ("Friday.", item)
    assert ben("POST", f"{here}/questions/999/answer", {"text": "x"}).status_code == 404
    assert api.as_("eva").post(f"{here}/witnesses", {})["person"]["name"] == "Eva"
    assert ben("POST", f"{here}/accept", {}).json()["error"]["field"] == "confirms"
    assert ben("POST", f"{here}/accept", {"confirms": True, "witnesses": [10**9]}).status_code == 422
    done = ben.post(f"{here}/accept", {"confirms": True, "how": "chat"})
    assert (done["state"], done["how"], done["accepted_by"]["name"]) == ("accepted", "chat", "Ben")
    assert [one["person"]["name"] for one in done["witnesses"]] == ["Eva"]
    assert ana("POST", f"{here}/drop", {"why": "no"}).status_code == 422


def test_handoffs_are_listed_by_person_and_date_and_do_not_exist_for_others(world, api: ApiWorld) -> None:
    hands_on(world, **NOTES)
    given = monday(world)
    ana = api.as_("ana")
    listed = ana.get(f"/handoffs?person={world.ben.pk}&since=2026-03-09T00:00:00Z&until=2026-03-10T00:00:00Z&limit=1")
    assert [one["id"] for one in listed["items"]] == [given.pk]
    assert listed["next"] is None
    for nothing in ("state=accepted", f"person={world.eva.pk}", "since=2026-03-10T00:00:00Z"):
        assert ana.get(f"/handoffs?{nothing}")["items"] == []
    assert ana("GET", "/handoffs?team=payments").status_code == 404
    assert ana("GET", "/handoffs?rotation=nowhere").status_code == 404
    charlie, here = api.as_("charlie"), f"/handoffs/{given.pk}"
    assert charlie.get("/handoffs")["items"] == []
    for method, path, body in (
        ("GET", "", None), ("POST", "/hand-on", None), ("POST", "/accept", {}), ("POST", "/witnesses", {}),
        ("POST", "/questions", {"text": "?"}), ("POST", "/items", {"title": "x"}), ("POST", "/drop", {"why": "x"}),
    ):  # fmt: skip
        assert charlie(method, here + path, body).status_code == 404
    assert api.as_("ana", "read")("POST", f"{here}/hand-on").status_code == 403
    assert api.as_("olga")("POST", f"{here}/questions", {"text": "?"}).status_code == 403
    again = ana.post("/handoffs", {"rotation": world.rotation.slug, "seat": "engineer"}, status=201)
    assert again["id"] == given.pk


def test_an_entry_of_the_log_is_written_renamed_and_found(world, api: ApiWorld) -> None:
    """RUN-10, RUN-11."""
    ana = api.as_("ana", "answer")
    made = ana.post("/shift-log", {"team": "platform", "title": "Printer on fire"}, status=201)
    assert (made["ticket"], made["seat"], made["rotation"]["slug"]) == (None, "engineer", world.rotation.slug)
    here = f"/shift-log/{made['id']}"
    ticket = watch_ticket(world).pk
    changed = ana("PATCH", here, {"title": "Printer smells", "ticket": ticket}).json()
    assert (changed["title"], changed["ticket"]) == ("Printer smells", ticket)
    assert ana("PATCH", here, {"ticket": None}).json()["ticket"] is None
    assert ana("PATCH", here, {"title": None}).status_code == 422
    assert ana("PATCH", here, {"ticket": 10**9}).json()["error"] == {
        "message": "there is no T-1000000000",
        "field": "ticket",
    }
    assert [one["id"] for one in ana.get("/shift-log?search=smells")["items"]] == [made["id"]]
    assert ana.get("/shift-log?search=roses")["items"] == []
    assert api.as_("ben")("PATCH", here, {"title": "Mine"}).status_code == 403
    assert api.as_("charlie")("GET", here).status_code == 404
    assert ana.get(here)["title"] == LogEntry.objects.get().title

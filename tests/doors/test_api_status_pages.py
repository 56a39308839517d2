"""Status pages by program: made by owners, published on by members, nothing of other teams, no key for whoever may not have it."""

from __future__ import annotations

from tests.actions.status_cast import add_service, declare, make_page
from tests.doors.api_world import ApiWorld
from watchbill.db.models import PublicIncident, StatusComponent, StatusPage


def test_a_page_is_made_filled_and_published_on(api: ApiWorld):
    service = add_service(api.world, "idp-prod")
    eva, ana = api.as_("eva", "write"), api.as_("ana", "write")
    made = eva.post("/status-pages", {"team": "platform", "title": "Status"}, 201)
    page = StatusPage.objects.get()
    at = f"/status-pages/{made['id']}"
    assert (made["slug"], made["is_public"], page.key in made["url"]) == ("status", False, True)
    filled = eva.post(f"{at}/components", {"service": service.slug, "name": "Signing in"}, 201)
    assert [one["name"] for one in filled["components"]] == ["Signing in"]
    incident = declare(api.world)
    row = ana.post(f"{at}/incidents", {"incident": incident.pk, "title": "Nobody can sign in"}, 201)
    assert row["incident"] == incident.pk
    assert ana.post(f"{at}/incidents/{incident.pk}/end", {})["ended_at"]
    ana.post(f"{at}/incidents/{incident.pk}/withdraw", {"why": "it was ours"})
    assert PublicIncident.objects.get().withdrawn_at == api.world.now
    assert ana("POST", f"{at}/incidents/{incident.pk}/end", {}).status_code == 404
    assert eva.post(f"{at}/renew-link")["url"] != made["url"]
    assert eva("PATCH", at, {"is_public": True, "is_archived": True}).json()["is_archived"]


def test_others_get_no_key_and_other_teams_get_nothing(api: ApiWorld):
    """A private incident is published by nobody, whoever asks."""
    made = api.as_("eva", "write").post("/status-pages", {"team": "platform", "title": "Status"}, 201)
    ana, charlie = api.as_("ana", "write"), api.as_("charlie", "write")
    at = f"/status-pages/{made['id']}"
    assert (ana.get("/status-pages")["items"][0]["url"], ana.get(at)["url"]) == (None, None)
    assert ana("PATCH", at, {"title": "Mine"}).status_code == 403
    assert (charlie.get("/status-pages")["items"], charlie("GET", at).status_code) == ([], 404)
    add_service(api.world, "idp-prod")
    secret = declare(api.world, is_private=True)
    for caller in (ana, api.as_("ben", "write")):
        assert caller("POST", f"{at}/incidents", {"incident": secret.pk, "title": "A"}).status_code == 422


def test_what_stands_on_a_page_is_renamed_put_in_order_and_taken_off(api: ApiWorld):
    """By owners alone; what is wrong leaves the page as it was."""
    page = make_page(api.world)
    first, second = StatusComponent.objects.filter(page=page).order_by("position")
    eva, ana, at = api.as_("eva", "write"), api.as_("ana", "write"), f"/status-pages/{page.pk}/components"
    assert ana("PATCH", f"{at}/{first.pk}", {"name": "Mine"}).status_code == 403
    assert ana("DELETE", f"{at}/{first.pk}").status_code == 403
    assert eva("PATCH", f"{at}/{first.pk}", {"name": ""}).json()["error"]["field"] == "name"
    assert eva("PUT", at, {"order": [first.pk, first.pk]}).json()["error"]["field"] == "order"
    assert eva("PATCH", f"{at}/999000", {"name": "Nothing"}).status_code == 404
    renamed = eva("PATCH", f"{at}/{first.pk}", {"name": "Sign-in"}).json()["components"]
    assert [(one["name"], one["group"]) for one in renamed] == [("Sign-in", "People"), ("Mail", "")]
    ordered = eva("PUT", at, {"order": [second.pk]}).json()["components"]
    assert [one["id"] for one in ordered] == [second.pk, first.pk]
    assert [one["id"] for one in eva("DELETE", f"{at}/{second.pk}").json()["components"]] == [first.pk]
    assert eva("DELETE", f"{at}/{second.pk}").status_code == 404
    assert eva.get(f"/status-pages/{page.pk}")["subscribers"] == {"email": 0, "webhook": 0}
    assert ana.get(f"/status-pages/{page.pk}")["subscribers"] is None


def test_an_incident_gets_another_title_for_the_public(api: ApiWorld):
    page = make_page(api.world)
    incident, ana = declare(api.world), api.as_("ana", "write")
    at = f"/status-pages/{page.pk}/incidents"
    assert ana("PATCH", f"{at}/{incident.pk}", {"title": "Too early"}).status_code == 404
    ana.post(at, {"incident": incident.pk, "title": "Nobody can sign in"}, 201)
    assert ana("PATCH", f"{at}/{incident.pk}", {"title": "Signing in is slow"}).json()["title"] == "Signing in is slow"
    assert ana("PATCH", f"{at}/{incident.pk}", {"title": ""}).status_code == 422
    assert PublicIncident.objects.get().title == "Signing in is slow"

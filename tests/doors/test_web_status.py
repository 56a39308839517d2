"""Status pages in the browser: set up by owners, published from an incident, heard of by anybody without an account."""

from __future__ import annotations

import re

import pytest

from tests.actions.status_cast import add_service, declare, make_page
from tests.doors.web_world import Cast
from watchbill.actions import status_subscriptions
from watchbill.db.models import PublicIncident, StatusPage, StatusSubscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world):
    return Cast(world)


def test_an_owner_sets_up_a_page_from_an_empty_screen(world, as_):
    service = add_service(world, "idp-prod")
    at = f"/teams/{world.team.slug}/status/"
    assert "There is no status page yet" in as_.ana.text(at)
    assert as_.eva.post(at, {"title": ""}).status_code == 409
    assert as_.eva.post(at, {"title": "Status of the hub"})["Location"] == f"{at}status-of-the-hub/"
    at += "status-of-the-hub/"
    page = StatusPage.objects.get()
    assert page.key in as_.eva.text(at)
    assert as_.eva.post(f"{at}add/", {"service": service.pk, "name": "Signing in"}).status_code == 302
    assert as_.eva.post(f"{at}add/", {"service": service.pk}).status_code == 409
    component = page.components.get()
    changed = {f"{component.pk}-name": "Sign in", f"{component.pk}-group": "People"}
    for act in ("name", "up"):
        assert as_.eva.post(f"{at}component/{component.pk}/{act}/", changed).status_code == 302
    assert "Sign in" in as_.eva.text(at)
    as_.eva.post(f"{at}renew/")
    assert page.key not in as_.eva.text(at)
    as_.eva.post(f"{at}component/{component.pk}/off/")
    as_.eva.post(f"{at}archive/")
    assert "nobody can read it" in as_.eva.text(at)
    as_.eva.post(f"{at}restore/")
    moved = as_.eva.post(f"{at}change/", {"title": "Status", "slug": "stat", "is_public": "on"})
    assert moved["Location"].endswith("/status/stat/")
    assert as_.ana.get(moved["Location"]).status_code == 403
    assert as_.charlie.get(moved["Location"]).status_code in {403, 404}


def test_it_is_published_renamed_ended_and_withdrawn_from_the_incident(world, as_):
    """Nothing typed is lost; the incident's own title is never put in for the public."""
    page = make_page(world)
    incident = declare(world, "acme's idp is broken")
    at = f"/incidents/{incident.pk}"
    panel = as_.ana.get(f"{at}/?panel=statuspage", headers={"HX-Request": "true"}).content.decode()
    assert ('id="incident-statuspage"' in panel, 'value="acme' in panel) == (True, False)
    assert as_.ana.post(f"{at}/publish/", {"page": page.pk, "title": " "}).status_code == 409
    assert as_.ana.post(f"{at}/publish/", {"page": page.pk, "title": "Sign-in fails"}).status_code == 302
    row = PublicIncident.objects.get()
    assert "Sign-in fails" in as_.olga.text(f"{at}/")
    as_.ben.post(f"{at}/public-title/", {"public": row.pk, "title": "Nobody can sign in"})
    as_.ben.post(f"{at}/public-end/", {"public": row.pk})
    row.refresh_from_db()
    assert (row.title, row.ended_at) == ("Nobody can sign in", world.now)
    assert as_.ben.post(f"{at}/withdraw/", {"public": row.pk, "why": "it was ours"}).status_code == 302
    assert "The public does not know of it" in as_.ben.text(f"{at}/")
    drill = declare(world, is_exercise=True)
    assert "the public hears nothing of it" in as_.ben.text(f"/incidents/{drill.pk}/")


def test_anybody_asks_says_yes_chooses_and_leaves_without_an_account_or_a_cookie(world, as_):
    """Double opt-in; no link acts when it is only opened; one POST without a token of ours ends it (RFC 8058)."""
    page = make_page(world)
    said = as_.nobody.post("/subscribe/hub/", {"kind": "email", "address": "ria@example.net"})
    assert "Look into your mailbox" in said.content.decode()
    assert not said.cookies
    world.work()
    link = re.search(r"/subscription/\S+/", world.mailbox.messages[-1].get_content())[0]
    assert "Do you want to hear" in as_.nobody.text(link)
    row = StatusSubscription.objects.get()
    assert row.confirmed_at is None
    as_.nobody.post(link)
    chosen = page.components.get(name="Mail").pk
    assert "Done." in as_.nobody.post(link, {"components": [chosen]}).content.decode()
    row.refresh_from_db()
    assert (row.confirmed_at, row.components) == (world.now, [chosen])
    assert "End it" in as_.nobody.text(f"{link}end/")
    as_.nobody.client.handler.enforce_csrf_checks = True
    assert as_.nobody.post(f"{link}end/", {"List-Unsubscribe": "One-Click"}).status_code == 200
    row.refresh_from_db()
    assert row.ended_at == world.now
    assert "no more" in as_.nobody.text(link)
    assert as_.nobody.get("/subscription/made-up/").status_code == 404


def test_what_machines_fill_in_and_what_is_no_address_is_refused(world, as_):
    make_page(world)
    for given in ({"address": "ria@example.net", "website": "x"}, {"address": "ria"}, {"address": ""}):
        assert as_.nobody.post("/subscribe/hub/", {"kind": "email", **given}).status_code == 409
    assert not StatusSubscription.objects.exists()
    hook = as_.nobody.post("/subscribe/hub/", {"kind": "webhook", "address": "https://hook.example.net/x"})
    assert StatusSubscription.objects.get().secret["key"] in hook.content.decode()


def test_a_page_with_a_link_is_subscribed_by_its_link_alone(world, as_):
    page = make_page(world, is_public=False)
    assert as_.nobody.get("/subscribe/hub/").status_code == 404
    assert as_.nobody.get("/subscribe/hub/wrong/").status_code == 404
    assert "Hear of Status of the hub" in as_.nobody.text(f"/subscribe/hub/{page.key}/")
    assert status_subscriptions.count_of(page, world.eva) == {"email": 0, "webhook": 0}

"""Updates and planned work in the browser: written side by side, looked at before they leave, in the reader's words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt_preset
from tests.doors.web_world import Cast
from watchbill.actions import declaring, incidents
from watchbill.actions.declaring import Declared
from watchbill.db.models import Incident, IncidentUpdate, Notice

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"why": "The certificate ran out", "doing": "We renew it", "next": "We watch it"}


@pytest.fixture
def as_(world):
    return Cast(world)


def declare(world, **said: object) -> Incident:
    return declaring.declare(
        world.team, Declared("Nobody can sign in", "An error", impact_kind="outage", **said), world.ana, world.now
    )


def for_audiences(*audiences: str) -> dict[str, str]:
    return {f"{audience}-{part}": text for audience in audiences for part, text in PARTS.items()}


def test_each_audience_has_its_parts_beside_the_others_and_who_is_left_empty_is_not_told(world, as_):
    """COM-01, COM-07."""
    incident = declare(world)
    page = as_.ana.get(f"/incidents/{incident.pk}/").content.decode()
    assert page.count("What we are going to do") == 4
    answer = as_.ana.post(f"/incidents/{incident.pk}/update/", for_audiences("communities", "leadership"), follow=True)
    assert "2 updates are on their way." in answer.content.decode()
    told = IncidentUpdate.objects.filter(incident=incident, author=world.ana).exclude(audience="responders")
    assert sorted(told.values_list("audience", flat=True)) == ["communities", "leadership"]


def test_what_is_missing_is_said_at_its_part_and_nothing_typed_is_lost(world, as_):
    incident = declare(world)
    given = {**for_audiences("communities"), "communities-next": ""}
    answer = as_.ana.post(f"/incidents/{incident.pk}/update/", given)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "say it, if only that nobody knows yet" in page
    assert "The certificate ran out" in page
    empty = as_.ana.post(f"/incidents/{incident.pk}/update/", {})
    assert "Write what at least one audience is told" in empty.content.decode()


def test_it_is_looked_at_before_it_leaves_by_those_who_may_write(world, as_):
    incident = declare(world)
    address = f"/incidents/{incident.pk}/updates/preview/"
    page = as_.ana.post(address, {"communities-why": "Ben restarts it"}).content.decode()
    assert "It names Ben: say the role" in page
    assert as_.charlie.post(address, {}).status_code == 404
    assert as_.olga.post(address, {}).status_code == 404


def test_an_update_is_put_right_by_another(world, as_):
    incident = declare(world)
    as_.ana.post(f"/incidents/{incident.pk}/update/", for_audiences("communities"))
    wrong = IncidentUpdate.objects.get(audience="communities")
    page = as_.ana.get(f"/incidents/{incident.pk}/?update={wrong.pk}").content.decode()
    assert "Put an update right" in page
    given = {**for_audiences("communities"), "update": wrong.pk, "communities-why": "The disk is full"}
    as_.ana.post(f"/incidents/{incident.pk}/put_right/", given)
    assert IncidentUpdate.objects.get(corrects=wrong).parts[0][1] == "The disk is full"


def test_the_panel_says_who_hears_next_when_in_the_teams_words(world, as_):
    """C10: the same page, another team's audiences."""
    adopt_preset(world, "laa-ops")
    incident = declare(world)
    page = as_.ben.get(f"/incidents/{incident.pk}/").content.decode()
    assert "Those who speak with senior leadership" in page
    world.now += timedelta(minutes=31)
    page = as_.ben.get(f"/incidents/{incident.pk}/").content.decode()
    assert "<strong>late</strong>" in page


def a_notice(world, **values: object) -> dict[str, object]:
    starts = world.now + timedelta(days=3)
    return {
        "title": "Move the database", "text": "You are signed out once.", "team": world.team.slug,
        "starts_at": f"{starts:%Y-%m-%dT%H:%M}", "ends_at": f"{starts + timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "services": [world.service.pk], "audiences": ["team", "public"], **values,
    }  # fmt: skip


def test_planned_work_is_written_announced_begun_and_done(world, as_):
    assert "Nothing is planned" in as_.ana.get("/notices/").content.decode()
    answer = as_.ana.post("/notices/new/", a_notice(world), follow=True)
    notice = Notice.objects.get()
    assert "Announce it" in answer.content.decode()
    for act, said in (("announce", "They are told."), ("begin", "It has begun."), ("done", "It is done.")):
        page = as_.ana.post(f"/notices/{notice.pk}/{act}/", {}, follow=True).content.decode()
        assert said in page
    assert "Planned work is done: Move the database" in page
    assert "Move the database" in as_.olga.get("/notices/").content.decode()


def test_what_cannot_be_planned_is_said_at_its_field(world, as_):
    answer = as_.ana.post("/notices/new/", a_notice(world, ends_at="2026-01-01T10:00"))
    assert answer.status_code == 409
    assert "It ends after it starts" in answer.content.decode()
    as_.ana.post("/notices/new/", a_notice(world))
    notice = Notice.objects.get()
    answer = as_.ana.post(f"/notices/{notice.pk}/cancel/", {"why": ""})
    assert answer.status_code == 409


def test_planned_work_of_others_is_not_there(world, as_):
    as_.ana.post("/notices/new/", a_notice(world))
    notice = Notice.objects.get()
    assert as_.charlie.get(f"/notices/{notice.pk}/").status_code == 404
    assert "Move the database" not in as_.charlie.get("/notices/").content.decode()
    assert as_.olga.post(f"/notices/{notice.pk}/announce/", {}).status_code in {403, 409}


def test_the_page_tells_who_of_those_who_respond_has_looked(world, as_):
    """COM-08: looking at the page is enough, and the API and whoever only reads change nothing."""
    incident = declare(world)
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    at = f"/incidents/{incident.pk}/"
    as_.ana.text(at)
    world.now += timedelta(minutes=2)
    as_.eva.post(f"{at}update/", for_audiences("communities"))
    page = as_.olga.text(at)
    assert "Ben <strong>did not look yet</strong>" in page
    as_.ben.text(f"{at}?panel=timeline")
    assert "Ben <strong>did not look yet</strong>" in as_.ana.text(at)
    as_.ben.text(f"{at}?panel=updates")
    page = as_.ana.text(at)
    assert "Ben knows it" in page
    assert "did not look yet" not in page

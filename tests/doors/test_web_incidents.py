"""Incidents in the browser: one incident with its panels, declaring, the list; what is private is nowhere."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.actions.desk_cast import adopt, adopt_preset
from tests.doors.web_world import Cast
from watchbill.actions import declaring, incident_roles, incident_story, incidents, support
from watchbill.actions.asked import Asked
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.actions.requesters import Asker
from watchbill.db.models import Event, Incident, IncidentFile, Membership, Team
from watchbill.db.screens import incidents as screen
from watchbill.entry.web.incident_panels import acts_of, all_panels

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world):
    return Cast(world)


def declare(world, title="Nobody can sign in", **said) -> Incident:
    values = {"impact": "Users see an error after the password", "impact_kind": "outage", **said}
    return declaring.declare(world.team, Declared(title, **values), world.ana, world.now)


def test_every_panel_keeps_its_contract():
    for name, module in all_panels().items():
        assert isinstance(module.PLACE, int), name
        assert module.TEMPLATE.startswith("incidents/"), name
        assert getattr(module, "WHERE", "main") in {"top", "main", "side"}, name
        assert all(act.islower() for act in acts_of(module)), name


def test_one_page_shows_how_it_stands_and_whoever_may_not_act_gets_no_buttons(world, as_):
    incident = declare(world, services=[world.service])
    text = as_.ben.text(f"/incidents/{incident.pk}/")
    assert "Nobody can sign in" in text
    assert "I have it" in text
    reading = as_.olga.text(f"/incidents/{incident.pk}/")
    assert "Nobody can sign in" in reading
    assert "I have it" not in reading
    assert as_.charlie.get(f"/incidents/{incident.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("preset", "impact", "severity", "how_bad"),
    [
        ("oncall-remodel", "interruption", "Service interruption", "Service interruption"),
        ("oncall-remodel", "customer", "Customer-facing", "Customer-facing issue"),
        ("hub-support", "blocked", "Incident", "Incident, P1"),
    ],
)
def test_how_bad_it_is_stands_once_in_the_head_and_beside_it_in_the_words_of_the_table(
    world, as_, preset, impact, severity, how_bad
):
    adopt_preset(world, preset)
    text = as_.ana.text(f"/incidents/{declare(world, impact_kind=impact).pk}/")
    assert f"· {how_bad} · began" in text
    assert f"<dt>Severity</dt><dd>{severity}<" in text.replace("\n", "")


def test_from_acknowledged_to_closed_and_open_again(world, as_):
    """INC-08: each step may be dated back; closing lists what is missing, and may be done despite it with a reason."""
    adopt(world, incident_closing={"demands": ["steps"]})
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    as_.ben.post(f"{at}/acknowledge/")
    world.forward(minutes=40)
    ago = (world.now - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M")
    as_.ben.post(f"{at}/mitigate/", {"at": ago, "text": "failed over"})
    as_.ben.post(f"{at}/resolve/")
    incident.refresh_from_db()
    assert incident.state == "resolved"
    assert incident.resolved_at - incident.mitigated_at == timedelta(minutes=10)
    refused = as_.ben.post(f"{at}/close/")
    assert refused.status_code == 409
    assert "it cannot be closed yet" in refused.content.decode()
    as_.ben.post(f"{at}/close/", {"despite": "told by telephone"})
    incident.refresh_from_db()
    assert incident.state == "closed"
    as_.ana.post(f"{at}/reopen/", {"why": "it is back"})
    incident.refresh_from_db()
    assert incident.state == "active"


def test_a_milestone_is_moved_with_a_reason_and_a_refusal_loses_nothing(world, as_):
    incident = declare(world)
    url = f"/incidents/{incident.pk}/milestone/"
    ahead = (world.now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    refused = as_.ana.post(url, {"milestone": "started", "at": ahead, "why": "the graph says so"})
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "lies ahead" in text
    assert 'id="milestone-at_error"' in text
    assert "the graph says so" in text
    assert as_.ana.post(url, {"milestone": "started", "at": "2026-03-03T07:00", "why": ""}).status_code == 409
    as_.ana.post(url, {"milestone": "started", "at": "2026-03-03T07:00", "why": "the graph says so"})
    incident.refresh_from_db()
    assert incident.started_at == world.now - timedelta(hours=2)
    assert Event.objects.filter(kind="incident.milestone").count() == 1


def test_a_panel_asks_for_itself_alone(world, as_):
    """Nothing is made of the page around it, and what the page has to say once is kept for the page."""
    incident = declare(world)
    at = f"/incidents/{incident.pk}/"
    as_.ana.post(f"{at}acknowledge/")
    asked = {"HX-Request": "true"}
    with CaptureQueriesContext(connection) as few:
        part = as_.ana.get(f"{at}?panel=state", headers=asked).content.decode()
    assert part.count('id="incident-') == part.count('id="incident-state"') == 1
    assert ("<nav" in part, 'role="status"' in part) == (False, False)
    with CaptureQueriesContext(connection) as many:
        whole = as_.ana.text(at)
    assert len(few) < 8 < len(many)
    assert f"{at}?panel=state" in whole
    assert 'role="status"' in whole, "it was said that Ana has it"
    head = as_.ana.get(f"{at}?panel=head", headers=asked).content.decode()
    assert "<nav" not in head
    for name in ("open-count", "incident-count", "request-count", "incident-head"):
        assert head.count(f'id="{name}"') == 1, name
    assert f"I-{incident.pk} {incident.title} · Watchbill</title>" in head


def test_whoever_opens_the_address_of_a_panel_reads_the_page(world, as_):
    at = f"/incidents/{declare(world).pk}/"
    for query, headers in (("?panel=state", {}), ("?panel=nonsense", {}), ("?panel=nonsense", {"HX-Request": "true"})):
        page = as_.ana.get(f"{at}{query}", headers=headers).content.decode()
        assert ("<nav" in page, 'id="incident-timeline"' in page) == (True, True), query
    assert as_.ana.post(f"{at}nonsense/").status_code == 404


def test_the_timeline_takes_entries_with_their_time_a_link_and_pasted_pictures(world, as_):
    """INC-08, INC-12: event time is not entry time; what was pasted is shown, and never as a page of ours."""
    incident = declare(world)
    url = f"/incidents/{incident.pk}"
    world.forward(minutes=30)
    picture = SimpleUploadedFile("image.png", b"\x89PNG\r\n", "image/png")
    page = SimpleUploadedFile("evil.html", b"<script>1</script>", "text/html")
    said = {"text": "df -h says 100 %", "kind": "command", "at": "2026-03-03T09:05", "link": "https://graphs.test/1"}
    as_.ben.post(f"{url}/entry/", {**said, "attached": [picture, page]})
    line = Event.objects.get(kind="incident.entry")
    assert (line.at.minute, line.written_at, line.data["kind"]) == (5, world.now, "command")
    shown, saved = IncidentFile.objects.order_by("id")
    text = as_.ana.text(f"{url}/")
    assert f'src="/incidents/{incident.pk}/files/{shown.pk}/"' in text
    assert "df -h says 100 %" in text
    assert "https://graphs.test/1" in text
    inline = as_.ana.get(f"{url}/files/{shown.pk}/")
    assert (inline["Content-Type"], inline["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert inline["Content-Disposition"].startswith("inline")
    download = as_.ana.get(f"{url}/files/{saved.pk}/")
    assert (download["Content-Type"], download["Content-Disposition"][:10]) == (
        "application/octet-stream",
        "attachment",
    )
    assert "sandbox" in download["Content-Security-Policy"]
    assert as_.charlie.get(f"{url}/files/{shown.pk}/").status_code == 404


def test_an_entry_that_is_refused_loses_nothing_that_was_typed(world, as_):
    incident = declare(world)
    ahead = {"text": "It will break", "kind": "decision", "at": "2026-03-04T09:00", "link": "https://graphs.test/2"}
    refused = as_.ana.post(f"/incidents/{incident.pk}/entry/", ahead)
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "this lies ahead" in text
    assert all(word in text for word in ("It will break", "2026-03-04T09:00", "https://graphs.test/2"))
    assert '<option value="decision" selected>' in text
    assert '<details id="entry-more" open>' in text


def test_a_line_is_put_right_by_a_new_one_and_the_old_one_stays_behind_it_and_pins_follow(world, as_):
    incident = declare(world)
    url = f"/incidents/{incident.pk}"
    line = incident_story.write(incident.pk, Entry("The database is full"), world.ben, world.now)
    as_.ana.post(f"{url}/pin/", {"line": line.pk})
    assert 'name="text" ' in as_.ana.text(f"{url}/?correct={line.pk}")
    as_.ana.post(f"{url}/correct/", {"line": line.pk, "text": "The disk is full", "why": "it was the disk"})
    text = as_.ana.text(f"{url}/")
    assert "<del>The database is full</del>" in text
    assert text.count("The disk is full</p>") == 2
    assert text.count("Put right by Ana: it was the disk") == 2
    as_.ana.post(f"{url}/unpin/", {"line": line.pk})
    assert as_.ana.text(f"{url}/").count("The disk is full</p>") == 1


def test_the_timeline_is_narrowed_to_a_kind_and_shows_the_zones_beside_each_other(world, as_):
    incident = declare(world)
    incident_story.write(incident.pk, Entry("We fail over", kind="decision"), world.ben, world.now)
    incident_story.write(incident.pk, Entry("Load is high", kind="observation"), world.ben, world.now)
    world.ana.zone = "Europe/Athens"
    world.ana.save()
    text = as_.ana.text(f"/incidents/{incident.pk}/?kind=decision&zones=all")
    assert "We fail over" in text
    assert "Load is high" not in text
    assert "11:00 <small>Athens</small>" in text
    assert "09:00 <small>UTC</small>" in text


def test_who_responds_is_shown_and_changes_by_one_button(world, as_):
    """INC-11, INC-16."""
    incident = declare(world)
    url = f"/incidents/{incident.pk}"
    as_.ana.post(f"{url}/call/", {"person": world.ben.pk})
    assert f'id="responds-{world.ben.pk}"' in as_.ana.text(f"{url}/")
    as_.ben.post(f"{url}/leave/")
    text = as_.ana.text(f"{url}/")
    assert f'id="responds-{world.ben.pk}"' not in text
    assert "Ben until <time" in text
    as_.ben.post(f"{url}/join/")
    assert incident.members.filter(left_at=None).count() == 2


def test_a_step_is_ticked_and_taken_back_and_a_service_is_named(world, as_):
    """INC-04, INC-14: the protocol is a state."""
    incident = declare(world)
    url = f"/incidents/{incident.pk}"
    as_.ben.post(f"{url}/step/", {"key": "posted"})
    assert incident.steps.get(key="posted").done_by == world.ben
    as_.ben.post(f"{url}/step/", {"key": "posted", "undone": "on"})
    assert incident.steps.get(key="posted").done_at is None
    as_.ben.post(f"{url}/touch/", {"service": world.service.pk, "condition": "major_outage"})
    assert incident.touched.get().condition == "major_outage"
    as_.ben.post(f"{url}/severity/", {"impact_kind": "minor"})
    incident.refresh_from_db()
    assert incident.severity == "sev3"
    as_.ben.post(
        f"{url}/change/", {"title": "Slow", "impact": "It is slow", "owner": world.ben.pk, "call_url": "https://c"}
    )
    incident.refresh_from_db()
    assert (incident.title, incident.owner, incident.call_url) == ("Slow", world.ben, "https://c")


def test_only_owners_open_what_is_private(world, as_):
    incident = declare(world)
    url = f"/incidents/{incident.pk}"
    as_.ana.post(f"{url}/hide/", {"why": "personal data"})
    assert as_.ben.get(f"{url}/").status_code == 404
    assert "Open it to the team" not in as_.ana.text(f"{url}/")
    as_.eva.post(f"{url}/show/", {"why": "settled"})
    assert as_.ben.get(f"{url}/").status_code == 200


def test_it_is_declared_in_one_step_and_what_is_missing_loses_nothing(world, as_):
    """INC-01, INC-03, INC-05: a title and what people feel."""
    refused = as_.ana.post("/incidents/new/", {"title": "Nobody can pay", "impact": "", "impact_kind": "outage"})
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "Nobody can pay" in text
    assert re.search(r'value="outage"[^>]* checked', text)
    as_.ana.post(
        "/incidents/new/", {"title": "Nobody can pay", "impact": "The card is refused", "impact_kind": "outage"}
    )
    incident = Incident.objects.get()
    assert (incident.severity, incident.team, incident.owner) == ("sev1", world.team, world.ana)
    assert as_.olga.get("/incidents/new/").status_code == 403


def test_what_is_folded_may_be_said_at_once(world, as_):
    """INC-08, INC-21: dated back, with services, as an exercise, private."""
    more = {
        "title": "We practise", "impact": "nobody", "services": [world.service.pk], "condition": "major_outage",
        "started_at": "2026-03-03T08:00", "detected_at": "2026-03-03T08:30", "detection_source": "vendor",
        "is_exercise": "on", "is_private": "on",
    }  # fmt: skip
    as_.ana.post("/incidents/new/", more)
    incident = Incident.objects.get()
    assert (incident.is_exercise, incident.is_private, incident.detection_source) == (True, True, "vendor")
    assert (incident.started_at.hour, incident.detected_at.minute) == (8, 30)
    assert incident.touched.get().condition == "major_outage"
    refused = as_.ana.post("/incidents/new/", {**more, "started_at": "2026-03-09T08:00"})
    assert "lies ahead" in refused.content.decode()
    assert Incident.objects.count() == 1


def test_an_alert_and_a_request_are_declared_from_their_pages_and_show_where_they_belong(world, as_):
    """INC-02: the proposal is a link; alert and request are linked to what they became."""
    world.event()
    world.work()
    group = world.group()
    assert f"/incidents/new/?alert={group.pk}" in as_.ana.text(f"/alerts/{group.pk}/")
    form = as_.ana.text(f"/incidents/new/?alert={group.pk}")
    assert f'value="{group.title}"' in form
    said = {"title": group.title, "impact": "Nobody can pay", "alert": group.pk}
    as_.ana.post(f"/incidents/new/?alert={group.pk}", said)
    first = Incident.objects.get()
    assert [(link.kind, link.subject_id) for link in first.links.all()] == [("alert", group.pk)]
    assert f"/incidents/{first.pk}/" in as_.ben.text(f"/alerts/{group.pk}/")
    assert f"I-{first.pk}" in as_.ben.text(f"/incidents/new/?alert={group.pk}")
    asked = support.open_request(
        world.team, Asker("Ria", "ria@example.net"), Asked("I cannot pay", "Since nine"), world.now
    )
    assert f"/incidents/new/?request={asked.pk}" in as_.ana.text(f"/requests/{asked.pk}/")
    as_.ana.post("/incidents/new/", {"title": "I cannot pay", "impact": "Ria cannot pay", "request": asked.pk})
    assert "I cannot pay" in as_.ben.text(f"/requests/{asked.pk}/")
    assert Incident.objects.latest("id").links.get().kind == "request"


def test_what_others_own_is_not_linked_from_their_number(world, as_):
    """Somebody who may not see an alert gets nothing of it into a form, and no link."""
    world.event()
    world.work()
    group = world.group()
    other = Team.objects.create(slug="other", name="Other", fallback=world.charlie, created_at=world.now)
    Membership.objects.create(team=other, person=world.charlie, role="member", created_at=world.now)
    assert group.title not in as_.charlie.text(f"/incidents/new/?alert={group.pk}")
    as_.charlie.post("/incidents/new/", {"title": "Mine", "impact": "none", "alert": group.pk})
    assert not Incident.objects.get().links.exists()


def test_the_list_shows_what_is_not_over_first_and_is_narrowed_searched_and_exported(world, as_):
    old = declare(world, "Slow printing", impact_kind="minor")
    incidents.resolve(old.pk, world.ana, world.now)
    declare(world, "We practise", is_exercise=True)
    declare(world, "Nobody can pay", services=[world.service])
    text = as_.ben.text("/incidents/")
    assert text.index("1 incident is under way.") < text.index("Nobody can pay") < text.index("We practise")
    assert text.index("We practise") < text.index("Slow printing")
    assert "Exercise: We practise" in text
    seen = {
        "state=resolved": {"Slow printing"},
        "severity=sev3": {"Slow printing"},
        "exercise=only": {"We practise"},
        "exercise=no&state=active": {"Nobody can pay"},
        f"service={world.service.slug}": {"Nobody can pay"},
        "q=slow+print": {"Slow printing"},
        f"q=I-{old.pk}": {"Slow printing"},
        "team=nonsense&state=nonsense": {"Slow printing", "We practise", "Nobody can pay"},
    }
    for query, expected in seen.items():
        shown = as_.ben.text(f"/incidents/?{query}")
        assert {title for title in ("Slow printing", "We practise", "Nobody can pay") if title in shown} == expected
    rows = list(csv.DictReader(io.StringIO(b"".join(as_.ben.get("/incidents/?format=csv")).decode())))
    assert [row["title"] for row in rows] == ["Nobody can pay", "We practise", "Slow printing"]
    assert rows[2]["resolved"] == "2026-03-03T09:00:00Z"


def test_the_past_is_paged_by_key(world, as_, monkeypatch):
    monkeypatch.setattr(screen, "ROWS", 2)
    for number in range(3):
        incidents.resolve(declare(world, f"Past {number}").pk, world.ana, world.now)
    first = as_.ben.text("/incidents/")
    assert "Past 2" in first
    assert "Past 0" not in first
    older = re.search(r'href="\?(before=\d+)"', first)
    assert "Past 0" in as_.ben.text(f"/incidents/?{older[1]}")


def test_now_and_the_palette_know_it(world, as_):
    incident = declare(world)
    text = as_.ben.text("/")
    assert f'href="/incidents/{incident.pk}/"' in text
    assert '<small id="incident-count">1</small>' in text
    assert "Nobody can sign in" in as_.ben.text("/find/?q=sign+in")
    assert "Nobody can sign in" in as_.ben.text(f"/find/?q=I-{incident.pk}")
    assert "Nobody can sign in" not in as_.charlie.text("/find/?q=sign+in")


def test_who_responds_has_the_title_that_the_team_gives_the_role(world, as_):
    """INC-11, in the team's words (C22)."""
    adopt_preset(world, "oncall-remodel")
    incident = declare(world, impact_kind="interruption")
    incident_roles.take(incident.pk, "commander", world.ana, world.now)
    assert "<b>Ana</b>, Lead <small>" in as_.ana.text(f"/incidents/{incident.pk}/")

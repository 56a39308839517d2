"""Services in the browser: the catalogue, who would be paged now, monitors, payloads, the mapping."""

from __future__ import annotations

import json

import pytest

from tests.doors.web_world import Cast
from watchbill.actions import catalogue
from watchbill.db.models import Inbox, MonitorConnection, Service

FACTS = {
    "name": "Case work",
    "environment": "UAT",
    "tier": "1",
    "host": "RedCentric",
    "vendor": "6dg",
    "vendor_contact": "+44 20 0000 0000",
    "description": "Cases of the agency",
}

pytestmark = pytest.mark.usefixtures("contexts")


@pytest.fixture
def as_(world):
    return Cast(world)


@pytest.fixture
def generic(world) -> MonitorConnection:
    return catalogue.connect_monitor(world.service, "generic", "Probe", world.eva, world.now)


def probe(world, connection, payload) -> None:
    world.connection = connection
    world.arrives(payload)
    world.work()


def test_a_service_says_where_it_runs_by_whom_and_whom_to_tell(world, as_):
    """INT-11, RUN-02, ROL-17."""
    values = {
        **FACTS,
        "ladder": str(world.ladder.pk),
        "leadership_contact": str(world.ben.pk),
        "link-kind": ["dashboard", "policies", "other"],
        "link-title": ["Service page", "Alarm policies", ""],
        "link-url": ["https://newrelic.example.org/1", "https://alarms.example.org/2", ""],
    }
    response = as_.eva.post("/services/new/", values)
    assert response.status_code == 302
    text = as_.olga.text("/services/case-work/")
    for words in (
        "UAT",
        "RedCentric",
        "6dg",
        "+44 20 0000 0000",
        "Ben",
        "https://alarms.example.org/2",
        "Alarm policies",
    ):
        assert words in text, words
    assert len(Service.objects.get(slug="case-work").links) == 2


def test_who_would_be_paged_now_is_explained_rung_by_rung(world, as_):
    text = as_.olga.text("/services/checkout/")
    assert "Ana is engineer on watch" in text
    assert "Ben is next on watch as engineer" in text
    assert "all hands" in text


def test_the_list_is_narrowed_by_words_and_tier(world, as_):
    catalogue.add_service(world.team, {"name": "Mail", "vendor": "Post", "tier": 3}, world.eva, world.now)
    assert "Mail" in as_.ana.text("/services/")
    assert "Mail" in as_.ana.text("/services/?q=post")
    assert "/services/mail/" not in as_.ana.text("/services/?q=zebra")
    assert "/services/mail/" not in as_.ana.text("/services/?tier=1")


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(world, as_):
    values = {**FACTS, "link-kind": ["other"], "link-title": ["Bad"], "link-url": ["javascript:alert(1)"]}
    text = as_.eva.post("/services/new/", values).content.decode()
    assert "the address starts with https:// or http://" in text
    assert 'value="Case work"' in text
    assert 'value="javascript:alert(1)"' in text
    assert not Service.objects.filter(slug="case-work").exists()


def test_a_service_is_changed_and_archived_and_brought_back(world, as_):
    as_.eva.post("/services/checkout/edit/", {**FACTS, "name": "Checkout 2"})
    assert Service.objects.get(slug="checkout").name == "Checkout 2"
    as_.eva.post("/services/checkout/archive/")
    assert "/services/checkout/" not in as_.ana.text("/services/")
    assert "/services/checkout/" in as_.ana.text("/services/?archived=1")
    as_.eva.post("/services/checkout/archive/", {"archived": "0"})
    assert "/services/checkout/" in as_.ana.text("/services/")


def test_a_monitor_is_connected_and_its_set_up_holds_my_address_and_key(world, as_):
    response = as_.eva.post("/services/checkout/connect/", {"monitor": "alertmanager", "name": "Prod"})
    made = MonitorConnection.objects.latest("id")
    text = as_.eva.text(response.url)
    assert f"url: http://watchbill.test/in/alertmanager/{made.key}" in text
    assert f'data-copy="{made.key}"' in text


def test_the_key_is_shown_to_owners_alone(world, as_):
    address = f"/services/checkout/monitors/{world.connection.pk}/"
    assert world.key in as_.eva.text(address)
    for person in (as_.ana, as_.olga):
        assert world.key not in person.text(address)
    assert as_.eva.get(address)["Cache-Control"].startswith("max-age=0")


def test_a_monitor_that_is_disconnected_is_gone(world, as_):
    address = f"/services/checkout/monitors/{world.connection.pk}/"
    as_.eva.post(f"{address}disconnect/")
    assert as_.eva.get(address).status_code == 404
    assert "No monitor is connected" in as_.eva.text("/services/checkout/")


def test_a_test_alert_goes_the_way_of_every_other(world, as_):
    as_.ana.post(f"/services/checkout/monitors/{world.connection.pk}/test/", {"severity": "critical"})
    world.work()
    assert world.group().title == "Test alert: Ana checks whom checkout reaches"
    assert world.mailbox.readers() == ["ana@example.org"]


def test_a_test_alert_of_the_generic_monitor_is_not_read_through_its_mapping(world, as_, generic):
    catalogue.change_connection(generic, {"title": "{{ nothing.here }}"}, world.eva, world.now)
    as_.ana.post(f"/services/checkout/monitors/{generic.pk}/test/", {"severity": "info"})
    world.work()
    assert world.group().severity == "info"


def test_what_was_not_understood_is_shown_with_its_reason_and_read_again(world, as_, generic):
    payload = {"check": {"name": "Backup", "ok": False}, "x": "<script>alert(1)</script>"}
    probe(world, generic, payload)
    text = as_.eva.text("/services/checkout/")
    assert "1 payload not understood" in text
    assert "neither a title nor a key" in text
    row = Inbox.objects.get()
    raw = as_.eva.text(f"/services/checkout/payloads/{row.pk}/")
    assert "&quot;Backup&quot;" in raw
    assert "<script>alert" not in raw
    as_.eva.post(f"/services/checkout/monitors/{generic.pk}/mapping/", {"m-title": "{{ check.name }}", "do": "save"})
    as_.ana.post("/services/checkout/replay/")
    world.work()
    assert world.group().title == "Backup"
    assert "not understood" not in as_.eva.text("/services/checkout/")


def test_raw_payloads_are_for_owners(world, as_, generic):
    probe(world, generic, {"secret": 1})
    address = f"/services/checkout/payloads/{Inbox.objects.get().pk}/"
    assert as_.ana.get(address).status_code == 403
    assert as_.charlie.get(address).status_code == 404
    assert address not in as_.ana.text("/services/checkout/")


def test_a_payload_that_is_no_text_at_all_is_shown(world, as_):
    row = Inbox.objects.create(
        received_at=world.now, service_id=world.service.pk, connection_id=1, monitor="generic", body=b"\xff\x00{", state=2
    )  # fmt: skip
    assert as_.eva.get(f"/services/checkout/payloads/{row.pk}/").status_code == 200


def test_the_mapping_stands_beside_the_last_payload_with_what_becomes_of_it(world, as_, generic):
    probe(world, generic, {"check": {"name": "Backup failed"}})
    text = as_.eva.text(f"/services/checkout/monitors/{generic.pk}/mapping/")
    assert "Backup failed" in text
    assert "One sentence that a person understands at night" in text
    assert "neither a title nor a key" in text


def test_the_result_is_shown_as_it_is_typed_and_nothing_is_stored(world, as_, generic):
    payload = json.dumps({"check": {"name": "Backup failed", "host": "db1"}, "level": "P1"})
    form = {
        "payload": payload,
        "m-title": "{{ check.name }}",
        "m-fingerprint": "{{ check.host }}",
        "m-severity": "{{ level }}",
        "m-severity_map": "P1: critical",
        "m-labels": "host: {{ check.host }}",
    }
    text = as_.eva.post(f"/services/checkout/monitors/{generic.pk}/preview/", form).content.decode()
    for words in ("Backup failed", "<code>db1</code>", "critical", "host=db1"):
        assert words in text, words
    generic.refresh_from_db()
    assert generic.settings == {}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"m-title": "{{ check.nam"}, "Title"),
        ({"m-labels": "no colon here"}, "Labels"),
        ({"m-title": "{{ nothing }}"}, "Title"),
        ({"payload": "{not json"}, "no JSON"),
        ({"payload": "[" * 5000}, "no JSON"),
    ],
)
def test_a_mistake_in_the_mapping_is_told_with_the_field_it_is_of(world, as_, generic, form, words):
    form = {"payload": '{"title": "x"}', **form}
    response = as_.eva.post(f"/services/checkout/monitors/{generic.pk}/preview/", form)
    assert response.status_code == 200
    assert words in response.content.decode()


def test_a_mapping_with_a_mistake_is_not_stored_and_not_lost(world, as_, generic):
    form = {"m-title": "{{ check.nam", "do": "save", "payload": "{}"}
    text = as_.eva.post(f"/services/checkout/monitors/{generic.pk}/mapping/", form).content.decode()
    assert 'value="{{ check.nam"' in text
    generic.refresh_from_db()
    assert generic.settings == {}


def test_only_what_differs_from_the_defaults_is_stored(world, as_, generic):
    page = as_.eva.get(f"/services/checkout/monitors/{generic.pk}/mapping/")
    form = {f"m-{name}": value for name, value in page.context["form"].defaults.items()}
    as_.eva.post(f"/services/checkout/monitors/{generic.pk}/mapping/", {**form, "m-group": "{{ cluster }}"})
    generic.refresh_from_db()
    assert generic.settings == {"group": "{{ cluster }}"}


def test_an_example_is_sent_through_the_inbox(world, as_, generic):
    form = {"do": "send", "payload": '{"title": "By hand", "status": "firing", "key": "k"}'}
    as_.eva.post(f"/services/checkout/monitors/{generic.pk}/mapping/", form)
    world.work()
    assert world.group().title == "By hand"
    broken = as_.eva.post(f"/services/checkout/monitors/{generic.pk}/mapping/", {"do": "send", "payload": "{"})
    assert "this is no JSON" in broken.content.decode()


CHANGES = (
    ("/services/checkout/archive/", {}),
    ("/services/checkout/connect/", {"monitor": "grafana"}),
    ("/services/checkout/edit/", FACTS),
    ("/services/checkout/monitors/{connection}/disconnect/", {}),
)


@pytest.mark.parametrize(("address", "data"), CHANGES)
def test_members_and_observers_change_nothing(world, as_, address, data):
    address = address.format(connection=world.connection.pk)
    for person in (as_.ana, as_.olga):
        assert person.post(address, data).status_code == 403
    assert as_.charlie.post(address, data).status_code == 404
    assert as_.nobody.post(address, data).status_code == 302
    world.service.refresh_from_db()
    assert world.service.archived_at is None
    assert MonitorConnection.objects.filter(removed_at=None).count() == 1


def test_observers_get_no_button_that_would_refuse(world, as_):
    for address in ("/services/", "/services/checkout/", f"/services/checkout/monitors/{world.connection.pk}/"):
        text = as_.olga.text(address)
        assert 'method="post"' not in text
        assert "/services/new/" not in text
    assert as_.olga.post("/services/checkout/replay/").status_code == 403
    assert as_.olga.post(f"/services/checkout/monitors/{world.connection.pk}/test/").status_code == 403


def test_what_belongs_to_others_does_not_exist_for_them(world, as_, generic):
    assert "/services/checkout/" not in as_.charlie.text("/services/")
    for address in (
        "/services/checkout/",
        "/services/checkout/edit/",
        f"/services/checkout/monitors/{generic.pk}/",
        f"/services/checkout/monitors/{generic.pk}/mapping/",
    ):
        assert as_.charlie.get(address).status_code == 404
    for address in ("replay/", f"monitors/{generic.pk}/test/", f"monitors/{generic.pk}/preview/"):
        assert as_.charlie.post(f"/services/checkout/{address}").status_code == 404
    assert as_.ana.get("/services/new/").status_code == 403
    assert as_.nobody.get("/services/checkout/").status_code == 302


def test_a_monitor_of_another_service_is_not_found_through_this_one(world, as_):
    other = catalogue.add_service(world.team, {"name": "Other"}, world.eva, world.now)
    assert as_.eva.get(f"/services/{other.slug}/monitors/{world.connection.pk}/").status_code == 404

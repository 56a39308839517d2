"""Alerts in the browser: list, filters, search, one alert with its story, every answer, silences."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection

from tests.doors.web_world import Cast
from watchbill.actions import catalogue, paging, silences
from watchbill.core.explanation import Line, Reason, Received, explain
from watchbill.db import search
from watchbill.db.models import AlertGroup, Event, Page, Silence
from watchbill.db.screens import alerts as screen
from watchbill.entry.web.pages.alerts import harmless


@pytest.fixture
def as_(world):
    return Cast(world)


@pytest.fixture
def fired(world):
    """An alert that has paged Ana."""
    world.event(severity="critical")
    world.work()
    return world


def url(world) -> str:
    return f"/alerts/{world.group().pk}/"


def test_the_list_shows_what_is_open_and_its_address_can_be_sent(fired, as_):
    fired.event(key="b", severity="warning", summary="Swap in use")
    fired.work()
    text = as_.ana.text("/alerts/")
    assert "2 alerts are open." in text
    assert "Swap in use" not in as_.ana.text("/alerts/?severity=critical")
    assert "Swap in use" in as_.ana.text("/alerts/?severity=warning&service=checkout&team=platform&q=swap")


def test_states_narrow_the_list(fired, as_):
    fired.event("resolve")
    fired.work()
    assert "No alert is open." in as_.ana.text("/alerts/")
    assert "Disk full on db1" in as_.ana.text("/alerts/?state=resolved")
    assert "Disk full on db1" in as_.ana.text("/alerts/?state=all")


def test_mine_is_what_i_took(fired, as_):
    paging.acknowledge(fired.page().pk, fired.ben, fired.now)
    assert "Disk full on db1" in as_.ben.text("/alerts/?mine=on")
    assert "Disk full on db1" not in as_.ana.text("/alerts/?mine=on")


def test_a_period_is_in_the_readers_days(fired, as_):
    assert "Disk full on db1" in as_.ana.text("/alerts/?since=2026-03-03&until=2026-03-03")
    assert "Disk full on db1" not in as_.ana.text("/alerts/?until=2026-03-02")
    assert "Disk full on db1" not in as_.ana.text("/alerts/?since=2026-03-04")


@pytest.mark.parametrize(
    "query", ["since=never", "before=x", "state=odd", "severity=none", "service=%00", "q=%22%27*%28"]
)
def test_an_odd_address_is_no_error(fired, as_, query):
    assert as_.ana.get(f"/alerts/?{query}").status_code == 200


def test_search_finds_title_service_and_description_by_the_beginnings_of_words(fired, as_):
    for words in ("disk", "DISK db1", "checkout", "ful", "checkout disk"):
        assert "Disk full on db1" in as_.ana.text(f"/alerts/?q={words}"), words
    for words in ("zebra", "disk zebra", "isk"):
        assert "Disk full on db1" not in as_.ana.text(f"/alerts/?q={words}"), words


def test_search_finds_a_service_by_the_name_that_it_has_now(fired, as_):
    catalogue.change_service(fired.service, {"name": "Basket and pay"}, fired.eva, fired.now)
    for words in ("basket", "pay disk", "disk bas", "PAY basket"):
        assert "Disk full on db1" in as_.ana.text(f"/alerts/?q={words}"), words
    for words in ("checkout", "basket zebra", "bas disk", "ay"):
        assert "Disk full on db1" not in as_.ana.text(f"/alerts/?q={words}"), words


def test_a_rebuilt_index_finds_what_it_found(fired, as_):
    """For an instance whose index was made before it held numbers instead of names."""
    with connection.schema_editor() as editor:
        search.rebuild(editor)
    assert indexed(fired.group().pk) == 1
    assert "Disk full on db1" in as_.ana.text("/alerts/?q=checkout disk")
    fired.event(key="later", summary="Later trouble")
    fired.work()
    assert "Later trouble" in as_.ana.text("/alerts/?q=later checkout")


def indexed(number: int) -> int:
    """Count what the index holds of one alert; PostgreSQL's keeps what other tests truncated."""
    key = "rowid" if connection.vendor == "sqlite" else "group_id"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM alert_search WHERE {key} = %s", [number])
        return cursor.fetchone()[0]


def test_search_finds_the_description_of_a_monitor_and_forgets_what_is_deleted(world, as_):
    world.connection.monitor = "generic"
    world.connection.save()
    world.arrives({"title": "Latency", "status": "firing", "key": "l", "description": "Percentile over threshold"})
    world.work()
    assert "Latency" in as_.ana.text("/alerts/?q=percentile")
    number = world.group().pk
    assert indexed(number) == 1
    world.group().delete()
    assert indexed(number) == 0


def test_search_never_shows_what_belongs_to_others(fired, as_):
    assert "Disk full" not in as_.charlie.text("/alerts/?q=disk")
    fired.charlie.is_superuser = True
    fired.charlie.save()
    assert "Disk full" in as_.charlie.text("/alerts/?q=disk")


def test_the_list_is_paged_by_key(world, as_):
    for number in range(screen.ROWS + 5):
        world.event(key=f"k{number}", severity="warning", summary=f"Thing {number:03}")
    world.work()
    first = as_.ana.text("/alerts/")
    assert "Thing 054" in first
    assert "Thing 004" not in first
    last = AlertGroup.objects.order_by("-id")[screen.ROWS - 1]
    assert f"before={last.pk}" in first
    second = as_.ana.text(f"/alerts/?before={last.pk}&state=all")
    assert "Thing 004" in second
    assert "Thing 005" not in second


def test_the_csv_holds_the_filtered_list_and_no_formula(fired, as_):
    fired.event(key="b", summary="=HYPERLINK(1)", severity="warning")
    fired.work()
    response = as_.ana.get("/alerts/?format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert [row["title"] for row in rows] == ["'=HYPERLINK(1)", "Disk full on db1"]
    assert [harmless(text) for text in ("+1", "-1", "@a", "\tx", "a=b")] == ["'+1", "'-1", "'@a", "'\tx", "a=b"]


def test_the_story_says_why_i_was_called_and_what_follows(fired, as_):
    text = as_.ana.text(url(fired))
    for words in (
        "Why you were called",
        "reported it through Prometheus; stored, then answered",
        "critical by the team&#x27;s policy",
        "Ana is engineer on watch",
        "handed over: email to Ana",
        "if nobody answers: Ben; then Eva, Ana, Ben",
        "Ben is next on watch as engineer",
    ):
        assert words in text, words
    assert "Why somebody was called" in as_.ben.text(url(fired))


def test_runbooks_stand_first_and_only_web_addresses_become_links(world, as_):
    """PAG-05: what to do is at hand."""
    world.connection.monitor = "generic"
    world.connection.save()
    payload = {"title": "Latency", "status": "firing", "key": "l", "labels": {"<b>x</b>": "<script>1</script>"}}
    world.arrives({**payload, "url": "https://g.example.org/d", "runbook": "https://wiki.example.org/latency"})
    world.work()
    world.service.links = [{"kind": "other", "title": "Bad", "url": "javascript:alert(1)"}]
    world.service.save()
    text = as_.ana.text(url(world))
    assert text.index("https://wiki.example.org/latency") < text.index("https://g.example.org/d")
    assert 'href="javascript:' not in text
    assert 'href="javascript:' not in as_.ana.text("/services/checkout/")
    assert "<script>1" not in text
    assert "<b>x" not in text


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"answer": "acknowledge"}, "acknowledged"),
        ({"answer": "snooze"}, "snoozed"),
        ({"answer": "snooze", "until": "60"}, "snoozed"),
        ({"answer": "snooze", "until": "morning"}, "snoozed"),
        ({"answer": "resolve"}, "resolved"),
        ({"answer": "help"}, "climbing"),
    ],
)
def test_every_answer_works_without_javascript(fired, as_, answer, state):
    response = as_.ana.post(f"{url(fired)}answer/", answer)
    assert (response.status_code, response.url) == (302, url(fired))
    assert fired.page().state == state
    assert as_.ana.text(url(fired))


def test_until_morning_is_the_next_nine_o_clock_of_the_reader(fired, as_):
    as_.ana.post(f"{url(fired)}answer/", {"answer": "snooze", "until": "morning"})
    assert fired.page().until == fired.now + timedelta(days=1)


def test_somebody_else_is_asked(fired, as_):
    fired.mailbox.clear()
    as_.ana.post(f"{url(fired)}answer/", {"answer": "reassign", "to": fired.ben.pk})
    fired.work()
    assert fired.mailbox.readers() == ["ben@example.org"]


def test_nobody_of_another_team_is_asked_by_their_number(fired, as_):
    fired.mailbox.clear()
    refused = as_.ana.post(f"{url(fired)}answer/", {"answer": "reassign", "to": fired.charlie.pk})
    assert (refused.status_code, "Charlie" in refused.content.decode()) == (409, False)
    fired.work()
    assert fired.mailbox.readers() == []


@pytest.mark.parametrize(
    "answer", [{}, {"answer": "dance"}, {"answer": "snooze", "until": "x"}, {"answer": "reassign"}]
)
def test_an_answer_that_makes_no_sense_is_told(fired, as_, answer):
    response = as_.ana.post(f"{url(fired)}answer/", answer)
    assert response.status_code == 409
    assert "This cannot be done" in response.content.decode()


def test_the_way_back_never_leads_elsewhere(fired, as_):
    data = {"answer": "acknowledge", "next": "https://evil.example.org/"}
    assert as_.ana.post(f"{url(fired)}answer/", data).url == url(fired)


def test_a_note_stands_on_the_timeline(fired, as_):
    as_.ben.post(f"{url(fired)}note/", {"text": "I restarted <b>it</b>"})
    assert "I restarted &lt;b&gt;it&lt;/b&gt;" in as_.ana.text(url(fired))
    assert Event.objects.filter(kind="alert.note", actor=fired.ben).count() == 1
    assert as_.olga.post(f"{url(fired)}note/", {"text": "hello"}).status_code == 403


def test_many_are_answered_at_once_and_what_cannot_be_is_told(fired, as_):
    fired.event(key="b", severity="warning")
    fired.work()
    numbers = list(AlertGroup.objects.values_list("pk", flat=True))
    as_.ana.post("/alerts/answer/", {"answer": "acknowledge", "alert": numbers})
    assert set(AlertGroup.objects.values_list("state", flat=True)) == {"acknowledged"}
    as_.ana.post("/alerts/answer/", {"answer": "resolve", "alert": [*numbers, 999999, "x"]})
    assert set(AlertGroup.objects.values_list("state", flat=True)) == {"resolved"}
    assert (
        "there is nothing left to answer"
        in as_.ana.post("/alerts/answer/", {"answer": "acknowledge", "alert": numbers}, follow=True).content.decode()
    )


def test_earlier_ones_like_it_are_shown(fired, as_):
    fired.event("resolve")
    fired.work()
    fired.forward(hours=2)
    fired.event()
    fired.work()
    text = as_.ana.text(url(fired))
    assert "This looks like" in text
    assert "the same alert" in text


def test_an_observer_sees_it_and_gets_no_button(fired, as_):
    for address in ("/alerts/", url(fired), "/silences/"):
        text = as_.olga.text(address)
        assert '/answer/"' not in text.replace('action="/alerts/answer/"', "")
        assert "Acknowledge" not in text.replace(">Acknowledged<", "")
    assert as_.olga.post(f"{url(fired)}answer/", {"answer": "acknowledge"}).status_code == 403


def test_what_belongs_to_others_does_not_exist_for_them(fired, as_):
    page = fired.page()
    for address in (url(fired), f"/pages/{page.pk}/"):
        assert as_.charlie.get(address).status_code == 404
    for address in (f"{url(fired)}answer/", f"/pages/{page.pk}/answer/", f"{url(fired)}note/"):
        assert as_.charlie.post(address, {"answer": "resolve", "text": "x"}).status_code == 404
    as_.charlie.post("/alerts/answer/", {"answer": "resolve", "alert": [fired.group().pk]})
    assert fired.group().state == "firing"


@pytest.mark.parametrize("address", ["/alerts/", "/alerts/1/", "/pages/new/", "/silences/", "/silences/new/", "/find/"])
def test_signed_out_leads_to_sign_in(world, as_, address):
    assert as_.nobody.get(address).status_code == 302


def test_a_page_of_an_alert_leads_to_the_alert(fired, as_):
    assert as_.ana.get(f"/pages/{fired.page().pk}/").url == url(fired)


def test_a_silence_is_written_from_an_alert_and_previewed(fired, as_):
    fired.forward(minutes=1)
    text = as_.ana.text(f"/silences/new/?alert={fired.group().pk}")
    assert 'value="critical"' in text
    assert "1 open alert of checkout" in text
    data = {
        "scope": f"service:{fired.service.pk}",
        "label": ["severity", ""],
        "operator": ["=", "="],
        "value": ["critical", ""],
        "why": "We move the disks",
        "length": "60",
    }
    preview = as_.ana.post("/silences/preview/", {**data, "value": ["warning", ""]}).content.decode()
    assert "No open alert of checkout" in preview
    assert as_.ana.post("/silences/new/", data).url == "/silences/"
    fired.work()
    assert Page.objects.get().state == "resolved"
    assert "We move the disks" in as_.ana.text("/silences/")
    assert "Held back by a silence" in as_.ana.text(url(fired))
    assert "Silenced" in as_.ana.text("/alerts/?state=silenced")
    as_.ben.post(f"/silences/{Silence.objects.get().pk}/end/")
    fired.work()
    assert Page.objects.count() == 2


def test_a_silence_with_a_mistake_keeps_what_was_typed(world, as_):
    data = {
        "scope": f"service:{world.service.pk}",
        "label": ["host"],
        "operator": ["=~"],
        "value": ["(a"],
        "why": "Because of the move",
        "length": "",
        "ends_at": "2026-03-03T12:00",
    }
    text = as_.ana.post("/silences/new/", data).content.decode()
    assert "is no pattern" in text
    assert "Because of the move" in text
    assert 'value="(a"' in text
    data["value"] = ["db.*"]
    assert as_.ana.post("/silences/new/", data).status_code == 302
    assert Silence.objects.get().ends_at.hour == 12


def test_silences_of_others_cannot_be_seen_or_ended(fired, as_):
    made = silences.add_silence(
        fired.team, fired.ana, fired.now, service=fired.service, matchers=[], why="mine", starts_at=None,
        ends_at=fired.now + timedelta(hours=1),
    )  # fmt: skip
    assert "mine" not in as_.charlie.text("/silences/")
    assert as_.charlie.post(f"/silences/{made.pk}/end/").status_code == 404
    assert as_.olga.post(f"/silences/{made.pk}/end/").status_code == 403
    scope = {"scope": f"service:{fired.service.pk}", "why": "x", "length": "60"}
    assert as_.charlie.post("/silences/new/", scope).status_code == 200
    assert Silence.objects.count() == 1


def test_the_explanation_is_told_in_order_and_cut_in_the_middle(world):
    at = world.now
    opened = Line(at, "alert.opened", "nothing like it was open; a group of its own", data={"parsed": "T"})
    climb = [Line(at + timedelta(minutes=n), "page.step", f"step {n}") for n in range(30)]
    told = explain(Received(at, "Tool", "Conn"), [opened], climb, [Reason(at, "then Ben")])
    texts = [reason.text for reason in told]
    assert texts[:3] == [
        "Tool reported it through Conn; stored, then answered",
        "read as “T”, without a severity",
        "nothing like it was open",
    ]
    assert "more in the timeline" in texts[6]
    assert texts[-2:] == ["step 29", "then Ben"]

"""Zoom and Google Meet against servers that answer as their vendors document it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tests.connectors.calls import Meet, Zoom
from tests.connectors.vendors import Vendor, running
from tests.connectors.world import KEY_FILE, settings_for
from tests.egress.outside import HERE, Say
from watchbill.connectors import Busy, all_connectors, read_settings
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

HTTP = Client(HERE)
ZOOM, MEET = all_connectors()["zoom"], all_connectors()["google_meet"]


def known(name: str, vendor: Vendor, **more: Any) -> Any:
    return read_settings(name, {**settings_for(name, vendor.url), **more})


def test_zoom_holds_a_meeting_that_people_enter_before_the_host() -> None:
    """INC-10: a room for each incident; its passcode is in its address."""
    with running(Zoom()) as zoom:
        assert ZOOM.check(known("zoom", zoom), HTTP) == "Reached the account; meetings are held by me."
        assert zoom.meetings == []
        room = ZOOM.open_call(known("zoom", zoom, host="bridge@example.org"), HTTP, "Incident 7")
        (made,) = zoom.meetings
    assert (room.ref, room.url) == ("85000000001", "https://us02web.zoom.us/j/85000000001?pwd=a1")
    assert (made["topic"], made["host"], made["type"]) == ("Incident 7", "bridge@example.org", 3)
    assert made["settings"] == {"join_before_host": True, "waiting_room": False}


@pytest.mark.parametrize(
    ("more", "words"),
    [({"client_secret": "an older one"}, "Invalid client_id"), ({"host": "gone@example.org"}, "does not exist")],
)
def test_zoom_says_for_good_what_is_wrong_with_the_app(more: dict[str, str], words: str) -> None:
    with running(Zoom()) as zoom, pytest.raises(DeliveryFailed, match=words) as failed:
        ZOOM.open_call(known("zoom", zoom, **more), HTTP, "Incident 7")
    assert failed.value.permanent


def test_an_app_without_the_scope_is_told_before_there_is_an_incident() -> None:
    with running(Zoom(scope="user:read:user:admin")) as zoom, pytest.raises(DeliveryFailed, match="lacks the scope"):
        ZOOM.check(known("zoom", zoom), HTTP)


def test_zoom_that_has_enough_of_us_is_left_alone() -> None:
    with running(Zoom()) as zoom:
        zoom.trouble.append(("POST meetings", Say(429, b'{"code":429}', {"Retry-After": "90"})))
        with pytest.raises(Busy) as busy:
            ZOOM.open_call(known("zoom", zoom), HTTP, "Incident 7")
    assert busy.value.seconds == 90


def test_meet_opens_a_room_in_the_name_of_a_user() -> None:
    """INC-10: no browser and no consent: a service account to which one scope was delegated."""
    with running(Meet()) as meet:
        room = MEET.open_call(known("google_meet", meet), HTTP, "never said")
        assert (room.ref, room.url) == ("spaces/jQCFfuBOdN1", "https://meet.google.com/abc-mnop-xya")
        assert meet.claims["sub"] == "bridge@example.org"
        assert meet.claims["exp"] - meet.claims["iat"] == 600
        assert "https://meet.google.com/" in MEET.check(known("google_meet", meet, access="open"), HTTP)
        assert meet.spaces == [{}, {"config": {"accessType": "OPEN"}}]
        assert not [heard for heard in meet.host.heard if b"never said" in heard.body]


def test_meet_says_for_good_when_the_user_is_not_of_the_workspace_or_nothing_was_delegated() -> None:
    other = json.dumps({**KEY_FILE, "client_email": "another@example-watch.iam.gserviceaccount.com"})
    for more, words in (({"user": "ana@elsewhere.example"}, "Invalid email"), ({"key_file": other}, "unauthorized")):
        with running(Meet()) as meet, pytest.raises(DeliveryFailed, match=words) as failed:
            MEET.open_call(known("google_meet", meet, **more), HTTP, "")
        assert failed.value.permanent


@pytest.mark.parametrize("text", ["-----BEGIN PRIVATE KEY-----", "[]", '{"type":"authorized_user"}'])
def test_what_is_no_key_of_a_service_account_is_refused_where_it_is_typed(text: str) -> None:
    with pytest.raises(ValidationError, match="JSON file of a service account"):
        MEET.Settings.model_validate({**settings_for("google_meet", "https://a.example"), "key_file": text})


@pytest.mark.parametrize(("module", "maker", "name"), [(ZOOM, Zoom, "zoom"), (MEET, Meet, "google_meet")])
@pytest.mark.parametrize("said", [b"[]", b"{}", b"null", b"7", b'{"join_url":"javascript:alert(1)"}'])
def test_an_answer_without_an_address_is_tried_again(module: Any, maker: type[Vendor], name: str, said: bytes) -> None:
    with running(maker()) as vendor:
        vendor.trouble.append(("POST meetings" if name == "zoom" else "POST spaces", Say(200, said)))
        with pytest.raises(DeliveryFailed, match="did not say where") as failed:
            module.open_call(known(name, vendor), HTTP, "")
    assert not failed.value.permanent

"""What the tests of the rota pages share: a weekly and a two-seat rotation, people who read, forms read back."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from django.test import Client

from watchbill.actions import rota
from watchbill.db.models import Person, Rotation

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def as_(person: Person | None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person, backend=BACKEND)
    return client


def text_of(response) -> str:
    """What a person reads: without tags, spaces put together."""
    body = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", body)))


def weekly(world, **changes) -> Rotation:
    """Ana, Ben and Eva take a week each from Monday 2 March 2026, 09:00 London."""
    settings = {
        "zone": "Europe/London",
        "unit": "week",
        "handoff_at": "09:00",
        "handoff_weekday": 0,
        "starts_on": "2026-03-02",
        "seats": [{"name": "primary"}],
        "members": [{"person": person.pk} for person in (world.ana, world.ben, world.eva)],
    }
    return rota.create_rotation(world.team, "Weekly", {**settings, **changes}, world.eva, world.now)


class FormReader(HTMLParser):
    """Reads the fields of the biggest form of a page as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._select = ""

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        fields, name = self.forms[-1], given.get("name", "")
        if tag == "input" and name and given.get("type") not in {"submit", "checkbox", "radio"}:
            fields.setdefault(name, []).append(given.get("value", ""))
        elif tag == "input" and name and "checked" in given:
            fields.setdefault(name, []).append(given.get("value", "on"))
        elif tag == "select":
            self._select = name
        elif tag == "option" and (("selected" in given) or self._select not in fields):
            fields[self._select] = [given.get("value", "")]


def form_of(response) -> dict[str, list[str]]:
    reader = FormReader()
    reader.feed(response.content.decode())
    fields = max(reader.forms, key=len)
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}

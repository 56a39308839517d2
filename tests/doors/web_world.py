"""What the tests of the pages share: clients that are signed in as the cast, at the world's own time."""

from __future__ import annotations

import time_machine
from django.test import Client

from watchbill.db.models import Person


class Browser:
    """Django's client, signed in, with a clock that stands where the world's does."""

    def __init__(self, world, person: Person | None = None) -> None:
        self.world = world
        self.client = Client()
        if person is not None:
            self.client.force_login(person)

    def get(self, url: str, **kwargs):
        with time_machine.travel(self.world.now, tick=False):
            return self.client.get(url, **kwargs)

    def head(self, url: str, **kwargs):
        with time_machine.travel(self.world.now, tick=False):
            return self.client.head(url, **kwargs)

    def post(self, url: str, data=None, **kwargs):
        with time_machine.travel(self.world.now, tick=False):
            return self.client.post(url, data or {}, **kwargs)

    def text(self, url: str, **kwargs) -> str:
        response = self.get(url, **kwargs)
        assert response.status_code == 200, (url, response.status_code)
        return response.content.decode()


class Cast:
    """`as_.ana.get(...)`: one browser per person, made when it is first asked for; `as_.nobody` is signed out."""

    def __init__(self, world) -> None:
        self._world = world
        self._browsers: dict[str, Browser] = {}

    def __getattr__(self, name: str) -> Browser:
        if name not in self._browsers:
            person = None if name == "nobody" else self._world.people[name]
            self._browsers[name] = Browser(self._world, person)
        return self._browsers[name]

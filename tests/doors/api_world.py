"""The API as its callers meet it: each of the cast with a token, at the time of the test's world."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.test import Client

from tests.world import World
from watchbill.actions import tokens


class Caller:
    """One person with one token, or nobody."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask; gives the response of Django's client, with `.json()`."""
        content = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, f"/api{path}", headers=names, **content)

    def get(self, path: str) -> Any:
        response = self("GET", path)
        assert response.status_code == 200, response.content
        return response.json()

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        response = self("POST", path, body, **headers)
        assert response.status_code == status, response.content
        return response.json() if response.content else None


class ApiWorld:
    """The small team's world, seen through the API."""

    def __init__(self, world: World) -> None:
        self.world = world

    def token(self, name: str, *scopes: str, days: int = 1) -> str:
        person = self.world.people[name]
        ends = self.world.now + timedelta(days=days)
        return tokens.create_token(person, "test", list(scopes or ("write",)), ends, self.world.now)[1]

    def as_(self, name: str, *scopes: str) -> Caller:
        return Caller(self.token(name, *scopes))

    def alert(self) -> int:
        """An alert arrives and pages Ana; gives its number."""
        self.world.event()
        self.world.work()
        return int(self.world.group().pk)

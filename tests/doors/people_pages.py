"""What the tests of the pages of people, teams and settings share: who reads, and every address of them."""

from __future__ import annotations

import re

from django.test import Client

from watchbill.db.models import (
    ContactAddress,
    Person,
)
from watchbill.entry.web.pages import me, me_addresses, team_ladders, team_policy, teams
from watchbill.entry.web.pages import people as people_pages
from watchbill.entry.web.pages import settings as settings_pages

PASSWORD = "correct horse 9"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def as_(person: Person | None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person, backend=BACKEND)
    return client


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def addresses_of(module, **arguments) -> list[str]:
    """Every address of a module's pages, filled in."""
    patterns = [str(url.pattern) for url in module.URLS]
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(arguments[found[1]]), pattern) for pattern in patterns]


def team_addresses(world) -> list[str]:
    arguments = {"slug": "platform", "number": world.ana.pk, "part": "coverage"}
    ladder = arguments | {"number": world.ladder.pk}
    pages = [
        *addresses_of(teams, **arguments),
        *addresses_of(team_ladders, **ladder),
        *addresses_of(team_policy, **arguments),
    ]
    return [page for page in pages if "/platform/" in page]


def admin_addresses(world) -> list[str]:
    arguments = {"number": world.ana.pk, "name": "email"}
    return [*addresses_of(people_pages, **arguments), *addresses_of(settings_pages, **arguments), "/teams/new/"]


def mine_addresses(world) -> list[str]:
    number = ContactAddress.objects.get(person=world.ana).pk
    arguments = {"number": number, "channel": "email", "urgency": "important"}
    own = [*addresses_of(me, **arguments), *addresses_of(me_addresses, **arguments, token="x")]
    return [page for page in own if page.startswith("/me/")]

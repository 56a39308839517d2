"""Every address of the pages is asked for what is Ana's by somebody to whom it is nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.doors.api_probe import TrueNames, fill
from tests.doors.api_world import ApiWorld
from tests.doors.test_private_incidents import read
from tests.doors.web_world import Cast
from watchbill.db.models import (
    CannedResponse,
    Event,
    HandoffItem,
    HandoffQuestion,
    StatusComponent,
    StatusPage,
    SupportRequest,
)

pytestmark = pytest.mark.django_db(transaction=True)
# allauth's own, the API's (test_api_tokens), and what is opened by a key that nobody can guess.
LEFT_ALONE = re.compile(r"^\^?(accounts|api|chat|connect|in-mail|a|o|r|join|subscription|feeds)[/(]")
SECRETS = re.compile(
    r"Disk full|\bAna\b|\bBen\b|\bEva\b|Engineers|understands|Nobody can pay|Ask a second bank|Ria\b|log in\b"
)
# A refusal names the team and whom to ask, as everybody may know; the help of a list has examples.
NO_SECRET = re.compile(r"<p>To [^<]* you need to be [^<]*</p>|<code>[^<]*</code>")
# What somebody may do who is no member: ask for things, page whoever is on watch, keep filters, look after oneself.
FOR_EVERYBODY = re.compile(r"(person|page|filter|rules|address|token|feed)\.|status_page.asked")
OPEN = {"/sw.js", "/manifest.webmanifest", "/subscribe/status/"}
HOLE = re.compile(r"<(?:\w+:)?(\w+)>")
# Whoever needs help may page any team; an owner names a contact among all who have an account; an example is an example.
FOR_ALL = ("/pages/new/", "/services/new/", "/drills/new/")
SLUGS = {
    "teams": "platform", "services": "checkout", "rota": "platform-engineers", "support": "platform", "subscribe": "status",
    "welcome": "team", "settings": "email",
}  # fmt: skip
KINDS = {"rota": "rotations", "faq": "/faq/", "desk": "/messages/", "ladders": "/ladders/", "members": "/members/"}


def patterns(found: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for one in found:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, path)
        elif not LEFT_ALONE.match(path):
            yield path


class Names:
    """The true names of what stands in an address, by the part before them."""

    def __init__(self, api: ApiWorld) -> None:
        self.true = TrueNames(api)
        self.page = StatusPage.objects.get().slug
        self.asked = SupportRequest.objects.get().pk

    def address(self, pattern: str) -> str:
        parts = pattern.split("/")
        given = {name: self._of(name, parts) for name in HOLE.findall(pattern)}
        return "/" + HOLE.sub(lambda hole: str(given[hole[1]]), pattern)

    def _of(self, name: str, parts: list[str]) -> Any:
        if name == "slug":
            return {**SLUGS, "rota": self.true.fields["rotation"], "subscribe": self.page}[parts[0]]
        if name == "number":
            return self._number(parts)
        others = {
            "page": self.page,
            "community": "research",
            "connector": "gitlab",
            "channel": "email",
            "urgency": "default",
        }
        others |= {
            "ending": "md",
            "step": "team",
            "file": 1,
            "ask": 1,
            "act": "change",
            "part": "paging",
            "key": "k",
            "token": "k",
            "item": HandoffItem.objects.latest("pk").pk,
            "question": HandoffQuestion.objects.latest("pk").pk,
        }
        return (others | {"name": ACTS.get(parts[0], "do")})[name]

    def _number(self, parts: list[str]) -> int:
        inner = {f"/{key}/": number for key, number in self.true.numbers.items()} | self.true.inner
        inner |= {"/component/": StatusComponent.objects.get().pk, "/messages/": CannedResponse.objects.get().pk}
        inner |= {"/monitors/": self.true.world.connection.pk, "/of/": self.true.numbers["tickets"]}
        at = parts.index("<int:number>")
        return inner.get(f"/{parts[at - 1]}/", self.true.numbers.get(parts[0], 1))


ACTS = {
    "handoffs": "ask",
    "incidents": "entry",
    "postmortems": "meeting",
    "requests": "note",
    "tickets": "note",
    "notices": "publish",
}
# What most of the forms ask for, so that a refusal is for who asks and not for what is missing.
GIVEN = {
    "text": "x",
    "title": "x",
    "name": "x",
    "why": "x",
    "answer": "acknowledge",
    "what": "x",
    "note": "x",
    "do": "up",
}


@pytest.fixture
def names(api: ApiWorld) -> Names:
    fill(api)
    api.world.ana.is_superuser = False
    api.world.ana.save()
    return Names(api)


def every(names: Names) -> list[str]:
    found = [names.address(pattern) for pattern in patterns(get_resolver().url_patterns)]
    assert len(found) > 150, "the addresses are no longer found"
    return found


def form(names: Names) -> dict[str, Any]:
    return {name: value for name, value in names.true.fields.items() if value is not None} | GIVEN


def ask(browser: Any, way: str, url: str, names: Names) -> Any:
    return browser.get(url) if way == "get" else browser.post(url, form(names))


@pytest.mark.parametrize("way", ["get", "post"])
def test_charlie_of_another_team_reads_and_changes_nothing_of_anas(world, names, way):
    """The same for a list, a page, a form, and whatever a refusal says."""
    charlie = Cast(world).charlie
    others = Event.objects.exclude(actor=world.charlie)
    lines, shown = others.count(), []
    asked = every(names)
    if way == "get":
        asked += [
            f"{url}?team=platform&q=disk&service=checkout&format=csv" for url in asked if not re.search(r"\d", url)
        ]
    for url in asked:
        said = NO_SECRET.sub("", read(ask(charlie, way, url, names)))
        found = SECRETS.search(said)
        if found and not url.startswith(FOR_ALL):
            shown.append((url, said[max(found.start() - 90, 0) : found.end() + 60]))
    assert shown == [], "\n".join(map(str, shown))
    assert [str(line) for line in others.order_by("pk")[lines:] if not FOR_EVERYBODY.match(line.kind)] == []


def test_who_is_not_signed_in_or_no_longer_has_an_account_gets_nowhere(world, names):
    cast = Cast(world)
    for browser in (cast.nobody, cast.eva):
        world.eva.is_active = False
        world.eva.save()
        for url in every(names):
            answer = browser.get(url)
            signs_in = answer.status_code == 302 and answer["Location"].startswith(
                ("/accounts/login/?next=", "/welcome/")
            )
            assert signs_in or answer.status_code in {404, 405} or url in OPEN, (url, answer.status_code)
            assert not SECRETS.search(NO_SECRET.sub("", read(answer))), url


def test_an_observer_changes_nothing_of_the_team(world, names):
    """They look after themselves, keep filters and page whoever is on watch; nothing else happens."""
    olga = Cast(world).olga
    done = Event.objects.filter(pk__gt=Event.objects.latest("pk").pk)
    for url in every(names):
        before = done.count()
        ask(olga, "post", url, names)
        new = [line.kind for line in done.order_by("pk")[before:] if not FOR_EVERYBODY.match(line.kind)]
        assert new == [], (url, new)


NUMBERS = (
    "before", "after", "alert", "request", "message", "update", "take", "move", "ticket", "to", "until", "connection",
    "contact-person", "count", "person", "whom", "assignee", "next",
)  # fmt: skip


def test_what_is_no_number_of_ours_breaks_no_page(world, names):
    """A digit that is none, and more digits than a database takes; `next` is no name of a page of ours either."""
    eva, typed, long = Cast(world).eva, "\u00b2", "9" * 30
    for number, url in enumerate(every(names)):
        # One is asked for with the first and sent the second, the next the other way round.
        asked, sent = (typed, long) if number % 2 else (long, typed)
        for answer in (eva.get(url, data=dict.fromkeys(NUMBERS, asked)), eva.post(url, dict.fromkeys(NUMBERS, sent))):
            assert answer.status_code < 500, url
    for wrong in (typed, long):
        eva.post("/alerts/answer/", {"answer": "acknowledge", "alert": [wrong, "1"]})
        answer = eva.post("/board/move/", {"move": f"{wrong}:done"})
        assert (answer.status_code, answer["Location"]) == (302, "/board/")

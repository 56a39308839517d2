"""What the public reads: the status pages of Platform and of Research Hub, a subscriber, and planned work."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from watchbill.actions import notices, status_incidents, status_subscriptions, statuspage
from watchbill.actions.status_subscriptions import Asked
from watchbill.entry.demo.house import House
from watchbill.entry.demo.story import ago

# team, owner, title, address, intro, (service, public name, group, description)
PAGES: tuple[tuple[str, str, str, str, str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "platform", "anselm", "Platform status", "platform", "What every team of the house builds and runs on.",
        (
            ("gateway", "Gateway", "Traffic", "All calls from outside"),
            ("registry", "Image registry", "Build and deploy", "Pushing and pulling of images"),
            ("farm", "Build farm", "Build and deploy", "Builds and tests"),
        ),
    ),
    (
        "research", "aroha", "Research Hub status", "research-hub",
        "Notebooks, sign-in and archive of eleven communities.",
        (
            ("hub", "Notebooks", "", "Starting and running of notebooks"),
            ("login", "Sign-in", "", "With Keyring ID or a password"),
            ("archive", "Data archive", "", "Reading and writing of finished data sets"),
        ),
    ),
)  # fmt: skip
# incident, minutes after it was declared, who, on which page, under which title
PUBLISHED: dict[str, tuple[float, str, str, str]] = {
    "deploy": (3.5, "zofia", "platform", "Some calls through the gateway fail"),
    "signin": (11, "sunniva", "research", "Sign-in with Keyring ID fails"),
    "pushes": (3.5, "zofia", "platform", "Some image pushes fail"),
}
SUBSCRIBER = "marisol@tidepool.example"
STORAGE = {
    "title": "Image registry: new storage",
    "text": "For up to an hour images can be pulled and not pushed. Builds that push wait, and go on by themselves.",
}
CERTIFICATES = {
    "title": "Gateway: new certificates in every region",
    "text": "Connections that are open longer than an hour are closed once. Nothing is to be done; clients connect again.",
}


def open_pages(house: House) -> None:
    """Let both teams open their page, somebody subscribe, and the planned work of the quarter happen."""
    house.stage.at(house.stage.now + timedelta(hours=3), lambda: _open(house))
    _work_that_is_done(house)
    _work_to_come(house)


def _open(house: House) -> None:
    now = house.stage.now
    for team, owner, title, slug, intro, components in PAGES:
        person = house.people[owner]
        values = {"title": title, "slug": slug, "intro": intro, "is_public": True}
        page = house.pages[team] = statuspage.create(house.teams[team], values, person, now)
        for key, name, group, what in components:
            named = {"name": name, "group": group, "description": what}
            statuspage.add_component(page, house.services[key], named, person, now)
    house.stage.at(now + timedelta(minutes=20), lambda: _subscribe(house))


def _subscribe(house: House) -> None:
    """Somebody asks on the page, and follows the link of the letter a little later."""
    row = status_subscriptions.ask(house.pages["research"], Asked("email", SUBSCRIBER), "192.0.2.44", house.stage.now)
    token = status_subscriptions.token_of(row)
    house.stage.after(9, lambda: status_subscriptions.confirm(token, house.stage.now))


def publish(house: House, key: str, incident_id: int) -> None:
    """Let an incident that was declared just now reach the public."""
    if key in PUBLISHED:
        minutes, who, team, title = PUBLISHED[key]
        house.stage.after(minutes, partial(_publish, house, incident_id, who, team, title))


def _publish(house: House, incident_id: int, who: str, team: str, title: str) -> None:
    status_incidents.publish(incident_id, house.pages[team], title, house.people[who], house.stage.now)


def _work_that_is_done(house: House) -> None:
    begins = ago(house, 11, "05:00")
    house.stage.at(begins - timedelta(days=3), lambda: _announce(house, CERTIFICATES, "gateway", "mateo", begins))


def _work_to_come(house: House) -> None:
    begins = (house.stage.end + timedelta(days=6)).replace(hour=6, minute=0, second=0, microsecond=0)
    told = house.stage.end - timedelta(days=1, hours=4)
    house.stage.at(told, lambda: _announce(house, STORAGE, "registry", "yuki", begins))


def _announce(house: House, words: dict[str, str], service: str, who: str, begins: datetime) -> None:
    stage, person = house.stage, house.people[who]
    values = {**words, "services": [house.services[service]], "starts_at": begins}
    notice = notices.draft(
        house.teams["platform"], {**values, "ends_at": begins + timedelta(hours=1)}, person, stage.now
    )
    notices.announce(notice.pk, person, stage.now)
    stage.at(begins + timedelta(minutes=1), lambda: notices.begin(notice.pk, person, stage.now))
    late, until = begins + timedelta(minutes=50), begins + timedelta(minutes=90)
    said = "The last region takes longer: its proxies restart one by one."
    stage.at(late, lambda: notices.extend(notice.pk, until, person, stage.now, said))
    stage.at(
        begins + timedelta(minutes=81), lambda: notices.done(notice.pk, person, stage.now, "All regions have them.")
    )

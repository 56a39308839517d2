"""What the demo's people still talk about: the night of the deploy, the day the vendor was away, the page nobody heard.

Each function lays one thing on its day; a shorter demo leaves out what lies before its beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from watchbill.actions import paging
from watchbill.db.models import Page
from watchbill.entry.demo.habits import asked, take, write
from watchbill.entry.demo.house import House
from watchbill.entry.demo.payloads import NOT_UNDERSTOOD, Trouble

WIKI = "https://wiki.demo.example/runbooks/"

DEPLOY = Trouble("gateway", "GatewayErrors", "Gateway answers 5xx for 12 % of calls after deploy 2.41", "critical",
                 "north-1-gw3", "Began 90 seconds after the deploy of 03:02.", WIKI + "gateway-5xx")  # fmt: skip
DEPLOY_TOO = Trouble("gateway", "GatewayErrors", "Gateway answers 5xx for 9 % of calls", "critical", "north-1-gw4")
DEPLOY_SHOP = Trouble("checkout", "CheckoutErrors", "Checkout fails for 11 % of orders", "critical", "checkout-night",
                      "Every failed call goes through the gateway.", WIKI + "checkout-errors")  # fmt: skip
DISK = Trouble("registry", "DiskFull", "Scratch disk of registry-2 is full", "critical", "registry-2",
               "Full, then not, then full again: something cleans up.", WIKI + "registry-scratch")  # fmt: skip
UNHEARD = Trouble("gateway", "RouteLost", "The second route to north-2 is gone", "critical", "north-2-edge",
                  "Traffic flows over one route only.", WIKI + "routes")  # fmt: skip
FORGOTTEN = Trouble("gateway", "TokensExpire", "Half of the gateway's tokens were refused", "critical", "north-1-gw1",
                    "The clock of gw1 is four minutes late.")  # fmt: skip
HANDED = Trouble("registry", "SignaturesWrong", "Signatures of 40 images do not match", "critical", "registry-1",
                 "Nothing is deployed until somebody knows why.")  # fmt: skip
LATER = Trouble("farm", "CacheCold", "Builds take three times as long: the cache is cold", "error", "farm-cache")
WEEKEND = Trouble("checkout", "InvoicesLate", "Invoices of today are not written", "error", "invoices",
                  "Nobody waits for them before Monday.", WIKI + "invoices")  # fmt: skip
EMPTY_NIGHT = Trouble("cards", "AcquirerDown", "The acquirer does not answer", "critical", "bluefin-west",
                      "No card was taken for three minutes.", WIKI + "second-route")  # fmt: skip


def tell(house: House) -> None:
    """Lay out everything that happens once."""
    for part in (
        _deploy_at_night, _flapping_disk, _nobody_hears, _acknowledged_and_forgotten, _handed_on, _snoozed_until_morning,
        _waits_for_monday, _nobody_at_night, _vendor_is_away, _not_understood, _asked_by_hand, _address_is_gone,
    ):  # fmt: skip
        part(house)


def ago(house: House, days: int, clock: str) -> datetime:
    """Give the instant at `clock` (UTC) so many days before the present."""
    hour, minute = clock.split(":")
    day = house.stage.end - timedelta(days=days)
    return day.replace(hour=int(hour), minute=int(minute), second=11, microsecond=0)


def _then(house: House, minutes: float, act: Callable[[int], None]) -> Callable[[Page], None]:
    """Give a script: so many minutes after the page opened, do something with it."""
    return lambda page: house.stage.after(minutes, lambda: act(page.pk))


def _deploy_at_night(house: House) -> None:
    """The deploy at 3 a.m.: two teams, a call for help, a rollback, 52 minutes."""
    stage = house.stage

    def help_is_needed(page: Page) -> None:
        stage.after(5, lambda: take(house, page.pk))
        stage.after(9, lambda: _note(house, page.pk, "Only calls with a session fail. Deploy 2.41 changed sessions."))
        stage.after(13, lambda: _ask_for_help(house, page.pk))
        stage.after(17, lambda: take(house, page.pk))
        stage.after(31, lambda: _note(house, page.pk, "Rolling back 2.41. Twelve minutes, all regions."))

    house.scripts[DEPLOY.title] = help_is_needed
    stage.at(ago(house, 16, "03:04"), lambda: house.lasts(52, DEPLOY))
    stage.at(ago(house, 16, "03:06"), lambda: house.lasts(48, DEPLOY_TOO))
    stage.at(ago(house, 16, "03:07"), lambda: house.lasts(46, DEPLOY_SHOP))


def _note(house: House, page_id: int, text: str) -> None:
    page = Page.objects.select_related("group", "answered_by").get(pk=page_id)
    if page.answered_by is not None:
        write(house, page, page.answered_by, text)


def _ask_for_help(house: House, page_id: int) -> None:
    page = Page.objects.select_related("answered_by").get(pk=page_id)
    if page.answered_by is not None and page.closed_at is None:
        paging.ask_for_help(page_id, page.answered_by, house.stage.now)


def _flapping_disk(house: House) -> None:
    """A disk that is full every four minutes: one alert, seven times."""
    for turn in range(7):
        moment = ago(house, 9, "14:20") + timedelta(minutes=4 * turn)
        house.stage.at(moment, lambda: house.lasts(2.5, DISK))


def _nobody_hears(house: House) -> None:
    """A page that climbs to all hands, where the wrong person wakes first."""
    house.scripts[UNHEARD.title] = _then(house, 21, lambda page: take(house, page))
    house.stage.at(ago(house, 27, "02:41"), lambda: house.lasts(64, UNHEARD))


def _acknowledged_and_forgotten(house: House) -> None:
    """Acknowledged from the bed, asleep again: the page asks once more when the promise runs out."""
    stage = house.stage

    def forget(page: Page) -> None:
        stage.after(2, lambda: take(house, page.pk))
        stage.after(40, lambda: take(house, page.pk))

    house.scripts[FORGOTTEN.title] = forget
    stage.at(ago(house, 12, "04:15"), lambda: house.lasts(55, FORGOTTEN))


def _handed_on(house: House) -> None:
    """One who knows better is asked by name."""
    stage, zofia = house.stage, house.people["zofia"]

    def hand_on(page_id: int) -> None:
        message = asked(page_id)
        if message is not None and message.person_id != zofia.pk:
            paging.reassign(page_id, zofia, message.person, stage.now)
        stage.after(3, lambda: take(house, page_id))
        stage.after(20, lambda: _note(house, page_id, "A mirror served old images. Took it out, all match again."))

    house.scripts[HANDED.title] = _then(house, 4, hand_on)
    stage.at(ago(house, 20, "11:32"), lambda: house.lasts(38, HANDED))


def _snoozed_until_morning(house: House) -> None:
    """Not worth a night: snoozed until eight, and then it asks again."""
    stage = house.stage

    def snooze(page_id: int) -> None:
        message = asked(page_id)
        if message is not None:
            morning = stage.now.replace(hour=8, minute=0) + timedelta(days=stage.now.hour > 8)
            paging.snooze(page_id, message.person, morning, stage.now)
            stage.at(morning + timedelta(minutes=3), lambda: take(house, page_id))

    house.scripts[LATER.title] = _then(house, 6, snooze)
    stage.at(ago(house, 11, "23:12"), lambda: house.lasts(10 * 60, LATER))


def _waits_for_monday(house: House) -> None:
    """An error on Saturday, outside coverage: nobody is paged before Monday 08:00."""
    for weeks in (1, 4, 8):
        day = house.stage.end - timedelta(days=7 * weeks + (house.stage.end.weekday() + 2) % 7)
        moment = day.replace(hour=14, minute=26, second=5)
        house.stage.at(moment, lambda: house.lasts(44 * 60, WEEKEND))


def _nobody_at_night(house: House) -> None:
    """No seat is taken at night: the fallback person is asked, sleeps, and the page is exhausted before he wakes."""
    house.scripts[EMPTY_NIGHT.title] = _then(house, 71, lambda page: take(house, page))
    house.stage.at(ago(house, 44, "01:10"), lambda: house.lasts(95, EMPTY_NIGHT))


def _vendor_is_away(house: House) -> None:
    """The cloud of the notebooks fails: forty alerts, one group, one page."""
    nodes = [
        Trouble("hub", "NodeGone", f"Node south-1-{number:02d} does not answer", "critical", f"south-1-{number:02d}",
                "Larchwood Cloud, zone south-1.", WIKI + "vendor-away")
        for number in range(1, 41)
    ]  # fmt: skip
    stage = house.stage

    def mind(page: Page) -> None:
        stage.after(7, lambda: take(house, page.pk))
        stage.after(
            16, lambda: _note(house, page.pk, "Larchwood says: power in south-1. Ticket 88-1204, next news 15:00.")
        )
        stage.after(75, lambda: _note(house, page.pk, "Half of the nodes are back. Communities were told at 15:20."))

    house.scripts[nodes[0].title] = mind
    stage.at(ago(house, 30, "13:58"), lambda: house.lasts(140, *nodes[:24]))
    stage.at(ago(house, 30, "14:03"), lambda: house.lasts(120, *nodes[24:]))


def _not_understood(house: House) -> None:
    """A script that changed its words without telling: kept, shown, to be read again after a fix."""
    for clock in ("02:30", "02:45", "03:00"):
        house.stage.at(ago(house, 8, clock), lambda: house.stage.arrives(house.ways["archive"], NOT_UNDERSTOOD))


def _asked_by_hand(house: House) -> None:
    """Somebody without an alert asks a team for help."""
    people, stage = house.people, house.stage

    def ask() -> None:
        page = paging.page_people(
            house.teams["payments"], "Customers see the card form twice", people["imani"], stage.now,
            details="Three of our communities wrote within ten minutes.", service=house.services["checkout"],
        )  # fmt: skip
        stage.after(25, lambda: _close(house, page.pk))

    stage.at(ago(house, 18, "09:47"), ask)


def _close(house: House, page_id: int) -> None:
    page = Page.objects.select_related("answered_by").get(pk=page_id)
    if page.answered_by is not None and page.closed_at is None:
        paging.resolve(page_id, page.answered_by, house.stage.now)


def _address_is_gone(house: House) -> None:
    """Mateo's old mailbox refuses for good: the other one is used, and it shows on his page."""
    stage, mateo = house.stage, house.people["mateo"]
    stage.at(ago(house, 6, "10:00"), lambda: stage.mailbox.close("mateo@oldmail.example"))

    def ask() -> None:
        page = paging.page_people(
            house.teams["platform"], "Who knows how builder-17 got its name?", house.people["anselm"], stage.now,
            urgency="important", to=mateo,
        )  # fmt: skip
        stage.after(14, lambda: _close(house, page.pk))

    house.scripts["Who knows how builder-17 got its name?"] = _then(house, 9, lambda page: take(house, page))
    stage.at(ago(house, 5, "15:20"), ask)

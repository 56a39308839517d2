"""The everyday of the demo: what goes wrong a few times a week and is over within the hour. Seeded, so always the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from watchbill.actions import alerts
from watchbill.entry.demo.house import House
from watchbill.entry.demo.payloads import Trouble
from watchbill.kit.errors import NotAllowed, Refused

WIKI = "https://wiki.demo.example/runbooks/"
QUIET_AT_THE_END = timedelta(hours=3)

# how often a week, how many minutes it usually lasts
EVERYDAY: tuple[tuple[float, float, Trouble], ...] = (
    (1.2, 14, Trouble("gateway", "GatewayErrors", "Gateway answers 5xx for 2 % of calls", "critical", "north-1-gw1",
                      "Above 1 % for five minutes.", WIKI + "gateway-5xx")),
    (0.9, 25, Trouble("gateway", "GatewaySlow", "Half of the calls through the gateway take longer than 800 ms",
                      "error", "north-1-gw2", "p50 above 800 ms for ten minutes.", WIKI + "gateway-slow")),
    (1.0, 40, Trouble("registry", "RegistryQueue", "Image pushes wait longer than a minute", "error", "registry-2",
                      "The queue holds more than 60 pushes.", WIKI + "registry-queue")),
    (0.7, 600, Trouble("registry", "RegistryDisk", "Image store of registry-1 is 85 % full", "warning", "registry-1",
                       "The nightly clean-up did not keep up.", WIKI + "registry-disk")),
    (2.5, 35, Trouble("farm", "BuilderLost", "Builder does not answer", "warning", "builder-17", "No heartbeat.")),
    (1.0, 50, Trouble("farm", "QueueLong", "Builds wait longer than 20 minutes", "error", "farm",
                      "More than 90 builds wait.", WIKI + "farm-queue")),
    (6.0, 8, Trouble("staging", "StagingDown", "Staging does not answer", "warning", "staging-api", "As so often.")),
    (3.0, 20, Trouble("staging", "StagingDisk", "Disk of staging-db is full", "info", "staging-db")),
    (1.3, 12, Trouble("checkout", "CheckoutErrors", "Checkout fails for 3 % of orders", "critical", "checkout",
                      "Orders that ended with an error page, over five minutes.", WIKI + "checkout-errors")),
    (1.1, 30, Trouble("checkout", "CheckoutSlow", "Checkout takes longer than 4 s", "error", "checkout",
                      "p95 above four seconds.", WIKI + "checkout-slow")),
    (1.2, 45, Trouble("ledger", "ReplicaLag", "Ledger replica is 5 minutes behind", "error", "db-north-2",
                      "Reports read old numbers.", WIKI + "ledger-replica")),
    (0.6, 900, Trouble("ledger", "LedgerBackup", "Backup of the ledger took 7 hours", "warning", "db-north-1",
                       "It usually takes four.")),
    (1.4, 18, Trouble("cards", "CardsRefused", "The acquirer refuses every fifth card", "error", "bluefin",
                      "More than 18 % refused in ten minutes.", WIKI + "cards-refused")),
    (2.0, 22, Trouble("hub", "HubMemory", "Notebook hub is short of memory", "error", "hub-2",
                      "Less than 5 % free.", WIKI + "hub-memory")),
    (1.0, 16, Trouble("hub", "HubDown", "Notebooks of the Tidepool community do not start", "critical", "hub-tidepool",
                      "Ten starts in a row failed.", WIKI + "hub-start")),
    (0.8, 20, Trouble("login", "LoginFails", "One in ten sign-ins fails", "critical", "keyring",
                      "The identity vendor answers late.", WIKI + "login")),
    (1.0, 300, Trouble("archive", "TapeSlow", "Tape robot is slower than usual", "warning", "tape-south", "Arm 2.")),
    (0.4, 120, Trouble("archive", "TapeStuck", "A tape is stuck", "error", "tape-south", "Somebody has to go there.")),
)  # fmt: skip
OFFICE = ("staging", "farm")
TEMPO = 0.55  # of the rates above: so that a quarter is built within a minute on two cores


def strew(house: House) -> None:
    """Spread the everyday over the whole time."""
    stage = house.stage
    for a_week, usually, trouble in EVERYDAY:
        moment = stage.now + timedelta(hours=2)
        while True:
            moment += timedelta(weeks=stage.chance.expovariate(a_week * TEMPO)) + timedelta(minutes=20)
            lasts = usually * stage.chance.lognormvariate(0, 0.5)
            start = _at_office_hours(moment) if trouble.way in OFFICE else moment
            if start + timedelta(minutes=lasts) > stage.end - QUIET_AT_THE_END:
                break
            stage.at(start, _happen(house, trouble, lasts))


def _at_office_hours(moment: datetime) -> datetime:
    if moment.weekday() > 4:
        moment -= timedelta(days=2)
    return moment.replace(hour=8 + moment.hour % 10)


def _happen(house: House, trouble: Trouble, lasts: float) -> Callable[[], None]:
    def act() -> None:
        if trouble.fingerprint in house.fired_at:
            return  # it is still going on
        house.fire(trouble)
        by_hand = trouble.severity == "warning" and house.stage.chance.random() < 0.3
        house.stage.after(lasts, lambda: _mend(house, trouble) if by_hand else house.clear(trouble))

    return act


def _mend(house: House, trouble: Trouble) -> None:
    """Let a member of the team close what is only on the list; the monitor agrees a little later."""
    group = house.group(trouble)
    if group is not None:
        members = group.team.memberships.filter(role="member").select_related("person").order_by("id")
        person = house.stage.chance.choice([member.person for member in members])
        try:
            alerts.write_note(group, "Done, see the ticket.", person, house.stage.now)
            alerts.resolve_group(group.pk, person, house.stage.now)
        except (NotAllowed, Refused):
            return
    house.stage.after(6, lambda: house.clear(trouble))

"""What is right now: one page that climbs, one taken, one asleep, two on the list (one of them late), a silence.

The clock of the story ends here and the real one goes on: whoever looks sees the page climb.
"""

from __future__ import annotations

from datetime import timedelta

from watchbill.actions import paging, rota, silences
from watchbill.db.models import Page, Shift
from watchbill.entry.demo.habits import write
from watchbill.entry.demo.house import House
from watchbill.entry.demo.payloads import Trouble

WIKI = "https://wiki.demo.example/runbooks/"
CLIMBING = Trouble("gateway", "GatewayErrors", "Gateway answers 5xx for 4 % of calls", "critical", "north-1-gw2",
                   "Since the routes of 20 minutes ago. Checkout sees it too.", WIKI + "gateway-5xx")  # fmt: skip
CLIMBING_TOO = Trouble("gateway", "GatewayErrors", "Gateway answers 5xx for 6 % of calls", "critical", "north-1-gw3")
TAKEN = Trouble("registry", "PushesFail", "Pushes fail for 3 % of builds", "critical", "registry-2",
                "Uploads break off after 30 s.", WIKI + "registry-push")  # fmt: skip
ASLEEP = Trouble("farm", "BuildersGone", "Twelve builders do not answer", "error", "rack-4",
                 "All in one rack.", WIKI + "farm-rack")  # fmt: skip
LATE = Trouble("gateway", "CertificateEnds", "Certificate of edge.demo.example ends in 9 days", "warning", "edge",
               "The automatic renewal failed twice.", WIKI + "certificates")  # fmt: skip
DUE = Trouble("registry", "DiskWillFill", "Image store of registry-3 is full in about 4 days", "warning", "registry-3",
              "It grows by 40 GB a day.", WIKI + "registry-disk")  # fmt: skip
SILENCED = Trouble("staging", "StagingErrors", "Staging answers 5xx for every second call", "critical", "staging-api")


def set_up(house: House) -> None:
    """Lay out the last three days."""
    stage = house.stage

    def before(**by: float) -> timedelta:
        return timedelta(**by)

    for how_long, act in (
        (before(days=3, hours=2), lambda: house.fire(LATE)),
        (before(hours=26), lambda: _silence_staging(house)),
        (before(hours=9), lambda: house.fire(DUE)),
        (before(hours=5), lambda: house.fire(SILENCED)),
        (before(minutes=96), lambda: house.fire(ASLEEP)),
        (before(minutes=24), lambda: house.fire(TAKEN)),
        (before(minutes=6), lambda: house.fire(CLIMBING)),
        (before(minutes=4), lambda: house.fire(CLIMBING_TOO)),
    ):
        stage.at(stage.end - how_long, act)
    this_hour = stage.end.replace(minute=0, second=0, microsecond=0)
    stage.at(this_hour - timedelta(hours=2), lambda: _give_noor_the_watch(house))
    house.scripts[ASLEEP.title] = lambda page: stage.after(7, lambda: _snooze(house, page.pk))
    house.scripts[TAKEN.title] = lambda page: stage.after(3, lambda: _take(house, page))
    house.scripts[CLIMBING.title] = lambda page: None


def _give_noor_the_watch(house: House) -> None:
    """Let the visitor's own person be on watch, whoever's turn it is."""
    stage, noor, rotation = house.stage, house.people["noor"], house.rotation("platform")
    until = (stage.end + timedelta(days=2)).replace(hour=9, minute=30, second=0, microsecond=0)
    planned = Shift.objects.filter(rotation=rotation, starts_at__lt=until, ends_at__gt=stage.now, person__isnull=False)
    others = [shift.person for shift in planned.select_related("person").order_by("starts_at") if shift.person]
    other = next((person for person in others if person.pk != noor.pk), None)
    if other is None:
        return
    why = f"swap: {other.get_short_name()} is at a wedding"
    rota.add_override(rotation, noor, stage.now, until, noor, stage.now, seat="primary", why=why)


def _silence_staging(house: House) -> None:
    stage = house.stage
    silences.add_silence(
        house.teams["platform"], house.people["mateo"], stage.now,
        service=house.services["staging"], matchers=[],
        why="breaking it on purpose until tomorrow: the new cache", starts_at=None,
        ends_at=stage.end + timedelta(hours=20),
    )  # fmt: skip


def _snooze(house: House, page_id: int) -> None:
    until = house.stage.end + timedelta(minutes=70)
    paging.snooze(page_id, house.people["noor"], until, house.stage.now)


def _take(house: House, page: Page) -> None:
    noor = house.people["noor"]
    paging.acknowledge(page.pk, noor, house.stage.now)
    house.stage.after(9, lambda: write(house, page, noor, "Uploads go through one proxy that is full. Taking it out."))

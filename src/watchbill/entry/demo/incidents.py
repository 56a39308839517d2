"""The incidents of the quarter: the night of the deploy, the acquirer that was gone, two users who could not sign in.

And one that goes on now, one that only three people know of, and a drill. `incident_people` says who does what and what
is told, `statuspages` what the public reads, `learning` what is written afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from watchbill.actions import declaring, drills, incident_story, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.db.models import AlertGroup, Incident, Service
from watchbill.entry.demo import incident_people, learning, statuspages
from watchbill.entry.demo.house import House
from watchbill.entry.demo.payloads import Trouble
from watchbill.entry.demo.present import TAKEN
from watchbill.entry.demo.story import DEPLOY, EMPTY_NIGHT, ago
from watchbill.kit.errors import NotAllowed, Refused

DRILL = """title: The disk of the image registry is full
impact: Nobody can deploy
service: image-registry
steps:
  - {after: 0m, page: Disk of registry-1 is full, severity: critical}
  - {after: 6m, request: My deploy hangs, from: A developer}
  - {after: 15m, vendor: Larchwood Cloud, says: We look at it in the morning}
  - {after: 40m, say: Half of the images are gone from the cache}
expect: {acknowledged: 5m, commander: 10m, mitigated: 60m}
ends_after: 60m
"""


@dataclass(frozen=True)
class Told:
    """One incident of the past: who says what, so many minutes after it was declared."""

    key: str
    team: str
    by: str
    said: Declared
    services: Sequence[str]
    lines: Sequence[tuple[float, str, str, str]]
    mitigated: float
    resolved: float
    closed_after: timedelta = timedelta(hours=20)


PAST: tuple[tuple[int, str, Told, Trouble | None], ...] = (
    (16, "03:11", Told(
        "deploy", "platform", "mateo",
        Declared(
            "Calls through the gateway fail after deploy 2.41",
            "One call in eight fails for everybody with a session; checkout loses orders.",
            impact_kind="interruption", condition="partial_outage", detection_source="alert",
        ),
        ("gateway", "checkout"),
        (
            (3, "mateo", "observation", "Only calls with a session fail. Deploy 2.41 changed how sessions are kept."),
            (9, "zofia", "hypothesis", "The new cookie is too long for the old proxies."),
            (14, "mateo", "decision", "Roll back 2.41 in all regions; do not wait for the proxies."),
            (19, "zofia", "ruled_out", "It is not the proxies: north-2 has none and fails too."),
            (31, "mateo", "action", "Rollback has begun, twelve minutes a region."),
        ),
        44, 52,
    ), DEPLOY),
    (41, "10:22", Told(
        "signin", "research", "imani",
        Declared(
            "Two communities cannot sign in",
            "Sign-in by Keyring ID ends in an error for everybody of Tidelands and Fjordlab.",
            impact_kind="blocked", condition="major_outage", detection_source="requester",
        ),
        ("login", "hub"),
        (
            (4, "imani", "observation", "Only those who come by Keyring ID. Passwords work."),
            (17, "sunniva", "action", "Asked Keyring ID, tier 2: they changed a certificate this morning."),
            (58, "sunniva", "action", "The new certificate is in; the first people are back."),
        ),
        61, 95,
    ), None),
    (30, "02:17", Told(
        "cards", "payments", "chidi",
        Declared(
            "No card is taken: the acquirer does not answer",
            "Every card payment of the night fails; shops can still take cash.",
            impact_kind="outage", condition="major_outage", detection_source="alert",
        ),
        ("cards", "checkout"),
        (
            (2, "chidi", "action", "Called Bluefin’s duty desk. They see it too, no time given."),
            (11, "chidi", "decision", "Switch to the second route by hand."),
            (26, "tariq", "observation", "First payments over the second route. Fees are higher; that is for tomorrow."),
        ),
        26, 140,
    ), EMPTY_NIGHT),
)  # fmt: skip


def tell(house: House) -> None:
    """Lay out every incident on its day, the public pages and the old report."""
    statuspages.open_pages(house)
    learning.bring_old(house)
    for days, clock, told, trouble in PAST:
        house.stage.at(ago(house, days, clock), partial(_declare, house, told, trouble))
    house.stage.at(ago(house, 22, "13:40"), lambda: _only_three_know(house))
    house.stage.at(ago(house, 50, "14:00"), lambda: _drill(house))
    house.stage.at(house.stage.end - timedelta(minutes=19), lambda: _goes_on(house))


def _declare(house: House, told: Told, trouble: Trouble | None) -> None:
    stage, person = house.stage, house.people[told.by]
    services = [
        house.services[name] for name in told.services if house.services[name].team_id == house.teams[told.team].pk
    ]
    began = stage.now - timedelta(minutes=7)
    said = _said(told.said, services, began, _alert_of(trouble))
    incident = declaring.declare(house.teams[told.team], said, person, stage.now)
    incidents.acknowledge(incident.pk, person, stage.now)
    _play(house, told.key, incident, told.resolved)
    for minutes, who, kind, text in told.lines:
        stage.after(minutes, partial(_write, house, incident.pk, who, kind, text))
    stage.after(told.mitigated, lambda: incidents.mitigate(incident.pk, person, stage.now))
    stage.after(told.resolved, lambda: incidents.resolve(incident.pk, person, stage.now))
    stage.at(
        stage.now + timedelta(minutes=told.resolved) + told.closed_after, lambda: _close(house, incident.pk, told.by)
    )


def _play(house: House, key: str, incident: Incident, resolved: float) -> None:
    incident_people.play(house, key, incident.pk)
    statuspages.publish(house, key, incident.pk)
    learning.learn(house, key, incident.pk, resolved)


def _said(
    said: Declared, services: Sequence[Service], began: datetime, came_from: Sequence[tuple[str, int]]
) -> Declared:
    values = {**vars(said), "services": services, "started_at": began, "came_from": came_from}
    return Declared(**values)


def _alert_of(trouble: Trouble | None) -> list[tuple[str, int]]:
    group = AlertGroup.objects.filter(title=trouble.title).order_by("-id").first() if trouble else None
    return [("alert", group.pk)] if group else []


def _write(house: House, incident_id: int, who: str, kind: str, text: str) -> None:
    incident_story.write(incident_id, Entry(text, kind), house.people[who], house.stage.now)


def _close(house: House, incident_id: int, who: str) -> None:
    try:
        incidents.close(incident_id, house.people[who], house.stage.now)
    except (Refused, NotAllowed):
        # Something is still owed, as in many a life: it stands open, with what is missing.
        return


def _only_three_know(house: House) -> None:
    """A vulnerability that nobody else of the team sees before it is mended."""
    stage, noor = house.stage, house.people["noor"]
    said = Declared(
        "A token of the build farm lay open in a log",
        "Whoever read the log of 9 June could have pushed images.",
        impact_kind="security",
        services=[house.services["farm"]],
        is_private=True,
        started_at=stage.now - timedelta(days=2),
    )
    incident = declaring.declare(house.teams["platform"], said, noor, stage.now)
    incidents.add_responder(incident.pk, house.people["yuki"], noor, stage.now)
    incidents.acknowledge(incident.pk, noor, stage.now)
    _play(house, "token", incident, 30)
    stage.after(12, lambda: _write(house, incident.pk, "yuki", "action", "The token is revoked; nobody had used it."))
    stage.after(30, lambda: incidents.resolve(incident.pk, noor, stage.now))
    stage.after(30 + 1200, lambda: _close(house, incident.pk, "noor"))


def _drill(house: House) -> None:
    """An hour in a quarter of an hour: it is led after eight minutes, and over sooner than was hoped."""
    stage, mateo = house.stage, house.people["mateo"]
    number = drills.start(house.teams["platform"], DRILL, 4, house.people["anselm"], stage.now).incident_id
    if number is None:
        return
    incident_people.play(house, "drill", number)
    stage.after(1, lambda: incidents.acknowledge(number, mateo, stage.now))
    stage.after(11, lambda: incidents.mitigate(number, mateo, stage.now))
    stage.after(13, lambda: incidents.resolve(number, mateo, stage.now))


def _goes_on(house: House) -> None:
    """The one of right now, from the alert that Noor has taken."""
    stage, noor = house.stage, house.people["noor"]
    group = AlertGroup.objects.filter(title=TAKEN.title).order_by("-id").first()
    said = Declared(
        "Pushes to the image registry fail",
        "Three builds in a hundred cannot store their image; deploys wait.",
        impact_kind="customer",
        services=[house.services["registry"]],
        started_at=stage.now - timedelta(minutes=5),
        detection_source="alert",
        came_from=[("alert", group.pk)] if group else [],
    )
    incident = declaring.declare(house.teams["platform"], said, noor, stage.now)
    incidents.acknowledge(incident.pk, noor, stage.now)
    _play(house, "pushes", incident, 0)
    stage.after(
        4, lambda: _write(house, incident.pk, "noor", "observation", "Uploads go through one proxy that is full.")
    )
    stage.after(9, lambda: _write(house, incident.pk, "mateo", "action", "Taking proxy 2 out of the pool."))

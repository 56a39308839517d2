"""Who does what in the demo's incidents, and what each audience was told: asked, agreed, declined, written.

Each line happens so many minutes after its incident was declared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from watchbill.actions import incident_roles, incident_updates
from watchbill.db.models import RoleAssignment
from watchbill.entry.demo.house import House
from watchbill.kit.errors import NotAllowed, Refused

# minutes, who, what they do, which role, whom they ask
Move = tuple[float, str, str, str, str]
# minutes, who, which audience, how it stands ("": as the incident), the parts in the team's order
Said = tuple[float, str, str, str, tuple[str, ...]]
PARTS = ("why", "doing", "next")

ROLES: Mapping[str, Sequence[Move]] = {
    "deploy": (
        (1, "mateo", "take", "commander", ""),
        (2, "mateo", "offer", "liaison", "zofia"),
        (3, "zofia", "accept", "liaison", ""),
        (5, "mateo", "offer", "technical_lead", "yuki"),
        (7, "yuki", "decline", "technical_lead", ""),
        (9, "mateo", "take", "technical_lead", ""),
    ),
    "signin": (
        (2, "imani", "offer", "liaison", "rafael"),
        (6, "rafael", "decline", "liaison", ""),
        (7, "imani", "offer", "liaison", "sunniva"),
        (9, "sunniva", "accept", "liaison", ""),
        (20, "imani", "offer", "expert", "rafael"),
        (26, "rafael", "accept", "expert", ""),
    ),
    "cards": (
        (1, "chidi", "take", "commander", ""),
        (5, "chidi", "offer", "dba", "tariq"),
        (8, "tariq", "accept", "dba", ""),
        (9, "chidi", "offer", "liaison", "ingrid"),
        (12, "ingrid", "accept", "liaison", ""),
    ),
    "token": ((2, "noor", "take", "commander", ""),),
    "drill": ((2, "mateo", "take", "commander", ""),),
    "pushes": (
        (1, "noor", "take", "commander", ""),
        (2, "noor", "offer", "liaison", "zofia"),
        (3, "zofia", "accept", "liaison", ""),
        (13, "noor", "offer", "technical_lead", "yuki"),
    ),
}

TOLD: Mapping[str, Sequence[Said]] = {
    "deploy": (
        (4, "zofia", "public", "", ("Some calls to our services fail since 03:04 UTC. We do not know why yet.",
         "The engineers on call look at it.", "We say more within twenty minutes.")),
        (18, "mateo", "manager", "identified", ("Deploy 2.41 changed how sessions are kept; one call in eight fails.",
         "Rolling it back in every region.", "Nothing is needed from you. Checkout knows.")),
        (21, "zofia", "public", "identified", ("A change of this night is the cause.", "We take it back, region by region.",
         "It should be better within half an hour.")),
        (38, "zofia", "public", "", ("Half of our regions work again.", "We go on, region by region.",
         "It should be over in ten minutes.")),
        (45, "zofia", "public", "", ("The change is gone from every region.", "We watch the errors fall.",
         "We say when it is over.")),
        (54, "zofia", "public", "", ("Everything works again.", "", "")),
    ),
    "signin": (
        (12, "sunniva", "communities", "", ("People of Tidelands and Fjordlab cannot sign in with Keyring ID.",
         "We ask Keyring ID; a password works meanwhile.", "We write again within three hours.")),
        (62, "sunniva", "communities", "", ("Keyring ID had changed a certificate.", "We took the new one in; people come back.",
         "We stay with it for an hour.")),
        (97, "sunniva", "communities", "", ("Everybody can sign in as before.", "", "")),
    ),
    "cards": (
        (14, "ingrid", "users", "", ("Card payments fail; cash works.", "We ask the acquirer and prepare the second route.",
         "We say more within the hour.")),
        (16, "ingrid", "leadership", "", ("Bluefin does not answer anybody.", "Switching to the second route by hand.",
         "Fees are higher there: to be spoken of tomorrow.")),
        (30, "ingrid", "users", "", ("Cards work again, over another route.", "We watch it.", "We say when all is as before.")),
        (142, "ingrid", "users", "", ("Bluefin is back, and everything runs as before.", "", "")),
    ),
    "token": (
        (14, "noor", "manager", "", ("A token of the build farm lay open in a log.", "It is revoked; nobody had used it.",
         "We say within the day how it came into the log.")),
    ),
    "pushes": (
        (4, "zofia", "public", "", ("About three image pushes in a hundred fail.", "We have a proxy in view that is full.",
         "Try a failed push again: the second usually works.")),
        (11, "zofia", "public", "identified", ("One of our upload proxies is full.", "We take it out.",
         "Pushes should work as usual within the hour.")),
        (14, "noor", "manager", "identified", ("An upload proxy is full; three pushes in a hundred fail.",
         "Taking it out of the pool.", "Nothing is needed from you.")),
    ),
}  # fmt: skip


def play(house: House, key: str, incident_id: int) -> None:
    """Lay out who does what and what is told, for an incident that was declared just now."""
    for minutes, who, what, role, whom in ROLES.get(key, ()):
        house.stage.after(minutes, partial(_move, house, incident_id, who, what, role, whom))
    for minutes, who, audience, state, parts in TOLD.get(key, ()):
        house.stage.after(minutes, partial(_tell, house, incident_id, who, audience, state, parts))


def _move(house: House, incident_id: int, who: str, what: str, role: str, whom: str) -> None:
    person, now = house.people[who], house.stage.now
    if what == "take":
        incident_roles.take(incident_id, role, person, now)
        return
    if what == "offer":
        _free(house, incident_id, role)
        incident_roles.offer(incident_id, role, house.people[whom], person, now)
        return
    asked = RoleAssignment.objects.get(incident=incident_id, role=role, person=person, state="offered")
    answer = incident_roles.accept if what == "accept" else incident_roles.decline
    answer(asked.pk, person, now)


def _free(house: House, incident_id: int, role: str) -> None:
    """Let whoever the team's own rule has asked, and is not of the story, say that they cannot."""
    for asked in RoleAssignment.objects.filter(incident=incident_id, role=role, state="offered").select_related(
        "person"
    ):
        try:
            incident_roles.decline(asked.pk, asked.person, house.stage.now)
        except (Refused, NotAllowed):
            return  # it was taken in the same minute


def _tell(house: House, incident_id: int, who: str, audience: str, state: str, parts: tuple[str, ...]) -> None:
    said = dict(zip(PARTS, parts, strict=True))
    incident_updates.write_update(incident_id, audience, said, house.people[who], house.stage.now, state=state)

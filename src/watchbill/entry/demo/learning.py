"""What the demo's teams learn: post-mortems in different states, their actions (one is late), an old report.

Sign-in is published, the cards reviewed, the deploy in review with its meeting tomorrow; the open token has a draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from watchbill.actions import (
    action_items,
    postmortem_meeting,
    postmortem_sections,
    postmortems,
    publishing,
    report_import,
    tickets,
)
from watchbill.actions.action_items import Wanted
from watchbill.db.models import PostMortem
from watchbill.entry.demo.house import House

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "deploy": {
        "summary": "For 44 minutes one call in eight failed for everybody with a session. Deploy 2.41 had changed the "
        "session cookie; it was rolled back.",
        "factors": "- The new cookie is longer than the limit of the session store.\n- Staging has no sessions that are "
        "older than a day, so nothing failed there.\n- The deploy went to all regions within a minute.",
        "recurring": "In spring a longer header did the same. That time we raised the limit and did not ask why "
        "staging had not told us.",
        "alerting": "An alert told us 90 seconds after the deploy. Checkout had noticed as well.",
        "avoid": "Deploy to one region first, and let staging keep old sessions.",
    },
    "signin": {
        "summary": "For an hour nobody of two communities could sign in with Keyring ID. It had changed a certificate, "
        "and we held on to the old one.",
        "resolution": "The new certificate was taken in by hand.",
        "lucky": "It was morning in Europe, and two people of Keyring ID were at their desks.",
        "went_well": "Passwords still worked, and the communities heard of that within a quarter of an hour.",
        "went_wrong": "Nobody was subscribed to the notices of Keyring ID.",
    },
    "cards": {
        "summary": "No card could be charged for 26 minutes. The acquirer was away; the second route was switched on by hand.",
        "factors": "- The acquirer's own standby did not start.\n- Our second route is switched by hand, by whoever finds "
        "the page that tells how.",
        "avoid": "Switch by itself after three minutes without an answer.",
    },
}
# title, who has it, days from now until it is due, kind, purpose, the smallest that helps, done already
ACTIONS: Mapping[str, tuple[tuple[str, str, int, str, str, bool, bool], ...]] = {
    "deploy": (
        ("Deploy to one region first and wait ten minutes", "mateo", -4, "process", "prevent", False, False),
        ("Let staging keep sessions of a week", "zofia", 9, "technical", "detect", False, False),
        ("Write the limit of the session store into the runbook", "yuki", -8, "documentation", "mitigate", True, True),
    ),
    "signin": (
        ("Subscribe to the notices of Keyring ID", "sunniva", -30, "process", "detect", True, True),
        ("Take certificates in from their metadata", "imani", 12, "technical", "prevent", False, False),
    ),
    "cards": (
        ("Switch to the second route by itself", "tariq", 5, "technical", "mitigate", True, False),
        ("Ask Bluefin for a status feed", "ingrid", 2, "process", "detect", False, False),
    ),
}
# the writer, the reviewer, the figures of the impact
WRITERS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "deploy": ("mateo", "anselm", {"People affected": "about 12 000", "Requests from users": "31"}),
    "signin": ("sunniva", "aroha", {"Users affected": "140", "Hubs affected": "2"}),
    "cards": ("chidi", "kwame", {"People affected": "2 300 payments", "Requests from users": "6"}),
}
OLD_REPORT = """# The archive would not give its data back

## Summary

For a morning finished data sets could not be read: the robot held a tape that it could not name.

## Timeline (all times in UTC)

### {day}

- 07:40 Lichen Atlas writes that nothing comes back.
- 08:05 The robot says that slot 14 is empty, and it is not.
- 10:30 The shelf is read anew; data sets come back.

## What went wrong

- Nobody hears of it when the robot is lost.

## Where we got lucky

No tape was damaged.

## Action items

### Process

- [x] Tell communities what the archive promises

### Technical

- [ ] Alert when a read takes more than ten minutes
"""


def learn(house: House, key: str, incident_id: int, resolved: float) -> None:
    """Lay out how the post-mortem of an incident that was declared just now is written; minutes until it is resolved."""
    if key in WRITERS:
        for days, act in ((1, _write), (2, _act), (3, _review)):
            house.stage.after(resolved + days * 1440 - 300, partial(act, house, key, incident_id))
    if key == "token":
        why = "We want to know how it came into the log."
        noor = house.people["noor"]
        house.stage.after(resolved + 90, lambda: postmortems.begin_by_hand(incident_id, noor, house.stage.now, why))


def bring_old(house: House) -> None:
    """Let Sunniva import a report that was written before there was a Watchbill."""
    when = house.stage.now + timedelta(days=4, hours=2)
    day = (house.stage.end - timedelta(days=412)).date().isoformat()
    house.stage.at(when, lambda: _import(house, day))


def _import(house: House, day: str) -> None:
    content = OLD_REPORT.format(day=day).encode()
    team, sunniva = house.teams["research"], house.people["sunniva"]
    report_import.import_file(team, content, f"{day}-archive.md", sunniva, house.stage.now)


def _found(incident_id: int) -> PostMortem:
    return PostMortem.objects.select_related("team").get(incident=incident_id)


def _write(house: House, key: str, incident_id: int) -> None:
    postmortem, now = _found(incident_id), house.stage.now
    writer, reviewer, figures = WRITERS[key]
    postmortems.change(postmortem.pk, {"owner": house.people[writer]}, house.people[reviewer], now)
    for section in postmortem.sections.filter(key__in=SECTIONS[key]):
        text = SECTIONS[key][section.key]
        postmortem_sections.save(section.pk, text, section.version, house.people[writer], now)
    postmortems.set_impact(postmortem.pk, figures, house.people[writer], now)


def _act(house: House, key: str, incident_id: int) -> None:
    postmortem, stage = _found(incident_id), house.stage
    writer = house.people[WRITERS[key][0]]
    for title, who, days, kind, purpose, smallest, is_done in ACTIONS[key]:
        wanted = Wanted(
            title=title,
            owner=house.people[who],
            due_on=(stage.end + timedelta(days=days)).date(),
            kind=kind,
            purpose=purpose,
            is_smallest=smallest,
        )
        item = action_items.add(postmortem.pk, wanted, writer, stage.now)
        if is_done:
            stage.after(1440 * 2.5, partial(_finish, house, item.ticket_id, who))


def _finish(house: House, ticket_id: int, who: str) -> None:
    tickets.move(ticket_id, "done", house.people[who], house.stage.now)


def _review(house: House, key: str, incident_id: int) -> None:
    postmortem, now = _found(incident_id), house.stage.now
    writer, reviewer = (house.people[name] for name in WRITERS[key][:2])
    if key == "deploy":
        postmortems.move(postmortem.pk, "in_review", writer, now)
        meeting = (house.stage.end + timedelta(days=1)).replace(hour=13, minute=30, second=0, microsecond=0)
        postmortem_meeting.plan(postmortem.pk, meeting, writer, now)
        postmortems.change(postmortem.pk, {"due_at": meeting + timedelta(hours=4)}, reviewer, now)
        return
    postmortems.move(postmortem.pk, "in_review", writer, now)
    if key == "cards":
        postmortems.move(postmortem.pk, "reviewed", reviewer, now)
        return
    # Whoever owns Research Hub lets it out before it is reviewed: the team publishes drafts.
    publishing.publish(postmortem.pk, reviewer, now, targets=["page"])

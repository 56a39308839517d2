"""True names for what schemathesis makes up: a probe that names nothing real is answered 404 before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.core.test_drills import FULL
from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import fill_desk
from watchbill.actions import (
    action_items,
    declaring,
    drills,
    handoff,
    incident_links,
    incident_story,
    incident_tasks,
    notices,
    postmortem_meeting,
    postmortems,
    rota,
    shift_log,
    silences,
    statuspage,
)
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.db.models import (
    ActionItem,
    CannedResponse,
    Community,
    Connection,
    ContactAddress,
    Drill,
    Event,
    ExpertAsk,
    ExternalRef,
    FaqEntry,
    Handoff,
    HandoffItem,
    HandoffQuestion,
    Incident,
    IncidentLink,
    IncidentTask,
    IncidentUpdate,
    LogEntry,
    Notice,
    Override,
    PostMortem,
    PostMortemAttendee,
    PostMortemSection,
    Publication,
    Requester,
    SavedFilter,
    Silence,
    Sprint,
    StatusComponent,
    StatusPage,
    SupportRequest,
    Ticket,
    VendorCase,
)

SLUGS = {
    "teams": "platform", "services": "checkout", "rotations": "platform-engineers", "instance": "email",
    "desks": "platform", "backlog": "platform",
}  # fmt: skip


def fill(api: ApiWorld) -> None:
    """Put one of everything into the world; Ana administers it."""
    world = api.world
    world.ana.is_superuser = True
    world.ana.save()
    api.alert()
    world.arrives({"nobody": "understands"})
    world.work()
    until = world.now + timedelta(hours=1)
    silences.add_silence(
        world.team, world.ana, world.now, service=None, matchers=[{"label": "a", "operator": "=", "value": "b"}],
        why="a test", starts_at=None, ends_at=until,
    )  # fmt: skip
    rota.add_override(
        world.rotation, world.ben, world.now + timedelta(days=1), world.now + timedelta(days=2), world.eva, world.now
    )
    rota.add_absence(world.ben, world.now.date(), world.now.date(), world.ben, world.now)
    fill_desk(world)
    drills.stop(drills.start(world.team, FULL, 1, world.eva, world.now).pk, world.eva, world.now)
    declared = Declared("Nobody can pay", "The card is refused", services=[world.service])
    made = declaring.declare(world.team, declared, world.ben, world.now)
    incident_story.write(made.pk, Entry("The card is refused"), world.ben, world.now)
    incident_tasks.add(made.pk, "Call the bank", world.ben, world.now)
    incident_links.link(made.pk, "alert", world.group().pk, world.ben, world.now)
    learned = postmortems.begin_by_hand(made.pk, world.ben, world.now, "it was instructive")
    action_items.add_line(learned.pk, "Ask a second bank", world.ben, world.now)
    postmortem_meeting.ask(learned.pk, world.ben, world.now, whom=world.eva)
    notices.draft(
        world.team,
        {"title": "Move it", "text": "Slow", "starts_at": until, "ends_at": until + timedelta(hours=1)},
        world.ana,
        world.now,
    )
    handed = handoff.begin(world.rotation, "engineer", world.ana, world.now)
    handoff.add_item(handed.pk, "The vendor calls", "", world.ana, world.now)
    handoff.ask_about(handed.pk, None, "When?", world.ben, world.now)
    # Ana, who probes, comes; Ben, whom a probe names, may have been there.
    Handoff.objects.filter(pk=handed.pk).update(leaver=world.eva, comer=world.ana, state="handed_on")
    shift_log.add_entry(world.team, {"title": "The fan hums"}, world.ana, world.now)
    page = statuspage.create(world.team, {"title": "Status"}, world.eva, world.now)
    statuspage.add_component(page, world.service, {}, world.eva, world.now)


class TrueNames:
    """What exists in the world, by the name of the parameter or the field that asks for it."""

    def __init__(self, api: ApiWorld) -> None:
        world = self.world = api.world
        # Read once: what an operation deletes is named again, and must be drawn alike.
        self.inner = {
            "/me/asks/": _newest(ExpertAsk),
            "/faq/": _newest(FaqEntry),
            "/messages/": _newest(CannedResponse),
            "/connections/": world.connection.pk,
            "/overrides/": _newest(Override),
            "/members/": world.ben.pk,
            "/ladders/": world.ladder.pk,
            "/addresses/": ContactAddress.objects.filter(person=world.ana).latest("pk").pk,
        }
        self.numbers = {
            "alerts": world.group().pk,
            "pages": world.page().pk,
            "silences": _newest(Silence),
            "people": world.ben.pk,
            "requests": _newest(SupportRequest),
            "requesters": _newest(Requester),
            "communities": _newest(Community),
            "vendor-cases": _newest(VendorCase),
            "incidents": _newest(Incident),
            "notices": _newest(Notice),
            "tickets": _newest(Ticket),
            "sprints": _newest(Sprint),
            "filters": _newest(SavedFilter),
            "connectors": _newest(Connection),
            "twins": _newest(ExternalRef),
            "status-pages": _newest(StatusPage),
            "postmortems": _newest(PostMortem),
            "drills": _newest(Drill),
            "handoffs": _newest(Handoff),
            "shift-log": _newest(LogEntry),
        }
        soon, later = (world.now + timedelta(hours=hours) for hours in (1, 2))
        self.fields: dict[str, Any] = {
            "team": "platform",
            "service": "checkout",
            "rotation": SLUGS["rotations"],
            "person": world.ben.pk,
            "to": world.ben.pk,
            "fallback": world.eva.pk,
            "manager": world.eva.pk,
            "product_manager": None,
            "leadership_contact": world.eva.pk,
            "ladder": world.ladder.pk,
            "subject_id": world.page().pk,
            "until": soon.isoformat(),
            "starts_at": soon.isoformat(),
            "ends_at": later.isoformat(),
            "at": soon.isoformat(),
            "starts": soon.isoformat(),
            "ends": later.isoformat(),
            "since": None,
            "starts_on": "2026-03-02",
            "first_day": "2026-03-05",
            "last_day": "2026-03-06",
            "zone": "Europe/Berlin",
            "seat": "engineer",
            "monitor": "generic",
            "preset": "oncall-remodel",
            "holiday_country": "GB",
            "holiday_subdivision": "",
            "email": "new@example.org",
            "channel": "email",
            "after": "",
            **self._of_the_desk(),
        }

    @property
    def needed(self) -> dict[str, str]:
        """Give what a list cannot do without."""
        return {"team": "platform", "since": "2026-03-01", "until": "2026-03-31"}

    def _of_the_desk(self) -> dict[str, Any]:
        ticket, other = Ticket.objects.order_by("pk")[:2]
        return {
            "community": "research",
            "assignee": self.world.ben.pk,
            "epic": None,
            "sprint": Sprint.objects.latest("pk").pk,
            "target": ticket.pk,
            "ids": [ticket.pk, other.pk],
            "connection": Connection.objects.latest("pk").pk,
            "connector": "gitlab",
            "query": "",
            "minutes": 5,
            "level": "",
            "owner": self.world.ben.pk,
            "impact_kind": "outage",
            "incident": _newest(Incident),
            "role": "commander",
            "milestone": "detected",
            "condition": "degraded",
            "due_on": "2026-04-01",
            "ends_on": "2026-03-20",
            "remind_after_hours": 4,
            "request_class": "",
        }

    def path(self, path: str) -> dict[str, Any]:
        """Give what a path names."""
        kind = path.split("/")[2]
        found: dict[str, Any] = {"slug": SLUGS[kind]} if "{slug}" in path else {}
        if "{number}" in path:
            found["number"] = self._number(path, kind)
        if "{key}" in path:
            found["key"] = "posted"
        return found | {name: give() for name, give in PARTS.items() if f"{{{name}}}" in path}

    def _number(self, path: str, kind: str) -> int:
        for part, number in self.inner.items():
            if part in path:
                return number
        return self.numbers.get(kind, 10**9)

    def put_into(self, value: Any) -> Any:
        """Replace what was made up by what is true, wherever a field asks for it."""
        if isinstance(value, list):
            return [self.put_into(item) for item in value]
        if not isinstance(value, dict):
            return value
        filled = {key: self.fields.get(key, self.put_into(inner)) for key, inner in value.items()}
        return {key: inner for key, inner in filled.items() if inner is not None or value[key] is None}


def _newest(model: Any) -> int:
    found = model.objects.order_by("pk").last()
    return int(found.pk) if found else 10**9


# What a path names beside its number, read anew each time: an operation before may have taken it away.
PARTS: dict[str, Callable[[], Any]] = {
    "line": lambda: _newest(Event),
    "update": lambda: _newest(IncidentUpdate),
    "role": lambda: "commander",
    "task": lambda: _newest(IncidentTask),
    "link": lambda: _newest(IncidentLink),
    "section": lambda: _newest(PostMortemSection),
    "action": lambda: _newest(ActionItem),
    "attendee": lambda: _newest(PostMortemAttendee),
    "publication": lambda: _newest(Publication),
    "component": lambda: _newest(StatusComponent),
    "incident": lambda: _newest(Incident),
    "urgency": lambda: "important",
    "item": lambda: _newest(HandoffItem),
    "question": lambda: _newest(HandoffQuestion),
}

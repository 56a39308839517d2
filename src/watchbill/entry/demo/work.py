"""The backlogs of the demo's teams; Platform's has sprints, epics, quick fixes and their other halves, a riddle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from watchbill.actions import epics, filters, sprints, ticket_pairs, tickets, tracking, work_clock
from watchbill.actions.epics import Part
from watchbill.actions.tickets import Written
from watchbill.db.models import Person, Ticket
from watchbill.entry.demo.house import House
from watchbill.entry.demo.story import ago
from watchbill.kit.errors import Refused

TEAM = "platform"
# title, service, labels, points, days ago, days in progress (0: not begun, negative: begun and not done), kind
BACKLOG: tuple[tuple[str, str, tuple[str, ...], int, int, float, str], ...] = (
    ("Rotate the gateway's certificates by themselves", "gateway", ("operations", "compliance"), 5, 60, 0, "task"),
    ("Let the registry clean up twice a day", "registry", ("operations",), 2, 55, 3, "task"),
    ("A page in the guide about tokens", "registry", ("operations", "docs"), 1, 50, 1, "task"),
    ("Routes by merge request", "gateway", ("feature",), 5, 70, 8, "task"),
    ("Preview environments for merge requests", "staging", ("feature",), 8, 66, 15, "task"),
    ("Search over build logs", "farm", ("feature",), 5, 44, 9, "task"),
    ("Update the base images (finding 2214)", "registry", ("operations", "security"), 3, 20, 0, "task"),
    ("Alarm on the depth of the push queue", "registry", ("operations",), 2, 33, 2, "task"),
    ("Costs per team on one page", "farm", ("feature",), 3, 30, 6, "task"),
    ("Move the build cache to the new disks", "farm", ("operations",), 3, 18, -9, "task"),
    ("Limits per caller at the gateway", "gateway", ("feature",), 5, 15, -4, "task"),
    ("Why does builder-17 lose its heartbeat?", "farm", ("operations",), 2, 12, 0, "investigation"),
    ("Two people should know the tape script", "", ("operations",), 1, 9, 0, "action"),
    ("Registry restarts in the night", "registry", ("operations",), 3, 8, 0, "lasting_fix"),
)  # fmt: skip
# The other two teams: team, author, title, service, labels, points, days ago, begun
ELSEWHERE: tuple[tuple[str, str, str, str, tuple[str, ...], int, int, bool], ...] = (
    ("payments", "kwame", "Practise the switch to the second acquirer", "cards", ("operations",), 3, 11, False),
    ("payments", "bronwyn", "Vacuum the ledger's oldest tables", "ledger", ("operations",), 2, 9, True),
    ("payments", "ingrid", "Refunds of orders older than a year", "checkout", ("feature",), 5, 13, True),
    ("payments", "tariq", "Alarm before the ledger's disk is full", "ledger", ("operations",), 1, 4, False),
    ("research", "imani", "Machines for the spring school", "hub", ("operations",), 3, 12, True),
    ("research", "sunniva", "Two copies of the tape index", "archive", ("operations",), 3, 10, False),
    ("research", "rafael", "Renew certificates before Keyring does", "login", ("operations",), 2, 5, False),
)
# team, whose, name, query, shared
FILTERS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("platform", "anselm", "Operations that nobody has begun", "label = operations and stage = to_do", True),
    ("platform", "noor", "What I have", "assignee = me and stage != done", False),
    ("payments", "kwame", "About the ledger", "service = ledger-database and stage != done", True),
)


def keep_backlog(house: House) -> None:
    """Lay out sprints, the backlog, pairs and the riddle; a shorter demo leaves out what lies before its beginning."""
    _plan_sprints(house)
    for row in BACKLOG:
        house.stage.at(ago(house, row[4], "10:40"), _comes(house, row))
    house.stage.at(ago(house, 24, "11:15"), lambda: _epic(house))
    house.stage.at(
        ago(house, 31, "09:50"), lambda: _quick_fix(house, "Restart the registry's proxy every night", paired=True)
    )
    house.stage.at(ago(house, 19, "15:20"), lambda: _quick_fix(house, "Double the timeout of pushes", paired=False))
    house.stage.at(ago(house, 36, "13:05"), lambda: _riddle(house))
    for other in ELSEWHERE:
        house.stage.at(ago(house, other[6], "14:20"), _comes_elsewhere(house, other))
    house.stage.at(ago(house, 2, "16:10"), lambda: _keep_filters(house))


def _plan_sprints(house: House) -> None:
    """Team sprints of two weeks, and an operations sprint of six around them (BKL-07)."""
    today = house.stage.end.date()
    monday = today - timedelta(days=today.weekday())
    for number in range(6):
        first = monday - timedelta(weeks=2 * (5 - number) - 1) - timedelta(weeks=1)
        values = {
            "name": f"Sprint {38 + number}", "kind": "team", "starts_on": first, "ends_on": first + timedelta(days=13),
            "goal": ("Routes", "Previews", "Logs", "Costs", "Limits", "Cache")[number], "capacity_points": 18, "ops_share": 30,
        }  # fmt: skip
        start = (house.stage.end - (today - first)).replace(hour=9, minute=0, second=0, microsecond=0)
        house.stage.at(start, _starts(house, values))
    first = monday - timedelta(weeks=5)
    values = {"name": "Operations, autumn", "kind": "ops", "starts_on": first, "ends_on": first + timedelta(weeks=7)}
    house.stage.at(house.stage.end - (today - first), _starts(house, values))


def _starts(house: House, values: dict[str, object]) -> Callable[[], None]:
    def act() -> None:
        team, owner, now = house.teams[TEAM], house.people["anselm"], house.stage.now
        before = sprints.current(team, str(values["kind"]), now)
        try:
            made = sprints.add_sprint(team, values, owner, now)
            if before is not None:
                sprints.close_sprint(before.pk, made.pk, owner, now)
        except Refused:
            return  # the calendar of a shorter demo has no room for it

    return act


def _comes(house: House, row: tuple[str, str, tuple[str, ...], int, int, float, str]) -> Callable[[], None]:
    title, service, labels, points, _, lasts, kind = row

    def act() -> None:
        stage, author = house.stage, house.people["anselm"]
        sprint = sprints.current(house.teams[TEAM], "team" if "feature" in labels else "ops", stage.now)
        written = Written(
            title, kind=kind, labels=labels, points=points, service=house.services.get(service),
            sprint=sprint if lasts else None,
        )  # fmt: skip
        ticket = tickets.add_ticket(house.teams[TEAM], written, author, stage.now)
        if not lasts:
            return
        person = house.people[("mateo", "zofia", "yuki", "noor")[ticket.pk % 4]]
        stage.after(stage.chance.uniform(60, 1500), lambda: _begin(house, ticket.pk, person))
        if lasts > 0:
            stage.after(lasts * 24 * 60 + 1600, lambda: _end(house, ticket.pk, person, points))

    return act


def _begin(house: House, number: int, person: Person) -> None:
    tickets.change_ticket(number, {"assignee": person}, person, house.stage.now)
    tickets.move(number, "in_progress", person, house.stage.now)


def _end(house: House, number: int, person: Person, points: int) -> None:
    ticket = Ticket.objects.select_related("team").get(pk=number)
    work_clock.log_time(ticket, points * 55, person, house.stage.now)
    tickets.comment(number, "Done and looked at by a second person.", person, house.stage.now)
    tickets.move(number, "done", person, house.stage.now)


def _epic(house: House) -> None:
    """What would become urgent, planned before it is (BKL-05)."""
    stage, author = house.stage, house.people["anselm"]
    due = (stage.end + timedelta(days=40)).date()
    written = Written(
        "Leave the old operating system before its support ends", "Forty builders and three gateways.", kind="epic",
        labels=("operations", "compliance"), more={"due_on": due},
    )  # fmt: skip
    epic = tickets.add_ticket(house.teams[TEAM], written, author, stage.now)
    parts = [Part("Gateways 1 to 3", 5), Part("Builders of rack 4", 3), Part("Builders of racks 5 and 6", 5)]
    made = epics.split(epic.pk, parts, author, stage.now)
    stage.after(3000, lambda: _begin(house, made[0].pk, house.people["yuki"]))
    stage.after(9000, lambda: _end(house, made[0].pk, house.people["yuki"], 5))


def _quick_fix(house: House, title: str, *, paired: bool) -> None:
    stage, person = house.stage, house.people["mateo"]
    written = Written(
        title, "So that nobody is woken until we know more.", kind="quick_fix", labels=("operations",), points=1,
        service=house.services["registry"], is_unplanned=True,
    )  # fmt: skip
    fix = tickets.add_ticket(house.teams[TEAM], written, person, stage.now)
    tickets.change_ticket(fix.pk, {"assignee": person}, person, stage.now)
    if paired:
        lasting = Written("Find out why uploads fill the proxy", kind="lasting_fix", labels=("operations",), points=3,
                          service=house.services["registry"])  # fmt: skip
        ticket_pairs.close_quick_fix(fix.pk, person, stage.now, lasting=lasting)
    else:
        tickets.move(fix.pk, "in_progress", person, stage.now)


def _riddle(house: House) -> None:
    """Nobody knows the cause: one ticket gathers every time it happens (SPN-05)."""
    stage, person = house.stage, house.people["yuki"]
    written = Written(
        "Calls through gateway 2 stop for four seconds", "Always whole seconds. Never seen by day.", kind="tracking",
        labels=("operations",), service=house.services["gateway"],
    )  # fmt: skip
    ticket = tickets.add_ticket(house.teams[TEAM], written, person, stage.now)
    for days, text in ((0, "03:12, four seconds, nothing in the log."), (9, "02:58, again. The peer restarted its session."),
                       (21, "03:40. This time with a packet capture: it is in the room's folder.")):  # fmt: skip
        stage.after(days * 24 * 60 + 5, _again(house, ticket.pk, text, person))


def _again(house: House, number: int, text: str, person: Person) -> Callable[[], object]:
    return lambda: tracking.happened(number, text, house.stage.now, person, house.stage.now)


def _comes_elsewhere(
    house: House, row: tuple[str, str, str, str, tuple[str, ...], int, int, bool]
) -> Callable[[], None]:
    team, name, title, service, labels, points, _, begun = row

    def act() -> None:
        person = house.people[name]
        written = Written(title, labels=labels, points=points, service=house.services[service])
        ticket = tickets.add_ticket(house.teams[team], written, person, house.stage.now)
        if begun:
            house.stage.after(26 * 60, lambda: _begin(house, ticket.pk, person))

    return act


def _keep_filters(house: House) -> None:
    for team, name, title, query, is_shared in FILTERS:
        filters.save_filter(house.teams[team], house.people[name], title, query, house.stage.now, is_shared=is_shared)

"""How the demo's people hand their watches on: usually in time, with a question now and then; the newest waits for Noor."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial

from watchbill.actions import handoff, shift_log
from watchbill.core.handoff import OPEN
from watchbill.db.models import Handoff, Person, Ticket
from watchbill.db.support_facts import people_in_seat
from watchbill.entry.demo.house import House
from watchbill.entry.demo.stage import SEED
from watchbill.entry.demo.story import ago
from watchbill.kit.errors import NotAllowed, Refused

CALM = (
    "A calm watch. Nothing waits for you that does not stand below.",
    "Quiet. I tidied two alerts that told us nothing.",
    "Little to say: what is open is in order, and each ticket has a note.",
)
BUSY = (
    "The gateway kept me busy; look at the open alerts first. Everything else can wait until noon.",
    "Two of the tickets below belong together. Begin with the one that is marked first.",
    "If the registry pages again, do not restart it: read the note on its ticket.",
)
QUESTIONS = (
    ("Did the vendor call back?", "Not yet. Their case is on the ticket; they promised it for today."),
    ("Is this urgent, or does it only look so?", "It only looks so until Thursday."),
    ("Whom do I ask when it happens at night?", "Zofia said that she may be woken for this one."),
)
# team, days before the present, at, what was noted, whether it is about an open ticket
NOTED: tuple[tuple[str, int, str, str, bool], ...] = (
    ("platform", 52, "14:12", "Larchwood moved us to other machines without telling", False),
    ("platform", 40, "10:31", "The graphs of north-2 are an hour late; nobody knows why", False),
    ("platform", 24, "16:05", "Anselm's laptop is the only place with the old certificate", True),
    ("platform", 13, "09:50", "The fan of edge-3 hums. It hummed before it failed last year.", False),
    ("platform", 5, "11:20", "Somebody still uses the old registry address: 40 calls a minute", True),
    ("platform", 1, "15:40", "Builds wait for licences each day at four. A pattern?", False),
    ("payments", 16, "13:15", "Bluefin's desk asks for the merchant number twice now", False),
    ("payments", 3, "10:45", "The ledger's copy lags ten minutes after each invoice run", True),
    ("research", 20, "12:00", "Two communities ask for the same library; perhaps one image for both", False),
)


def hand_on(house: House) -> None:
    """Lay out what is noted on watch, and let people hand over what is drafted for them."""
    chance = random.Random(SEED)  # noqa: S311 - the same story each time
    house.stage.on_handoff = lambda made: _plan(house, made, chance)
    for team, days, clock, title, has_ticket in NOTED:
        house.stage.at(ago(house, days, clock), partial(_note, house, team, title, has_ticket))


def _note(house: House, key: str, title: str, has_ticket: bool) -> None:
    team, now = house.teams[key], house.stage.now
    standing = people_in_seat(team, "", now)
    ticket = (
        Ticket.objects.filter(team=team).exclude(stage="done").order_by("rank", "id").first() if has_ticket else None
    )
    if standing:
        shift_log.add_entry(team, {"title": title, "ticket": ticket}, standing[0], now)


def _plan(house: House, made: Handoff, chance: random.Random) -> None:
    """The one who leaves writes a quarter of an hour before the end; the one who comes accepts soon after it is due.

    Noor, the visitor, has everything still to do; now and then somebody forgets, and accepts after having been asked.
    """
    stage, noor = house.stage, house.people["noor"]
    forgets = chance.random() < 0.04
    asks = chance.random() < 0.15
    busy = chance.random() < 0.4
    words, question = chance.choice(BUSY if busy else CALM), chance.choice(QUESTIONS)
    written = max(made.ends_at - timedelta(minutes=chance.randint(8, 20)), stage.now + timedelta(minutes=1))
    taken = made.due_at + timedelta(minutes=chance.randint(4, 12) + (190 if forgets else 0))
    if noor.pk in {made.leaver_id, made.comer_id} and taken > stage.end - timedelta(days=1):
        taken = stage.end + timedelta(days=1)
    stage.at(written, lambda: _write(house, made.pk, words, busy=busy))
    if asks:
        stage.at(written + timedelta(minutes=3), lambda: _ask(house, made.pk, question))
    stage.at(max(taken, written + timedelta(minutes=6)), lambda: _accept(house, made.pk))


def _open(number: int) -> Handoff | None:
    rows = Handoff.objects.select_related("leaver", "comer", "team").filter(pk=number, state__in=OPEN)
    return rows.first()


def _write(house: House, number: int, words: str, *, busy: bool) -> None:
    given, now = _open(number), house.stage.now
    if given is None:
        return
    handoff.write_summary(number, words, given.version, given.leaver, now)
    work = given.items.filter(part="work", is_over=False).order_by("position").first()
    if work is not None and busy:
        handoff.mark_item(work.pk, given.leaver, now, is_first=True)
    handoff.hand_on(number, given.leaver, now)


def _ask(house: House, number: int, question: tuple[str, str]) -> None:
    given = _open(number)
    if given is None or given.comer is None:
        return
    work = given.items.filter(part="work", is_over=False).order_by("position").first()
    asked = handoff.ask_about(number, work.pk if work else None, question[0], given.comer, house.stage.now)
    house.stage.after(2, lambda: handoff.answer(asked.pk, question[1], given.leaver, house.stage.now))


def _accept(house: House, number: int) -> None:
    given = _open(number)
    if given is None or given.comer is None:
        return
    try:
        handoff.accept(
            number, given.comer, house.stage.now, how=given.mode, confirms=True, witnesses=_others(house, given)
        )  # fmt: skip
    except (Refused, NotAllowed):
        return  # nobody was there to see it: it waits for the next day


def _others(house: House, given: Handoff) -> list[Person]:
    if given.mode != "meeting":
        return []
    members = (house.people[name] for name in ("anselm", "yuki", "mateo"))
    return [one for one in members if one.pk not in {given.leaver_id, given.comer_id}][:2]

"""What people ask of the demo's teams, a few times a week, and how it is answered: quickly, by a ticket, by a vendor, not now.

Seeded like the rest. Most requests end rated or in silence; a few of the last days are open, one of them unassigned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from watchbill.actions import (
    desk_inbox,
    experts,
    request_timebox,
    requester_side,
    support,
    tickets,
    turning_away,
    vendor_cases,
    work_clock,
)
from watchbill.actions.asked import Asked, File
from watchbill.actions.requesters import Asker
from watchbill.db import facts
from watchbill.db.models import ExpertAsk, Membership, Person, SupportRequest, Ticket
from watchbill.entry.demo.house import House
from watchbill.kit.errors import Refused

ENDS_BEFORE = timedelta(days=2)
TEMPO = 0.6  # of the rates below, as for alerts: a quarter is to be built within a minute on two cores


@dataclass(frozen=True)
class Kind:
    """A request that comes again and again: by whom, how often a week, and how it usually goes."""

    team: str
    a_week: float
    who: str
    email: str
    title: str
    text: str
    request_class: str
    service: str
    goes: str
    answer: str
    door: str = "page"


EVERYDAY: tuple[Kind, ...] = (
    Kind("platform", 1.1, "Linnea Farrow", "linnea@shop.example", "A route for the new search service", "Host and port are in "
         "our merge request.", "customer_issue", "gateway", "quick", "It is merged; live in ten minutes."),
    Kind("platform", 0.8, "Bastian Coe", "bastian@shop.example", "Builds of the app are slow since Monday", "Nine minutes "
         "before, twenty now.", "customer_issue", "farm", "ticket", "The cache moved. We have a ticket for it and write here when it is mended."),
    Kind("platform", 0.9, "Rosalind Pike", "rosalind@finance.example", "Could you make a dashboard of our costs?", "No hurry.",
         "not_urgent", "", "not_now", ""),
    Kind("platform", 0.5, "Linnea Farrow", "linnea@shop.example", "503 from the gateway for our health checks", "Every third.",
         "incident_report", "gateway", "quick", "One of four nodes had an old route. It is gone; thank you for telling us."),
    Kind("payments", 1.4, "Osric Venn", "osric@support.example", "Refund of an order from last year", "The button is grey.",
         "user_request", "checkout", "quick", "Orders older than a year need a flag. Set; please try again."),
    Kind("payments", 0.9, "Thea Marlow", "thea@books.example", "A report of the ledger by month", "For the auditors.",
         "user_request", "ledger", "ticket", "This takes longer than a quarter of an hour: we have written a ticket."),
    Kind("payments", 0.7, "Osric Venn", "osric@support.example", "Cards of one bank are refused", "Only Halibut Bank.",
         "incident_report", "cards", "vendor", "Bluefin looks into it; you hear as soon as we do."),
    Kind("payments", 0.9, "Thea Marlow", "thea@books.example", "How do I read the fee column?", "", "advice", "ledger", "advice",
         "Fees are in tenths of a cent; the guide has a page about it, and I have added your question to it."),
    Kind("research", 1.2, "Marisol Brack", "marisol@tidepool.example", "More memory for the spring school", "Forty people, "
         "16 GB each, two weeks.", "change_request", "hub", "ticket", "We plan it for the next sprint."),
    Kind("research", 0.9, "Jun Ostrander", "jun@lichen.example", "Please install a package for maps", "cartomap, any version.",
         "change_request", "hub", "approval", "It is in the image of tomorrow."),
    Kind("research", 0.8, "Odette Vane", "odette@deepclay.example", "How long are files kept?", "", "guidance_request", "archive",
         "advice", "Ten years on tape; the working copy ends after ninety days."),
    Kind("research", 0.6, "Marisol Brack", "marisol@tidepool.example", "Nobody of us can sign in", "Since ten minutes.",
         "incident_report", "login", "expert", "Keyring had a bad certificate for our community. It is renewed."),
)  # fmt: skip
MINUTES = {"quick": 12, "advice": 8, "ticket": 21, "vendor": 17, "not_now": 3, "approval": 14, "expert": 34}


def ask_all_quarter(house: House) -> None:
    """Spread the everyday requests over the working hours of the whole time, then what is open now."""
    stage = house.stage
    for kind in EVERYDAY:
        moment = stage.now + timedelta(days=1)
        while True:
            moment += timedelta(weeks=stage.chance.expovariate(kind.a_week * TEMPO))
            if moment > stage.end - ENDS_BEFORE:
                break
            stage.at(_by_day(moment), _happens(house, kind))
    _present(house)


def _by_day(moment: datetime) -> datetime:
    moment -= timedelta(days=max(0, moment.weekday() - 4))
    return moment.replace(hour=8 + moment.hour % 9)


def _happens(house: House, kind: Kind) -> Callable[[], None]:
    def act() -> None:
        request = _ask(house, kind)
        house.stage.after(house.stage.chance.lognormvariate(3.2, 0.8), lambda: _goes(house, kind, request.pk))

    return act


def _ask(house: House, kind: Kind) -> SupportRequest:
    asked = Asked(
        kind.title,
        kind.text,
        request_class=kind.request_class,
        door=kind.door,
        service=house.services.get(kind.service),
    )
    return support.open_request(house.teams[kind.team], Asker(kind.who, kind.email), asked, house.stage.now)


def on_watch(house: House, team: str) -> Person:
    """Read who stands the team's watch now; nobody: one of its members, the same for the same day."""
    standing = [shift.person for shift in facts.shifts_now(house.teams[team], house.stage.now) if shift.person]
    if standing:
        return standing[0]
    members = Membership.objects.filter(team=house.teams[team], role__in=facts.SERVING).select_related("person")
    return list(members.order_by("id"))[house.stage.now.day % members.count()].person


def _goes(house: House, kind: Kind, number: int) -> None:
    person = on_watch(house, kind.team)
    try:
        GOES[kind.goes](house, kind, number, person)
    except Refused:
        return  # it ended in another way meanwhile


def _spend(house: House, kind: Kind, number: int, person: Person) -> None:
    minutes = max(2, round(MINUTES[kind.goes] * house.stage.chance.lognormvariate(0, 0.35)))
    work_clock.log_time(SupportRequest.objects.get(pk=number), minutes, person, house.stage.now)


def _quick(house: House, kind: Kind, number: int, person: Person) -> None:
    support.take(number, person, house.stage.now)
    _spend(house, kind, number, person)
    support.resolve(number, "done", kind.answer, person, house.stage.now)
    house.stage.after(house.stage.chance.uniform(30, 900), lambda: _rate(house, number))


def _advice(house: House, kind: Kind, number: int, person: Person) -> None:
    _spend(house, kind, number, person)
    request_timebox.answer_and_log(number, kind.answer, person, house.stage.now)
    house.stage.after(house.stage.chance.uniform(30, 900), lambda: _rate(house, number))


def _ticket(house: House, kind: Kind, number: int, person: Person) -> None:
    support.take(number, person, house.stage.now)
    _spend(house, kind, number, person)
    request_timebox.make_ticket(number, {"labels": ["operations"], "points": 2}, person, house.stage.now)
    support.answer(number, kind.answer, person, house.stage.now, waits_on="us")
    days = house.stage.chance.uniform(1, 6)
    house.stage.after(days * 24 * 60, lambda: _finish(house, number, "It is done; please have a look."))


def _finish(house: House, number: int, words: str) -> None:
    request = SupportRequest.objects.select_related("assignee", "team").get(pk=number)
    if request.state != "open":
        return
    person = request.assignee or on_watch(house, request.team.slug)
    for ticket in Ticket.objects.filter(request=request).exclude(stage="done"):
        tickets.move(ticket.pk, "done", person, house.stage.now)
    support.resolve(number, "done", words, person, house.stage.now)
    house.stage.after(house.stage.chance.uniform(60, 1500), lambda: _rate(house, number))


def _vendor(house: House, kind: Kind, number: int, person: Person) -> None:
    support.take(number, person, house.stage.now)
    _spend(house, kind, number, person)
    support.answer(number, kind.answer, person, house.stage.now, waits_on="us")
    values = {"reference": f"BF-{40_000 + number}", "note": "They ask for three order numbers."}
    case = vendor_cases.open_case(SupportRequest.objects.get(pk=number), values, person, house.stage.now)

    def back() -> None:
        case.refresh_from_db()
        if case.closed_at is None:
            vendor_cases.close_case(case, person, house.stage.now, "a list of theirs was old")
        _finish(house, number, "Bluefin has mended a list of theirs. Cards of that bank are taken again.")

    house.stage.after(house.stage.chance.uniform(8, 40) * 60, back)


def _not_now(house: House, kind: Kind, number: int, person: Person) -> None:
    text = turning_away.words_to_turn_away(SupportRequest.objects.get(pk=number), person, house.stage.now)
    turning_away.turn_away(number, text, person, house.stage.now)


def _approval(house: House, kind: Kind, number: int, person: Person) -> None:
    request = SupportRequest.objects.get(pk=number)
    if request.approval == "asked":
        requester_side.approve(request, willing=True, by_name="Eero Salmi", now=house.stage.now)
    house.stage.after(90, lambda: _goes_on(house, kind, number))


def _goes_on(house: House, kind: Kind, number: int) -> None:
    if SupportRequest.objects.filter(pk=number, state="open").exists():
        _quick(house, kind, number, on_watch(house, kind.team))


def _expert(house: House, kind: Kind, number: int, person: Person) -> None:
    support.take(number, person, house.stage.now)
    _spend(house, kind, number, person)
    request = SupportRequest.objects.select_related("team", "service").get(pk=number)
    offered = [one for one in experts.suggest(request.team, request, None, house.stage.now) if one.person != person]
    if not offered:
        return _quick(house, kind, number, person)
    asked = experts.ask(request, offered[0].person, "You know Keyring.", person, house.stage.now)
    house.stage.after(6, lambda: _respond(house, kind, asked))
    return None


def _respond(house: House, kind: Kind, asked: ExpertAsk) -> None:
    experts.respond(asked.pk, willing=True, person=asked.person, now=house.stage.now)
    house.stage.after(40, lambda: _finish(house, asked.request_id or 0, kind.answer))


def _rate(house: House, number: int) -> None:
    chance = house.stage.chance
    if chance.random() < 0.45:
        rating = chance.choices((5, 4, 3, 2), (9, 5, 2, 1))[0]
        words = "Quick and kind, thank you." if rating == 5 and chance.random() < 0.5 else ""
        requester_side.rate(SupportRequest.objects.get(pk=number), rating, words, house.stage.now)


GOES = {
    "quick": _quick,
    "advice": _advice,
    "ticket": _ticket,
    "vendor": _vendor,
    "not_now": _not_now,
    "approval": _approval,
    "expert": _expert,
}


def _present(house: House) -> None:
    """What is open now: nobody has one, one waits for its requester, one for a vendor, one for an approval."""
    stage = house.stage
    open_now: tuple[tuple[float, Kind, str], ...] = (
        (50, EVERYDAY[0], ""),
        (26, Kind("platform", 0, "Bastian Coe", "bastian@shop.example", "The registry asks for my password twice",
                  "Since this morning.", "customer_issue", "registry", "quick", ""), "asks"),
        (20, EVERYDAY[6], "vendor"),
        (6, EVERYDAY[9], ""),
        (3, Kind("platform", 0, "Linnea Farrow", "linnea@shop.example", "Can staging have our test data?", "About 4 GB.",
                 "customer_issue", "staging", "quick", ""), "works"),
    )  # fmt: skip
    for hours, kind, then in open_now:
        stage.at(stage.end - timedelta(hours=hours), _opens(house, kind, then))
    stage.at(stage.end - timedelta(hours=30), lambda: _with_file(house))
    stage.at(stage.end - timedelta(hours=9), lambda: _by_mail(house))


def _opens(house: House, kind: Kind, then: str) -> Callable[[], None]:
    def act() -> None:
        request, person = _ask(house, kind), on_watch(house, kind.team)
        stage = house.stage
        if then == "asks":
            stage.after(18, lambda: _say(house, request.pk, person, "Which browser do you use?", "requester"))
        elif then == "vendor":
            stage.after(25, lambda: _vendor(house, kind, request.pk, person))
        elif then == "works":
            stage.after(40, lambda: work_clock.start(SupportRequest.objects.get(pk=request.pk), person, stage.now))

    return act


def _say(house: House, number: int, person: Person, text: str, waits_on: str) -> None:
    support.take(number, person, house.stage.now)
    support.answer(number, text, person, house.stage.now, waits_on=waits_on)


LOG = b"09:12:04 pull app:2.41 ok\n09:12:31 pull base:17 unauthorized\n09:12:31 pull base:17 gave up\n"


def _with_file(house: House) -> None:
    asked = Asked("My build cannot pull the base image", "The log is with it.", request_class="customer_issue",
                  door="page", service=house.services["farm"], files=(File("build-4412.log", "text/plain", LOG),))  # fmt: skip
    asker = Asker("Bastian Coe", "bastian@shop.example")
    request = support.open_request(house.teams["platform"], asker, asked, house.stage.now)
    house.stage.after(15, lambda: _note_it(house, request.pk))


def _note_it(house: House, number: int) -> None:
    person, now = on_watch(house, "platform"), house.stage.now
    support.take(number, person, now)
    support.note(number, "Same as in May: the robot's token ended. Rotate it before we answer.", person, now)


def _by_mail(house: House) -> None:
    """A mail as a mailbox would hand it over, with a signature that is folded away."""
    letter = EmailMessage()
    letter["From"], letter["To"] = "Odette Vane <odette@deepclay.example>", "hub@desk.demo.example"
    letter["Subject"], letter["Message-ID"] = "Our notebooks lost their colours", "<odette-17@deepclay.example>"
    letter.set_content(
        "Hello,\n\nsince Monday every plot is grey. Is that on purpose?\n\nOdette\n\n-- \nDeep Clay, second floor"
    )
    desk_inbox.store("mail", 0, letter.as_bytes(), {}, "192.0.2.25", house.stage.now)

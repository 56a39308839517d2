"""The desks of the demo: what each public page says, the questions that come often, the communities that write."""

from __future__ import annotations

from dataclasses import dataclass

from watchbill.actions import communities, desk_settings, requesters
from watchbill.actions.requesters import Asker
from watchbill.db.models import Requester
from watchbill.entry.demo.house import TEAMS, House


@dataclass(frozen=True)
class DeskWords:
    """What a team says on its public page."""

    what: str
    how_long: str
    escalation: str
    mail: str


DESKS = {
    "platform": DeskWords(
        "The gateway, the image registry, the build farm and staging, for every team of the house.\n\n"
        "We do **not** look after laptops or accounts: that is the service desk.",
        "Whoever is on call answers. What is not urgent goes to the queue and is groomed every second week.",
        "Ask again below first. If that does not help, ask Anselm.",
        "platform@desk.demo.example",
    ),
    "payments": DeskWords(
        "Checkout, the ledger database and the card acquirer.",
        "Support hours are 08:00 to 18:00, Monday to Friday. You hear from us within two hours of them. Production and "
        "severity 1 or 2 come first.",
        "In the first instance ask for an update on your request. Otherwise contact Kwame.",
        "payments@desk.demo.example",
    ),
    "research": DeskWords(
        "Notebooks, sign-in and the data archive for eleven communities of researchers.",
        "A steward answers within one working day. Changes are asked for by a community's representative.",
        "Write on your request; after that, Aroha decides what moves.",
        "hub@desk.demo.example",
    ),
}
FAQ: tuple[tuple[str, str, str], ...] = (
    ("platform", "My push to the registry is refused", "Log in again: tokens end after twelve hours.\n\n`registry login`"),
    ("platform", "How do I get a route through the gateway?", ("Add it to `routes.yaml` and open a merge request. It is live "
     "ten minutes after the merge.")),
    ("payments", "A card was charged twice", ("Nothing is charged twice: one of the two is a reservation and goes away within "
     "three days. If it does not, write to us with the order's number.")),
    ("research", "My notebook does not start", ("Wait two minutes and try again: a fresh machine may be on its way. If three "
     "tries fail, tell us the community and the time.")),
    ("research", "Where do I ask for a new community?", "Your future representative writes to us; we need two to three weeks."),
)  # fmt: skip
# community, mail domain, funded, minutes a month, representative
COMMUNITIES: tuple[tuple[str, str, bool, int, str], ...] = (
    ("Tidepool", "tidepool.example", True, 240, "Marisol Brack"),
    ("Lichen Atlas", "lichen.example", False, 120, "Eero Salmi"),
    ("Deep Clay", "deepclay.example", False, 60, "Odette Vane"),
)
NOT_NOW = (
    "Hello {requester},\n\nthank you for “{title}”. This week's watch is for what cannot wait, and this can: please put it"
    " into the queue, where it is planned with the rest: {queue}\n\n{me}, {team}"
)


def open_desks(house: House) -> None:
    """Let each team open its desk: page, questions, words, communities."""
    now = house.stage.now
    for key, words in DESKS.items():
        owner = house.people[TEAMS[key][3]]
        values = {
            "is_public": True,
            "what": words.what,
            "how_long": words.how_long,
            "escalation": words.escalation,
            "mail_address": words.mail,
            "contacts": [{"name": str(owner), "how": "write on the request", "person": owner.pk}],
        }
        desk_settings.change_desk(house.teams[key], values, owner, now)
    for key, question, answer in FAQ:
        owner = house.people[TEAMS[key][3]]
        desk_settings.add_faq(house.teams[key], {"question": question, "answer": answer}, owner, now)
    canned = {"kind": "not_now", "name": "Not now, into the queue", "text": NOT_NOW}
    desk_settings.add_canned(house.teams["platform"], canned, house.people["anselm"], now)
    _gather_communities(house)


def _gather_communities(house: House) -> None:
    team, owner, now = house.teams["research"], house.people["aroha"], house.stage.now
    for name, domain, funded, minutes, speaker in COMMUNITIES:
        values = {"name": name, "mail_domains": [domain], "is_funded": funded, "budget_minutes": minutes}
        communities.add_community(team, values, owner, now)
        email = f"{speaker.split()[0].lower()}@{domain}"
        asker: Requester = requesters.find_or_add(team, Asker(speaker, email), now)
        communities.change_requester(asker, {"is_representative": True}, owner, now)

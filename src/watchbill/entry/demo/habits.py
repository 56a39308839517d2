"""How the people of the demo answer: usually soon, at night later, half of them by the link in the mail."""

from __future__ import annotations

from watchbill.actions import alerts, paging
from watchbill.actions.answer_link import UsedAlready, answer_by_link
from watchbill.db.models import Outgoing, Page, Person
from watchbill.entry.demo.house import House
from watchbill.kit.errors import NotAllowed, Refused

ASKING = ("climbing", "exhausted")
NOTES = (
    "Looked at the graphs: it comes down by itself. Watching.",
    "The same as last week. It is in the ticket.",
    "Nothing unusual on the machine. Watching it for a while.",
    "Asked in the team's room whether somebody changed something.",
    "Two customers noticed; support knows.",
)


def someone_answers(house: House, page: Page) -> None:
    """Decide who answers a page that just opened, and when: the script of its title, else whoever is asked, soon."""
    script = house.scripts.get(page.title)
    if script is not None:
        script(page)
        return
    chance, night = house.stage.chance, not 7 <= house.stage.now.hour < 22
    minutes = min(chance.lognormvariate(0.8 if night else 0.2, 0.7), 24)
    house.stage.after(minutes, lambda: take(house, page.pk))


def asked(page_id: int) -> Outgoing | None:
    """Read the newest mail of a page that somebody may have opened."""
    sent = Outgoing.objects.filter(subject_kind="page", subject_id=page_id, purpose="page", state="sent")
    return sent.select_related("person").order_by("-id").first()


def take(house: House, page_id: int) -> None:
    """Let the person who was asked last acknowledge; they look again before the acknowledgement runs out."""
    page = Page.objects.get(pk=page_id)
    message = asked(page_id)
    if page.state not in ASKING or message is None:
        return
    now, chance = house.stage.now, house.stage.chance
    try:
        if chance.random() < 0.5 and message.link_used_at is None:
            answer_by_link(message, "acknowledge", now)
        else:
            paging.acknowledge(page_id, message.person, now)
    except (Refused, NotAllowed, UsedAlready):
        return  # it was over in the same minute
    first, page = page.answered_at is None, Page.objects.select_related("group").get(pk=page_id)
    if first and page.title not in house.scripts and chance.random() < 0.45:
        person, text = message.person, chance.choice(NOTES)
        house.stage.after(chance.uniform(2, 8), lambda: write(house, page, person, text))
    if page.until is not None:
        house.stage.at(page.until, lambda: house.stage.after(2, lambda: take(house, page_id)))


def write(house: House, page: Page, person: Person, text: str) -> None:
    """Let somebody write a note on the alert of a page."""
    page.refresh_from_db(fields=["closed_at"])
    if page.group is None or page.closed_at is not None:
        return
    try:
        alerts.write_note(page.group, text, person, house.stage.now)
    except NotAllowed:
        return  # the fallback person of another team may answer, not write

"""Give on what would follow the one who left: pages that ask them, requests, tickets of the watch (HND-08, HND-09, C20).

Each thing is locked and given on by itself, and the timer is finished last: killed anywhere, it begins again and finds
what is left. What was given on already is nobody's to give again.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from watchbill.actions import delivery, paging, support, tickets
from watchbill.actions.desk import desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.handoff_draft import lock, subject_of
from watchbill.actions.log import Actor, record
from watchbill.actions.page_words import words_of
from watchbill.actions.timers import Claim, finish
from watchbill.core import paging as core_paging
from watchbill.db import facts
from watchbill.db.handoff_facts import carried_requests, carried_tickets, held_pages
from watchbill.db.models import Event, Handoff, Outgoing, Page, Person
from watchbill.kit.effects import Notify
from watchbill.kit.errors import NotAllowed, Refused


def settle(claim: Claim, now: datetime) -> None:
    """Give on what would follow the one who left; due once the handoff is accepted and the shift is over."""
    handoff = Handoff.objects.select_related("team", "rotation", "leaver", "accepted_by").filter(pk=claim.subject_id)
    found = handoff.filter(accepted_at__isnull=False, settled_at=None).first()
    if found is not None and found.accepted_by is not None and found.accepted_by_id != found.leaver_id:
        for page in _pages_of(found):
            hand_over(page, found.leaver, found.accepted_by, now)
        _pass_requests(found, found.accepted_by, now)
        _pass_tickets(found, found.accepted_by, now)
    with transaction.atomic():
        still = lock(claim.subject_id) if found is not None else None
        if not finish(claim) or still is None or still.settled_at is not None:
            return
        still.settled_at = now
        still.save(update_fields=["settled_at"])
        record(subject_of(still), "handoff.settled", f"nothing of this watch follows {still.leaver} any more", now)


def _pages_of(handoff: Handoff) -> list[int]:
    """Read the pages that the leaver holds, and those that still ask the leaver, in the order in which all are locked."""
    asked = Outgoing.objects.filter(person=handoff.leaver, subject_kind="page", purpose="page")
    asking = Q(state__in=core_paging.ASKING, pk__in=asked.values("subject_id"))
    rows = Page.objects.filter(Q(pk__in=held_pages(handoff).values("pk")) | asking, team=handoff.team, closed_at=None)
    return list(rows.order_by("service", "id").values_list("pk", flat=True))


def hand_over(page_id: int, leaver: Person, to: Person, now: datetime) -> None:
    """Let a page be the next one's: what was promised, and what still asks. The ladder goes on as it stands."""
    with transaction.atomic():
        service = Page.objects.filter(pk=page_id).values_list("service_id", flat=True).first()
        if service is not None:
            paging.lock_service(service)
        rows = Page.objects.select_related("team", "team__fallback", "service", "group", "answered_by")
        page = rows.select_for_update(of=("self",)).filter(pk=page_id, closed_at=None).first()
        if page is None:
            return
        fact = facts.page_fact(page)
        effects = core_paging.hand_over(fact, leaver.pk, to.pk, str(to))
        # What failed, or was taken back, has asked nobody.
        reached = Outgoing.objects.filter(person=to, purpose="page", state__in=("waiting", "sent"))
        asked = reached.filter(subject_kind="page", subject_id=page.pk).exists()
        told = [one for one in effects if not (asked and isinstance(one, Notify))]

        def notify(effect: Notify, line: Event) -> None:
            delivery.reach_or_tell(effect.person, paging.subject_of(page), words_of(page), line, effect.why, now)

        _take_back(page, leaver, now)
        carry_out(told, page, paging.subject_of(page), now, actor=Actor.of(to), notify=notify)
        if page.group is not None and page.group.acknowledged_by_id == leaver.pk:
            page.group.acknowledged_by = to
            page.group.save(update_fields=["acknowledged_by"])


def _take_back(page: Page, leaver: Person, now: datetime) -> None:
    """Take back what has not left yet to the one who left; locked in the order of ids, as everybody does."""
    waiting = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk, person=leaver, state="waiting")
    rows = list(waiting.order_by("id").select_for_update(of=("self",)).values_list("pk", flat=True))
    why = "the watch was handed on"
    Outgoing.objects.filter(pk__in=rows).update(state="dropped", due_at=None, finished_at=now, answer=why)


def _kept(handoff: Handoff, about: str) -> list[int]:
    rows = handoff.items.filter(about=about, keeps=True)
    return list(rows.values_list("about_id", flat=True))


def _pass_requests(handoff: Handoff, to: Person, now: datetime) -> None:
    rows = carried_requests(handoff).filter(assignee=handoff.leaver).exclude(pk__in=_kept(handoff, "request"))
    for number in rows.order_by("id").values_list("pk", flat=True):
        try:
            support.assign(number, to, to, now)
        except (Refused, NotAllowed) as refusal:
            _say(handoff, f"R-{number} stays where it is: {refusal}", now)


def _pass_tickets(handoff: Handoff, to: Person, now: datetime) -> None:
    """Give the watch's tickets of the leaver to the seat, or to whoever comes, as the team keeps it (C20)."""
    to_seat = desk_of(handoff.team, now).watch_tasks.assign_to == "seat"
    seat = _seat_name(handoff) if to_seat else ""
    rows = carried_tickets(handoff).filter(assignee=handoff.leaver).exclude(pk__in=_kept(handoff, "ticket"))
    for number in rows.order_by("id").values_list("pk", flat=True):
        values = {"seat": seat, "assignee": None} if seat else {"assignee": to}
        try:
            tickets.change_ticket(number, values, to, now)
        except (Refused, NotAllowed) as refusal:
            _say(handoff, f"T-{number} stays where it is: {refusal}", now)


def _seat_name(handoff: Handoff) -> str:
    """Give the name of the seat as tickets have it; nothing: the team has no such seat any more."""
    known = tickets.seats_of(handoff.team)
    exact = f"{handoff.rotation.slug}/{handoff.seat}"
    if exact not in known:
        return ""
    return exact if sum(name.endswith(f"/{handoff.seat}") for name in known) > 1 else handoff.seat


def _say(handoff: Handoff, why: str, now: datetime) -> None:
    with transaction.atomic():
        record(subject_of(handoff), "handoff.left", why, now)

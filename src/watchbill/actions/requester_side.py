"""What the requester's side does by itself: escalate by the published path, rate, confirm, approve (INT-10, INT-04, MET-02).

The doors have checked who it is: by the signed link of the request, by the address of a mail, or by an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from watchbill.actions import incident_proposals, request_mail, request_watch, support
from watchbill.actions.access import require
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor, record
from watchbill.actions.request_words import words_for
from watchbill.actions.turning_away import end
from watchbill.core import support as decisions
from watchbill.db import models
from watchbill.db.models import Event, Message, Person, SupportRequest
from watchbill.db.support_facts import request_fact
from watchbill.kit.errors import Refused

LONGEST_TEXT = 5000
RATING_CHANGES = timedelta(days=7)
RATINGS = range(1, 6)


@dataclass(frozen=True)
class Escalation:
    """How far along the published path an escalation is: 1 the conversation, 2 the named contacts; and in words."""

    step: int
    words: str


def escalate(request: SupportRequest, asker_name: str, why: str, now: datetime) -> Escalation:
    """Ask for more urgency by the published path: first in the conversation, then the named contacts (INT-10).

    The first time whoever has it, or the watch, is told; again within the same promise, the manager, the product
    manager and the named contacts with an account are told. Each is told once in a promise, however often it is asked.
    Raises Refused when it is not open or says nothing.
    """
    said = why.strip()
    if not 0 < len(said) <= LONGEST_TEXT:
        raise Refused(f"say why it cannot wait, at most {LONGEST_TEXT} characters", "why")
    name = " ".join(asker_name.split())[:80] or str(request.requester)
    with transaction.atomic():
        request = support.lock(request.pk)
        if request.state != decisions.OPEN:
            raise Refused("it is resolved: reply to it, and it is open again")
        desk = desk_of(request.team, now)
        promise = f"{request.due_what} {request.first_response_at or ''}"
        step = 1 + _escalations(request, promise)
        _write(request, name, said, now)
        support.apply(request, decisions.hear(request_fact(request), name, now), desk, now)
        data = {"step": step, "promise": promise}
        record(support.subject_of(request), "request.escalated", f"{name}: {said}", now, Actor(None, name), data)
        request.escalated_at = now
        request.save(update_fields=["escalated_at"])
        incident_proposals.consider_request(request, now)
        return _follow_path(request, step, said, now)


def _escalations(request: SupportRequest, promise: str) -> int:
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.escalated")
    return lines.filter(data__promise=promise).count()


def _write(request: SupportRequest, name: str, text: str, now: datetime) -> None:
    Message.objects.create(
        team_id=request.team_id,
        request=request,
        direction="in",
        door="page",
        author_name=name,
        text=text,
        at=now,
        written_at=now,
    )


def _follow_path(request: SupportRequest, step: int, why: str, now: datetime) -> Escalation:
    kind, subject = "request.escalation_told", "Asked for more urgency"
    if step == 1:
        first = request_watch.readers(request, "holder", now) or _above(request)
        request_watch.tell(request, first, kind, subject, now, "important", why)
        return Escalation(1, "Your words stand in the conversation, and whoever has it is told.")
    contacts = contacts_of(request)
    named = ", ".join(str(contact["name"]) for contact in contacts)
    if step == 2:
        people = [*_above(request), *_accounts(contacts)]
        request_watch.tell(request, people, kind, f"{subject} again", now, "important", why)
        where = f" You can also ask {named}." if named else ""
        return Escalation(2, f"The team's manager is told as well.{where}")
    return Escalation(step, "Your words stand in the conversation; everybody on the path is told already.")


def _above(request: SupportRequest) -> list[Person]:
    """Read who stands above a request: the manager and the product manager; a team without: its fallback person."""
    team = request.team
    managers = [one for one in (team.manager, team.product_manager) if one is not None and one.is_active]
    return managers or ([team.fallback] if team.fallback and team.fallback.is_active else [])


def contacts_of(request: SupportRequest) -> list[dict[str, Any]]:
    """Read the named contacts of the published path, in their order."""
    desk = models.Desk.objects.filter(team=request.team).first()
    return list(desk.contacts) if desk else []


def _accounts(contacts: list[dict[str, Any]]) -> list[Person]:
    numbers = [contact["person"] for contact in contacts if contact.get("person")]
    return list(Person.objects.filter(pk__in=numbers, is_active=True).order_by("id"))


def rate(request: SupportRequest, rating: int, comment: str, now: datetime) -> SupportRequest:
    """Say how it was, 1 to 5, once it is resolved; it can be changed once within a week (MET-02). Raises Refused."""
    if rating not in RATINGS:
        raise Refused("1 to 5, please", "rating")
    if len(comment) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", "comment")
    with transaction.atomic():
        request = support.lock(request.pk)
        if request.state == decisions.OPEN:
            raise Refused("we are still at it: say how it was when it is resolved")
        before = request.rating if _is_rated(request, now) else None
        request.rating, request.rating_comment = rating, comment.strip()
        request.rated_at = request.rated_at if before else now
        request.save(update_fields=["rating", "rating_comment", "rated_at"])
        said = f"{request.requester}: {rating} of 5" + (f", after {before}" if before else "")
        record(support.subject_of(request), "request.rated", said, now, _requester(request), {"rating": rating})
    return request


def _is_rated(request: SupportRequest, now: datetime) -> bool:
    """Tell whether it was rated since it was last opened; raises Refused when that rating stands."""
    lines = Event.objects.filter(subject_kind="request", subject_id=request.pk)
    reopened = lines.filter(kind="request.reopened").last()
    ratings = lines.filter(kind="request.rated", id__gt=reopened.pk if reopened else 0).count()
    if ratings > 1:
        raise Refused("you changed it once already; it stands")
    if ratings and request.rated_at is not None and now - request.rated_at > RATING_CHANGES:
        raise Refused("you said it more than a week ago; it stands")
    return ratings > 0


def confirm(request: SupportRequest, now: datetime) -> SupportRequest:
    """Take the requester's word that it is done: a resolved request is closed at once (MET-02). Raises Refused."""
    with transaction.atomic():
        request = support.lock(request.pk)
        if request.state == decisions.OPEN:
            raise Refused("we are still at it; write to us if you need it no longer")
        effects = decisions.close(request_fact(request), f"{request.requester} confirmed it", now)
        support.apply(request, effects, desk_of(request.team, now), now, _requester(request))
    return request


def _requester(request: SupportRequest) -> Actor:
    person = request.requester.person
    return Actor.of(person) if person else Actor(None, str(request.requester))


def approve(
    request: SupportRequest, willing: bool, by_name: str, now: datetime, person: Person | None = None
) -> SupportRequest:
    """Take a representative's word on a request of their community (INT-04).

    Approved, the ball is with us and the promise runs from now; refused, it ends and its requester is told. `person`
    is somebody of the team who writes down what a representative said. Raises Refused, NotAllowed.
    """
    name = " ".join(by_name.split())[:80]
    if not name:
        raise Refused("say who approved it", "by_name")
    with transaction.atomic():
        request = support.lock(request.pk)
        if person is not None:
            require(person, request.team, "member", "write down an approval")
        if request.approval != "asked" or request.state != decisions.OPEN:
            raise Refused("it does not wait for an approval")
        actor = Actor.of(person) if person else Actor(None, name)
        request.approval = "given" if willing else "refused"
        request.save(update_fields=["approval"])
        said = f"{name} {'approved' if willing else 'refused'} it" + (f", says {person}" if person else "")
        record(support.subject_of(request), "request.approval", said, now, actor, {"approval": request.approval})
        desk = desk_of(request.team, now)
        if willing:
            _begin_promise(request, name, desk, now, actor)
        else:
            request_mail.write(request, words_for("refused", request, desk), now)
            end(request, "refused", name, desk, now, actor)
    return request


def _begin_promise(request: SupportRequest, name: str, desk: Desk, now: datetime, actor: Actor) -> None:
    """Give us the ball: the clock stood still until now, so the promise begins here; its requester is told by when."""
    support.apply(request, decisions.pass_ball(request_fact(request), "us", name, "it is approved"), desk, now, actor)
    support.keep_first_response(request)
    request_mail.write(request, words_for("received", request, desk), now)
    readers = request_watch.readers(request, "holder", now)
    request_watch.tell(request, readers, "request.approval_told", "Approved", now)

"""The link of a message that offers a role: it needs no sign-in, and says yes or no once, as the person it was sent to.

It is dead when the offer is: answered through any door, lapsed, or taken back. What stands behind it is shown only
while its person may see the incident, which an offer of a private one ends with.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.core import signing
from django.db import transaction

from watchbill.actions import incident_roles
from watchbill.actions.messages import LINK_LIVES, OFFER_SALT, offer_in
from watchbill.core import incidents as states
from watchbill.core.roles import OFFERED
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Incident, Outgoing, RoleAssignment
from watchbill.kit.errors import Refused

Answer = Literal["accept", "decline"]


def read_link(token: str) -> tuple[Outgoing, RoleAssignment] | None:
    """Find the message that a link came with, and what it offers; None for one that we did not make."""
    try:
        key = signing.loads(token, salt=OFFER_SALT)
    except signing.BadSignature:
        return None
    rows = Outgoing.objects.select_related("person").filter(purpose="notice", subject_kind="incident")
    message = rows.filter(pk=key).first() if isinstance(key, int) else None
    number = offer_in(message) if message else None
    if message is None or number is None:
        return None
    offers = RoleAssignment.objects.select_related("incident__team", "person", "offered_by", "takes_over_from__person")
    offer = offers.filter(pk=number, incident=message.subject_id, person=message.person).first()
    return (message, offer) if offer else None


def is_over(message: Outgoing, now: datetime) -> bool:
    """Tell whether a link is older than it may be; by the row, so that the clock is ours."""
    return now > message.created_at + LINK_LIVES


def waits(offer: RoleAssignment) -> bool:
    """Tell whether an offer still waits for its answer."""
    return offer.state == OFFERED and offer.incident.state != states.CLOSED


def may_show(offer: RoleAssignment) -> bool:
    """Tell whether the person who was asked may see what it is about."""
    return offer.person.is_active and sees_incident(offer.person, offer.incident)


def answer_by_link(message: Outgoing, answer: Answer, now: datetime) -> Incident:
    """Say yes or no as the person that the message went to, in one transaction with writing down that its link did.

    Raises Refused when the offer waits for no answer, or cannot be taken, NotAllowed when the account is switched off.
    """
    number = offer_in(message)
    if number is None or is_over(message, now):
        raise Refused("this link is older than two weeks")
    with transaction.atomic():
        # The incident is locked by its action first, the message after it; one that lost the race is refused there.
        take = incident_roles.accept if answer == "accept" else incident_roles.decline
        incident = take(number, message.person, now)
        Outgoing.objects.filter(pk=message.pk).update(link_used_at=now)
    return incident

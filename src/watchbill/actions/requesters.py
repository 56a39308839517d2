"""Who asks: requesters without an account, and the communities they write for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from watchbill.db.models import Community, Person, Requester, Team
from watchbill.kit.errors import Refused


@dataclass(frozen=True)
class Asker:
    """Somebody who asks, as a door knows them; a person with an account, or a name with or without a mail address."""

    name: str = ""
    email: str = ""
    person: Person | None = None


def find_or_add(team: Team, asker: Asker, now: datetime) -> Requester:
    """Read the requester that an asker is, or write a new one; the mail address decides who is who.

    Whoever writes from a mail domain of a community belongs to it. Raises Refused naming the field. Call it inside
    a transaction.
    """
    email = check_email(asker.email or (asker.person.email if asker.person else ""))
    name = " ".join((asker.name or (str(asker.person) if asker.person else "")).split())[:120]
    if not (name or email):
        raise Refused("say who asks: a name or a mail address", "name")
    if email:
        found, _ = Requester.objects.get_or_create(
            team=team,
            email=email,
            defaults={
                "name": name or email.partition("@")[0],
                "person": asker.person or Person.objects.filter(email=email).first(),
                "community": community_of(team, email),
                "created_at": now,
            },
        )
        return found
    if asker.person:
        known = Requester.objects.filter(team=team, person=asker.person).first()
        if known:
            return known
    return Requester.objects.create(team=team, name=name, person=asker.person, created_at=now)


def check_email(text: str, field: str = "email") -> str:
    """Give a mail address in lower case; "" stays "". Raises Refused naming `field`."""
    email = text.strip().lower()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Refused(f"“{email[:80]}” is no mail address", field) from None
    return email


def community_of(team: Team, email: str) -> Community | None:
    """Read the community whose mail domains contain this address's domain."""
    domain = email.rpartition("@")[2]
    communities = Community.objects.filter(team=team, archived_at=None).order_by("id")
    return next((one for one in communities if domain in {str(d).lower() for d in one.mail_domains}), None)

"""Who somebody in a chat is here: linked once by the mail address that the chat itself has verified, else a stranger."""

from __future__ import annotations

from watchbill.actions.requesters import Asker
from watchbill.connectors import Member
from watchbill.db.models import Connection, ExternalRef, Person


def linked(connection: Connection, user: str) -> Person | None:
    """Read the account of a user of the chat; None for a stranger, and for an account that is switched off."""
    named = dict(connection.mapping.get("people", {})).get(user)
    if named:
        # An owner said so: for chats that tell no mail address, and where it differs.
        return Person.objects.filter(email=str(named).lower(), is_active=True).first()
    ref = ExternalRef.objects.filter(connection=connection, subject_kind="person", ref=user[:200]).first()
    return Person.objects.filter(pk=ref.subject_id, is_active=True).first() if ref else None


def link(connection: Connection, member: Member) -> Person | None:
    """Link a user with the account that has their verified address, the first time we meet. Call it in a transaction.

    An account is one user of a chat: a second user with the same address stays a stranger.
    """
    if not member.email or not member.ref:
        return None
    person = Person.objects.filter(email=member.email.lower(), is_active=True).first()
    if person is None:
        return None
    ref, _ = ExternalRef.objects.get_or_create(
        connection=connection,
        subject_kind="person",
        subject_id=person.pk,
        defaults={"ref": member.ref[:200], "sync": "in_step"},
    )
    return person if ref.ref == member.ref else None


def user_of(connection: Connection, person: Person) -> str:
    """Give what a person is called in the chat; empty when we have not met there."""
    ref = ExternalRef.objects.filter(connection=connection, subject_kind="person", subject_id=person.pk).first()
    return ref.ref if ref else ""


def asker_of(person: Person | None, member: Member | None, name: str) -> Asker:
    """Give who asks: the account, else the name and the verified address, else the name alone."""
    if person is not None:
        return Asker(str(person), person.email, person)
    return Asker((member.name if member else "") or name or "Somebody", member.email if member else "")

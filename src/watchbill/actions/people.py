"""People: accounts by invitation, profiles, and who leaves. Addresses are in addresses.py, tokens in tokens.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from watchbill.actions import addresses
from watchbill.actions.access import may_change, require_administrator, role_of
from watchbill.actions.checking import check_text
from watchbill.actions.delivery import Words
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.settings import channel_settings
from watchbill.actions.timers import set_timers
from watchbill.actions.tokens import feed_token as feed_token
from watchbill.actions.tokens import person_of_token as person_of_token
from watchbill.actions.tokens import read_feed_token as read_feed_token
from watchbill.core.rota.holidays import public_holidays
from watchbill.core.wallclock import check_zone
from watchbill.db.models import ContactAddress, InstanceSetting, Ladder, Membership, Page, Person, Shift, Team
from watchbill.kit.errors import NotAllowed, Refused

INVITATION_LIVES = timedelta(days=7)
FIRST_RUN = "first_run"
SIGNER = signing.Signer(salt="watchbill.invitation")
LINK_IS_OVER = "This link was used already or is older than 7 days. Ask whoever invited you for a new one."


@dataclass(frozen=True)
class Invitation:
    """What an invitation made: the account, the link's token (None: nothing to accept), whether a mail is on its way."""

    person: Person
    token: str | None
    mailed: bool


@dataclass(frozen=True)
class Holdings:
    """What somebody who leaves still holds: seats ahead, ladders that name them, duties in teams."""

    shifts: list[Shift]
    ladders: list[Ladder]
    owned: list[Team]
    named: list[Team]

    def __bool__(self) -> bool:
        return bool(self.shifts or self.ladders or self.owned or self.named)


def subject_of(person: Person) -> Subject:
    """Give the log's name for a person."""
    return Subject("person", person.pk, None)


def can_mail() -> bool:
    """Tell whether this instance has a mail server."""
    return bool(channel_settings("email"))


def create_first_person(email: str, name: str, password: str, zone: str, now: datetime) -> Person:
    """Make the administrator of a fresh instance; raises Refused once anybody has an account.

    The door has checked the set-up code.
    """
    checked_email, checked_name = _email(email), _name(name)
    check_zone(zone)
    taken = Refused("This instance has an owner already. Sign in, or ask an administrator to invite you.")
    with transaction.atomic():
        # The row's unique name lets one of two who claim the instance at the same moment through, on any database.
        _, fresh = InstanceSetting.objects.get_or_create(name=FIRST_RUN, defaults={"value": {}, "changed_at": now})
        if not fresh or Person.objects.exists():
            raise taken
        person = Person(email=checked_email, name=checked_name, zone=zone, joined_at=now, is_superuser=True)
        _set_password(person, password)
        person.save()
        record(subject_of(person), "person.joined", f"{person} set up this instance", now, Actor.of(person))
        addresses.account_address(person, now)
    return person


def create_person(
    email: str, name: str, inviter: Person, now: datetime, *, team: Team | None = None, role: str = "member"
) -> Invitation:
    """Invite somebody: an account that waits for its password, and a link that lives 7 days and works once (ROT-03).

    An owner invites into the own team, an administrator anywhere. Somebody who has an account already is added
    to the team and gets no link. Raises Refused naming the field, NotAllowed.
    """
    if team is None:
        require_administrator(inviter, "make accounts")
    else:
        may_change(inviter, team, f"invite people to {team}")
        check_role(role)
    checked = _email(email)
    known = Person.objects.filter(email=checked).first()
    if known is not None and (team is None or not known.is_active):
        state = "has an account already" if known.is_active else "has an account that is switched off"
        raise Refused(f"{known} {state}", "email")
    with transaction.atomic():
        person = known or Person.objects.create_user(checked, None, name=_name(name))
        if known is None:
            record(subject_of(person), "person.invited", f"{inviter} invited {person}", now, Actor.of(inviter))
        if team is not None:
            _join(team, person, role, inviter, now)
        if has_joined(person) or not (known is None or _may_hold_link(person, inviter)):
            return Invitation(person, None, mailed=False)
        return _invite(person, inviter, now)


def has_joined(person: Person) -> bool:
    """Tell whether somebody uses this account: a link to it would let its holder take it over."""
    return person.joined_at is not None or person.has_usable_password()


def _may_hold_link(person: Person, inviter: Person) -> bool:
    """Tell whether a new link may be shown: who holds it can become that person, with all their roles."""
    if inviter.is_superuser:
        return True
    if person.is_superuser:
        return False
    teams = Team.objects.filter(memberships__person=person)
    return all(role_of(inviter, team) == "owner" for team in teams)


def _join(team: Team, person: Person, role: str, by: Person, now: datetime) -> None:
    _, added = Membership.objects.get_or_create(
        team=team, person=person, defaults={"role": role, "created_at": now, "active_from": None}
    )
    if added:
        record(
            Subject("team", team.pk, team.pk),
            "team.member_added",
            f"{by} added {person} as {role}",
            now,
            Actor.of(by),
            {"person": person.pk, "role": role},
        )


def invite_again(person: Person, by: Person, now: datetime) -> Invitation:
    """Give a new link to set a password: to who has not joined yet, or who lost it. Raises NotAllowed, Refused.

    For an account that is in use only an administrator may: whoever holds the link can become that person.
    """
    if not person.is_active:
        raise Refused(f"{person}'s account is switched off: switch it on first")
    if has_joined(person):
        require_administrator(by, f"make a new sign-in link for {person}")
    elif not _may_hold_link(person, by):
        raise NotAllowed(f"To invite {person} again you need to own every team they are in. Ask an administrator.")
    with transaction.atomic():
        return _invite(person, by, now)


def _invite(person: Person, by: Person, now: datetime) -> Invitation:
    """Make the link, and mail it when there is a mail server. The mailed one also proves the address."""
    line = record(subject_of(person), "person.link_made", f"{by} made a sign-in link", now, Actor.of(by))
    if not can_mail():
        return Invitation(person, _token(person, now), mailed=False)
    address = addresses.account_address(person, now)
    days = INVITATION_LIVES.days
    words = Words(
        subject="Your new sign-in link" if has_joined(person) else f"{by} invites you to Watchbill",
        text=f"Hello {person},\n\nchoose a password and you are in. The link works once, for {days} days.",
        purpose="code",
        path=f"/join/{_token(person, now, address)}/",
        action="Choose a password",
    )
    addresses.send(address, words, line, subject_of(person), f"{by} made a sign-in link", now)
    return Invitation(person, _token(person, now), mailed=True)


def _token(person: Person, now: datetime, address: ContactAddress | None = None) -> str:
    ends = int((now + INVITATION_LIVES).timestamp())
    return SIGNER.sign_object([person.pk, _fingerprint(person), ends, address.pk if address else 0])


def _fingerprint(person: Person) -> str:
    """Give what changes with the password, so that a link works once."""
    return salted_hmac("watchbill.invitation", f"{person.pk}:{person.password}:{person.email}").hexdigest()[:16]


def read_invitation(token: str, now: datetime) -> tuple[Person, int]:
    """Give the person that a link is for, and the address it proves (0: none); raises Refused when it is over."""
    try:
        number, fingerprint, ends, address = SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused(LINK_IS_OVER) from None
    person = Person.objects.filter(pk=number, is_active=True).first()
    if person is None or not constant_time_compare(fingerprint, _fingerprint(person)) or now.timestamp() > ends:
        raise Refused(LINK_IS_OVER)
    return person, int(address)


def accept_invitation(token: str, name: str, password: str, now: datetime, *, zone: str = "") -> Person:
    """Set the password of an invited person, who has joined from now on; raises Refused naming the field."""
    with transaction.atomic():
        person, address = read_invitation(token, now)
        person = Person.objects.select_for_update().get(pk=person.pk)
        read_invitation(token, now)
        first = not has_joined(person)
        person.name = _name(name or person.name)
        if zone:
            person.zone = check_zone(zone)
        _set_password(person, password)
        person.joined_at = person.joined_at or now
        person.save(update_fields=["name", "zone", "password", "joined_at"])
        what = "joined" if first else "chose a new password"
        record(
            subject_of(person),
            "person.joined" if first else "person.password_set",
            f"{person} {what}",
            now,
            Actor.of(person),
        )
        proven = ContactAddress.objects.filter(pk=address, person=person, verified_at=None, removed_at=None).first()
        if proven is not None:
            addresses.mark_verified(proven, "the invitation was opened from it", now)
    return person


def change_profile(person: Person, values: dict[str, Any], now: datetime) -> Person:
    """Change one's own name, zone and holiday calendar; raises Refused naming the field."""
    changed = {"name": _name(values.get("name", "")), "zone": check_zone(str(values.get("zone") or ""))}
    changed |= check_calendar(values)
    fields = [name for name, value in changed.items() if getattr(person, name) != value]
    if not fields:
        return person
    for name in fields:
        setattr(person, name, changed[name])
    with transaction.atomic():
        person.save(update_fields=fields)
        what = ", ".join(name.replace("_", " ") for name in fields)
        record(subject_of(person), "person.changed", f"{person} changed {what}", now, Actor.of(person))
    return person


def check_calendar(values: dict[str, Any]) -> dict[str, str]:
    """Check a holiday calendar (a country such as GB, and a part of it such as ENG); raises Refused."""
    country = str(values.get("holiday_country") or "").strip().upper()
    part = str(values.get("holiday_subdivision") or "").strip().upper()
    if part and not country:
        raise Refused("choose the country first", "holiday_country")
    if country:
        try:
            public_holidays(country, part, [2025])
        except Refused as refusal:
            raise Refused(refusal.message, f"holiday_{refusal.field}") from None
    return {"holiday_country": country, "holiday_subdivision": part}


def check_role(role: str) -> str:
    """Check the name of a role; raises Refused."""
    if role not in {"owner", "member", "observer"}:
        raise Refused("the role is owner, member or observer", "role")
    return role


def holdings(person: Person, now: datetime) -> Holdings:
    """Read what somebody still holds, so that it can be handed on before they leave."""
    ladders = Ladder.objects.filter(archived_at=None).select_related("team").order_by("team_id", "name")
    target = f"person:{person.pk}"
    owned = [
        member.team
        for member in Membership.objects.filter(person=person, role="owner").select_related("team")
        if not active_owners(member.team).exclude(person=person).exists()
    ]
    return Holdings(
        shifts=list(
            Shift.objects.filter(person=person, ends_at__gt=now, rotation__archived_at=None)
            .select_related("rotation", "rotation__team")
            .order_by("starts_at")[:50]
        ),
        ladders=[ladder for ladder in ladders if any(target in step.get("targets", ()) for step in ladder.steps)],
        owned=owned,
        named=list(Team.objects.filter(fallback=person, archived_at=None)),
    )


def active_owners(team: Team) -> Any:
    """Read the memberships of the owners of a team whose accounts are in use."""
    return Membership.objects.filter(team=team, role="owner", person__is_active=True)


def deactivate(person: Person, by: Person, now: datetime) -> Holdings:
    """Switch an account off: no sign-in, no tokens, no pages. Gives what they still hold. Raises Refused, NotAllowed.

    What they had answered asks again, and what is still on its way to them is told to somebody else.
    Seats ahead stay where they are: the rota says who covers, not this action.
    """
    require_administrator(by, "switch accounts off")
    if person.pk == by.pk:
        raise Refused("You cannot switch your own account off. Ask another administrator.")
    with transaction.atomic():
        person.is_active = False
        person.save(update_fields=["is_active"])
        record(subject_of(person), "person.deactivated", f"{by} switched the account off", now, Actor.of(by))
        _let_pages_ask_again(person, now)
    return holdings(person, now)


def _let_pages_ask_again(person: Person, now: datetime) -> None:
    """End at once what somebody promised who has left, also where the team's promises have no end."""
    kinds = {"acknowledged": "acknowledgement_expires", "snoozed": "snooze_over"}
    theirs = Page.objects.filter(answered_by=person, closed_at=None, state__in=kinds).order_by("id")
    set_timers([(Subject("page", page.pk, page.team_id), kinds[page.state], now) for page in theirs])


def reactivate(person: Person, by: Person, now: datetime) -> None:
    """Switch an account on again; raises NotAllowed."""
    require_administrator(by, "switch accounts on")
    with transaction.atomic():
        person.is_active = True
        person.save(update_fields=["is_active"])
        record(subject_of(person), "person.reactivated", f"{by} switched the account on", now, Actor.of(by))


def set_administrator(person: Person, by: Person, now: datetime, *, administrator: bool) -> None:
    """Make somebody an administrator of the instance, or no longer; raises Refused for oneself, NotAllowed."""
    require_administrator(by, "say who is an administrator")
    if person.pk == by.pk and not administrator:
        raise Refused("You cannot take this from yourself. Ask another administrator.")
    what = "made them an administrator" if administrator else "took the administrator's role"
    with transaction.atomic():
        person.is_superuser = administrator
        person.save(update_fields=["is_superuser"])
        record(subject_of(person), "person.administrator", f"{by} {what}", now, Actor.of(by))


def _email(text: str) -> str:
    email = str(text or "").strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Refused("write an e-mail address such as ana@example.org", "email") from None
    return email


def _name(text: str) -> str:
    return check_text({"name": text}, "name", 80, "write the name as colleagues say it")


def _set_password(person: Person, password: str) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), "password") from None
    person.set_password(password)

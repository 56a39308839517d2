"""The people of the demo, all invented, and how they came to their accounts: invited, verified, one by one.

Three teams in five time zones. Noor is whose eyes a visitor borrows first: she is on watch now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchbill.actions import addresses, first_run, people
from watchbill.db.models import ContactAddress, Person
from watchbill.entry.demo.stage import Stage

PASSWORD = "demo-watchbill"  # noqa: S105 - printed for every visitor at the start
DOMAIN = "demo.example"


@dataclass(frozen=True)
class Role:
    """One of the cast: the first name is the account, the rest is who they are."""

    name: str
    team: str
    zone: str
    what: str
    country: str = ""
    part: str = ""
    skills: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The first name, in lower case."""
        return self.name.split()[0].lower()

    @property
    def email(self) -> str:
        """The account."""
        return f"{self.key}@{DOMAIN}"


CAST = (
    Role("Noor Saltmarsh", "platform", "Europe/London", "on watch now, administrator", "GB", "ENG"),
    Role("Mateo Quillon", "platform", "Europe/Madrid", "member of Platform", "ES", "MD"),
    Role("Zofia Amberley", "platform", "Europe/Warsaw", "member of Platform", "PL"),
    Role("Yuki Fernhollow", "platform", "Europe/London", "member of Platform", "GB", "ENG"),
    Role("Anselm Tidewater", "platform", "Europe/London", "owner of Platform, its fallback person", "GB", "ENG"),
    Role("Kwame Driftwood", "payments", "Europe/London", "owner of Payments", "GB", "ENG", ("engineer", "dba")),
    Role("Bronwyn Ashlark", "payments", "Europe/London", "DBA of Payments", "GB", "WLS", ("dba",)),
    Role("Tariq Millrace", "payments", "Europe/London", "DBA of Payments", "GB", "ENG", ("dba", "engineer")),
    Role("Ingrid Lanternby", "payments", "Europe/London", "engineer of Payments", "GB", "SCT", ("engineer",)),
    Role("Chidi Marrowby", "payments", "Europe/London", "engineer of Payments", "GB", "ENG", ("engineer",)),
    Role("Aroha Windle", "research", "Pacific/Auckland", "owner of Research Hub", "NZ"),
    Role("Rafael Thistledown", "research", "America/Sao_Paulo", "member of Research Hub", "BR"),
    Role("Imani Larkspur", "research", "Africa/Nairobi", "member of Research Hub", "KE"),
    Role("Sunniva Kettle", "research", "Europe/Oslo", "member of Research Hub", "NO"),
    Role("Petra Hollowell", "", "Europe/London", "manager of all three, observes"),
)
NEWCOMER = Role("Wren Hollis", "platform", "Europe/London", "new in Platform, no verified address yet", "GB", "ENG")


def gather(stage: Stage) -> dict[str, Person]:
    """Make every account, the administrator's first; gives the people by their first names."""
    first, *others = CAST
    cast = {first.key: _found(stage, first)}
    for role in others:
        cast[role.key] = invite(stage, role, cast[first.key])
    return cast


def _found(stage: Stage, role: Role) -> Person:
    """Set the instance up, and prove the address of the first account by the code that is sent to it."""
    person = people.create_first_person(role.email, role.name, PASSWORD, role.zone, stage.now)
    address = ContactAddress.objects.get(person=person)
    addresses.resend_code(address, person, stage.now)
    _enter_code(stage, address, person, role.email)
    first_run.remember(person, stage.now, done=True)
    return _introduce(stage, person, role)


def invite(stage: Stage, role: Role, by: Person, *, by_mail: bool = True) -> Person:
    """Let somebody be invited and choose a password; by mail, which proves the address, or by a link handed over."""
    invitation = people.create_person(role.email, role.name, by, stage.now)
    stage.work()
    link = stage.mailbox.newest(role.email).link
    token = link.rstrip("/").rpartition("/")[2] if by_mail else str(invitation.token)
    person = people.accept_invitation(token, role.name, PASSWORD, stage.now, zone=role.zone)
    return _introduce(stage, person, role)


def _introduce(stage: Stage, person: Person, role: Role) -> Person:
    values = {
        "name": role.name,
        "zone": role.zone,
        "holiday_country": role.country,
        "holiday_subdivision": role.part,
    }
    return people.change_profile(person, values, stage.now)


def add_mail(stage: Stage, person: Person, email: str, label: str, after_seconds: int) -> ContactAddress:
    """Let somebody add a second mail address, prove it, and be asked there a little later than at the first."""
    address = addresses.add_address(person, "email", {"email": email}, stage.now, label=label)
    _enter_code(stage, address, person, email)
    first = ContactAddress.objects.filter(person=person, verified_at__isnull=False).exclude(pk=address.pk)[0]
    addresses.change_rules(person, "important", [(first.pk, 0), (address.pk, after_seconds)], stage.now)
    return address


def _enter_code(stage: Stage, address: ContactAddress, person: Person, email: str) -> None:
    stage.work()
    code = re.findall(r"\d{6}", stage.mailbox.newest(email).subject)[0]
    addresses.verify_address(address.pk, code, person, stage.now)

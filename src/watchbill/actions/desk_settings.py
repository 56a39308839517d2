"""A team's desk as it sets it up: the public page, the mail address, questions with answers, ready messages.

The words are the team's own everywhere (TRI-16); while it has written none, those of `KINDS` hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import request_words, update_words
from watchbill.actions.access import may_change, require
from watchbill.actions.checking import check_text
from watchbill.actions.desk import desk_of
from watchbill.actions.helpdesk_canned import refuse_if_theirs
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.request_words import fields_of
from watchbill.actions.requesters import check_email
from watchbill.core.wording import FIELDS, check_fields, fill
from watchbill.db.models import CannedResponse, Desk, FaqEntry, Person, Service, SupportRequest, Team
from watchbill.kit.errors import Refused

LONGEST_TEXT = 20_000
MOST_CONTACTS = 20
PAGE_TEXTS = ("what", "how_long", "escalation")
# The kinds of message, with our words: to requesters, about incidents, about planned work, and whatever else.
KINDS = {**request_words.KINDS, **update_words.KINDS}


@dataclass(frozen=True)
class KindOfWords:
    """The words that hold for one kind of message: the team's own, or ours."""

    kind: str
    text: str
    own: CannedResponse | None


@dataclass(frozen=True)
class Ready:
    """A ready message for one request, its fields filled."""

    name: str
    kind: str
    text: str


def subject_of(team: Team) -> Subject:
    """Give the log's name for a desk: that of its team."""
    return Subject("desk", team.pk, team.pk)


def change_desk(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> Desk:
    """Change what is given of a desk: is_public, what, how_long, escalation, contacts, mail_address.

    `contacts` are the named contacts of the published path, in order: {name, how, person} (INT-10); `person` is the id
    of an account, who is then told by Watchbill. Raises Refused naming the field, NotAllowed.
    """
    may_change(person, team, f"change the desk of {team}")
    checked = _check_desk(team, values)
    with transaction.atomic():
        desk, _ = Desk.objects.select_for_update(of=("self",)).get_or_create(team=team)
        changed = [name for name, value in checked.items() if getattr(desk, name) != value]
        if not changed:
            return desk
        for name in changed:
            setattr(desk, name, checked[name])
        desk.changed_at = now
        desk.save(update_fields=[*changed, "changed_at"])
        what = ", ".join(name.replace("_", " ") for name in changed)
        record(subject_of(team), "desk.changed", f"{person} changed {what}", now, Actor.of(person), {"fields": changed})
    return desk


def _check_desk(team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {name: _text(values, name) for name in PAGE_TEXTS if name in values}
    if "is_public" in values:
        checked["is_public"] = bool(values["is_public"])
    if "contacts" in values:
        checked["contacts"] = _contacts(values["contacts"] or ())
    if "mail_address" in values:
        checked["mail_address"] = check_email(str(values["mail_address"] or ""), "mail_address")
        taken = Desk.objects.filter(mail_address=checked["mail_address"]).exclude(team=team).select_related("team")
        if checked["mail_address"] and (other := taken.first()):
            raise Refused(f"mail to this address goes to {other.team} already", "mail_address")
    return checked


def _text(values: Mapping[str, Any], name: str) -> str:
    text = str(values.get(name) or "").strip()
    if len(text) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", name)
    return text


def _contacts(given: Any) -> list[dict[str, Any]]:
    if len(given) > MOST_CONTACTS:
        raise Refused(f"at most {MOST_CONTACTS} contacts", "contacts")
    return [_contact(dict(contact), number) for number, contact in enumerate(given, 1)]


def _contact(contact: dict[str, Any], number: int) -> dict[str, Any]:
    account = None
    if contact.get("person"):
        account = Person.objects.filter(pk=contact["person"], is_active=True).first()
        if account is None:
            raise Refused(f"contact {number}: this person has no active account", "contacts")
    name = " ".join(str(contact.get("name") or account or "").split())[:120]
    if not name:
        raise Refused(f"contact {number} needs a name", "contacts")
    how = " ".join(str(contact.get("how") or "").split())[:200]
    return {"name": name, "how": how, "person": account.pk if account else None}


def add_faq(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> FaqEntry:
    """Add a question with its answer at the end of the list (RUN-08): question, answer, service. Raises Refused, NotAllowed."""
    require(person, team, "member", "write an answer for everybody")
    checked = _check_faq(team, values)
    with transaction.atomic():
        last = FaqEntry.objects.filter(team=team, removed_at=None).order_by("-position").first()
        entry = FaqEntry.objects.create(
            team=team, position=last.position + 1 if last else 0, changed_at=now, changed_by=person, **checked
        )
        _note(team, "desk.faq_added", f"{person} wrote “{entry}”", person, now, {"faq": entry.pk})
    return entry


def change_faq(entry: FaqEntry, values: Mapping[str, Any], person: Person, now: datetime) -> FaqEntry:
    """Change what is given of a question; `position` (0 comes first) moves it among the others. Raises Refused, NotAllowed."""
    require(person, entry.team, "member", "change an answer for everybody")
    checked = _check_faq(
        entry.team, {"question": entry.question, "answer": entry.answer, "service": entry.service, **values}
    )
    with transaction.atomic():
        for name, value in {**checked, "changed_at": now, "changed_by": person}.items():
            setattr(entry, name, value)
        entry.save(update_fields=[*checked, "changed_at", "changed_by"])
        if "position" in values:
            _move_faq(entry, int(values["position"]))
        _note(entry.team, "desk.faq_changed", f"{person} changed “{entry}”", person, now, {"faq": entry.pk})
    return entry


def remove_faq(entry: FaqEntry, person: Person, now: datetime, *, removed: bool = True) -> None:
    """Take a question off the page, or bring it back. Raises NotAllowed."""
    require(person, entry.team, "member", "take an answer away")
    entry.removed_at = now if removed else None
    with transaction.atomic():
        entry.save(update_fields=["removed_at"])
        said = f"{person} {'took away' if removed else 'brought back'} “{entry}”"
        _note(entry.team, "desk.faq_removed" if removed else "desk.faq_restored", said, person, now, {"faq": entry.pk})


def _check_faq(team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    question = check_text(dict(values), "question", 200, "write the question as people ask it")
    answer = _text(values, "answer")
    if not answer:
        raise Refused("write the answer", "answer")
    service = values.get("service")
    if service is not None and not isinstance(service, Service):
        service = Service.objects.filter(pk=service).first() if str(service).isdigit() else None
    if service is not None and service.team_id != team.pk:
        raise Refused(f"{service} is no service of {team}", "service")
    return {"question": question, "answer": answer, "service": service}


def _move_faq(entry: FaqEntry, position: int) -> None:
    others = list(
        FaqEntry.objects.filter(team=entry.team, removed_at=None).exclude(pk=entry.pk).order_by("position", "id")
    )
    others.insert(max(0, min(position, len(others))), entry)
    for place, one in enumerate(others):
        one.position = place
    FaqEntry.objects.bulk_update(others, ["position"])


def add_canned(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> CannedResponse:
    """Add a ready message: kind, name, text. The oldest of a kind is what Watchbill itself sends (COM-05, TRI-16).

    Raises Refused naming the field, with the fields that there are; NotAllowed.
    """
    require(person, team, "member", "write a ready message")
    checked = _check_canned(team, values, None)
    with transaction.atomic():
        made = CannedResponse.objects.create(team=team, changed_at=now, changed_by=person, **checked)
        _note(team, "desk.canned_added", f"{person} wrote “{made}”", person, now, {"canned": made.pk})
    return made


def change_canned(canned: CannedResponse, values: Mapping[str, Any], person: Person, now: datetime) -> CannedResponse:
    """Change what is given of a ready message; the log keeps the words before. Raises Refused, NotAllowed."""
    require(person, canned.team, "member", "change a ready message")
    refuse_if_theirs(canned)
    before = {"kind": canned.kind, "name": canned.name, "text": canned.text}
    checked = _check_canned(canned.team, {**before, **values}, canned)
    if checked == before:
        return canned
    with transaction.atomic():
        for name, value in {**checked, "changed_at": now, "changed_by": person}.items():
            setattr(canned, name, value)
        canned.save(update_fields=[*checked, "changed_at", "changed_by"])
        data = {"canned": canned.pk, "before": before}
        _note(canned.team, "desk.canned_changed", f"{person} changed “{canned}”", person, now, data)
    return canned


def remove_canned(canned: CannedResponse, person: Person, now: datetime, *, removed: bool = True) -> None:
    """Take a ready message away, or bring it back; without one of the team's own, ours hold. Raises Refused, NotAllowed."""
    require(person, canned.team, "member", "take a ready message away")
    refuse_if_theirs(canned)
    if not removed:
        _demand_free_name(canned.team, canned.name, canned)
    canned.removed_at = now if removed else None
    with transaction.atomic():
        canned.save(update_fields=["removed_at"])
        said = f"{person} {'took away' if removed else 'brought back'} “{canned}”"
        kind = "desk.canned_removed" if removed else "desk.canned_restored"
        _note(canned.team, kind, said, person, now, {"canned": canned.pk})


def _check_canned(team: Team, values: Mapping[str, Any], canned: CannedResponse | None) -> dict[str, Any]:
    kind = str(values.get("kind") or "other")
    if kind not in KINDS:
        raise Refused(f"a message is one of {', '.join(KINDS)}", "kind")
    name = check_text(dict(values), "name", 80, "give it a name by which the team finds it")
    _demand_free_name(team, name, canned)
    text = _text(values, "text")
    if not text:
        raise Refused("write the message", "text")
    return {"kind": kind, "name": name, "text": check_fields(text, fields=fields_for(kind))}


def fields_for(kind: str) -> Mapping[str, str]:
    """Give what a message of a kind may name."""
    return update_words.FIELDS.get(kind, FIELDS)


def _demand_free_name(team: Team, name: str, canned: CannedResponse | None) -> None:
    named = CannedResponse.objects.filter(team=team, name=name, removed_at=None)
    if (named.exclude(pk=canned.pk) if canned else named).exists():
        raise Refused(f"{team} has a message “{name}” already", "name")


def words_of(team: Team) -> list[KindOfWords]:
    """Read the words that hold for each kind of message, in the order of the kinds."""
    own: dict[str, CannedResponse] = {}
    for canned in CannedResponse.objects.filter(team=team, removed_at=None).order_by("id"):
        own.setdefault(canned.kind, canned)
    return [KindOfWords(kind, own[kind].text if kind in own else text, own.get(kind)) for kind, text in KINDS.items()]


def ready_messages(request: SupportRequest, person: Person, now: datetime) -> list[Ready]:
    """Read the team's messages with the fields filled for one request; of kinds without its own words, ours."""
    fields = {**fields_of(request, desk_of(request.team, now)), "me": str(person)}
    rows = CannedResponse.objects.filter(team=request.team, removed_at=None).exclude(kind__in=update_words.KINDS)
    rows = rows.order_by("name", "id")
    own = [Ready(row.name, row.kind, fill(row.text, fields)) for row in rows]
    known = {message.kind for message in own}
    ours = [
        Ready(kind.replace("_", " ").capitalize(), kind, fill(request_words.KINDS[kind], fields))
        for kind in ("first_response", "update", "not_now")
        if kind not in known
    ]
    return [*own, *ours]


def _note(team: Team, kind: str, why: str, person: Person, now: datetime, data: dict[str, Any]) -> None:
    record(subject_of(team), kind, why, now, Actor.of(person), data)

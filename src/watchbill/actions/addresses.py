"""How a person is reached: contact addresses, proven by a code, and the personal rules for each urgency."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from watchbill import channels
from watchbill.actions.checking import check
from watchbill.actions.delivery import Words
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.settings import channel_settings
from watchbill.channels import webpush
from watchbill.core.delivery import Address
from watchbill.core.people import PersonalRule, default_rules
from watchbill.db import facts
from watchbill.db.models import ContactAddress, Event, InstanceSetting, NotificationRule, Outgoing, Person, Shift
from watchbill.db.wake import wake_workers
from watchbill.kit.errors import Refused

CODE_LIVES = timedelta(minutes=15)
CODE_TRIES = 5
CODE_AGAIN = timedelta(minutes=1)
CODES_AN_HOUR = 10
TESTS_AN_HOUR = 20
MOST_ADDRESSES = 20
MOST_RULES = 20
LONGEST_DELAY = 24 * 3600
ON_WATCH_SOON = timedelta(days=7)
URGENCIES = ("important", "default")


def add_address(
    person: Person, channel: str, values: dict[str, Any], now: datetime, *, label: str = ""
) -> ContactAddress:
    """Write a new address and send a code to it: it counts once the code came back. Raises Refused naming the field.

    `values` are those of the channel's Address form; the door has checked that their URLs may be called.
    """
    if channel not in channels.all_channels():
        raise Refused(f"there is no channel “{channel}”", "channel")
    model = channels.all_channels()[channel]
    checked = check(model.Address, values)
    plain = channels.to_plain(checked)
    mine = ContactAddress.objects.filter(person=person, removed_at=None)
    if mine.count() >= MOST_ADDRESSES:
        raise Refused(f"you have {MOST_ADDRESSES} addresses: remove one first")
    known = next((row for row in mine.filter(channel=channel) if row.address == plain), None)
    if known is not None:
        raise Refused("you have this address already" + ("" if known.verified_at else ": enter the code that was sent"))
    with transaction.atomic():
        shown: str = checked.shown()  # type: ignore[attr-defined]  # the contract of a channel's Address
        address = ContactAddress.objects.create(
            person=person,
            channel=channel,
            label=(" ".join(label.split()) or shown)[:80],
            address=plain,
            created_at=now,
        )
        record(_subject(person), "address.added", f"{person} added {address}", now, Actor.of(person))
        _send_code(address, now)
    return address


def account_address(person: Person, now: datetime) -> ContactAddress:
    """Give the address row of the e-mail with which a person signs in, made when there is none.

    A removed row is given as well: it is used for what concerns the account, never for pages.
    """
    rows = ContactAddress.objects.filter(person=person, channel="email").order_by(
        F("removed_at").asc(nulls_first=True), "id"
    )
    for row in rows:
        if row.address.get("email", "").lower() == person.email:
            return row
    return ContactAddress.objects.create(
        person=person, channel="email", label=person.email[:80], address={"email": person.email}, created_at=now
    )


def resend_code(address: ContactAddress, person: Person, now: datetime) -> None:
    """Send a fresh code, at most one a minute; raises Refused."""
    _demand_own(address, person)
    if address.verified_at is not None:
        raise Refused("this address is verified already")
    if address.code_sent_at is not None and now - address.code_sent_at < CODE_AGAIN:
        raise Refused("a code was sent less than a minute ago: wait a moment, then ask again")
    with transaction.atomic():
        _send_code(address, now)


def _send_code(address: ContactAddress, now: datetime) -> None:
    recent = Outgoing.objects.filter(person=address.person, purpose="code", created_at__gt=now - timedelta(hours=1))
    if len(recent[:CODES_AN_HOUR]) == CODES_AN_HOUR:
        raise Refused(f"{CODES_AN_HOUR} codes were sent in the last hour: try again later")
    code = f"{secrets.randbelow(10**6):06d}"
    address.code_hash, address.code_sent_at, address.code_tries = _hash(address, code), now, 0
    address.failed_at, address.failure = None, ""
    address.save(update_fields=["code_hash", "code_sent_at", "code_tries", "failed_at", "failure"])
    subject = _subject(address.person)
    line = record(subject, "address.code_sent", f"a code was sent to {address}", now)
    minutes = int(CODE_LIVES.total_seconds() // 60)
    words = Words(
        subject=f"Your code is {code}",
        text=f"Enter {code} on your page in Watchbill. It is good for {minutes} minutes.\n\n"
        "If you did not ask for it, do nothing.",
        purpose="code",
        path=f"/me/addresses/{address.pk}/",
        action="Enter the code",
    )
    send(address, words, line, subject, "you added this address", now)


def _hash(address: ContactAddress, code: str) -> str:
    return salted_hmac("watchbill.address-code", f"{address.pk}:{code}", algorithm="sha256").hexdigest()


def verify_address(address_id: int, code: str, person: Person, now: datetime) -> ContactAddress:
    """Make an address count, because its code came back in time; raises Refused that says what to do.

    Five wrong codes, or 15 minutes, end a code. The count of tries is kept even though the answer is a refusal.
    """
    refusal = ""
    with transaction.atomic():
        address = ContactAddress.objects.select_for_update(of=("self",)).filter(pk=address_id, person=person).first()
        if address is None or address.removed_at is not None:
            raise Refused("you have no such address")
        if address.verified_at is not None:
            return address
        refusal = _why_not(address, "".join(code.split()), now)
        if refusal:
            address.save(update_fields=["code_tries"])
        else:
            mark_verified(address, "the code came back", now)
    if refusal:
        raise Refused(refusal, "code")
    return address


def _why_not(address: ContactAddress, code: str, now: datetime) -> str:
    if not address.code_hash or address.code_sent_at is None or now - address.code_sent_at >= CODE_LIVES:
        return "this code is older than 15 minutes: send a new one"
    if address.code_tries >= CODE_TRIES:
        return "too many tries with this code: send a new one"
    address.code_tries += 1
    if constant_time_compare(address.code_hash, _hash(address, code)):
        return ""
    left = CODE_TRIES - address.code_tries
    return f"this is not the code that was sent; {left} {'try' if left == 1 else 'tries'} left"


def mark_verified(address: ContactAddress, why: str, now: datetime) -> None:
    """Make an address count; rules that the person never touched grow with it."""
    person = address.person
    before = facts.usable_addresses(person.pk)
    address.verified_at, address.code_hash = now, ""
    address.failed_at, address.failure = None, ""
    address.save(update_fields=["verified_at", "code_hash", "failed_at", "failure"])
    record(_subject(person), "address.verified", f"{address}: {why}", now, Actor.of(person))
    if _rules(person) == default_rules(before):
        _write_rules(person, default_rules(facts.usable_addresses(person.pk)))


def remove_address(address: ContactAddress, person: Person, now: datetime, *, confirmed: bool = False) -> None:
    """Take an address out of use; its row stays. What waits for it is taken back.

    Raises Refused when it is the last that reaches somebody on watch in the next 7 days, unless `confirmed`.
    """
    _demand_own(address, person)
    rest = [usable for usable in facts.usable_addresses(person.pk) if usable.id != address.pk]
    if not rest and address.verified_at is not None and not confirmed:
        shift = next_shift(person, now, ON_WATCH_SOON)
        if shift is not None:
            raise Refused(
                f"you are on watch as {shift.seat} from {shift.starts_at:%a %d %b} and nothing else would reach you",
                "confirmed",
            )
    with transaction.atomic():
        # Messages by id, then the address: the order in which giving up on a message locks them.
        waiting = Outgoing.objects.filter(address=address, state="waiting").order_by("id").select_for_update()
        taken_back = [message.pk for message in waiting]
        address.removed_at = now
        address.save(update_fields=["removed_at"])
        untouched = _rules(person) == default_rules([*rest, Address(address.pk, address.channel)])
        NotificationRule.objects.filter(address=address).delete()
        if untouched:
            _write_rules(person, default_rules(rest))
        Outgoing.objects.filter(pk__in=taken_back, state="waiting").update(
            state="dropped", due_at=None, finished_at=now, answer="the address was removed"
        )
        record(_subject(person), "address.removed", f"{person} removed {address}", now, Actor.of(person))


def next_shift(person: Person, now: datetime, ahead: timedelta) -> Shift | None:
    """Read the shift that somebody stands now, or the next one that begins within `ahead`."""
    shifts = Shift.objects.filter(
        person=person, ends_at__gt=now, starts_at__lt=now + ahead, rotation__archived_at=None
    ).select_related("rotation", "rotation__team")
    return shifts.order_by("starts_at").first()


def send_test(address: ContactAddress, person: Person, now: datetime) -> Outgoing:
    """Send a test to one address; the row shows what became of it. Raises Refused when asked too often."""
    _demand_own(address, person)
    tests = Outgoing.objects.filter(person=person, purpose="test", created_at__gt=now - timedelta(hours=1))
    if len(tests[:TESTS_AN_HOUR]) == TESTS_AN_HOUR:
        raise Refused(f"{TESTS_AN_HOUR} tests were sent in the last hour: try again later")
    subject = _subject(person)
    with transaction.atomic():
        line = record(subject, "address.tested", f"{person} tests {address}", now, Actor.of(person))
        words = Words(
            subject="A test from Watchbill",
            text=f"This is a test, sent to {address.label}. Nothing is wrong and there is nothing to do.",
            purpose="test",
            path="/me/",
            action="Open your page",
        )
        return send(address, words, line, subject, "you asked for a test", now)


def send(address: ContactAddress, words: Words, line: Event, subject: Subject, why: str, now: datetime) -> Outgoing:
    """Put one message to one address into `Outgoing`, whether or not the address is verified."""
    message = Outgoing.objects.create(
        key=f"{subject.kind}-{subject.id}-{line.pk}-{address.pk}",
        team_id=subject.team,
        person=address.person,
        address=address,
        channel=address.channel,
        purpose=words.purpose,
        urgency=words.urgency,
        subject_kind=subject.kind,
        subject_id=subject.id,
        message={"subject": words.subject, "text": words.text, "path": words.path, "action": words.action},
        why=why,
        state="waiting",
        created_at=now,
        due_at=now,
    )
    wake_workers()
    return message


def change_rules(person: Person, urgency: str, rows: Sequence[tuple[int, int]], now: datetime) -> None:
    """Replace all rules of one urgency by (address, seconds after a page asked); raises Refused, nothing changed then.

    An empty list means: every verified address at once.
    """
    if urgency not in URGENCIES:
        raise Refused("the urgency is important or default", "urgency")
    if len(rows) > MOST_RULES:
        raise Refused(f"at most {MOST_RULES} rules for one urgency")
    usable = set(
        ContactAddress.objects.filter(person=person, verified_at__isnull=False, removed_at=None).values_list(
            "pk", flat=True
        )
    )
    for address, after in rows:
        if address not in usable:
            raise Refused("choose one of your verified addresses", "address")
        if not 0 <= after <= LONGEST_DELAY:
            raise Refused("the delay is at most 24 hours", "after")
    wanted = {PersonalRule(urgency, address, after) for address, after in rows}
    kept = {rule for rule in _rules(person) if rule.urgency != urgency}
    with transaction.atomic():
        _write_rules(person, kept | wanted)
        record(
            _subject(person), "rules.changed", f"{person} changed the rules for {urgency} pages", now, Actor.of(person)
        )


def _rules(person: Person) -> frozenset[PersonalRule]:
    rows = NotificationRule.objects.filter(person=person).values_list("urgency", "address_id", "after_seconds")
    return frozenset(PersonalRule(*row) for row in rows)


def _write_rules(person: Person, wanted: set[PersonalRule] | frozenset[PersonalRule]) -> None:
    NotificationRule.objects.filter(person=person).delete()
    ordered = sorted(wanted, key=lambda rule: (rule.urgency, rule.after_seconds, rule.address))
    NotificationRule.objects.bulk_create(
        NotificationRule(person=person, urgency=rule.urgency, address_id=rule.address, after_seconds=rule.after_seconds)
        for rule in ordered
    )


def push_key(now: datetime) -> str:
    """Give the public key that a browser subscribes with; the instance's pair is made at the first question.

    Two who ask first at the same moment get the same pair: the row's name is unique.
    """
    known = channel_settings("webpush")
    if not known:
        host = django_settings.WATCHBILL_URL.rpartition("/")[2].partition(":")[0]
        sender = str(channel_settings("email").get("sender", ""))
        contact = sender if "@" in sender and "<" not in sender else f"watchbill@{host}"
        fresh = {"private_key": webpush.make_keys().private_key, "subject": f"mailto:{contact}"}
        row, _ = InstanceSetting.objects.get_or_create(
            name="channel.webpush", defaults={"value": fresh, "changed_at": now}
        )
        known = row.value
    return webpush.public_key(webpush.Settings.model_validate(known))


def _demand_own(address: ContactAddress, person: Person) -> None:
    if address.person_id != person.pk or address.removed_at is not None:
        raise Refused("you have no such address")


def _subject(person: Person) -> Subject:
    return Subject("person", person.pk, None)

"""Contact addresses count once a code came back; rules say which is used when; a test shows what the vendor said."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from watchbill.actions import addresses
from watchbill.actions.paging import Opening, open_page
from watchbill.core.delivery import Address
from watchbill.core.people import PersonalRule, default_rules
from watchbill.db import facts
from watchbill.db.models import ContactAddress, NotificationRule, Outgoing
from watchbill.kit.errors import Refused


def code_in(world, recipient: str) -> str:
    world.work()
    mail = [m for m in world.mailbox.messages if m["X-To"] == recipient][-1]
    return re.search(r"Enter (\d{6}) ", mail.get_body(("plain",)).get_content())[1]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@pytest.fixture
def second(world) -> ContactAddress:
    return addresses.add_address(world.ana, "email", {"email": "ana@home.example"}, world.now, label="home")


def test_an_address_counts_once_its_code_came_back(world, second) -> None:
    code = code_in(world, "ana@home.example")
    assert second.pk not in [a.id for a in facts.usable_addresses(world.ana.pk)]
    addresses.verify_address(second.pk, f" {code[:3]} {code[3:]} ", world.ana, world.now)
    assert second.pk in [a.id for a in facts.usable_addresses(world.ana.pk)]


def test_the_code_is_kept_only_as_a_hash(world, second) -> None:
    code = code_in(world, "ana@home.example")
    row = ContactAddress.objects.get(pk=second.pk)
    assert code not in row.code_hash
    assert len(row.code_hash) == 64


def test_five_wrong_codes_end_a_code_even_the_right_one(world, second) -> None:
    code = code_in(world, "ana@home.example")
    for left in ("4 tries", "3 tries", "2 tries", "1 try", "0 tries"):
        with pytest.raises(Refused, match=left):
            addresses.verify_address(second.pk, wrong(code), world.ana, world.now)
    with pytest.raises(Refused, match="too many tries"):
        addresses.verify_address(second.pk, code, world.ana, world.now)


def test_a_code_is_good_for_fifteen_minutes(world, second) -> None:
    code = code_in(world, "ana@home.example")
    with pytest.raises(Refused, match="older than 15 minutes"):
        addresses.verify_address(second.pk, code, world.ana, world.now + timedelta(minutes=15))
    addresses.verify_address(second.pk, code, world.ana, world.now + timedelta(minutes=14, seconds=59))


def test_nobody_verifies_the_address_of_somebody_else(world, second) -> None:
    code = code_in(world, "ana@home.example")
    with pytest.raises(Refused, match="no such address"):
        addresses.verify_address(second.pk, code, world.charlie, world.now)
    with pytest.raises(Refused, match="no such address"):
        addresses.send_test(second, world.charlie, world.now)
    with pytest.raises(Refused, match="no such address"):
        addresses.remove_address(second, world.charlie, world.now)


def test_a_new_code_replaces_the_old_one_and_is_sent_at_most_once_a_minute(world, second) -> None:
    old = code_in(world, "ana@home.example")
    with pytest.raises(Refused, match="less than a minute"):
        addresses.resend_code(second, world.ana, world.now + timedelta(seconds=59))
    world.now += timedelta(minutes=1)
    addresses.resend_code(second, world.ana, world.now)
    new = code_in(world, "ana@home.example")
    if new != old:
        with pytest.raises(Refused, match="not the code"):
            addresses.verify_address(second.pk, old, world.ana, world.now)
    addresses.verify_address(second.pk, new, world.ana, world.now)


def test_codes_are_rationed_so_that_nobody_floods_a_stranger(world) -> None:
    for number in range(addresses.CODES_AN_HOUR):
        addresses.add_address(world.ana, "email", {"email": f"v{number}@example.net"}, world.now)
    with pytest.raises(Refused, match="in the last hour"):
        addresses.add_address(world.ana, "email", {"email": "one.more@example.net"}, world.now)
    assert not any(row.label == "one.more@example.net" for row in ContactAddress.objects.all())


def test_an_address_that_is_none_is_refused_at_its_field(world) -> None:
    with pytest.raises(Refused) as refusal:
        addresses.add_address(world.ana, "email", {"email": "nonsense"}, world.now)
    assert refusal.value.field == "email"
    with pytest.raises(Refused, match="already"):
        addresses.add_address(world.ana, "email", {"email": "ana@example.org"}, world.now)


def test_important_pages_go_by_push_at_once_and_by_mail_two_minutes_later() -> None:
    mail, push = Address(1, "email"), Address(2, "webpush")
    assert default_rules([mail]) == {PersonalRule("important", 1, 0), PersonalRule("default", 1, 0)}
    assert default_rules([mail, push]) == {
        PersonalRule("important", 2, 0),
        PersonalRule("important", 1, 120),
        PersonalRule("default", 1, 0),
    }
    assert default_rules([push]) == {PersonalRule("important", 2, 0), PersonalRule("default", 2, 0)}
    assert default_rules([]) == frozenset()


def test_rules_that_nobody_touched_grow_with_the_addresses_and_written_ones_stay(world) -> None:
    ana, now = world.ana, world.now
    first = ContactAddress.objects.get(person=ana)
    ntfy = ContactAddress.objects.create(
        person=ana,
        channel="ntfy",
        label="phone",
        address={"topic": "t", "server": "https://ntfy.example"},
        created_at=now,
    )
    addresses.mark_verified(ntfy, "test", now)
    assert rules_of(ana) == {("important", ntfy.pk, 0), ("important", first.pk, 120), ("default", first.pk, 0)}
    addresses.change_rules(ana, "important", [(first.pk, 0)], now)
    slack = ContactAddress.objects.create(
        person=ana, channel="slack", label="team", address={"url": "https://hooks.slack.com/x"}, created_at=now
    )
    addresses.mark_verified(slack, "test", now)
    assert rules_of(ana) == {("important", first.pk, 0), ("default", first.pk, 0)}


def rules_of(person) -> set[tuple[str, int, int]]:
    return set(NotificationRule.objects.filter(person=person).values_list("urgency", "address_id", "after_seconds"))


def test_rules_of_an_urgency_are_replaced_whole_or_not_at_all(world, second) -> None:
    ana, now = world.ana, world.now
    before = rules_of(ana)
    first = ContactAddress.objects.get(person=ana, label="work")
    for rows in ([(first.pk, 0), (second.pk, 60)], [(first.pk, 0), (first.pk, -1)], [(first.pk, 90_000)]):
        with pytest.raises(Refused):
            addresses.change_rules(ana, "important", rows, now)
        assert rules_of(ana) == before
    addresses.change_rules(ana, "important", [(first.pk, 0), (first.pk, 300)], now)
    assert rules_of(ana) == {("important", first.pk, 0), ("important", first.pk, 300), ("default", first.pk, 0)}


def test_the_last_address_of_somebody_on_watch_is_removed_only_after_a_second_yes(world) -> None:
    [address] = ContactAddress.objects.filter(person=world.ana)
    with pytest.raises(Refused, match="you are on watch as engineer") as refusal:
        addresses.remove_address(address, world.ana, world.now)
    assert refusal.value.field == "confirmed"
    addresses.remove_address(address, world.ana, world.now, confirmed=True)
    assert facts.usable_addresses(world.ana.pk) == []


def test_who_is_not_on_watch_in_the_next_seven_days_removes_it_at_once(world) -> None:
    [address] = ContactAddress.objects.filter(person=world.olga)
    addresses.remove_address(address, world.olga, world.now)
    assert rules_of(world.olga) == set()


def test_what_waits_for_a_removed_address_does_not_leave_any_more(world, second) -> None:
    addresses.verify_address(second.pk, code_in(world, "ana@home.example"), world.ana, world.now)
    first = ContactAddress.objects.get(person=world.ana, label="work")
    addresses.change_rules(world.ana, "important", [(first.pk, 0), (second.pk, 120)], world.now)
    open_page(world.team, Opening("Fire", targets=[f"person:{world.ana.pk}"]), "test", world.now)
    addresses.remove_address(second, world.ana, world.now)
    world.mailbox.clear()
    world.forward(minutes=3)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_a_test_shows_what_the_mail_server_said(world) -> None:
    [address] = ContactAddress.objects.filter(person=world.ana)
    message = addresses.send_test(address, world.ana, world.now)
    world.work()
    message = Outgoing.objects.get(pk=message.pk)
    assert (message.state, message.answer) == ("sent", "250 taken")
    world.mailbox.refuse("ana@example.org", "550 no such user here")
    message = addresses.send_test(address, world.ana, world.now)
    world.work()
    message = Outgoing.objects.get(pk=message.pk)
    assert message.state == "failed"
    assert "550 no such user here" in message.answer


def test_a_code_is_sent_even_while_nothing_else_is_asked_of_the_person(world, second) -> None:
    world.work()
    assert Outgoing.objects.get(person=world.ana, purpose="code").state == "sent"


def test_the_push_key_is_made_once(world) -> None:
    key = addresses.push_key(world.now)
    assert len(key) == 87
    assert addresses.push_key(world.now + timedelta(days=9)) == key

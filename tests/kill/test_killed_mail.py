"""Kill -9 while a request comes by mail and its answer leaves: nothing is lost, nothing is made twice.

Two places are where it matters: between the commit that stores a mail and the mailbox's mark that it was read, and
between the mail server's "250" for a mail to a requester and our own mark that it left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.kill.killing import EDGES, MOVED, Death, Moments, Step, Zygote
from tests.mail_world import ImapServer, give_desk, letter
from tests.world import World, make_person
from watchbill.actions import desk_inbox, mailbox
from watchbill.db.models import Export, Inbox, Message, SupportRequest
from watchbill.entry.mail.polling import look

LEASE = timedelta(seconds=31)
TABLES = (*MOVED, "requester", "supportrequest", "message", "attachment", "export", "instancesetting")


@pytest.fixture
def moments(world: World) -> Iterator[Moments]:
    kept = Moments(TABLES)
    yield kept
    kept.forget()


def check_the_end(world: World, death: Death) -> None:
    """One request, one confirmation: its mail left once, or twice with one Message-ID when the death was in between."""
    assert set(Inbox.objects.values_list("state", flat=True)) == {Inbox.PARSED}
    request = SupportRequest.objects.get()
    assert Message.objects.filter(request=request, direction="in").count() == 1
    assert [(export.what, export.state) for export in Export.objects.all()] == [("mail", "sent")]
    left = Counter(str(m["Message-ID"]) for m in world.mailbox.messages if m["X-To"] == "ria@example.net")
    assert len(left) == 1, death
    assert sum(left.values()) <= (2 if death.taken else 1), f"{death} but {left}"
    told = {str(m["Message-ID"]) for m in world.mailbox.to(world.ana)}
    assert len(told) == 1


def test_killed_around_the_mail_to_a_requester_a_fresh_worker_finishes(
    world: World, moments: Moments, zygote: Zygote
) -> None:
    """INT-08: from the stored mail to the confirmation that left."""
    give_desk(world)
    desk_inbox.store("mail", 0, letter().as_bytes(), {}, "", world.now)
    step = Step("stored", world.now, {"do": "work", "only": EDGES})
    moments.keep(step.name)
    assert zygote.run(step.as_job()).how == "survived"
    deaths: list[Death] = []
    while not deaths or deaths[-1].how != "survived":
        moments.go_back(step.name)
        world.mailbox.clear()
        deaths.append(zygote.run(step.as_job(), len(deaths) + 1))
        world.now = step.at + LEASE
        world.work()
        check_the_end(world, deaths[-1])
    assert any(death.taken for death in deaths)
    assert len(deaths) > 8


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    server = ImapServer()
    yield server
    server.stop()


def test_killed_between_the_stored_mail_and_the_mailboxs_mark_it_makes_one_request(
    world: World, moments: Moments, zygote: Zygote, imap: ImapServer
) -> None:
    """INT-08: a mail is on disk before the mailbox forgets it, and is known when it comes again."""
    give_desk(world)
    root = make_person("Root", world.now, is_superuser=True)
    mailbox.change_mailbox(imap.values(), root, world.now)
    mailbox.take_turn(world.now)
    step = Step("unread", world.now, {"do": "look", "only": EDGES})
    moments.keep(step.name)
    deaths: list[Death] = []
    stored_twice = 0
    while not deaths or deaths[-1].how != "survived":
        moments.go_back(step.name)
        world.mailbox.clear()
        imap.empty()
        imap.put(letter())
        deaths.append(zygote.run(step.as_job(), len(deaths) + 1))
        world.now = step.at + LEASE
        look(lambda: world.now)
        stored_twice += Inbox.objects.count() == 2
        assert imap.unread() == 0
        world.work()
        check_the_end(world, deaths[-1])
    assert stored_twice > 0
    assert "before the mailbox marks it" in {death.where for death in deaths}

"""How mail comes in: the mailbox on a real IMAP server, the address it is posted to, the pipe, the operator's pages."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from tests.doors.web_world import Cast
from tests.environment import ON_POSTGRESQL
from tests.mail_world import ImapServer, arrives, give_desk, letter
from tests.world import World, make_person
from watchbill.actions import desk_inbox, mailbox
from watchbill.db.models import Event, Inbox, SupportRequest
from watchbill.entry.mail import imap as imap_reading
from watchbill.entry.mail.polling import add_mail_polling, look
from watchbill.kit.errors import NotAllowed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server():
    running = ImapServer()
    yield running
    running.stop()


@pytest.fixture
def imap(server: ImapServer) -> ImapServer:
    server.empty()
    return server


@pytest.fixture
def as_(world: World) -> Cast:
    world.people["root"] = make_person("Root", world.now, is_superuser=True)
    return Cast(world)


def set_up(world: World, imap: ImapServer, **more: object) -> None:
    give_desk(world)
    world.people.setdefault("root", make_person("Root", world.now, is_superuser=True))
    mailbox.change_mailbox(imap.values(**more), world.root, world.now)
    assert mailbox.take_turn(world.now)


def test_unread_mail_becomes_requests_and_is_marked_as_read(world: World, imap: ImapServer) -> None:
    """INT-03, INT-08: what is in the mailbox is on disk before the mailbox forgets it."""
    set_up(world, imap)
    imap.put(letter())
    imap.put(letter(id="<2@example.net>", subject="Second"))
    assert look(lambda: world.now) == 2
    assert imap.unread() == 0
    world.work()
    assert [request.title for request in SupportRequest.objects.order_by("id")] == ["I cannot log in", "Second"]
    assert mailbox.last_poll() == {"said": "2 new messages taken", "failed": False, "at": world.now}


def test_mail_taken_before_a_crash_could_mark_it_makes_one_request(world: World, imap: ImapServer) -> None:
    set_up(world, imap)
    imap.put(letter())
    look(lambda: world.now)
    imap.unmark()
    look(lambda: world.now)
    world.work()
    assert (Inbox.objects.filter(state=Inbox.PARSED).count(), SupportRequest.objects.count()) == (2, 1)


def test_what_was_taken_is_moved_where_the_operator_wants_it(world: World, imap: ImapServer) -> None:
    set_up(world, imap, move_to="Sent")
    imap.put(letter())
    before = imap.count("INBOX"), imap.count("Sent")
    look(lambda: world.now)
    assert (imap.count("INBOX"), imap.count("Sent")) == (before[0] - 1, before[1] + 1)


def test_a_mailbox_that_fails_is_said_once_and_its_return_too(world: World, imap: ImapServer) -> None:
    set_up(world, imap, password="wrong")
    look(lambda: world.now)
    look(lambda: world.now)
    assert "AUTHENTICATIONFAILED" in mailbox.last_poll()["said"]
    assert Event.objects.filter(kind="instance.mailbox_failed").count() == 1
    mailbox.change_mailbox(imap.values(), world.root, world.now)
    look(lambda: world.now)
    assert Event.objects.filter(kind="instance.mailbox_back").count() == 1


def test_of_many_workers_one_looks_into_the_mailbox(world: World, imap: ImapServer) -> None:
    set_up(world, imap)
    assert not mailbox.take_turn(world.now)
    assert mailbox.take_turn(world.now + mailbox.PERIOD)
    assert not mailbox.take_turn(world.now + mailbox.PERIOD)


def test_the_worker_looks_by_itself_and_waits_for_no_mail_server(world: World, imap: ImapServer, until) -> None:
    set_up(world, imap)
    imap.put(letter())
    add_mail_polling(world.worker)
    world.now += timedelta(minutes=1)
    world.worker.run_once()
    assert until(lambda: Inbox.objects.filter(monitor="mail").exists(), 60)
    assert until(lambda: bool(mailbox.last_poll()), 60)
    world.work()
    assert SupportRequest.objects.get().title == "I cannot log in"


def test_an_administrator_sets_the_mailbox_up_and_tries_it(world: World, as_: Cast, imap: ImapServer) -> None:
    """The page shows what the server answers before anything is saved."""
    assert as_.eva.get("/settings/mailbox/").status_code == 403
    assert "No mailbox is read." in as_.root.text("/settings/mailbox/")
    typed = {name: str(value) for name, value in imap.values(folder="INBOX", timeout="5").items()}
    tried = as_.root.post("/settings/mailbox/", {**typed, "do": "try"}).content.decode()
    assert "It works: INBOX has" in tried
    assert (
        "AUTHENTICATIONFAILED"
        in as_.root.post("/settings/mailbox/", {**typed, "password": "no", "do": "try"}).content.decode()
    )
    assert mailbox.mailbox() is None
    as_.root.post("/settings/mailbox/", {**typed, "do": "save"})
    stored = mailbox.mailbox()
    assert stored is not None
    assert stored.port == imap.port
    assert imap.PASSWORD not in as_.root.text("/settings/mailbox/")
    as_.root.post("/settings/mailbox/forget/")
    assert mailbox.mailbox() is None


def test_mail_is_posted_to_an_address_that_only_its_key_opens(world: World, as_: Cast) -> None:
    give_desk(world)
    as_.nobody.client = Client(enforce_csrf_checks=True)

    def post(key: str, body: bytes) -> int:
        return as_.nobody.post(f"/in-mail/{key}", body, content_type="message/rfc822").status_code

    assert post("", letter().as_bytes()) == 404
    assert post("guess", letter().as_bytes()) == 401
    with pytest.raises(NotAllowed):
        mailbox.make_mail_key(world.ana, world.now)
    as_.root.post("/settings/mailbox/key/")
    key = mailbox.mail_key()
    assert f"/in-mail/{key}" in as_.root.text("/settings/mailbox/")
    large = letter("x" * 3_000_000)
    assert post(key, large.as_bytes()) == 202
    assert post(key, b"  ") == 400
    world.work()
    assert SupportRequest.objects.get().title == "I cannot log in"
    mailbox.make_mail_key(world.root, world.now)
    assert post(key, letter().as_bytes()) == 401


def test_what_was_not_understood_is_listed_with_its_reason_and_read_again(world: World, as_: Cast) -> None:
    """INT-08: no mail disappears in silence."""
    row = arrives(world, letter("SECRET words", to="lost@platform.example"))
    page = as_.root.text("/settings/inbox/")
    assert "1 that came to a desk was not understood." in page
    assert "no desk has this address: it was sent to lost@platform.example" in page
    assert "SECRET words" in as_.root.text(f"/settings/inbox/{row.pk}/")
    assert "lost@platform" not in as_.ana.text("/settings/inbox/")
    assert as_.ana.get(f"/settings/inbox/{row.pk}/").status_code == 404
    give_desk(world, "lost@platform.example")
    as_.root.post(f"/settings/inbox/{row.pk}/replay/")
    world.work()
    assert SupportRequest.objects.count() == 1
    assert "Everything that came to a desk was understood." in as_.root.text("/settings/inbox/")


def test_a_pipe_of_a_mail_server_stores_mail_without_a_server(world: World) -> None:
    settings = connection.settings_dict
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    if ON_POSTGRESQL:
        url = os.environ["WATCHBILL_DATABASE_URL"]
        head, _, query = url.partition("?")
        environment["WATCHBILL_DATABASE_URL"] = f"{head.rsplit('/', 1)[0]}/{settings['NAME']}" + (
            f"?{query}" if query else ""
        )
    command = [sys.executable, "-c", "from watchbill.entry.cli import main; main()", "mail-in"]
    if not ON_POSTGRESQL:
        folder = os.path.join(os.path.dirname(str(settings["NAME"])), "pipe")
        os.makedirs(folder, exist_ok=True)
        link = os.path.join(folder, "watchbill.sqlite3")
        if not os.path.exists(link):
            os.symlink(str(settings["NAME"]), link)
        environment["WATCHBILL_DATA"] = folder
    ran = subprocess.run(command, input=letter().as_bytes(), env=environment, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert bytes(Inbox.objects.get(monitor="mail").body) == letter().as_bytes()
    assert desk_inbox.is_waiting()
    empty = subprocess.run(command, input=b"", env=environment, capture_output=True, check=False)
    assert empty.returncode == 65


def test_a_mail_over_the_limit_is_taken_by_its_headers_and_the_next_one_whole(
    world: World, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(world, imap)
    monkeypatch.setattr(imap_reading, "LARGEST", 2000)
    imap.put(letter("x" * 5000))
    imap.put(letter(id="<2@example.net>"))
    assert look(lambda: world.now) == 2
    world.work()
    texts = [request.messages.get(direction="in").text for request in SupportRequest.objects.order_by("id")]
    assert texts[0].startswith("[left out: all of this mail but its headers")
    assert texts[1] == "It fails since this morning."

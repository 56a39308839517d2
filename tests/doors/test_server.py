"""`watchbill serve`, `web` and `worker` as real processes: they start, page, stop, die, and lose nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.doors.intake_world import KIND
from tests.doors.nodes import STARTS, TOKEN, Base, Node, make_base, read_until, until
from tests.environment import ON_POSTGRESQL
from tests.world import Mailbox
from watchbill.entry.server import GRACE_SECONDS

_copies = count()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """The team, on the database of this run."""
    made = make_base(tmp_path_factory.mktemp("nodes") / "base")
    yield made
    made.store.drop()


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    """A mail server of the test's own, named by the environment."""
    mailbox = Mailbox()
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def node(base: Base, mail: Mailbox, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Start processes on one copy of the team's database; what still runs at the end is killed."""
    store = base.store.copy(f"nodes-{next(_copies)}")
    environment = {
        **store.environment,
        "WATCHBILL_SECRET": os.environ["WATCHBILL_SECRET"],
        "WATCHBILL_SMTP_URL": f"smtp://127.0.0.1:{mail.port}/?from=watch@watchbill.test",
    }
    nodes: list[Node] = []

    def make(*command: str) -> Node:
        made = Node(environment, list(command or ["serve"]), tmp_path, base.key, base.session)
        nodes.append(made)
        made.store = store  # type: ignore[attr-defined]
        return made

    yield make
    for started in nodes:
        if hasattr(started, "process"):
            started.kill()
    store.drop()


def rows(node: Node, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = node.store.query(sql)  # type: ignore[attr-defined]
    return found


def test_it_serves_its_probes_takes_an_event_and_pages(node, mail):
    server = node().start()
    assert server.ask("/healthz", method="GET").body == b"alive\n"
    assert server.ask("/readyz", method="GET").body == b"ready\n"
    assert server.ask("/metrics", method="GET").status == 401
    assert server.ask("/metrics", method="GET", headers={"Authorization": "Bearer caf\xe9"}).status == 401
    measured = server.ask("/metrics", method="GET", headers={"Authorization": f"Bearer {TOKEN}"})
    assert measured.status == 200
    assert b"watchbill_late_seconds 0.0" in measured.body
    assert server.event("disk") == 202
    assert until(lambda: mail.messages)
    assert mail.readers() == ["ana@example.org"]
    assert server.stop() == 0


def test_sigterm_in_the_middle_of_everything_ends_in_time_and_loses_nothing(node, mail):
    """Promise 1: what was answered with 202 is there after the next start, and has paged."""
    first = node().start()
    accepted = under_load(first, first.stop)
    assert first.process.returncode == 0, first.said()
    finish_on_another(node, accepted)


def test_kill_9_in_the_middle_of_everything_loses_nothing(node, mail):
    first = node().start()
    accepted = under_load(first, first.kill)
    finish_on_another(node, accepted)


def under_load(server: Node, end: Callable[[], Any]) -> list[str]:
    """Four senders at once; after a while the server ends. Gives the keys that were answered with 202."""
    accepted: list[str] = []
    over: list[bool] = []

    def send(sender: int) -> None:
        for number in count():
            if over:
                return
            if server.event(f"disk-{sender}-{number}") == 202:
                accepted.append(f"disk-{sender}-{number}")

    senders = [Thread(target=send, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    assert until(lambda: len(accepted) >= 60)
    assert GRACE_SECONDS + 1 < 10, "who runs containers waits ten seconds for one to end"
    end()
    over.append(True)
    for sender in senders:
        sender.join()
    return accepted


def finish_on_another(node: Callable[..., Node], accepted: list[str]) -> None:
    second = node().start()
    placed = until(lambda: len(keys_of(second)) >= len(accepted) and not rows(second, WAITING) and keys_of(second))
    assert set(accepted) <= placed, second.said()
    orphans = rows(second, ORPHANS)
    assert orphans == [], "a page that climbs has its timer"
    assert rows(second, UNTOLD) == [], "every page has told somebody, or is about to"
    assert second.stop() == 0


WAITING = "SELECT id FROM watchbill_inbox WHERE state = 0"
ORPHANS = (
    "SELECT id FROM watchbill_page p WHERE state = 'climbing' AND NOT EXISTS"
    " (SELECT 1 FROM watchbill_timer t WHERE t.subject_kind = 'page' AND t.subject_id = p.id AND t.kind = 'climb')"
)
UNTOLD = (
    "SELECT id FROM watchbill_page p WHERE NOT EXISTS"
    " (SELECT 1 FROM watchbill_outgoing o WHERE o.subject_kind = 'page' AND o.subject_id = p.id)"
)


def keys_of(server: Node) -> set[str]:
    titles = rows(server, "SELECT title FROM watchbill_alertgroup")
    return {title.removeprefix("Disk ").removesuffix(" is full") for (title,) in titles}


def test_the_setup_code_is_told_while_nobody_has_an_account(base, tmp_path, node):
    store = KIND.make(tmp_path / "fresh", "fresh")
    fresh = Node(store.environment, ["serve"], tmp_path).start()
    try:
        code = (tmp_path / "fresh" / "setup-code").read_text()
        assert f"with this code: {code}" in fresh.said()
    finally:
        fresh.kill()
        store.drop()
    old = node().start()
    assert "with this code" not in old.said()
    old.kill()


def test_a_port_that_is_taken_ends_it_with_a_failure(node, tmp_path):
    first = node().start()
    other = KIND.make(tmp_path / "other", "port")
    second = Node(other.environment, ["serve"], tmp_path, port=first.port).start(wait=False)
    assert second.process.wait(STARTS) != 0
    first.kill()
    other.drop()


def test_nobody_hears_the_stream_who_is_not_signed_in(node):
    server = node().start()
    for session in (None, "made-up", "'; DROP TABLE"):
        with closing(server.stream(session)) as line:
            assert b" 403 " in read_until(line, b"sign in first")


def test_a_commit_is_told_to_the_open_pages_and_all_of_them_end_with_the_server(node):
    """200 pages stand open: each hears of the alert, and SIGTERM does not wait for them."""
    server = node().start()
    with ExitStack() as open_pages:
        lines = [open_pages.enter_context(closing(server.stream(server.session))) for _ in range(200)]
        for line in lines:
            assert b" 200 " in read_until(line, b"retry:")
        assert server.event("disk") == 202
        for line in lines:
            assert b"event: changed" in read_until(line, b"event: changed")
        assert server.stop() == 0
        for line in lines:
            assert read_until(line, b"never said")[-5:] == b"0\r\n\r\n", "ended properly, not cut off"


def told(mail) -> list[str]:
    """Every page that was told, once for each mail in which it stands."""
    texts = [message.get_body(("plain",)).get_content() for message in mail.messages]
    return [title for text in texts for title in set(re.findall(r"Disk disk-\d+ is full", text))]


if ON_POSTGRESQL:

    def test_web_and_worker_apart_page_at_once_and_the_pages_hear_of_it(node, mail):
        """NOTIFY wakes the worker on the other machine, and tells the pages that are open here."""
        web, worker = node("web").start(), node("worker").start()
        with closing(web.stream(web.session)) as line:
            read_until(line, b"retry:")
            assert web.event("disk") == 202
            assert b"event: changed" in read_until(line, b"event: changed")
            assert until(lambda: mail.messages)
        assert worker.ask("/readyz", method="GET").status == 200
        assert worker.ask("/", method="GET").status == 404
        assert worker.event("disk") == 404, "a worker takes no events"
        assert (web.stop(), worker.stop()) == (0, 0)

    def test_two_nodes_share_one_database_and_each_alert_pages_once(node, mail):
        nodes = [node().start(), node().start()]
        for number in range(20):
            assert nodes[number % 2].event(f"disk-{number}") == 202
        # Pages to one person may leave together (ADR 0010): each stands once, in one mail or another.
        assert until(lambda: len(told(mail)) >= 20)
        assert sorted(told(mail)) == sorted(f"Disk disk-{number} is full" for number in range(20))
        assert [each.stop() for each in nodes] == [0, 0]

    def test_the_database_goes_away_and_comes_back_and_nothing_is_restarted(node, mail):
        """Accepted before, paged after; while it is away the sender is told so, and so is the balancer."""
        server = node().start()
        assert server.event("before") == 202
        assert until(lambda: len(mail.messages) == 1)
        with server.store.away():
            assert until(lambda: server.event("while") == 503)
            assert until(lambda: server.ask("/readyz", method="GET").status == 503)
            assert server.ask("/healthz", method="GET").status == 200
        assert until(lambda: server.event("after") == 202)
        assert until(lambda: len(mail.messages) == 2), server.said()
        assert server.ask("/readyz", method="GET").status == 200
        assert server.stop() == 0

else:

    def test_a_second_server_on_the_same_folder_is_refused_and_told_what_to_do(tmp_path):
        environment = KIND.make(tmp_path / "data", "two").environment
        first = Node(environment, ["serve"], tmp_path).start()
        second = Node(environment, ["serve"], tmp_path).start(wait=False)
        try:
            assert second.process.wait(STARTS) == 1
            assert "Another Watchbill serves" in second.said()
            assert "WATCHBILL_DATA" in second.said()
            assert first.ask("/healthz", method="GET").status == 200
        finally:
            first.kill()

    @pytest.mark.parametrize("part", ["web", "worker"])
    def test_on_sqlite_the_parts_alone_are_refused_and_told_what_to_do(tmp_path, part):
        environment = {"WATCHBILL_DATA": str(tmp_path / "data")}
        alone = Node(environment, [part], tmp_path).start(wait=False)
        assert alone.process.wait(STARTS) == 1
        assert "use `watchbill serve`" in alone.said()

"""E-mail against a real SMTP server: what it takes, what it refuses, and what its words become."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.channels.world import PAGE
from tests.egress.outside import closed_port, found_authority, raw_host
from watchbill.channels import Message, Receipt, open_line, send
from watchbill.channels.email import Address, Settings, compose
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

SENDER = "Watchbill <watch@example.org>"
SETTINGS = Settings(host="mail.example", sender=SENDER)


class Post:
    """A mail server's rules: it answers RCPT, DATA and MAIL as told, and keeps what it took."""

    def __init__(self, **lines: str) -> None:
        self.lines = lines
        self.taken: list[EmailMessage] = []

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self.lines.get("mail", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.lines.get("rcpt") == "drop":
            session.loop.call_soon(server.transport.abort)
            return "250 never seen"
        if "rcpt" not in self.lines:
            envelope.rcpt_tos.append(address)
        return self.lines.get("rcpt", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "data" not in self.lines:
            letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.taken.append(letter)
        return self.lines.get("data", "250 2.0.0 Ok: queued as 4XyZ")


@contextmanager
def mail_server(post: Post, **more: Any) -> Iterator[int]:
    controller = Controller(post, hostname="127.0.0.1", port=closed_port(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def deliver(port: int, message: Message = PAGE, **more: Any) -> Receipt:
    operator = {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER, "timeout": 3, **more}
    return send("email", message, {"email": "ana@example.org"}, operator, Client())


def test_a_page_arrives_as_text_and_as_one_big_button() -> None:
    post = Post()
    with mail_server(post) as port:
        receipt = deliver(port)
    assert receipt.answer == "250 2.0.0 Ok: queued as 4XyZ"
    letter = post.taken[0]
    assert (letter["To"], letter["From"], letter["Subject"]) == ("ana@example.org", SENDER, "Disk full on db1")
    assert (letter["Auto-Submitted"], letter["Importance"]) == ("auto-generated", "high")
    assert letter["Date"] == "Fri, 20 Nov 2026 08:30:00 +0000"
    assert letter["Message-ID"] == receipt.reference
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "free space <now> & tell Ana." in text.get_content()
    assert f"Answer this page: {PAGE.link}" in text.get_content()
    assert "free space &lt;now&gt; &amp; tell Ana." in html.get_content()
    assert html.get_content().count(f'href="{PAGE.link}"') == 1


def test_a_retry_has_the_same_id_and_the_mails_of_a_page_hang_together() -> None:
    again, first = (
        compose(PAGE, Address(email="ana@example.org"), SETTINGS),
        compose(PAGE, Address(email="ana@example.org"), SETTINGS),
    )
    other = compose(Message("page-7-42-3", "b", "c", thread="page-7"), Address(email="ana@example.org"), SETTINGS)
    assert again["Message-ID"] == first["Message-ID"]
    assert other["Message-ID"] != first["Message-ID"]
    assert other["References"] == first["References"]
    assert first["Message-ID"].endswith("@example.org>")
    assert other["Importance"] is None
    assert compose(Message("k", "a", "b"), Address(email="ana@example.org"), SETTINGS)["References"] is None


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=60))
@settings(deadline=None, max_examples=40)
def test_nobodys_text_becomes_a_header(subject: str, text: str, key: str) -> None:
    message = Message(
        key,
        f"Alert\r\nBcc: eve@example.org\n{subject}",
        text,
        link="https://a.example/",
        action=subject,
        thread=f"t{key}",
    )
    letter = email.message_from_bytes(
        compose(message, Address(email="ana@example.org"), SETTINGS).as_bytes(), policy=email.policy.default
    )
    assert letter["Bcc"] is None
    assert letter["Subject"].startswith("Alert Bcc: eve@example.org")
    assert sorted(set(letter.keys())) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
         "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"]
    )  # fmt: skip


def test_a_link_that_is_no_web_page_gets_no_button() -> None:
    letter = compose(Message("k", "a", "b", link="javascript:alert(1)"), Address(email="ana@example.org"), SETTINGS)
    assert b"javascript" not in letter.as_bytes()


@pytest.mark.parametrize(
    ("step", "line", "permanent"),
    [
        ("rcpt", "550 5.1.1 no such user here", True),
        ("rcpt", "553 5.1.3 bad address syntax", True),
        ("rcpt", "450 4.2.1 mailbox busy", False),
        ("rcpt", "451 4.7.1 greylisted, come back later", False),
        ("mail", "530 5.7.0 log in first", True),
        ("mail", "421 4.3.2 going down", False),
        ("data", "552 5.3.4 too big", True),
        ("data", "452 4.3.1 no space left", False),
    ],
)
def test_a_refusal_keeps_the_servers_words(step: str, line: str, permanent: bool) -> None:
    with mail_server(Post(**{step: line})) as port, pytest.raises(DeliveryFailed) as failed:
        deliver(port)
    assert line in failed.value.message
    assert failed.value.permanent is permanent
    assert failed.value.operators is (step == "mail"), "whose sender it is, not whose mailbox"


def test_a_connection_that_drops_is_a_failure_for_now() -> None:
    with mail_server(Post(rcpt="drop")) as port, pytest.raises(DeliveryFailed) as failed:
        deliver(port)
    assert not failed.value.permanent


def deliver_all(port: int, messages: list[Message]) -> list[Receipt]:
    operator = {"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER, "timeout": 3}
    with open_line("email", operator, Client()) as over:
        return [over(message, {"email": "ana@example.org"}) for message in messages]


THREE = [replace(PAGE, key=f"page-{number}") for number in range(3)]


class Counting(Post):
    """A mail server that counts its visitors, and hangs up on every second letter of one, before or after it took it."""

    def __init__(self, hang_up: str = "") -> None:
        super().__init__()
        self.visits = 0
        self.hang_up = hang_up

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]) -> Any:
        self.visits += 1
        session.letters = 0
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        session.letters += 1
        second = session.letters == 2
        if second and self.hang_up:
            server.transport.abort()
        if second and self.hang_up == "before":
            return "250 never said"
        return await super().handle_DATA(server, session, envelope)


def test_several_messages_leave_over_one_connection() -> None:
    post = Counting()
    with mail_server(post) as port:
        receipts = deliver_all(port, THREE)
    assert (post.visits, len(post.taken)) == (1, 3)
    assert [letter["Message-ID"] for letter in post.taken] == [receipt.reference for receipt in receipts]


@pytest.mark.parametrize(("hang_up", "copies"), [("before", 1), ("after", 2)])
def test_what_was_not_acknowledged_leaves_again_under_the_same_id_when_the_line_dies(hang_up: str, copies: int) -> None:
    """Nothing is lost; what the server took without saying so arrives twice, and a mailbox knows it by its id."""
    post = Counting(hang_up)
    with mail_server(post) as port:
        receipts = deliver_all(port, THREE[:2])
    assert post.visits == 2
    assert all(receipt.answer.startswith("250") for receipt in receipts)
    times = Counter(str(letter["Message-ID"]) for letter in post.taken)
    assert [times[receipt.reference] for receipt in receipts] == [1, copies]


def test_a_refusal_over_a_kept_line_stops_none_of_those_that_follow() -> None:
    class Picky(Post):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            return "554 no" if b"page-1 " in envelope.content else await super().handle_DATA(server, session, envelope)

    post, came = Picky(), list[str]()
    operator = {"host": "127.0.0.1", "security": "none", "sender": SENDER, "timeout": 3}
    with mail_server(post) as port, open_line("email", {**operator, "port": port}, Client()) as over:
        for number in range(3):
            message = replace(PAGE, key=f"{number}", subject=f"page-{number} is here")
            try:
                came.append(over(message, {"email": "ana@example.org"}).answer[:3])
            except DeliveryFailed as failed:
                came.append(f"permanent {failed.permanent}")
    assert came == ["250", "permanent True", "250"]
    assert len(post.taken) == 2


def test_a_line_without_settings_fails_for_good_and_says_what_is_missing() -> None:
    with open_line("email", {}, Client()) as over, pytest.raises(DeliveryFailed, match="host") as failed:
        over(PAGE, {"email": "ana@example.org"})
    assert failed.value.permanent


@pytest.mark.parametrize(
    ("greeting", "permanent"),
    [(b"554 no mail here\r\n", True), (b"421 busy, later\r\n", False), (b"SSH-2.0-OpenSSH\r\n", False)],
)
def test_a_server_that_does_not_greet_is_told_as_that(greeting: bytes, permanent: bool) -> None:
    with raw_host(greeting) as host, pytest.raises(DeliveryFailed) as failed:
        deliver(host.port)
    assert failed.value.permanent is permanent
    assert failed.value.operators


def ask_password(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"watch", b"the password")
    return AuthResult(success=right, handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_server_that_wants_a_password_gets_it() -> None:
    post = Post()
    with mail_server(post, authenticator=ask_password, auth_required=True, auth_require_tls=False) as port:
        assert deliver(port, username="watch", password="the password").answer.startswith("250")
        with pytest.raises(DeliveryFailed, match="535") as wrong:
            deliver(port, username="watch", password="guessed")
        with pytest.raises(DeliveryFailed, match="530") as without:
            deliver(port)
    assert wrong.value.permanent
    assert wrong.value.operators
    assert without.value.operators
    assert without.value.permanent
    assert "guessed" not in wrong.value.message
    assert len(post.taken) == 1


def test_starttls_is_demanded_and_the_name_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = found_authority(tmp_path)
    good, post = authority.server("127.0.0.1"), Post()
    with mail_server(post, tls_context=good, require_starttls=True) as port:
        with pytest.raises(DeliveryFailed, match=r"(?i)certificate") as unknown:
            deliver(port, security="starttls")
        with pytest.raises(DeliveryFailed, match="STARTTLS"):
            deliver(port, security="none")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.cafile))
        assert deliver(port, security="starttls").answer.startswith("250")
    with (
        mail_server(Post(), tls_context=authority.server("other.example")) as port,
        pytest.raises(DeliveryFailed, match=r"127\.0\.0\.1"),
    ):
        deliver(port, security="starttls")
    with mail_server(Post()) as port, pytest.raises(DeliveryFailed, match="STARTTLS") as plain:
        deliver(port, security="starttls")
    assert not unknown.value.permanent
    assert plain.value.permanent
    assert len(post.taken) == 1


class TlsController(Controller):
    """A mail server that speaks TLS from the first byte."""

    def __init__(self, handler: Post, context: ssl.SSLContext) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=closed_port(), ssl_context=context)
        self.client = ssl._create_unverified_context()

    def _trigger_server(self) -> None:
        with socket.create_connection((self.hostname, self.port), 1) as plain, self.client.wrap_socket(plain) as secure:
            secure.recv(1024)

    def factory(self) -> SMTP:
        return SMTP(self.handler, **self.SMTP_kwargs)


def test_tls_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, post = found_authority(tmp_path), Post()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.cafile))
    controller = TlsController(post, authority.server("127.0.0.1"))
    controller.start()
    try:
        assert deliver(controller.port, security="tls").answer.startswith("250")
    finally:
        controller.stop()
    assert len(post.taken) == 1


@pytest.mark.parametrize(
    "good", ["ana@example.org", " Ana.B+watch@Mail.Example.org ", "ana@bücher.example", "o'neil@localhost"]
)
def test_an_address_is_written_as_servers_know_it(good: str) -> None:
    known = Address(email=good).email
    assert known.isascii()
    assert Address(email=known).email == known


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "ana",
        "@a.example",
        "ana@",
        "a b@c.example",
        "ana@a..b",
        "ana@-a.b",
        "a\r\nRCPT TO:<b>@c.d",
        "<ana@a.b>",
        ".a@b.c",
        "żó@a.b",
        "a@b@c.d",
    ],
)
def test_what_is_no_address_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError, match="ana@example"):
        Address(email=bad)

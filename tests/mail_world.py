"""Mail for tests: letters as people and machines send them, and a real IMAP server on the loopback."""

from __future__ import annotations

import imaplib
import subprocess
import sys
from email.message import EmailMessage
from email.policy import SMTP
from threading import Event as Waiting
from typing import Any

from tests.world import World, free_port
from watchbill.actions import desk_inbox
from watchbill.db.models import Desk, Inbox

DESK = "desk@platform.example"


def give_desk(world: World, address: str = DESK) -> Desk:
    return Desk.objects.create(team=world.team, mail_address=address)


def letter(
    text: str = "It fails since this morning.",
    *,
    sender: str = "Ria <ria@example.net>",
    to: str = DESK,
    subject: str = "I cannot log in",
    id: str = "<1@example.net>",
    **headers: str,
) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender, to, subject
    if id:
        made["Message-ID"] = id
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def arrives(world: World, mail: EmailMessage | bytes) -> Inbox:
    """A mail is stored, and the worker reads it."""
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    number = desk_inbox.store("mail", 0, raw, {}, "127.0.0.1", world.now)
    world.work()
    return Inbox.objects.get(pk=number)


class ImapServer:
    """A real IMAP server that keeps its mail in memory."""

    USER, PASSWORD = "desk", "sesame"

    def __init__(self) -> None:
        self.port = free_port()
        command = [
            sys.executable,
            "-c",
            "from pymap.main import main; main()",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        command += ["--no-tls", "--no-service", "managesieve", "--no-service", "admin", "dict"]
        command += ["--demo-data", "--demo-user", self.USER, "--demo-password", self.PASSWORD]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                self.login().logout()
            except OSError:
                Waiting().wait(0.05)
            else:
                return
        raise AssertionError("the IMAP server did not start")

    def login(self) -> imaplib.IMAP4:
        imap = imaplib.IMAP4("127.0.0.1", self.port, 5)
        imap.login(self.USER, self.PASSWORD)
        return imap

    def put(self, mail: EmailMessage | bytes) -> None:
        with self.login() as imap:
            raw = mail if isinstance(mail, bytes) else mail.as_bytes()
            assert imap.append("INBOX", "", imaplib.Time2Internaldate(0), raw)[0] == "OK"

    def unread(self) -> int:
        with self.login() as imap:
            imap.select("INBOX")
            return len(imap.uid("SEARCH", "UNSEEN")[1][0].split())

    def unmark(self) -> None:
        with self.login() as imap:
            imap.select("INBOX")
            imap.uid("STORE", "1:*", "-FLAGS", r"(\Seen)")

    def count(self, folder: str) -> int:
        with self.login() as imap:
            return int(imap.select(folder)[1][0])

    def empty(self) -> None:
        with self.login() as imap:
            imap.select("INBOX")
            imap.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
            imap.expunge()

    def values(self, **more: Any) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "username": self.USER,
            "password": self.PASSWORD,
            **more,
        }

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()

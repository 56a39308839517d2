"""The demo's mail server: takes every mail, sends none on, and keeps the last 200 so that a visitor can read them.

Nothing of the demo leaves the machine: the e-mail channel is told to hand its mails to this server, on a free port
of the loopback.
"""

from __future__ import annotations

import email
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from typing import Any

KEPT = 200
LARGEST_LINE = 10_000
LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Letter:
    """One mail, as it was taken: its number, who it is for, and what it says."""

    number: int
    to: str
    subject: str
    date: str
    text: str

    @property
    def link(self) -> str:
        """The last address in the text: the mail's button."""
        found = LINK.findall(self.text)
        return found[-1] if found else ""


class Mailbox:
    """The letters, newest last, each also a file in `folder`, so that a second start still has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = Lock()
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(folder.glob("*.eml"))
        self.letters = deque((read_letter(int(file.stem), file.read_bytes()) for file in files[-KEPT:]), maxlen=KEPT)
        self.number = self.letters[-1].number if self.letters else 0
        self._list_of_closed = folder / "closed"
        self.closed = set(self._list_of_closed.read_text().split()) if self._list_of_closed.exists() else set()

    def close(self, address: str) -> None:
        """Refuse mail to an address from now on, as a server does for somebody who has left."""
        self.closed.add(address)
        self._list_of_closed.write_text("\n".join(sorted(self.closed)))

    def take(self, recipient: str, body: bytes) -> None:
        """Keep one mail; the oldest makes room."""
        with self.lock:
            self.number += 1
            raw = b"X-Envelope-To: " + recipient.encode() + b"\r\n" + body
            (self.folder / f"{self.number:08d}.eml").write_bytes(raw)
            (self.folder / f"{self.number - KEPT:08d}.eml").unlink(missing_ok=True)
            self.letters.append(read_letter(self.number, raw))

    def newest(self, recipient: str) -> Letter:
        """Give the newest letter to an address; raises LookupError when there is none."""
        with self.lock:
            found = [letter for letter in self.letters if letter.to == recipient]
        if not found:
            raise LookupError(f"the demo has no letter to {recipient}")
        return found[-1]

    def read(self) -> list[Letter]:
        """Give the letters, newest first."""
        with self.lock:
            return list(reversed(self.letters))

    def open(self) -> dict[str, Any]:
        """Start to take mail; gives the settings with which the e-mail channel finds it."""
        server = _Server(("127.0.0.1", 0), _Conversation)
        server.mailbox = self
        Thread(target=server.serve_forever, name="mailbox", daemon=True).start()
        port = int(server.server_address[1])
        return {"host": "127.0.0.1", "port": port, "security": "none", "sender": "Watchbill <watch@demo.example>"}


def read_letter(number: int, raw: bytes) -> Letter:
    """Read a mail's bytes."""
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    body = message.get_body(("plain",))
    text = str(body.get_content()) if body is not None else ""
    return Letter(number, str(message["X-Envelope-To"]), str(message["Subject"]), str(message["Date"]), text)


class _Server(ThreadingTCPServer):
    """One thread a connection; ends with the process."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    mailbox: Mailbox


class _Conversation(StreamRequestHandler):
    """The part of SMTP (RFC 5321) that a client needs to hand over a mail."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Talk until the client says goodbye."""
        recipients: list[str] = []
        self._say("220 demo mailbox")
        for line in self._lines():
            verb = line[:4].upper()
            if verb == "QUIT":
                self._say("221 goodbye")
                return
            if verb == "RCPT":
                self._take_recipient(line, recipients)
            elif verb == "DATA":
                self._take_data(recipients)
                recipients = []
            elif verb in {"EHLO", "HELO", "MAIL", "RSET", "NOOP"}:
                self._say("250 demo mailbox")
            else:
                self._say("502 not here")

    def _lines(self) -> Iterator[str]:
        while line := self.rfile.readline(LARGEST_LINE):
            yield line.decode("utf-8", "replace").rstrip("\r\n")

    def _take_recipient(self, line: str, recipients: list[str]) -> None:
        address = line.partition("<")[2].partition(">")[0]
        if address in self.server.mailbox.closed:  # type: ignore[attr-defined]
            self._say("550 5.1.1 there is no such mailbox any more")
            return
        recipients.append(address)
        self._say("250 taken down")

    def _take_data(self, recipients: list[str]) -> None:
        self._say("354 go on")
        body = bytearray()
        while (line := self.rfile.readline(LARGEST_LINE)) not in {b".\r\n", b""}:
            body += line[1:] if line.startswith(b".") else line
        box: Mailbox = self.server.mailbox  # type: ignore[attr-defined]
        for recipient in recipients:
            box.take(recipient, bytes(body))
        self._say("250 kept")

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")

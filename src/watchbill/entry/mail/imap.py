"""Look into the operator's mailbox (IMAP4rev1, RFC 3501): take what is unread, then mark it, never the other way round.

A process that dies between the two leaves a message that is taken again; its Message-ID tells that it is here already.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted

from watchbill.actions import desk_inbox
from watchbill.actions.mailbox import Mailbox, keep_turn
from watchbill.egress import readable
from watchbill.kit.errors import Unreadable

MOST_AT_ONCE = 100
LARGEST = 40 * 1024 * 1024
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
ERRORS = (ImapToolsError, imaplib.IMAP4.error, OSError, UnicodeError, Unreadable)


class MailboxFailed(Exception):
    """The mailbox could not be read; says what its server answered."""


@contextmanager
def open_mailbox(settings: Mailbox) -> Iterator[BaseMailBox]:
    """Log in and open the folder; raises MailboxFailed with the server's own words, here and while it is used."""
    box: BaseMailBox | None = None
    try:
        box = _connect(settings)
        password = settings.password.get_secret_value()
        plain = settings.username.isascii() and password.isascii()
        (box.login if plain else box.login_utf8)(settings.username, password, initial_folder=None)
        box.folder.set(settings.folder)
        yield box
    except ERRORS as error:
        said = readable(str(error)) or type(error).__name__
        raise MailboxFailed(f"{settings.host}:{settings.port} as {settings.username}: {said[:400]}") from error
    finally:
        if box is not None:
            with suppress(*ERRORS):
                box.logout()


def _connect(settings: Mailbox) -> BaseMailBox:
    where = {"host": settings.host, "port": settings.port, "timeout": settings.timeout}
    if settings.security == "tls":
        return MailBox(**where, ssl_context=ssl.create_default_context())
    if settings.security == "starttls":
        return MailBoxStartTls(**where, ssl_context=ssl.create_default_context())
    return MailBoxUnencrypted(**where)


def try_it(settings: Mailbox) -> str:
    """Say what the mailbox's server answers; raises MailboxFailed."""
    with open_mailbox(settings) as box:
        status = box.folder.status(settings.folder)
        if settings.move_to and not box.folder.exists(settings.move_to):
            raise MailboxFailed(f"the folder “{settings.move_to}” to move to does not exist")
    return f"{settings.folder} has {status['MESSAGES']} messages, {status['UNSEEN']} of them unread"


def poll(settings: Mailbox, clock: Callable[[], datetime]) -> int:
    """Take what is unread, oldest first; gives how many messages were stored. Raises MailboxFailed."""
    taken = 0
    unread: list[str] = []
    with open_mailbox(settings) as box:
        for uid in box.uids("UNSEEN")[:MOST_AT_ONCE]:
            try:
                raw, note = _fetch(box, uid)
            except Unreadable as error:
                unread.append(error.message)  # one that its server will not give never holds back the others
                continue
            if not raw:
                continue  # somebody else took it away meanwhile
            now = clock()
            desk_inbox.store(desk_inbox.MAIL, 0, raw, {"uid": uid, **note}, settings.host, now)
            # Stored and committed: only from here on may the mailbox forget that it is unread.
            _mark(box, uid, settings)
            keep_turn(now)
            taken += 1
    if unread:
        raise MailboxFailed(f"{taken} taken, but {len(unread)} could not be read: {unread[0]}")
    return taken


def _fetch(box: BaseMailBox, uid: str) -> tuple[bytes, dict[str, object]]:
    """Read one message without marking it; of one that is too large only its headers."""
    answer = box.client.uid("fetch", uid, "(RFC822.SIZE)")
    found = SIZE.search(b" ".join(part for part in answer[1] if isinstance(part, bytes)))
    size = int(found[1]) if found else 0
    if size > LARGEST:
        return _body(box, uid, "BODY.PEEK[HEADER]"), {"too_large": size}
    return _body(box, uid, "BODY.PEEK[]"), {}


def _body(box: BaseMailBox, uid: str, what: str) -> bytes:
    status, answer = box.client.uid("fetch", uid, f"({what})")
    if status != "OK":
        raise Unreadable(f"the server would not give message {uid}: {answer!r}"[:300])
    return next((part[1] for part in answer if isinstance(part, tuple)), b"")


def _mark(box: BaseMailBox, uid: str, settings: Mailbox) -> None:
    if settings.move_to:
        box.move(uid, settings.move_to)
    else:
        box.flag(uid, "\\Seen", value=True)

"""Read a mail (RFC 5322, MIME): who wrote to whom, what is new in it, its files, and whether a machine wrote it.

Pure: bytes in, a `Letter` out. Raises Unreadable and nothing else, whatever arrives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from hashlib import sha256
from mimetypes import guess_extension
from typing import Any

from watchbill.core.mail_text import clean, decode, fold, html_to_text
from watchbill.kit.errors import Unreadable

LARGEST_FILE = 10 * 1024 * 1024
LARGEST_FILES = 25 * 1024 * 1024
LONGEST_TEXT = 90_000
LONGEST_HEADER = 64 * 1024
MOST_PARTS, DEEPEST = 500, 20
MOST_IDS = 50
MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
BULK = frozenset({"bulk", "junk", "list"})
DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon"})
# Who the mail was delivered for, as mail servers write it beside To and Cc (a mailing list names itself in To).
RECIPIENT_HEADERS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")
# What the standard library raises on mail that nobody should have sent.
STUMBLES = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MessageError)


@dataclass(frozen=True)
class Mailbox:
    """A name and an address; the address is in lower case."""

    name: str
    email: str


@dataclass(frozen=True)
class LetterFile:
    """A file that came with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Bounce:
    """A mail server tells that it could not deliver: `ids` are the mails it speaks of, `failed` that it gave up."""

    ids: tuple[str, ...]
    reason: str
    failed: bool


@dataclass(frozen=True)
class Letter:
    """A mail, read. `text` is what is new in it, `folded` the signature and what it quotes.

    automatic  "": a person wrote it; "bounce"; "reply": a holiday notice and the like; "bulk": a list, a newsletter,
               a monitor. None of the three is ever answered by itself (RFC 3834).
    """

    message_id: str
    references: tuple[str, ...]
    sender: Mailbox
    recipients: tuple[str, ...]
    subject: str
    text: str
    folded: str = ""
    files: tuple[LetterFile, ...] = ()
    automatic: str = ""
    bounce: Bounce | None = None


def read_letter(raw: bytes) -> Letter:
    """Read a mail; raises Unreadable and nothing else."""
    for rules in (policy.default, policy.compat32):
        try:
            return _read(message_from_bytes(raw, policy=rules), raw)
        except STUMBLES as error:
            stumbled = error
    raise Unreadable(f"this is no mail that can be read: {type(stumbled).__name__}: {str(stumbled)[:200]}")


def _read(message: Message, raw: bytes) -> Letter:
    parts = list(message.walk())
    if len(parts) > MOST_PARTS:
        raise Unreadable(f"a mail of {len(parts)} parts; at most {MOST_PARTS}")
    if any(len(value) > LONGEST_HEADER for part in parts for _, value in part.raw_items()):
        raise Unreadable("one header of this mail is longer than 64 kB")
    sender = next(iter(_addresses(message, "from")), None) or next(iter(_addresses(message, "sender")), None)
    if sender is None:
        raise Unreadable("this mail has no sender", "From")
    contents = _Contents()
    contents.take(message, 0)
    text, folded = _text_of(contents)
    automatic = _automatic(message, sender)
    return Letter(
        message_id=_first_id(message) or f"<{sha256(raw).hexdigest()[:32]}@no-message-id>",
        references=_references(message),
        sender=sender,
        recipients=tuple(dict.fromkeys(m.email for name in RECIPIENT_HEADERS for m in _addresses(message, name))),
        subject=" ".join(_words(_header(message, "subject")).split())[:300],
        text=text,
        folded=folded,
        files=tuple(contents.files),
        automatic=automatic,
        bounce=_read_bounce(parts, contents.text()) if automatic == "bounce" else None,
    )


def _text_of(contents: _Contents) -> tuple[str, str]:
    text, folded = fold(contents.text())
    if len(text) > LONGEST_TEXT:
        rest = f"(the rest of a very long text)\n{text[LONGEST_TEXT:]}"
        text, folded = text[:LONGEST_TEXT], "\n\n".join(part for part in (rest, folded) if part)
    return "\n\n".join(part for part in (text, *contents.left_out) if part), folded


def _headers(message: Message, name: str) -> list[str]:
    """Give the values of a header, unfolded; bytes that should not be there are decoded all the same."""
    found = [str(value) for key, value in message.raw_items() if str(key).lower() == name]
    return [decode(text.encode("ascii", "surrogateescape")) if not text.isascii() else text for text in found]


def _header(message: Message, name: str) -> str:
    return next(iter(_headers(message, name)), "").replace("\r", "").replace("\n", " ")


def _words(text: str) -> str:
    """Decode the encoded words of a header (RFC 2047); what cannot be decoded stays as it is."""
    try:
        return clean(str(make_header(decode_header(text))))
    except STUMBLES:
        return clean(text)


def _addresses(message: Message, name: str) -> list[Mailbox]:
    found: list[Mailbox] = []
    for value in _headers(message, name):
        try:
            header: Any = policy.default.header_factory(name if name in {"to", "cc"} else "to", " ".join(value.split()))
            known = [(one.display_name, one.addr_spec) for one in header.addresses]
        except STUMBLES:
            known = []
        found.extend(Mailbox(_words(who)[:120], clean(email).lower()) for who, email in known if "@" in email)
    return found


def _first_id(message: Message) -> str:
    found = MESSAGE_ID.search(_header(message, "message-id"))
    return clean(found.group()) if found else ""


def _references(message: Message) -> tuple[str, ...]:
    """Give the mails that this one follows, the nearest first."""
    nearest = MESSAGE_ID.findall(_header(message, "in-reply-to"))
    older = MESSAGE_ID.findall(_header(message, "references"))
    return tuple(dict.fromkeys(clean(one) for one in [*nearest, *reversed(older)]))[:MOST_IDS]


def _automatic(message: Message, sender: Mailbox) -> str:
    submitted = _header(message, "auto-submitted").split(";")[0].strip().lower()
    precedence = _header(message, "precedence").strip().lower()
    nobody_sent_it = _header(message, "return-path").strip() == "<>"
    report = "delivery-status" in _header(message, "content-type").lower()
    if (message.get_content_type() == "multipart/report" and report) or (
        sender.email.partition("@")[0] in DAEMONS and (nobody_sent_it or _headers(message, "x-failed-recipients"))
    ):
        return "bounce"
    if submitted == "auto-replied" or precedence == "auto_reply" or _headers(message, "x-autoreply"):
        return "reply"
    if submitted not in {"", "no"} or precedence in BULK or _headers(message, "list-id") or nobody_sent_it:
        return "bulk"
    return ""


def _read_bounce(parts: list[Message], text: str) -> Bounce:
    """Read which mails a report speaks of, and why (RFC 3464)."""
    ids: list[str] = []
    said: list[str] = []
    actions: set[str] = set()
    for part in parts:
        if part.get_content_type() == "text/rfc822-headers":
            ids.extend(MESSAGE_ID.findall(decode(_payload(part))))
        elif part is not parts[0]:
            ids.extend(MESSAGE_ID.findall(_header(part, "message-id")))
        actions.update(value.strip().lower() for value in _headers(part, "action"))
        said.extend(_words(value) for value in _headers(part, "diagnostic-code"))
        said.extend(_words(value) for value in _headers(part, "final-recipient")[:1])
    found = tuple(dict.fromkeys(ids or MESSAGE_ID.findall(text)))[:MOST_IDS]
    reason = " ".join(" ".join(said or [text]).split())[:500]
    return Bounce(found, reason, failed="failed" in actions or not actions)


def _payload(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


@dataclass
class _Contents:
    """Gathers the words and the files of a mail, part by part."""

    texts: list[str] = field(default_factory=list)
    files: list[LetterFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    size: int = 0

    def text(self) -> str:
        """Give the words of all parts."""
        return "\n\n".join(text for text in (text.strip("\n") for text in self.texts) if text.strip())

    def take(self, part: Message, depth: int) -> None:
        """Take in a part and what is in it."""
        if depth > DEEPEST:
            raise Unreadable("the parts of this mail lie too deep in each other")
        kind = part.get_content_type()
        if kind == "multipart/alternative" and part.is_multipart():
            self._take_alternative(_children(part), depth)
        elif kind.startswith("message/") and kind != "message/delivery-status":
            self._add_file(part, kind, _as_sent(part))
        elif part.is_multipart():
            for child in _children(part):
                self.take(child, depth + 1)
        elif kind in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment":
            self._add_text(part, kind)
        else:
            self._add_file(part, kind, _payload(part))

    def _take_alternative(self, children: list[Message], depth: int) -> None:
        """Take the plain words, else the HTML; of the other ways to say the same only their files."""
        readings = []
        for child in children:
            reading = _Contents(size=self.size)
            reading.take(child, depth + 1)
            readings.append((child, reading))
        worded = [(child, reading) for child, reading in readings if reading.text()]
        plain = [one for one in worded if one[0].get_content_type() == "text/plain"]
        chosen = (plain or worded[-1:])[:1]
        for child, reading in readings:
            if (child, reading) in chosen:
                self.texts.extend(reading.texts)
            self.left_out.extend(reading.left_out)
            for file in reading.files:
                self._keep(file)

    def _add_text(self, part: Message, kind: str) -> None:
        words = clean(decode(_payload(part), str(part.get_content_charset() or "")))
        self.texts.append(html_to_text(words) if kind == "text/html" else words)

    def _add_file(self, part: Message, kind: str, content: bytes) -> None:
        name = _words(str(part.get_filename() or "")).replace("\\", "/").rpartition("/")[2]
        name = "".join(letter for letter in name if letter.isprintable()).strip()[:255]
        self._keep(LetterFile(name or f"file{guess_extension(kind) or ''}", clean(kind)[:120], content))

    def _keep(self, file: LetterFile) -> None:
        most = LARGEST_FILE if len(file.content) > LARGEST_FILE else LARGEST_FILES
        if len(file.content) > LARGEST_FILE or self.size + len(file.content) > LARGEST_FILES:
            whole = "a file" if most == LARGEST_FILE else "all files together"
            self.left_out.append(
                f"[left out: {file.name}, {len(file.content) / 1024**2:.1f} MB; {whole} may have {most // 1024**2} MB]"
            )
            return
        self.size += len(file.content)
        self.files.append(file)


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _as_sent(part: Message) -> bytes:
    return b"".join(child.as_bytes(policy=policy.compat32) for child in _children(part)) or _payload(part)

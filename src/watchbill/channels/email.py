"""E-mail by the operator's mail server (SMTP, RFC 5321).

The receipt is the server's final answer to the message itself. A retry carries the same Message-ID, so a
mailbox that received both shows one.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email import policy
from email.headerregistry import Address as MailAddress
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.utils import format_datetime, formatdate, parseaddr
from functools import lru_cache
from html import escape
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from watchbill.channels import Message, Receipt
from watchbill.channels._fields import Email, check_email, clean, digest, one_line, web_link
from watchbill.egress import Client, Deadline, readable
from watchbill.kit.errors import DeliveryFailed

TITLE = "E-mail"
HINT = "An address that you read on your phone."

BUNDLES = True
SUBJECT_LIMIT = 200


class _Headers(HeaderRegistry):
    """Reads headers as its parent does, and each but once: most are the same on every mail, and reading costs the most."""

    @lru_cache(maxsize=64)  # noqa: B019 - there is one, and it lives as long as the module
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return super().__getitem__(name)

    def __call__(self, name: str, value: Any) -> BaseHeader:
        return self._read(name, value) if isinstance(value, str) else super().__call__(name, value)

    @lru_cache(maxsize=256)  # noqa: B019
    def _read(self, name: str, value: str) -> BaseHeader:
        return super().__call__(name, value)


POLICY = policy.SMTP.clone(cte_type="7bit", header_factory=_Headers())
OK = frozenset({250, 251})
BUTTON = (
    '<p style="margin:24px 0"><a href="{link}" style="display:inline-block;padding:18px 32px;border-radius:6px;'
    'background:#1c5d99;color:#ffffff;font-size:20px;font-weight:600;text-decoration:none">{action}</a></p>'
)
BODY = (
    '<!doctype html><html><body style="font-family:system-ui,sans-serif;font-size:16px;line-height:1.5">'
    '<p style="white-space:pre-wrap">{text}</p>{listed}{button}</body></html>'
)
ITEM = '<p style="margin:12px 0"><a href="{link}" style="color:#1c5d99;font-size:18px">{subject}</a></p>'


class Address(BaseModel):
    """Where one person reads mail."""

    model_config = ConfigDict(extra="forbid")

    email: Email = Field(title="E-mail address")

    def shown(self) -> str:
        """Give the address as a list shows it."""
        return self.email


class Settings(BaseModel):
    """The operator's mail server; an authority of their own is named by SSL_CERT_FILE in the environment."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1, title="Mail server")
    port: int = Field(587, ge=1, le=65535, title="Port")
    security: Literal["starttls", "tls", "none"] = Field("starttls", title="Security")
    username: str = Field("", title="User name")
    password: SecretStr = Field(SecretStr(""), title="Password")
    sender: str = Field(title="Sender", description="watch@example.org, or Watchbill <watch@example.org>")
    timeout: float = Field(10, gt=0, le=14, title="Seconds to wait", description="below the lease of a delivery, 15 s")

    @field_validator("sender")
    @classmethod
    def _check_sender(cls, text: str) -> str:
        name, email = parseaddr(one_line(text, 320))
        return str(MailAddress(name, addr_spec=check_email(email)))

    @field_validator("username", "password")
    @classmethod
    def _check_ascii(cls, text: str | SecretStr) -> str | SecretStr:
        plain = text.get_secret_value() if isinstance(text, SecretStr) else text
        if not plain.isascii():
            raise ValueError("SMTP can only say plain ASCII here")
        return text

    @property
    def sender_email(self) -> str:
        """The address alone, as the envelope carries it."""
        return parseaddr(self.sender)[1]


class Line:
    """A conversation with the mail server, kept open for several messages; for one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                # Taken is taken: a server that says no goodbye has the messages all the same.
                self._smtp.quit()
        self._hang_up()

    def hand_over(self, recipient: str, letter: bytes, deadline: Deadline) -> str:
        """Hand one letter over; gives the server's words, raises DeliveryFailed.

        A line that was used before may have died, or its server wants no more over it: then the same letter, with
        the same Message-ID, is tried once more over a fresh one, within the same deadline.
        """
        if self._smtp is not None:
            try:
                return self._say(recipient, letter, deadline)
            except DeliveryFailed:
                if deadline.is_over:
                    raise
        return self._say(recipient, letter, deadline)

    def _say(self, recipient: str, letter: bytes, deadline: Deadline) -> str:
        settings = self.settings
        try:
            if self._smtp is None:
                self._smtp = _connect(settings, deadline)
                _greet(self._smtp, settings, deadline)
            return _hand_over(self._smtp, settings.sender_email, recipient, letter, deadline)
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            raise _explain(error, settings) from error
        except DeliveryFailed:
            # What was refused left a half-said message on the line.
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


def send(message: Message, address: Address, settings: Settings, http: Client, line: Line | None = None) -> Receipt:
    """Hand one message to the mail server; raises DeliveryFailed with the server's own words."""
    letter = compose(message, address, settings).as_bytes()
    deadline = Deadline.after(settings.timeout)
    if line is not None:
        words = line.hand_over(address.email, letter, deadline)
    else:
        with Line(settings) as own:
            words = own.hand_over(address.email, letter, deadline)
    return Receipt(answer=words, reference=f"<{_id(message.key, settings)}>")


def compose(message: Message, address: Address, settings: Settings) -> EmailMessage:
    """Write the mail: text, and the same as simple HTML with one big button."""
    letter = EmailMessage(policy=POLICY)
    letter["From"] = settings.sender
    letter["To"] = address.email
    letter["Subject"] = one_line(message.subject, SUBJECT_LIMIT) or "Watchbill"
    letter["Date"] = format_datetime(message.at) if message.at else formatdate()
    letter["Message-ID"] = f"<{_id(message.key, settings)}>"
    if message.thread:
        # The root is never sent: every mail of the page hangs below the same one, whichever comes first.
        root = f"<{_id(message.thread, settings)}>"
        letter["In-Reply-To"] = letter["References"] = root
    # RFC 3834: no holiday notice answers this. The second is Exchange's own word for it.
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    if message.urgency == "important":
        letter["Importance"] = "high"
        letter["X-Priority"] = "1"
    link = web_link(message.link)
    action = one_line(message.action, 80) or "Open"
    text = clean(message.text)
    plain = "".join(f"\n\n{one_line(page.subject, SUBJECT_LIMIT)}\n{web_link(page.link)}" for page in message.pages)
    letter.set_content(f"{text}{plain}\n\n{action}: {link}\n" if link else f"{text}{plain}\n")
    button = BUTTON.format(link=escape(link), action=escape(action)) if link else ""
    listed = "".join(
        ITEM.format(link=escape(web_link(p.link)), subject=escape(clean(p.subject))) for p in message.pages
    )
    letter.add_alternative(BODY.format(text=escape(text), listed=listed, button=button), subtype="html")
    return letter


def _id(key: str, settings: Settings) -> str:
    return f"{digest(key)}@{_domain(settings)}"


def _domain(settings: Settings) -> str:
    return settings.sender_email.rpartition("@")[2]


def _connect(settings: Settings, deadline: Deadline) -> smtplib.SMTP:
    # Our own name is given, because smtplib would ask the name server for it, with no limit of time.
    where, name = (settings.host, settings.port), _domain(settings)
    if settings.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(*where, local_hostname=name, timeout=deadline.left(), context=context)
    return smtplib.SMTP(*where, local_hostname=name, timeout=deadline.left())


def _greet(smtp: smtplib.SMTP, settings: Settings, deadline: Deadline) -> None:
    _hurry(smtp, deadline)
    smtp.ehlo_or_helo_if_needed()
    if settings.security == "starttls":
        _hurry(smtp, deadline)
        smtp.starttls(context=ssl.create_default_context())
        _hurry(smtp, deadline)
        smtp.ehlo_or_helo_if_needed()
    if settings.username:
        _hurry(smtp, deadline)
        smtp.login(settings.username, settings.password.get_secret_value())


def _hand_over(smtp: smtplib.SMTP, sender: str, recipient: str, letter: bytes, deadline: Deadline) -> str:
    _hurry(smtp, deadline)
    code, words = smtp.mail(sender)
    if code not in OK:
        _refuse(f"refused the sender {sender}", code, words, operators=True)
    _hurry(smtp, deadline)
    code, words = smtp.rcpt(recipient)
    if code not in OK:
        _refuse("refused the address", code, words)
    _hurry(smtp, deadline)
    code, words = smtp.data(letter)
    if code not in OK:
        _refuse("refused the message", code, words)
    return readable(b"%d " % code + words)


def _hurry(smtp: smtplib.SMTP, deadline: Deadline) -> None:
    if smtp.sock is not None:
        smtp.sock.settimeout(deadline.left())


def _refuse(what: str, code: int, words: bytes | str, *, operators: bool = False) -> NoReturn:
    """Raise what the server said: 5xx is for good (RFC 5321, 4.2.1), all else may be tried again."""
    said = readable(words)
    # smtplib makes up a code of its own for what is no SMTP; its words are str, the server's are bytes.
    permanent = 500 <= code < 600 and isinstance(words, bytes)
    raise DeliveryFailed(f"The mail server {what}: {code} {said}".strip(), permanent, operators)


def _explain(error: smtplib.SMTPException | OSError, settings: Settings) -> DeliveryFailed:
    """Say what went wrong before the server was told the address: that is for the operator to mend."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        what = "did not accept the user name and password"
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        text = f"The mail server {settings.host} cannot do what is set: {error}"
        return DeliveryFailed(text, permanent=True, operators=True)
    elif isinstance(error, smtplib.SMTPResponseException):
        what = "refused"
    else:
        said = readable(str(error)) or type(error).__name__
        return DeliveryFailed(f"No answer from the mail server {settings.host}:{settings.port}: {said}", operators=True)
    try:
        _refuse(what, error.smtp_code, error.smtp_error, operators=True)
    except DeliveryFailed as failure:
        return failure

"""Kinds of field that several channels share, and what they all do to a text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints

from watchbill.channels import Listed
from watchbill.egress import Blocked, read_url

NAME_LIMIT = 60
LOCAL_PART_LIMIT = 64
LOCAL_PART = re.compile(r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+$")
DOMAIN = re.compile(r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


def check_url(text: str) -> str:
    """Check the shape of a web address; raises ValueError, as pydantic wants it."""
    try:
        read_url(text)
    except Blocked as error:
        raise ValueError(error.message) from error
    return text.strip()


def check_email(text: str) -> str:
    """Check an e-mail address and write its domain as mail servers know it; raises ValueError."""
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        domain = ""
    if not LOCAL_PART.match(local) or len(local) > LOCAL_PART_LIMIT or "" in local.split("."):
        raise ValueError("write an address such as ana@example.org")
    if not DOMAIN.match(domain):
        raise ValueError("write an address such as ana@example.org: what stands after the @ is not a domain")
    return f"{local}@{domain}"


def _check_secret_url(secret: SecretStr) -> SecretStr:
    return SecretStr(check_url(secret.get_secret_value()))


Url = Annotated[str, AfterValidator(check_url)]
SecretUrl = Annotated[SecretStr, AfterValidator(_check_secret_url)]
Email = Annotated[str, AfterValidator(check_email)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=NAME_LIMIT)]


def host_of(url: str) -> str:
    """Give the host (and port) of a web address: the part that can be shown when the rest is a secret."""
    return read_url(url).authority


def one_line(text: str, limit: int) -> str:
    """Put a text on one line without control characters, cut at `limit`."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return shorten(plain, limit)


def shorten(text: str, limit: int) -> str:
    """Cut a text at `limit` characters and show that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def digest(text: str, length: int = 32) -> str:
    """Give a stable name for a key that fits every vendor's idea of an id: hexadecimal, at most 64 long."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:length]


def list_pages(
    pages: Sequence[Listed], limit: int, write: Callable[[Listed], str], size: Callable[[str], int] = len
) -> str:
    """List the pages of a bundle, one after the other, as many as fit into `limit`; then how many more there are."""
    lines: list[str] = []
    room = limit - 40
    for page in pages:
        line = clean(write(page))
        room -= size(line) + 1
        if room < 0:
            return "\n".join([*lines, f"… and {len(pages) - len(lines)} more"])
        lines.append(line)
    return "\n".join(lines)


def clean(text: str) -> str:
    """Give a text that any encoding can carry: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def web_link(link: str) -> str:
    """Give the link if it leads to a web page, else nothing: a button must not run a script."""
    return clean(link) if link.startswith(("https://", "http://")) else ""

"""Read a URL that a person typed: what is wrong with its shape, before any name is looked up.

Parsing is done once, by one parser, and every later step (the check, the connection, the Host header, the
certificate) uses its parts: two parsers that disagree on where the host ends are a way around a guard.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

import httpx2

from watchbill.egress.addresses import HOST, Address, Allow
from watchbill.egress.answers import Blocked

PORTS = {"http": 80, "https": 443}
# Mail, databases and the like also answer a text protocol; below 1024 only the web's own ports are the web.
FIRST_FREE_PORT = 1024
LAST_PORT = 65535
LONGEST_HOST = 253


@dataclass(frozen=True)
class Target:
    """A URL in parts that have been checked: `host` is ASCII in lower case, without brackets or a last dot."""

    scheme: str
    host: str
    port: int
    path: bytes

    @property
    def literal(self) -> Address | None:
        """The address, when the host is one and not a name."""
        return _literal(self.host)

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port as one text, as RFC 6454 writes it."""
        return f"{self.scheme}://{self.authority}"


def read_url(text: str, field: str = "") -> Target:
    """Read a web address; raises Blocked (a Refused) that says what is wrong with it and how to mend it."""
    try:
        url = httpx2.URL(text.strip())
    except (httpx2.InvalidURL, ValueError) as error:
        raise Blocked(f"This is not a web address: {error}", field) from error
    if url.scheme not in PORTS:
        raise Blocked("Start the address with https://", field)
    if url.userinfo:
        raise Blocked("Take the user name and password out of the address: they would be seen in logs", field)
    host = url.raw_host.decode("ascii", "replace").lower().removesuffix(".")
    if not _is_host(host):
        raise Blocked(f"{host[:80]!r} is not a host: write a name such as ntfy.example.com", field)
    port = PORTS[url.scheme] if url.port is None else url.port
    if not 0 < port <= LAST_PORT:
        raise Blocked(f"There is no port {port}", field)
    return Target(url.scheme, host, port, url.raw_path)


def join_url(base: str, location: str) -> str:
    """Give the URL that a redirect of `base` names; raises Blocked for what is no URL."""
    try:
        return str(httpx2.URL(base).join(location))
    except (httpx2.InvalidURL, ValueError) as error:
        raise Blocked(f"This is not a web address: {error}") from error


def check_manners(target: Target, addresses: list[Address], allow: Allow) -> None:
    """Demand https and a port of the web, unless the operator permits the host; raises Blocked."""
    if allow.has_host(target.host) or (addresses and all(allow.has_address(address) for address in addresses)):
        return
    if target.scheme != "https":
        raise Blocked(f"{target.host} must be called by https://; only the operator can permit http:// for it")
    if target.port < FIRST_FREE_PORT and target.port != PORTS["https"]:
        raise Blocked(f"Port {target.port} of {target.host} is not one that the web uses; the operator can permit it")


def _is_host(host: str) -> bool:
    if len(host) > LONGEST_HOST:
        return False
    return _literal(host) is not None or (HOST.match(host) is not None and not host.startswith("*"))


def _literal(host: str) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # A zone ("fe80::1%eth0") names a link of this machine: nothing out there.
    return None if "%" in host else address

"""Which addresses may be called: the public internet, and what the operator permits beyond it.

The table below follows the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and what has
been added since). An IPv6 address that only wraps an IPv4 one (mapped, NAT64, 6to4) is judged by what is
inside, because that is where the packet ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from watchbill.kit.errors import Refused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")
PUBLIC_V6 = IPv6Network("2000::/3")

LOOPBACK, PRIVATE, SHARED = "loopback", "private", "carrier-grade NAT"
# What an operator means by permitting a host name: a machine of their own. Never the link itself.
NEAR = frozenset({LOOPBACK, PRIVATE, SHARED})

CLOSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", PRIVATE),
        ("100.64.0.0/10", SHARED),
        ("127.0.0.0/8", LOOPBACK),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", PRIVATE),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", PRIVATE),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "unspecified"),
        ("::1/128", LOOPBACK),
        ("fc00::/7", PRIVATE),
        ("fe80::/10", "link-local"),
        ("fec0::/10", PRIVATE),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
    )
)

# Where clouds hand a machine its own credentials. Some of these lie in ranges that an operator may well
# permit as a whole (or, on Azure, in the public internet), so only naming the one address opens it.
METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)

HOST = re.compile(r"^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$")
NUMBER = re.compile(r"^(0x[0-9a-f]*|[0-9]+)$")


@dataclass(frozen=True)
class Allow:
    """What the operator permits beyond the public internet; empty means nothing.

    `networks` opens addresses, `hosts` opens names ("ntfy.corp.example", "*.corp.example" for all below it).
    Either also permits plain http and any port there.
    """

    networks: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Allow:
        """Read "127.0.0.0/8,10.1.2.3,*.corp.example"; raises Refused naming the entry that is neither."""
        entries = [entry.lower() for entry in re.split(r"[\s,]+", text) if entry]
        networks = tuple(network for entry in entries if (network := _network(entry)))
        hosts = tuple(_host(entry) for entry in entries if not _network(entry))
        return cls(networks, hosts)

    def has_host(self, host: str) -> bool:
        """Tell whether the operator permits this name."""
        return any(host == known or (known.startswith("*.") and host.endswith(known[1:])) for known in self.hosts)

    def has_address(self, address: Address) -> bool:
        """Tell whether the operator permits this address; one that hands out credentials must be named alone."""
        real = unwrap(address)
        return any(
            real in network and (real not in METADATA or network.num_addresses == 1) for network in self.networks
        )


def unwrap(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 one only wraps, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def why_closed(address: Address, host: str, allow: Allow) -> str:
    """Say why `host` may not be called at `address`; empty when it may."""
    if allow.has_address(address):
        return ""
    real = unwrap(address)
    if real in METADATA:
        return "cloud metadata"
    kind = kind_of(real)
    return "" if kind in NEAR and allow.has_host(host) else kind


def kind_of(address: Address) -> str:
    """Name the special range that an address lies in; empty for a public one."""
    for network, kind in CLOSED:
        if address in network:
            return kind
    return "reserved" if isinstance(address, IPv6Address) and address not in PUBLIC_V6 else ""


def _network(entry: str) -> Network | None:
    try:
        return ip_network(entry)
    except ValueError:
        pass
    try:
        wide = ip_network(entry, strict=False)
    except ValueError:
        return None
    raise Refused(f"{entry!r} is an address inside a network: write {wide} for all of it, or the address alone")


def _host(entry: str) -> str:
    if not HOST.match(entry) or NUMBER.match(entry.rpartition(".")[2]):
        raise Refused(
            f"{entry!r} is neither a network (10.0.0.0/8), an address (10.1.2.3) nor a host (*.corp.example); "
            "to permit every address write 0.0.0.0/0 and ::/0"
        )
    return entry

"""Which addresses may be called: the table, what the operator permits, and every spelling of the same address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.egress.outside import NameServer
from watchbill.egress import Allow, Blocked, Client
from watchbill.egress.addresses import kind_of, unwrap, why_closed
from watchbill.kit.errors import Refused


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1",
        "192.0.2.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::", "2001:0:1::1", "100::1",
    ],
)  # fmt: skip
def test_it_closes_every_address_that_is_not_the_public_internet(address: str) -> None:
    assert why_closed(ip_address(address), "any.example", Allow())


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_it_leaves_the_public_internet_open_also_when_ipv6_wraps_it(address: str) -> None:
    assert why_closed(ip_address(address), "any.example", Allow()) == ""


@given(st.ip_addresses(v=4))
def test_it_judges_an_ipv4_address_the_same_however_ipv6_wraps_it(address: IPv4Address) -> None:
    number = int(address)
    mapped = IPv6Address((0xFFFF << 32) | number)
    nat64 = IPv6Address((0x64FF9B << 96) | number)
    sixtofour = IPv6Address((0x2002 << 112) | (number << 80))
    assert {unwrap(mapped), unwrap(nat64), unwrap(sixtofour)} == {address}
    told = why_closed(address, "a.example", Allow())
    assert all(why_closed(wrapped, "a.example", Allow()) == told for wrapped in (mapped, nat64, sixtofour))


@given(st.ip_addresses())
def test_it_is_never_more_generous_than_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    if not kind_of(unwrap(address)):
        real = unwrap(address)
        special = (real.is_private, real.is_loopback, real.is_link_local, real.is_multicast, real.is_reserved)
        assert not any(special)


@pytest.mark.parametrize(
    "spelling",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/",
        "https://017700000001/", "https://127.0.0.1/", "https://127.0.0.1./", "https://[::1]/", "https://[::ffff:7f00:1]/",
        "https://[0:0:0:0:0:ffff:127.0.0.1]/", "https://[64:ff9b::127.0.0.1]/", "https://[2002:7f00:1::]/",
        "https://[::ffff:0:127.0.0.1]/", "https://0/", "https://0.0.0.0/", "https://[::]/", "https://localhost/",
        "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://１２７.0.0.1/", "https://①②⑦.0.0.1/",
    ],
)  # fmt: skip
def test_no_spelling_of_a_closed_address_gets_through_the_real_resolver(spelling: str) -> None:
    with pytest.raises(Refused):
        Client().check(spelling)
    with pytest.raises(Blocked):
        Client().get(spelling)


def test_one_forbidden_address_among_several_is_enough_to_refuse() -> None:
    client = Client(resolve=NameServer(mixed_example=[["8.8.8.8", "10.0.0.1"]]))
    with pytest.raises(Blocked, match="private"):
        client.check("https://mixed.example/")


def test_the_operators_words_are_read_as_networks_addresses_and_hosts() -> None:
    allow = Allow.read(" 127.0.0.0/8,10.1.2.3\n*.corp.example,Mail.Example fd00::/8 ")
    assert [str(network) for network in allow.networks] == ["127.0.0.0/8", "10.1.2.3/32", "fd00::/8"]
    assert allow.hosts == ("*.corp.example", "mail.example")
    assert Allow.read("") == Allow.read(" , ") == Allow()


@pytest.mark.parametrize(
    "text", ["10.1.2.3/8", "*", "corp.*", "http://a.example", "127.1", "0x7f", "a..b", "10.0.0.0/33", "-a"]
)
def test_the_operator_is_told_which_entry_cannot_be_read(text: str) -> None:
    with pytest.raises(Refused) as refused:
        Allow.read(f"10.0.0.0/8,{text}")
    assert repr(text) in refused.value.message


def test_a_permitted_name_opens_private_addresses_but_not_the_link() -> None:
    allow = Allow.read("*.corp.example")
    assert why_closed(ip_address("10.1.2.3"), "ntfy.corp.example", allow) == ""
    assert why_closed(ip_address("127.0.0.1"), "a.b.corp.example", allow) == ""
    assert why_closed(ip_address("10.1.2.3"), "corp.example", allow) == "private"
    assert why_closed(ip_address("10.1.2.3"), "evilcorp.example", allow) == "private"
    assert why_closed(ip_address("169.254.1.1"), "ntfy.corp.example", allow) == "link-local"


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "168.63.129.16"])
def test_a_clouds_credentials_open_only_when_their_one_address_is_named(address: str) -> None:
    wide = Allow.read("0.0.0.0/0 ::/0 *.corp.example")
    assert why_closed(ip_address(address), "a.corp.example", wide) == "cloud metadata"
    assert why_closed(ip_address(address), "a.example", Allow.read(address)) == ""


def test_an_address_permitted_as_ipv4_is_permitted_inside_ipv6_too() -> None:
    assert why_closed(ip_address("::ffff:10.1.2.3"), "a.example", Allow.read("10.1.2.3")) == ""

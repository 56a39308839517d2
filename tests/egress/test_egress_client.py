"""The client against real servers: redirects, rebinding, TLS, limits of time and size, and what it says of them."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.egress.outside import (
    HERE,
    Authority,
    Heard,
    NameServer,
    Say,
    closed_port,
    found_authority,
    http_host,
    raw_host,
)
from watchbill.egress import Allow, Blocked, Client, NoAnswer, Response, explain, readable
from watchbill.egress.client import trust
from watchbill.kit.errors import DeliveryFailed


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return found_authority(tmp_path_factory.mktemp("authority"))


def redirect(to: str, status: int = 302) -> Say:
    return Say(status, b"elsewhere", {"Location": to})


def test_it_posts_json_and_gives_what_the_server_answered() -> None:
    with http_host(lambda heard: Say(201, b'{"id":"m1"}', {"X-Vendor": "yes"})) as host:
        answer = Client(HERE).post(host.url("/a?b=c"), json={"text": "Zażółć \ud800"}, headers={"X-Ours": "żółć"})
    assert (answer.status, answer.text, answer.read_json(), answer.headers["x-vendor"]) == (
        201,
        '{"id":"m1"}',
        {"id": "m1"},
        "yes",
    )
    heard = host.heard[0]
    assert (heard.method, heard.path, heard.headers["host"]) == ("POST", "/a?b=c", f"127.0.0.1:{host.port}")
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["accept-encoding"] == "identity"
    assert heard.body.startswith(b'{"text":"Za\\u017c')


def test_nothing_on_this_machine_is_called_unless_the_operator_permits_it() -> None:
    with http_host() as host:
        for url in (host.url(), host.url(host="localhost"), host.url(scheme="https")):
            with pytest.raises(Blocked):
                Client().get(url)
    assert host.heard == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://a.example/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("a.example", "https://"),
        ("", "https://"),
        ("https://", "not a host"),
        ("https://ana:secret@a.example/", "user name and password"),
        ("https://a.example\\@b.example/", "user name and password"),
        ("https://a.example:0/", "port 0"),
        ("https://a.example:99999/", "port 99999"),
        ("https://a.example:x/", "not a web address"),
        ("https://a_b..example/", "not a"),
        ("https://a.example/\r\nHost: b", "not a web address"),
        ("https://a.example/" + "a" * 70_000, "not a web address"),
        ("https://\ud800/", "not a web address"),
        ("http://public.example/", "must be called by https"),
        ("https://public.example:25/", "Port 25"),
        ("https://public.example:6/", "Port 6"),
    ],
)
def test_a_person_is_told_what_is_wrong_with_the_url_they_typed(url: str, says: str) -> None:
    client = Client(resolve=NameServer(public_example=[["8.8.8.8"]]))
    with pytest.raises(Blocked, match=says) as refused:
        client.check(url, field="webhook")
    assert refused.value.field == "webhook"
    assert "secret" not in refused.value.message
    with pytest.raises(Blocked):
        client.get(url)


def test_a_good_url_passes_the_check_and_an_unknown_name_does_not() -> None:
    client = Client(resolve=NameServer(public_example=[["8.8.8.8", "2606:4700::1111"]]))
    client.check("https://public.example/hook")
    client.check("https://PUBLIC.example.:8443/hook")
    with pytest.raises(Blocked, match=r"no host called nowhere\.example"):
        client.check("https://nowhere.example/")


def test_the_operators_own_host_may_speak_plain_http_on_any_port() -> None:
    client = Client(Allow.read("*.corp.example"), resolve=NameServer(ntfy_corp_example=[["10.1.2.3"]]))
    client.check("http://ntfy.corp.example:81/")


def test_a_redirect_to_a_private_address_is_refused() -> None:
    with http_host(address="127.0.0.2") as inner, http_host(lambda heard: redirect(inner.url("/admin"))) as outer:
        client = Client(Allow.read("127.0.0.1"))
        with pytest.raises(Blocked, match="loopback"):
            client.get(outer.url())
    assert len(outer.heard) == 1
    assert inner.heard == []


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "http://[bad", "//ana:pw@b.example/", "gopher://x/", "http://169.254.169.254/latest"],
)
def test_a_redirect_to_what_is_no_place_is_refused(location: str) -> None:
    with http_host(lambda heard: redirect(location)) as host, pytest.raises(Blocked):
        Client(HERE).get(host.url())


def test_a_redirect_is_followed_three_times_and_no_more() -> None:
    def count_down(heard: Heard) -> Say:
        left = int(heard.path.strip("/"))
        return redirect(f"/{left - 1}") if left else Say(body=b"arrived")

    with http_host(count_down) as host:
        assert Client(HERE).get(host.url("/3")).text == "arrived"
        with pytest.raises(NoAnswer, match="more than 3") as failed:
            Client(HERE).get(host.url("/4"))
    assert failed.value.permanent


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_is_repeated_where_the_redirect_says_so(status: int) -> None:
    with http_host(lambda heard: redirect("/new", status) if heard.path == "/old" else Say()) as host:
        assert Client(HERE).post(host.url("/old"), json={"a": 1}).status == 200
    assert [(heard.method, heard.path, heard.body) for heard in host.heard] == [
        ("POST", "/old", b'{"a":1}'),
        ("POST", "/new", b'{"a":1}'),
    ]


@pytest.mark.parametrize(("status", "permanent"), [(301, True), (302, False), (303, False)])
def test_a_post_is_never_turned_into_a_get_that_looks_like_success(status: int, permanent: bool) -> None:
    with http_host(lambda heard: redirect("/login", status) if heard.method == "POST" else Say()) as host:
        client = Client(HERE)
        with pytest.raises(DeliveryFailed, match="/login") as failed:
            client.deliver(host.url("/hook"), json={})
    assert failed.value.permanent is permanent
    assert len(host.heard) == 1


SECRETS = {
    "Authorization": "Bearer t",
    "Cookie": "c",
    "PRIVATE-TOKEN": "as GitLab has it",
    "X-API-Key": "k",
    "X-Watchbill-Secret": "s",
}


def test_a_token_is_not_carried_to_another_host() -> None:
    with http_host() as other, http_host(lambda heard: redirect(other.url("/"), 307)) as first:
        Client(HERE).post(first.url(), json={}, headers=SECRETS | {"X-Kept": "k"})
    assert first.heard[0].headers["authorization"] == "Bearer t"
    assert not {name.lower() for name in SECRETS} & set(other.heard[0].headers)
    assert other.heard[0].headers["x-kept"] == "k"
    assert other.heard[0].headers["host"] == f"127.0.0.1:{other.port}"


def test_a_name_that_changes_its_mind_reaches_only_the_address_that_was_checked() -> None:
    names = NameServer(rebind_example=[["127.0.0.1"], ["127.0.0.2"]])
    with http_host() as good, http_host(address="127.0.0.2", port=good.port) as evil:
        answer = Client(Allow.read("127.0.0.1"), resolve=names).get(good.url(host="rebind.example"))
        assert answer.status == 200
        assert names.asked == ["rebind.example"], "asked once: what was checked is what was called"
        with pytest.raises(Blocked):
            Client(Allow.read("127.0.0.1"), resolve=names).get(good.url(host="rebind.example"))
    assert good.heard[0].headers["host"] == f"rebind.example:{good.port}"
    assert evil.heard == []


def test_a_redirect_to_the_same_name_is_looked_up_and_checked_again() -> None:
    names = NameServer(rebind_example=[["127.0.0.1"], ["127.0.0.2"]])
    with http_host(lambda heard: redirect("/again")) as good, http_host(address="127.0.0.2", port=good.port) as evil:
        client = Client(Allow.read("127.0.0.1"), resolve=names)
        with pytest.raises(Blocked):
            client.get(good.url(host="rebind.example"))
    assert (len(good.heard), evil.heard) == (1, [])


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with http_host() as host:
        names = NameServer(two_example=[["127.0.0.3", "127.0.0.1"]])
        assert Client(HERE, resolve=names).get(host.url(host="two.example")).status == 200


def test_the_certificate_is_verified_against_the_name_while_the_address_is_pinned(authority: Authority) -> None:
    names = NameServer(good_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    client = Client(HERE, resolve=names, tls=trust(str(authority.cafile)))
    seen: list[str] = []
    context = authority.server("good.example")
    context.sni_callback = lambda connection, name, ours: seen.append(name)
    with http_host(tls=context) as host:
        assert client.get(host.url(host="good.example", scheme="https")).status == 200
        with pytest.raises(NoAnswer, match="certificate") as failed:
            client.get(host.url(host="other.example", scheme="https"))
        with pytest.raises(NoAnswer, match="certificate"):
            client.get(host.url(scheme="https"))
        with pytest.raises(NoAnswer, match="certificate"):
            Client(HERE, resolve=names).get(host.url(host="good.example", scheme="https"))
    assert not failed.value.permanent
    assert seen[:2] == ["good.example", "other.example"]
    assert len(host.heard) == 1


def test_an_address_in_a_url_is_verified_as_an_address(authority: Authority) -> None:
    with http_host(tls=authority.server("127.0.0.1")) as host:
        assert Client(HERE, tls=trust(str(authority.cafile))).get(host.url(scheme="https")).status == 200


def test_an_ipv6_address_can_be_called_when_permitted() -> None:
    if not socket.has_ipv6:
        return
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswer):
        Client(HERE).get(f"http://[::1]:{port}/")


def test_proxies_in_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_host() as proxy, http_host() as host:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        assert Client(HERE).get(host.url()).status == 200
    assert proxy.heard == []
    assert len(host.heard) == 1


@pytest.mark.parametrize("said", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
def test_a_host_that_hangs_is_given_up_in_time(said: bytes | None) -> None:
    start = monotonic()
    with (
        raw_host(said, drip=0.0 if said is None else 0.02) as host,
        pytest.raises(NoAnswer, match=r"within 0\.3 s") as failed,
    ):
        Client(HERE).get(host.url(), timeout=0.3)
    assert monotonic() - start < 10
    assert not failed.value.permanent


def test_a_host_that_drips_cannot_hold_a_thread_past_the_total() -> None:
    start = monotonic()
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"a" * 100_000
    with raw_host(endless, drip=0.02) as host, pytest.raises(NoAnswer, match="within"):
        Client(HERE).get(host.url(), timeout=0.5)
    assert monotonic() - start < 10


def test_a_name_server_that_hangs_is_given_up_in_time() -> None:
    over = Event()

    def silent(host: str, port: int) -> list[str]:
        over.wait(30)
        return []

    start = monotonic()
    with pytest.raises(NoAnswer, match="name server"):
        Client(resolve=silent).get("https://slow.example/", timeout=0.2)
    over.set()
    assert monotonic() - start < 10


def test_an_endless_answer_is_cut() -> None:
    with http_host(lambda heard: Say(body=b"x" * 1_000_000)) as host:
        answer = Client(HERE).get(host.url())
    assert (len(answer.content), len(answer.text)) == (65536, 2048)


def test_a_packed_answer_is_not_unpacked() -> None:
    with http_host(lambda heard: Say(body=b"\x1f\x8b\x00", headers={"Content-Encoding": "gzip"})) as host:
        assert Client(HERE).get(host.url()).content == b"\x1f\x8b\x00"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"220 mail.example ESMTP\r\n",
        b"\x00" * 200,
        b"HTTP/one 200 OK\r\n\r\n",
        b"HTTP/1.1 200\r\nno colon\r\n\r\n",
    ],
)
def test_what_is_not_http_is_told_as_that(said: bytes) -> None:
    with raw_host(said) as host, pytest.raises(NoAnswer) as failed:
        Client(HERE).get(host.url())
    assert not failed.value.permanent


def test_a_closed_port_is_told_as_that() -> None:
    with pytest.raises(NoAnswer, match="refused") as failed:
        Client(HERE).get(f"http://127.0.0.1:{closed_port()}/")
    assert not failed.value.permanent


def test_a_header_that_smuggles_another_is_refused() -> None:
    with http_host() as host, pytest.raises(NoAnswer) as failed:
        Client(HERE).get(host.url(), headers={"X-A": "b\r\nX-C: d"})
    assert failed.value.permanent
    assert host.heard == []


def test_threads_share_one_client(authority: Authority) -> None:
    with http_host(lambda heard: Say(body=heard.body), tls=authority.server("127.0.0.1")) as host:
        client = Client(HERE, tls=trust(str(authority.cafile)))
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: client.post(host.url(scheme="https"), json=number).text, range(40)))
    assert answers == [str(number) for number in range(40)]


@given(st.integers(100, 999), st.binary(max_size=400), st.text(max_size=80))
def test_every_status_is_explained_and_only_a_sure_refusal_is_for_good(status: int, body: bytes, wait: str) -> None:
    failure = explain(Response(status, {"retry-after": wait, "location": wait}, body))
    assert str(status) in failure.message
    assert not any(character < " " and character not in "\n\t" for character in failure.message)
    if 400 <= status < 500:
        assert failure.permanent is (status not in {408, 425, 429})
    else:
        assert failure.permanent is (status in {301, 308})


def test_a_gone_address_is_for_good_and_a_busy_one_is_asked_again() -> None:
    assert explain(Response(410, {}, b"channel_is_archived")).permanent
    busy = explain(Response(429, {"retry-after": "30"}))
    assert (busy.permanent, busy.message) == (False, "It answered 429 Too Many Requests (it asks to wait: 30)")
    assert explain(Blocked("no")).permanent


def test_a_strangers_words_are_fit_for_a_table() -> None:
    assert readable(b"a\x00b\xff\r\nc\x1b[31m") == "a b�\nc [31m"
    assert readable("x" * 5000, 10) == "x" * 10
    assert readable("\ud800") == "?"


def test_the_authorities_of_the_environment_are_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An operator with an authority of their own sets SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.cafile))
    with http_host(tls=authority.server("127.0.0.1")) as host:
        assert Client(HERE).get(host.url(scheme="https")).status == 200

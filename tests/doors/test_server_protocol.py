"""How the server writes its answers: head and body together, a stream's head at once. On a real line."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from watchbill.entry.application import Application
from watchbill.entry.forwarded import Forwarded
from watchbill.entry.server_protocol import Protocol

App = Callable[[Any, Any, Any], Awaitable[None]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PLAIN = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}


def talk_to(app: App, talk: Talk) -> None:
    """Serve `app` as Watchbill is served, and let `talk` speak to it."""

    async def run() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=Protocol, lifespan="off", log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            await asyncio.wait_for(talk(reader, writer), 60)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    asyncio.run(run())


async def say_hello(scope: Any, receive: Any, send: Any) -> None:
    """Answer in two messages, as ASGI has it."""
    await send(START)
    await send({"type": "http.response.body", "body": b"hello"})


def test_the_head_and_the_body_of_an_answer_arrive_together() -> None:
    """Two writes would be two packets: the first read would end with the head."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(20):
            writer.write(PLAIN)
            answer = await reader.read(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\nhello")

    talk_to(say_hello, talk)


def test_the_last_answer_on_a_line_is_whole_before_the_line_closes() -> None:
    """`close` must not throw away what is held."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(LAST)
        assert (await reader.read()).endswith(b"\r\n\r\nhello")

    talk_to(say_hello, talk)


def test_the_head_of_a_stream_does_not_wait_for_its_first_line() -> None:
    """An open page must learn at once that it is connected, though nothing happens for a quarter of an hour."""
    head_seen = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await head_seen.wait()
        await send({"type": "http.response.body", "body": b"he", "more_body": True})
        await send({"type": "http.response.body", "body": b"l", "more_body": True})
        await send({"type": "http.response.body", "body": b"lo"})

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PLAIN)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        head_seen.set()
        assert await reader.readexactly(5) == b"hello"

    talk_to(stream, talk)


def test_a_body_that_no_page_takes_is_refused_before_django_writes_it_to_disk() -> None:
    said = b"POST /accounts/login/ HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % 2**40

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        assert (await reader.readline()).split()[1] == b"413"

    talk_to(Application(None), talk)


@pytest.mark.parametrize(
    ("proxies", "said", "caller"),
    [
        (1, "198.51.100.1, 192.0.2.9", "192.0.2.9"),
        (2, "198.51.100.1, 192.0.2.9, 10.0.0.2", "192.0.2.9"),
        (1, "192.0.2.9:1234", "192.0.2.9"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (3, "192.0.2.9", "192.0.2.9"),
        (1, " , ", "127.0.0.1"),
    ],
)
def test_the_caller_is_whom_our_proxy_heard_and_not_whom_they_say(proxies: int, said: str, caller: str) -> None:
    """Otherwise every limit for one address is a header away from none."""
    heard = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append((scope["client"][0], scope["scheme"]))

    headers = [(b"x-forwarded-for", said.encode()), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": ("127.0.0.1", 1), "scheme": "http", "headers": headers}
    asyncio.run(Forwarded(app, proxies)(scope, None, None))
    assert heard == [(caller, "https")]

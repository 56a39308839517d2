"""The door of the status pages: a lean ASGI application in front of Django. It answers from memory, also when the rest is busy.

    GET /status/<slug>/…           a page for everybody
    GET /status/<slug>/<key>/…     one for whoever has the link
    GET /status/look.css           how they look

No cookie, no session, no query: what may be asked for is what `drawing` drew. An address that is not there and a key that
opens nothing get the same answer.
"""

from __future__ import annotations

from watchbill.entry.status.answers import Receive, Scope, Send, give, say
from watchbill.entry.status.drawing import LOOK_ANSWER
from watchbill.entry.status.shelf import Shelf

PATH = "/status/"
LOOK = "look.css"
NOTHING = "There is no status page at this address."
AWAY = "The status page cannot be read at the moment. Please try again in a few seconds."


class StatusApp:
    """An ASGI application. `startup` and `drain` belong to whoever serves it."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.shelf = shelf or Shelf()

    async def startup(self) -> None:
        """Begin to answer."""
        await self.shelf.start()

    async def drain(self) -> None:
        """Answer nothing more."""
        await self.shelf.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in {"GET", "HEAD"}:
            await say(send, 405, "This address only answers GET.", (b"allow", b"GET, HEAD"))
            return
        path: str = scope["path"]
        slug, slash, rest = path.removeprefix(PATH).partition("/")
        if slug == LOOK and not slash:
            await give(LOOK_ANSWER, scope, send)
            return
        known = await self.shelf.find(slug)
        if known is None:
            await (say(send, 404, NOTHING) if self.shelf.is_read else _away(send))
            return
        if not known.is_public:
            key, slash, rest = rest.partition("/")
            if not known.opens(key):
                await say(send, 404, NOTHING)
                return
        if not slash:
            await say(send, 308, "It is here, with a slash.", (b"location", f"{path}/".encode()))
            return
        copy = await self.shelf.copy_of(known)
        if copy is None:
            await _away(send)
            return
        answer = copy.answers.get(rest)
        if answer is None:
            await say(send, 404, NOTHING)
            return
        await give(answer, scope, send)


async def _away(send: Send) -> None:
    await say(send, 503, AWAY, (b"retry-after", b"5"))

"""What a word in a chat asks of us: one process behind every chat, with no vendor's word in it.

A chat tells of messages, mentions, commands, reactions and buttons. Who said it is linked to an account here, or not:
anybody may ask and reply, and whatever an account is needed for is refused to whoever has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Do = Literal[
    "nothing", "ask", "ask_here", "fetch", "hear", "answer", "who", "ack", "page", "home", "help",
    "declare", "note", "mitigated", "resolved", "incidents", "keep",
]  # fmt: skip

HELP = """/watchbill ask <what you need>: the team has it as a request, and the conversation goes on here
/watchbill who: who is on watch
/watchbill ack <page>: acknowledge a page
/watchbill page <what is wrong>: page whoever is on watch
/watchbill incident <title>: <what people feel>: declare an incident
/watchbill note [number] <what happened>: write on its timeline; so does the team's reaction in its channel
/watchbill mitigated [number], /watchbill resolved [number], /watchbill incidents
You may also mention me, or put the team's reaction on a message."""
NEEDS_ACCOUNT = frozenset({"ack", "page", "answer", "declare", "note", "mitigated", "resolved"})
NUMBER = re.compile(r"[pP]?-?(\d{1,15})")
WITH_NUMBER = re.compile(r"(?:(\d{1,15})(?:\s+|$))?(.*)", re.DOTALL)
# What a command's name may be called: people type what they say.
NAMES = {
    "ask": "ask", "request": "ask", "who": "who", "oncall": "who", "on-call": "who", "ack": "ack", "acknowledge": "ack",
    "page": "page", "help": "help", "": "help", "incident": "declare", "declare": "declare", "note": "note",
    "mitigated": "mitigated", "mitigate": "mitigated", "resolved": "resolved", "resolve": "resolved",
    "incidents": "incidents",
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What was said: `kind` as a connector tells it; `request` when it stands in the thread of one.

    is_member   whoever said it has an account, linked, and serves in the team
    reaction    the reaction that the team chose, by which a message becomes a request
    in_incident the room is an incident's channel; `keeps` the reaction that puts a message there on the timeline
    """

    kind: str
    text: str = ""
    in_request: bool = False
    is_member: bool = False
    is_requester: bool = False
    reaction: str = ""
    in_incident: bool = False
    keeps: str = ""


@dataclass(frozen=True)
class Step:
    """What follows, and why.

    do      ask (a request that begins a thread of its own), ask_here (the message itself begins it), fetch (the message
            under a reaction must be read first), hear (from the requester's side), answer (of the team), and the rest
    number  the page that is meant; None where none is, or where no number was given
    """

    do: Do
    text: str = ""
    number: int | None = None
    why: str = ""


def understand(said: Said) -> Step:
    """Decide what follows from what was said."""
    match said.kind:
        case "command" | "action":
            return read_command(said.text)
        case "home":
            return Step("home")
        case "entry":
            return Step("keep", said.text)
        case "reaction":
            wanted = {said.reaction, said.keeps if said.in_incident else ""} - {""}
            if said.text.strip(":").lower() in {one.strip(":").lower() for one in wanted}:
                return Step("fetch", why=f"the reaction :{said.text}: was put on it")
            return Step("nothing", why="this reaction means nothing here")
        case "message" | "mention" if said.in_request:
            return _reply(said)
        case "mention":
            return _mention(said.text)
    return Step("nothing", why="nobody asked us")


def _reply(said: Said) -> Step:
    if not said.text.strip():
        return Step("nothing", why="it says nothing")
    if said.is_member and not said.is_requester:
        return Step("answer", said.text, why="one of the team wrote in its thread")
    return Step("hear", said.text, why="they wrote in its thread")


def _mention(text: str) -> Step:
    """Read a mention: one word that is a command is that command, anything else is a question."""
    word = text.strip().lower()
    if word in {"who", "help", ""}:
        return Step("who" if word == "who" else "help")
    return Step("ask_here", text.strip(), why="they mentioned us")


def read_command(text: str) -> Step:
    """Read "ask I cannot log in", "who", "ack 12", "page The site is down"."""
    first, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    do = NAMES.get(first.lower())
    if do == "ack":
        found = NUMBER.fullmatch(rest)
        return Step("ack", number=int(found[1]) if found else None)
    if do in {"note", "mitigated", "resolved"}:
        number, words = WITH_NUMBER.fullmatch(rest).groups()  # type: ignore[union-attr]
        return Step(do, words.strip(), int(number) if number else None)  # type: ignore[arg-type]
    if do == "incidents":
        return Step("incidents")
    if do in {"ask", "page", "declare"}:
        return Step(do, rest) if rest else Step("help", why=f"say what, after {first}")  # type: ignore[arg-type]
    if do is None:
        return Step("help", why=f"there is no command “{first[:40]}”")
    return Step("who") if do == "who" else Step("help")


def title_of(text: str) -> str:
    """Give the first line that says something, as a title; the rest is the text."""
    line = next((one.strip() for one in text.splitlines() if one.strip()), "")
    return line if len(line) <= 200 else f"{line[:199]}…"

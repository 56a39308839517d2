"""The shapes that cross a port: what an outside system has, in words that every connector shares.

Everything in an `Issue`, `Change` or `Heard` comes from a stranger; connectors bring it inside its bounds with
`core.foreign`. Times are aware, in UTC. States, types, labels and users are the system's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Issue:
    """A thing in a tracker or a ticket of a helpdesk, as it stands there. `ref` is what the system itself calls it.

    `mark` is ours, when we wrote it (_words.find_mark); texts and labels come without it.
    """

    ref: str
    title: str = ""
    text: str = ""
    state: str = ""
    kind: str = ""
    labels: tuple[str, ...] = ()
    assignee: str = ""
    author: str = ""
    author_email: str = ""
    url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    mark: str = ""


@dataclass(frozen=True)
class IssuePage:
    """One page of a search. `next` is what to ask with for the following page; None: this was the last."""

    issues: tuple[Issue, ...]
    next: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class Draft:
    """What is to be written there. `mark` finds it again: an issue with it already there is ours, from a try before.

    `since` is when we first wanted it: nothing with the mark can be older. `link` opens our side.
    """

    mark: str
    title: str
    text: str = ""
    kind: str = ""
    labels: tuple[str, ...] = ()
    assignee: str = ""
    state: str = ""
    link: str = ""
    requester_name: str = ""
    requester_email: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Document:
    """A page or a file that is to stand there: `text` is Markdown, `html` the same as XHTML without a head.

    `path` is its place in a repository; `note` says why it changed, as a commit does; `stands_at` is the address that
    an earlier write gave.
    """

    path: str
    title: str
    text: str
    html: str = ""
    note: str = ""
    stands_at: str = ""


@dataclass(frozen=True)
class Newest:
    """How an issue is to stand there: the newest state of ours, in their words. None: leave that part as it is.

    `stage` is our own word beside theirs, for systems that show it in a second place (a project's field).
    """

    title: str | None = None
    state: str | None = None
    stage: str = ""
    labels: tuple[str, ...] | None = None
    assignee: str | None = None


@dataclass(frozen=True)
class Comment:
    """What somebody wrote on an issue. `mark` is ours, when it is us who write; `private`: not for the requester.

    `at` is when it was written: one of ours cannot stand there from earlier. `by_team`: an agent of a helpdesk wrote
    it, not the requester's side.
    """

    text: str
    author: str = ""
    ref: str = ""
    mark: str = ""
    at: datetime | None = None
    private: bool = False
    by_team: bool = False


@dataclass(frozen=True)
class Change:
    """What a webhook tells: the issue as it stands now, and the comment if that was it.

    kind  opened, changed, commented, gone (deleted, or moved out of sight)
    """

    kind: Literal["opened", "changed", "commented", "gone"]
    issue: Issue
    comment: Comment | None = None
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Canned:
    """A canned response of a helpdesk."""

    ref: str
    name: str
    text: str
    folder: str = ""


@dataclass(frozen=True)
class Member:
    """A user of a chat. `email` is empty unless the chat itself vouches for it: accounts are linked by it."""

    ref: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Posted:
    """Where a message stands in a chat: its room, its own reference there, the thread it begins or belongs to."""

    room: str
    ref: str
    thread: str = ""
    url: str = ""


@dataclass(frozen=True)
class Room:
    """A channel of a chat: its own reference there, its name, where it opens."""

    ref: str
    name: str
    url: str = ""


@dataclass(frozen=True)
class CallRoom:
    """A room of a service for calls: its own reference there, and the address by which one enters it."""

    ref: str
    url: str


@dataclass(frozen=True)
class Heard:
    """What a chat tells us.

    kind  message (somebody wrote where we listen), mention, command (a slash command), reaction, action (a button),
          home (somebody opened our page in the chat), hello (the system checks our address; `answer` is what it wants),
          entry (a message that a reaction puts on an incident's timeline; we make it, no chat tells it)
    text  without the mention of us, the command's own name; of a reaction its name; of a button the command it stands for
    data  of a command or a button: ("respond", where the answer is wanted)
    """

    kind: Literal["message", "mention", "command", "reaction", "action", "home", "hello", "entry"]
    room: str = ""
    ref: str = ""
    thread: str = ""
    author: str = ""
    author_name: str = ""
    text: str = ""
    at: datetime | None = None
    answer: str = ""
    data: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Example:
    """A webhook of the documented shape and what it must become: (kind, ref, state, text of the comment) of each change."""

    title: str
    payload: Any
    gives: tuple[tuple[str, str, str, str], ...]
    headers: tuple[tuple[str, str], ...] = ()
    settings: dict[str, Any] | None = None

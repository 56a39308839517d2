"""The ports as types: what a connector's module must offer. mypy checks a module against its port where it is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from watchbill.connectors._shapes import (
    CallRoom,
    Canned,
    Change,
    Comment,
    Document,
    Draft,
    Heard,
    Issue,
    IssuePage,
    Member,
    Newest,
    Posted,
    Room,
)
from watchbill.egress import Client


class Connector(Protocol):
    """What every connector offers, whatever its port."""

    def check(self, settings: Any, client: Client) -> str:
        """Try the connection and say in one sentence whom it reached, as whom; raises DeliveryFailed."""

    def verify(self, settings: Any, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Tell whether a webhook is really from there (header names in lower case); compares in constant time."""


class Tracker(Connector, Protocol):
    """A tracker: issues with a state, labels, an assignee and comments."""

    def create(self, settings: Any, client: Client, draft: Draft) -> Issue:
        """Write a new issue with the draft's mark in it; the caller has asked `find` before."""

    def find(self, settings: Any, client: Client, draft: Draft) -> Issue | None:
        """Find the issue that carries the draft's mark: a create whose answer we never saw."""

    def update(self, settings: Any, client: Client, ref: str, newest: Newest) -> Issue:
        """Bring an issue to how it is to stand; doing it twice changes nothing. Gives it as it stands then."""

    def comment(self, settings: Any, client: Client, ref: str, comment: Comment) -> str:
        """Write a comment once: one that carries the comment's mark already is given back. Gives its reference."""

    def read(self, settings: Any, client: Client, ref: str) -> Issue:
        """Read an issue as it stands."""

    def search(self, settings: Any, client: Client, query: str, cursor: str) -> IssuePage:
        """Read one page of what a query in the system's own language finds; an empty cursor is the first page."""

    def parse(self, payload: object, headers: Mapping[str, str], settings: Any) -> Sequence[Change]:
        """Read a webhook; an event that is no concern of ours is an empty list. Pure. Raises Unreadable."""


class Documents(Connector, Protocol):
    """A place for documents: a wiki, or the repository of a tracker that has one."""

    def put_document(self, settings: Any, client: Client, document: Document) -> str:
        """Write a document, or bring it to how it is to stand; twice changes nothing. Gives its address there."""


class Call(Connector, Protocol):
    """A service for calls: a room in which those who respond meet."""

    def open_call(self, settings: Any, client: Client, title: str) -> CallRoom:
        """Open a room; `title` says nothing that is private. A second try opens a second one, which stays empty."""


class Helpdesk(Tracker, Protocol):
    """A helpdesk: a tracker whose issues have a requester, who is answered there in the desk's own words."""

    def reply(self, settings: Any, client: Client, ref: str, comment: Comment) -> str:
        """Answer the requester once, as `comment` writes once. Gives the reference of the answer."""

    def conversation(self, settings: Any, client: Client, ref: str) -> Sequence[Comment]:
        """Read all that was said on a ticket, oldest first; `author` is the writer's own id there."""

    def read_writer(self, settings: Any, client: Client, comment: Comment) -> Member:
        """Read who wrote something on a ticket."""

    def canned_responses(self, settings: Any, client: Client) -> Sequence[Canned]:
        """Read the canned responses that are kept there (COM-05)."""


class Chat(Connector, Protocol):
    """A chat: rooms, threads, and groups of people that can be called by one name."""

    def post(
        self,
        settings: Any,
        client: Client,
        room: str,
        text: str,
        mark: str,
        buttons: Sequence[tuple[str, str]] = (),
    ) -> Posted:
        """Write a message into a room; `mark` is the idempotency key wherever the chat knows one.

        `buttons` are labels, each with the command that it stands for; a chat without buttons leaves them out.
        """

    def reply(self, settings: Any, client: Client, to: Posted, text: str, mark: str) -> Posted:
        """Write into the thread of a message."""

    def find_post(self, settings: Any, client: Client, to: Posted, mark: str, since: datetime) -> Posted | None:
        """Find what an earlier try wrote, in a room or in a thread (`to.thread`): asked before a second try."""

    def respond(self, settings: Any, client: Client, where: str, text: str) -> None:
        """Answer a command later, where its Heard says ("respond"): only whoever gave it sees it."""

    def answer(self, text: str) -> dict[str, Any]:
        """Write the answer to a command that goes back in the same breath. Pure."""

    def set_group(self, settings: Any, client: Client, group: str, members: Sequence[str]) -> None:
        """Make a group consist of these members (their own ids there): whoever stands the watch."""

    def find_member(self, settings: Any, client: Client, email: str) -> str:
        """Find a person's own id there by mail address; empty when there is none."""

    def read_member(self, settings: Any, client: Client, ref: str) -> Member:
        """Read who a user is; with the mail address only if the chat itself has verified it."""

    def read_message(self, settings: Any, client: Client, room: str, ref: str) -> Heard | None:
        """Read a message, for a reaction to it; None when it cannot be read."""

    def open_room(
        self, settings: Any, client: Client, name: str, topic: str, members: Sequence[str], *, is_private: bool
    ) -> Room:
        """Open a channel with these members, or find the one of this name that an earlier try opened."""

    def set_topic(self, settings: Any, client: Client, room: str, topic: str) -> None:
        """Write what a channel is about; doing it twice changes nothing."""

    def invite(self, settings: Any, client: Client, room: str, members: Sequence[str]) -> None:
        """Bring people into a channel; who is there already stays."""

    def show_home(self, settings: Any, client: Client, ref: str, sections: Sequence[tuple[str, str]]) -> None:
        """Show a user our page in the chat, in sections of a title and a text; nothing where a chat has no such page."""

    def parse(self, payload: object, headers: Mapping[str, str], settings: Any) -> Sequence[Heard]:
        """Read what the chat tells us; what is no concern of ours is an empty list. Pure. Raises Unreadable."""

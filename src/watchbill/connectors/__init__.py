"""One file per outside system, by what it gives us: a tracker, a helpdesk, a chat, a wiki, a call.

To add a connector, add one file here (docs/write-a-connector.md has a whole one). The file holds:

    TITLE      the system's name, as a person reads it
    PORT       "tracker", "helpdesk", "chat", "documents" or "call": which of the ports below it keeps; a tracker
               with a repository may offer `put_document` as well
    Settings   pydantic model (extra="forbid"): the form comes from it; what is secret is SecretStr;
               `urls()` gives the URLs that a person typed, by field, so that a door can have them checked
    HELP       how to set the system up, plain text; `{url}` stands for the person's own webhook address
    EXAMPLES   tuple of Example: webhooks in the documented shape of the system, with what must come out
    HEADERS    names (lower case) of the headers of a webhook that `parse` reads; they are kept with it
    STAGES     their states (lower case) and the stage of ours each means; a team may change it for itself
    STATES     our stages and the state of theirs that each becomes; the same

and the functions of its port. They take (settings, client, ...); `client` is the guarded one (watchbill.egress) and
the only way out: a vendor's library that opens sockets of its own would go around the guard. Every I/O error comes
out as DeliveryFailed(permanent=...), every payload that is not of the system as Unreadable, nothing else.
A connector decides nothing, keeps no state and reads no clock: what follows from a change is decided in core.

`tests/connectors/test_every_connector.py` asks every file the same questions.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from watchbill.connectors._calling import Api, Busy, ClientInTime
from watchbill.connectors._ports import Call, Chat, Helpdesk, Tracker
from watchbill.connectors._shapes import (
    CallRoom,
    Canned,
    Change,
    Comment,
    Document,
    Draft,
    Example,
    Heard,
    Issue,
    IssuePage,
    Member,
    Newest,
    Posted,
    Room,
)
from watchbill.kit.errors import DeliveryFailed
from watchbill.kit.plugins import find_plugins

__all__ = [
    "Api",
    "Busy",
    "Call",
    "CallRoom",
    "Canned",
    "Change",
    "Chat",
    "ClientInTime",
    "Comment",
    "Connected",
    "Document",
    "Draft",
    "Example",
    "Heard",
    "Helpdesk",
    "Issue",
    "IssuePage",
    "Member",
    "Newest",
    "Posted",
    "Room",
    "Tracker",
    "all_connectors",
    "connectors_of",
    "keeps_documents",
    "read_settings",
    "write_help",
]

PORTS = ("tracker", "helpdesk", "chat", "documents", "call")


class Connected(BaseModel):
    """What the settings of every connector have in common: a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed, by field."""
        return {}


def all_connectors() -> dict[str, ModuleType]:
    """Read every connector there is, by name."""
    return find_plugins("watchbill.connectors")


def connectors_of(port: str) -> dict[str, ModuleType]:
    """Read the connectors of one port, by name."""
    return {name: module for name, module in all_connectors().items() if port == module.PORT}


def keeps_documents(name: str) -> bool:
    """Tell whether documents can be written through a connector."""
    return callable(getattr(all_connectors().get(name), "put_document", None))


def read_settings(name: str, values: dict[str, Any]) -> Any:
    """Give a connection's stored settings as its connector's model.

    Raises DeliveryFailed(permanent) when the connector is gone or the settings are of an older form: a person must
    look at it, and trying again cannot help.
    """
    connector = all_connectors().get(name)
    if connector is None:
        raise DeliveryFailed(f"There is no connector called {name} here any more", permanent=True)
    try:
        return connector.Settings.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        text = f"The settings of this {connector.TITLE} connection cannot be used: {where}: {problem['msg']}"
        raise DeliveryFailed(text, permanent=True) from None


def write_help(name: str, url: str) -> str:
    """Write how to set the system up; `url` is the address that it is to call."""
    text: str = all_connectors()[name].HELP
    return text.replace("{url}", url)

"""Fill the fields of a message that a team wrote in its own words: `Hello {requester}` (TRI-16)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchbill.kit.errors import Refused

_FIELD = re.compile(r"\{([a-z_]+)\}")

# What a message of the desk may name, and what stands there.
FIELDS = {
    "requester": "the requester's name",
    "title": "what was asked, in a line",
    "reference": "the request's number, such as R-12",
    "team": "the team's name",
    "class": "the class of the request",
    "next_step": "what happens next",
    "first_response_by": "by when somebody answers",
    "link": "the requester's own page",
    "queue": "where to raise it instead",
    "me": "whoever sends it",
    "community": "the requester's community",
}
# What a message about an incident may name, and what one about planned work.
INCIDENT_FIELDS = {
    "title": "the incident's title",
    "impact": "what people feel",
    "state": "how it stands: we are looking into it, it is over",
    "parts": "what was written, part by part",
    "next_update": "when the next update comes",
    "started": "when it began",
    "ended": "when all was normal again",
    "team": "the team's name",
    "me": "whoever sends it",
}
NOTICE_FIELDS = {
    "title": "what is done",
    "text": "what was written about it",
    "starts": "when it starts",
    "ends": "when it ends",
    "services": "the services that it touches",
    "team": "the team's name",
    "me": "whoever sends it",
}


def fill(text: str, fields: Mapping[str, str]) -> str:
    """Fill the fields of a text; one that is not known stays as it stands, so that nothing is lost."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def check_fields(text: str, name: str = "text", fields: Mapping[str, str] = FIELDS) -> str:
    """Give `text` back when it names only fields that there are, or raise Refused naming the first other."""
    unknown = [field for field in _FIELD.findall(text) if field not in fields]
    if unknown:
        raise Refused(f"there is no field {{{unknown[0]}}}; there are {', '.join(f'{{{f}}}' for f in fields)}", name)
    return text

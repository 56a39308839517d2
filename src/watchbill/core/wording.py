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


def fill(text: str, fields: Mapping[str, str]) -> str:
    """Fill the fields of a text; one that is not known stays as it stands, so that nothing is lost."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def check_fields(text: str, name: str = "text") -> str:
    """Give `text` back when it names only fields that there are, or raise Refused naming the first other."""
    unknown = [field for field in _FIELD.findall(text) if field not in FIELDS]
    if unknown:
        raise Refused(f"there is no field {{{unknown[0]}}}; there are {', '.join(f'{{{f}}}' for f in FIELDS)}", name)
    return text

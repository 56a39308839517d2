"""The status page, the pure part: from facts to what the public sees, which can hold nothing else. Instants are UTC.

conditions.py  how things are, from the best to the worst, and the words for it
facts.py       what a page is made of
history.py     the 90 days of a component, and its uptime
shown.py       all that the public may see
view.py        the door: `public_view`
days.py        the list of the last days, and what is told of each
"""

from watchbill.core.statuspage.conditions import (
    CONDITION_WORDS,
    CONDITIONS,
    DEGRADED,
    DOWN,
    MAINTENANCE,
    MAJOR,
    NOTICE_SAID,
    NOTICE_WORDS,
    OPERATIONAL,
    PARTIAL,
    STATE_WORDS,
    worst,
)
from watchbill.core.statuspage.days import ListedDay, list_days
from watchbill.core.statuspage.facts import Component, Facts, Incident, Notice, Spell, Update
from watchbill.core.statuspage.history import DAYS, HOLDS, Day, history, uptime
from watchbill.core.statuspage.shown import ShownComponent, ShownIncident, ShownNotice, ShownUpdate, View
from watchbill.core.statuspage.view import public_view

__all__ = [
    "CONDITIONS",
    "CONDITION_WORDS",
    "DAYS",
    "DEGRADED",
    "DOWN",
    "HOLDS",
    "MAINTENANCE",
    "MAJOR",
    "NOTICE_SAID",
    "NOTICE_WORDS",
    "OPERATIONAL",
    "PARTIAL",
    "STATE_WORDS",
    "Component",
    "Day",
    "Facts",
    "Incident",
    "ListedDay",
    "Notice",
    "ShownComponent",
    "ShownIncident",
    "ShownNotice",
    "ShownUpdate",
    "Spell",
    "Update",
    "View",
    "history",
    "list_days",
    "public_view",
    "uptime",
    "worst",
]

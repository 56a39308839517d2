"""Who reads what comes to a desk, and who hands over what leaves for outside systems: each module registers its own.

A module that adds to `desk_inbox.READERS` or `export_sending.SENDERS` is named here, so that every worker has it.
"""

from __future__ import annotations

from watchbill.actions import (
    chat_in,
    chat_out,
    connector_in,
    connector_out,
    helpdesk_out,
    incident_call_out,
    incident_room_out,
    mail_in,
    publishing,
    status_telling,
)

REGISTERED = (
    mail_in,
    connector_in,
    connector_out,
    chat_in,
    chat_out,
    helpdesk_out,
    incident_call_out,
    incident_room_out,
    publishing,
    status_telling,
)

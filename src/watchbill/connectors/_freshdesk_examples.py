"""Webhooks of Freshdesk's automation rules, in the documented shapes."""

from __future__ import annotations

from watchbill.connectors._shapes import Example

EXAMPLES = (
    Example(
        "a new ticket, by our own rule",
        {
            "ticket_id": "17", "triggered_event": "{ticket_action:created}", "ticket_status": "Open",
            "ticket_subject": "I cannot log in",
        },
        (("opened", "17", "Open", ""),),
    ),
    Example(
        "a change of the status, by our own rule",
        {"ticket_id": "17", "triggered_event": "{status:{from:Open,to:Resolved}}", "ticket_status": "Resolved"},
        (("changed", "17", "Resolved", ""),),
    ),
    Example(
        "Freshdesk's simple form",
        {"freshdesk_webhook": {
            "ticket_id": 17, "ticket_subject": "I cannot log in", "ticket_status": "Pending", "ticket_priority": "Low",
            "ticket_requester_name": "Ria", "ticket_requester_email": "ria@example.net", "triggered_event": "{reply_sent:sent}",
            "ticket_latest_public_comment": "Ana : Which browser?", "ticket_url": "https://example.freshdesk.com/a/tickets/17",
        }},
        (("changed", "17", "Pending", ""),),
    ),
)  # fmt: skip

"""Webhooks in the shape that Atlassian documents, written for these tests; no real site, person or issue is in them."""

from __future__ import annotations

from typing import Any

from watchbill.connectors._shapes import Example

ANA = {"accountId": "5b10a2844c20165700ede21g", "displayName": "Ana Example", "active": True}


def _issue(status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "10002",
        "self": "https://your-site.atlassian.net/rest/api/2/issue/10002",
        "key": "OPS-12",
        "fields": {
            "summary": "Rotate the certificates",
            "description": "They end in *March*.",
            "status": {"id": "3", "name": status, "statusCategory": {"key": "indeterminate"}},
            "issuetype": {"id": "10001", "name": "Task"},
            "labels": ["operations"],
            "assignee": ANA,
            "reporter": {**ANA, "emailAddress": "ana@example.org"},
            "created": "2026-03-02T08:00:00.000+0000",
            "updated": "2026-03-03T09:05:00.120+0100",
            **more,
        },
    }


def _event(name: str, issue: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"timestamp": 1772528700120, "webhookEvent": name, "user": ANA, "issue": issue, **more}


MOVED = {"id": "10124", "items": [{"field": "status", "fromString": "To Do", "toString": "In Progress"}]}
COMMENT = {
    "id": "10000",
    "author": ANA,
    "body": "The new ones are ordered.",
    "created": "2026-03-03T09:10:00.000+0000",
    "updated": "2026-03-03T09:10:00.000+0000",
}
DOCUMENT = {
    "type": "doc",
    "version": 1,
    "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": "Ordered:"}]},
        {
            "type": "bulletList",
            "content": [
                {
                    "type": "listItem",
                    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "the wildcard one"}]}],
                }
            ],
        },
    ],
}
SMALL = {"id": "10002", "key": "OPS-12", "fields": {"summary": "Rotate the certificates"}}

EXAMPLES = (
    Example("An issue is created", _event("jira:issue_created", _issue("To Do")), (("opened", "OPS-12", "To Do", ""),)),
    Example(
        "An issue is moved",
        _event("jira:issue_updated", _issue("In Progress"), issue_event_type_name="issue_generic", changelog=MOVED),
        (("changed", "OPS-12", "In Progress", ""),),
    ),
    Example(
        "A comment on Cloud, with the small issue that comes along",
        {"timestamp": 1772529000000, "webhookEvent": "comment_created", "comment": COMMENT, "issue": SMALL},
        (("commented", "OPS-12", "", "The new ones are ordered."),),
    ),
    Example(
        "A comment as a document",
        {"webhookEvent": "comment_created", "comment": {**COMMENT, "body": DOCUMENT}, "issue": SMALL},
        (("commented", "OPS-12", "", "Ordered:\n\n- the wildcard one"),),
    ),
    Example(
        "A comment on Data Center comes as an update of the issue",
        _event("jira:issue_updated", _issue("To Do"), issue_event_type_name="issue_commented", comment=COMMENT),
        (("commented", "OPS-12", "To Do", "The new ones are ordered."),),
    ),
    Example("An issue is deleted", _event("jira:issue_deleted", _issue("Done")), (("gone", "OPS-12", "Done", ""),)),
    Example("A version is released, which is no concern of ours", {"webhookEvent": "jira:version_released"}, ()),
)

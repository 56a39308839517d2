"""Webhooks in the shape that GitHub documents, written for these tests; no real repository or person is in them."""

from __future__ import annotations

from typing import Any

from watchbill.connectors._shapes import Example

SETTINGS = {"repository": "example/infrastructure", "token": "x"}
ISSUES, COMMENTS = (("x-github-event", "issues"),), (("x-github-event", "issue_comment"),)
REF = "example/infrastructure#42"


def _issue(state: str, reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": 73464126,
        "node_id": "I_kwDOABCD",
        "number": 42,
        "html_url": "https://github.com/example/infrastructure/issues/42",
        "title": "Disk of db1 grows",
        "body": "It will be full in May.",
        "state": state,
        "state_reason": reason,
        "labels": [{"id": 1, "name": "operations", "color": "ededed"}],
        "assignee": {"login": "ana-example", "id": 7},
        "assignees": [{"login": "ana-example", "id": 7}],
        "user": {"login": "ria-example", "id": 8},
        "created_at": "2026-03-01T10:00:00Z",
        "updated_at": "2026-03-03T09:05:00Z",
        **more,
    }


def _event(action: str, issue: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "issue": issue,
        "repository": {"id": 1, "full_name": "example/infrastructure", "private": True},
        "sender": {"login": "ana-example", "id": 7},
        **more,
    }


COMMENT = {
    "id": 99262140,
    "user": {"login": "ana-example", "id": 7},
    "body": "A bigger disk is ordered.",
    "created_at": "2026-03-03T09:10:00Z",
    "updated_at": "2026-03-03T09:10:00Z",
}

EXAMPLES = (
    Example("Opened", _event("opened", _issue("open")), (("opened", REF, "open", ""),), ISSUES, SETTINGS),
    Example(
        "Closed",
        _event("closed", _issue("closed", "completed")),
        (("changed", REF, "closed", ""),),
        ISSUES,
        SETTINGS,
    ),
    Example(
        "Closed as not planned",
        _event("closed", _issue("closed", "not_planned")),
        (("changed", REF, "closed as not planned", ""),),
        ISSUES,
        SETTINGS,
    ),
    Example(
        "Labelled",
        _event("labeled", _issue("open"), label={"name": "operations"}),
        (("changed", REF, "open", ""),),
        ISSUES,
        SETTINGS,
    ),
    Example(
        "A comment",
        _event("created", _issue("open"), comment=COMMENT),
        (("commented", REF, "open", "A bigger disk is ordered."),),
        COMMENTS,
        SETTINGS,
    ),
    Example(
        "A comment is edited: what was read stays",
        _event("edited", _issue("open"), comment=COMMENT),
        (),
        COMMENTS,
        SETTINGS,
    ),
    Example("Deleted", _event("deleted", _issue("open")), (("gone", REF, "open", ""),), ISSUES, SETTINGS),
    Example(
        "A pull request is no issue",
        _event("created", _issue("open", pull_request={"url": "https://api.github.com/"}), comment=COMMENT),
        (),
        COMMENTS,
        SETTINGS,
    ),
    Example(
        "The first call of a new webhook",
        {"zen": "Keep it logically awesome.", "hook_id": 1, "repository": {"full_name": "example/infrastructure"}},
        (),
        (("x-github-event", "ping"),),
        SETTINGS,
    ),
)

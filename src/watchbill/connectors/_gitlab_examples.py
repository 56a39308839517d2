"""Webhooks in the shape that GitLab documents, written for these tests; no real project or person is in them."""

from __future__ import annotations

from typing import Any

from watchbill.connectors._shapes import Example

SETTINGS = {"project": "example/infrastructure", "token": "x"}
REF = "example/infrastructure#23"
ANA = {"id": 1, "name": "Ana Example", "username": "ana"}
ISSUE: dict[str, Any] = {
    "id": 301,
    "iid": 23,
    "title": "Renew the mail relay",
    "description": "Before May.",
    "state": "opened",
    "type": "Issue",
    "url": "https://gitlab.example/example/infrastructure/-/issues/23",
    "created_at": "2026-03-01 10:00:00 UTC",
    "updated_at": "2026-03-03 09:05:00 UTC",
}
LABELS = [{"id": 206, "title": "operations", "type": "ProjectLabel"}]


def _event(action: str, **issue: Any) -> dict[str, Any]:
    return {
        "object_kind": "issue",
        "event_type": "issue",
        "user": ANA,
        "project": {"id": 1, "path_with_namespace": "example/infrastructure"},
        "object_attributes": {**ISSUE, **issue, "action": action},
        "labels": LABELS,
        "assignees": [ANA],
    }


def _note(**more: Any) -> dict[str, Any]:
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": ANA,
        "project": {"id": 1, "path_with_namespace": "example/infrastructure"},
        "object_attributes": {
            "id": 1241,
            "note": "The new one runs.",
            "noteable_type": "Issue",
            "system": False,
            "created_at": "2026-03-03 09:10:00 UTC",
            **more,
        },
        "issue": {**ISSUE, "labels": LABELS},
    }


EXAMPLES = (
    Example("Opened", _event("open"), (("opened", REF, "opened", ""),), settings=SETTINGS),
    Example("Closed", _event("close", state="closed"), (("changed", REF, "closed", ""),), settings=SETTINGS),
    Example("Edited", _event("update"), (("changed", REF, "opened", ""),), settings=SETTINGS),
    Example("A note", _note(), (("commented", REF, "opened", "The new one runs."),), settings=SETTINGS),
    Example("A note that GitLab wrote itself", _note(system=True), (), settings=SETTINGS),
    Example("A note on a merge request", _note(noteable_type="MergeRequest"), (), settings=SETTINGS),
    Example("A push is no concern of ours", {"object_kind": "push", "ref": "refs/heads/main"}, (), settings=SETTINGS),
)

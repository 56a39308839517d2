"""A status page as JSON, under the names that tools for statuspage.io read (its public API v2), so that they work here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchbill.core.statuspage import DEGRADED, MAINTENANCE, MAJOR, OPERATIONAL, PARTIAL, View
from watchbill.core.statuspage import ShownIncident as Incident
from watchbill.core.statuspage import ShownNotice as Notice

THEIR_COMPONENT = {
    OPERATIONAL: "operational",
    MAINTENANCE: "under_maintenance",
    DEGRADED: "degraded_performance",
    PARTIAL: "partial_outage",
    MAJOR: "major_outage",
}
THEIR_IMPACT = {OPERATIONAL: "none", MAINTENANCE: "maintenance", DEGRADED: "minor", PARTIAL: "major", MAJOR: "critical"}
THEIR_NOTICE = {"announced": "scheduled", "in_progress": "in_progress", "done": "completed", "cancelled": "completed"}


def documents(view: View, page_id: int, url: str) -> dict[str, bytes]:
    """Give each document of a page by its address below the page; `url` is the page's own, with a slash at its end."""
    components = [_component(view, position) for position in range(len(view.components))]
    incidents = [_incident(one, components, url) for one in view.incidents]
    notices = [_notice(one, components, url) for one in view.notices]
    still = [one for one in incidents if one["resolved_at"] is None]
    ahead = [one for one in notices if one["status"] in {"scheduled", "in_progress"}]
    page = {"id": str(page_id), "name": view.title, "url": url, "time_zone": view.zone, "updated_at": _changed(view)}
    status = {"indicator": THEIR_IMPACT[view.condition], "description": view.words}
    parts: dict[str, dict[str, Any]] = {
        "summary.json": {
            "status": status,
            "components": components,
            "incidents": still,
            "scheduled_maintenances": ahead,
        },
        "status.json": {"status": status},
        "components.json": {"components": components},
        "incidents.json": {"incidents": incidents},
        "incidents/unresolved.json": {"incidents": still},
        "scheduled-maintenances.json": {"scheduled_maintenances": notices},
        "scheduled-maintenances/upcoming.json": {
            "scheduled_maintenances": [one for one in notices if one["status"] == "scheduled"]
        },
        "scheduled-maintenances/active.json": {
            "scheduled_maintenances": [one for one in notices if one["status"] == "in_progress"]
        },
        "history.json": {"components": [_history(view, position) for position in range(len(view.components))]},
    }
    made = {name: _write({"page": page, **part}) for name, part in parts.items()}
    return made | {f"api/v2/{name}": body for name, body in made.items()}


def _write(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def _changed(view: View) -> str | None:
    said = [one.changed_at for one in view.incidents]
    said += [update.at for one in view.notices for update in one.updates]
    return _iso(max(said, default=None))


def _component(view: View, position: int) -> dict[str, Any]:
    one = view.components[position]
    return {
        "id": str(one.id),
        "name": one.name,
        "status": THEIR_COMPONENT[one.condition],
        "description": one.description or None,
        "group": False,
        "group_id": None,
        "group_name": one.group or None,
        "position": position + 1,
        "showcase": True,
        "only_show_if_degraded": False,
        "start_date": _iso(one.since),
    }


def _history(view: View, position: int) -> dict[str, Any]:
    one = view.components[position]
    days = [
        {"date": day.date.isoformat(), "condition": day.condition, "minutes": dict(day.minutes)} for day in one.days
    ]
    return {"id": str(one.id), "name": one.name, "uptime_percent": one.uptime, "days": days}


def _incident(one: Incident, components: list[dict[str, Any]], url: str) -> dict[str, Any]:
    watched = [update.at for update in one.updates if update.state == "monitoring"]
    return {
        "id": str(one.id),
        "name": one.title,
        "status": one.state,
        "impact": THEIR_IMPACT[one.condition],
        "created_at": _iso(one.published_at),
        "started_at": _iso(one.since),
        "updated_at": _iso(one.changed_at),
        "monitoring_at": _iso(min(watched, default=None)),
        "resolved_at": _iso(one.ended_at),
        "shortlink": f"{url}incidents/{one.id}/",
        "components": _named(one.components, components),
        "incident_updates": [_update(update, one.id) for update in one.updates],
    }


def _update(one: Any, owner: int) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "incident_id": str(owner),
        "status": THEIR_NOTICE.get(one.state, one.state),
        "body": one.text,
        "created_at": _iso(one.at),
        "updated_at": _iso(one.at),
        "display_at": _iso(one.at),
    }


def _notice(one: Notice, components: list[dict[str, Any]], url: str) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "name": one.title,
        "body": one.text,
        "status": THEIR_NOTICE[one.state],
        "impact": "maintenance",
        "scheduled_for": _iso(one.starts_at),
        "scheduled_until": _iso(one.ends_at),
        "shortlink": url,
        "components": _named(one.components, components),
        "incident_updates": [_update(update, one.id) for update in one.updates],
    }


def _named(ids: tuple[int, ...], components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in components if int(one["id"]) in ids]

"""Ask whoever owns a resolved incident to close it, with what is missing and what to put back to normal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import incidents
from watchbill.actions.role_finding import tell_whoever
from watchbill.actions.role_scene import Scene
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.core import incidents as core
from watchbill.db.incident_facts import silences_of
from watchbill.db.models import Incident, Person
from watchbill.db.role_facts import commander_of
from watchbill.rules import incident_closing


def ask_to_close(claim: Claim, now: datetime) -> None:
    """Ask the owner, else who commanded, else whoever is responsible, to close it; and again after as long."""
    with transaction.atomic():
        found = Incident.objects.filter(pk=claim.subject_id).exists()
        incident = incidents.lock(claim.subject_id) if found else None
        if not finish(claim) or incident is None or incident.state != core.RESOLVED:
            return
        scene = Scene(incident, now)
        missing = incidents.missing_of(incident, now)
        said = "still to do: " + "; ".join(missing) if missing else "nothing is missing"
        line = scene.note("close_asked", f"it is resolved and not closed; {said}", missing=missing)
        words = scene.words("Close the incident?", _text(incident, missing, now), action="Close it")
        asked = _who_closes(incident)
        if asked is None:
            tell_whoever(scene, words, "nobody owns a resolved incident")
        else:
            scene.tell(asked.pk, words, line, "it is yours")
        rule = incident_closing.Settings.model_validate(scene.desk.rule("incident_closing"))
        if rule.ask_after_hours:
            set_timer(scene.subject, "close", now + timedelta(hours=rule.ask_after_hours))


def _text(incident: Incident, missing: list[str], now: datetime) -> str:
    todo = [f"Still to do:\n{_lines(missing)}"] if missing else ["Nothing is missing: it can be closed."]
    silences = [row.why or f"silence {row.pk}" for row in silences_of(incident, now)]
    if silences:
        todo.append(f"Return to baseline, end these silences:\n{_lines(silences)}")
    return "\n\n".join(["All has been normal for a while.", *todo])


def _lines(words: list[str]) -> str:
    return "\n".join(f"- {one}" for one in words)


def _who_closes(incident: Incident) -> Person | None:
    return next((one for one in (incident.owner, commander_of(incident)) if one and one.is_active), None)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("incident", "close"): ask_to_close}

"""Ladders: whom a page asks, in which order. An edit counts for pages opened afterwards; a climb is never disturbed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions.access import find_near, may_change
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.core.paging import read_ladder
from watchbill.db import facts
from watchbill.db.models import Ladder, Person, Service, Team
from watchbill.kit.errors import Refused
from watchbill.rules import severity_response

MOST_STEPS = 30
_NUMBER = re.compile(r"[0-9]{1,18}")


def add_ladder(
    team: Team, name: str, steps: Sequence[dict[str, Any]], repeat: int, person: Person, now: datetime
) -> Ladder:
    """Write a new ladder of a team; raises Refused naming the field (`steps` says which step), NotAllowed."""
    may_change(person, team, "add a ladder")
    name, checked = _check(team, name, steps, repeat, None, person)
    with transaction.atomic():
        ladder = Ladder.objects.create(
            team=team, name=name, steps=checked, repeat=repeat, changed_at=now, changed_by=person
        )
        record(_subject(ladder), "ladder.added", f"{person} added the ladder {name}", now, Actor.of(person))
    return ladder


def change_ladder(
    ladder: Ladder, name: str, steps: Sequence[dict[str, Any]], repeat: int, person: Person, now: datetime
) -> Ladder:
    """Change a ladder for the pages opened from now on; raises Refused naming the field, NotAllowed."""
    may_change(person, ladder.team, f"change the ladder {ladder}")
    name, checked = _check(ladder.team, name, steps, repeat, ladder, person)
    if (name, checked, repeat) == (ladder.name, ladder.steps, ladder.repeat):
        return ladder
    before = {"name": ladder.name, "steps": ladder.steps, "repeat": ladder.repeat}
    with transaction.atomic():
        ladder = Ladder.objects.select_for_update(of=("self",)).select_related("team").get(pk=ladder.pk)
        ladder.name, ladder.steps, ladder.repeat = name, checked, repeat
        ladder.version += 1
        ladder.changed_at, ladder.changed_by = now, person
        ladder.save(update_fields=["name", "steps", "repeat", "version", "changed_at", "changed_by"])
        why = f"{person} changed the ladder {name}, now version {ladder.version}"
        record(_subject(ladder), "ladder.changed", why, now, Actor.of(person), {"before": before})
    return ladder


def archive_ladder(ladder: Ladder, person: Person, now: datetime, *, archived: bool = True) -> None:
    """Take a ladder out of use, or bring it back; refused while a service answers with it. Raises NotAllowed."""
    may_change(person, ladder.team, f"archive the ladder {ladder}")
    using = Service.objects.filter(ladder=ladder, archived_at=None).order_by("name")
    if archived and using.exists():
        names = ", ".join(service.name for service in using[:5])
        raise Refused(f"{names} still page with this ladder: give them another one first")
    with transaction.atomic():
        ladder.archived_at = now if archived else None
        ladder.save(update_fields=["archived_at"])
        what = "archived" if archived else "brought back"
        kind = "ladder.archived" if archived else "ladder.restored"
        record(_subject(ladder), kind, f"{person} {what} the ladder {ladder}", now, Actor.of(person))


def _check(
    team: Team, name: str, steps: Sequence[dict[str, Any]], repeat: int, itself: Ladder | None, by: Person
) -> tuple[str, list[dict[str, Any]]]:
    name = check_text({"name": name}, "name", 80, "a ladder needs a name")
    if Ladder.objects.filter(team=team, name=name).exclude(pk=itself.pk if itself else 0).exists():
        raise Refused(f"{team} has a ladder called {name} already; an archived one counts too", "name")
    if len(steps) > MOST_STEPS:
        raise Refused(f"at most {MOST_STEPS} steps", "steps")
    ladder = read_ladder(steps, repeat)
    rule = facts.policy_of(team).get("rules", {}).get("severity_response", {})
    known = [*severity_response.Settings.model_validate(rule).severities]
    # What an older policy knew may stay until somebody takes it out.
    older = {word for step in (itself.steps if itself else ()) for word in step.get("when", {}).get("severities", ())}
    named = {target for step in (itself.steps if itself else ()) for target in step.get("targets", ())}
    for number, step in enumerate(ladder.steps, 1):
        if unknown := sorted(step.severities - {*known, *older}):
            said = f"step {number} would never count: “{unknown[0]}” is no severity of {team}, which has {', '.join(known)}"
            raise Refused(said, "steps")
        for target in set(step.targets) - named:
            _check_person(target, number, by)
    return name, [_plain(step) for step in steps]


def _check_person(target: str, number: int, by: Person) -> None:
    """Demand an active account, of whom whoever writes this is in a team with: nobody else's phone rings by a number."""
    kind, _, name = target.partition(":")
    if kind != "person":
        return
    if not _NUMBER.fullmatch(name) or find_near(by, int(name)) is None:
        raise Refused(f"step {number}: this person has no active account in a team of yours", "steps")


def _plain(step: dict[str, Any]) -> dict[str, Any]:
    """Keep what a ladder knows, and of its conditions those that say something."""
    when = {name: value for name, value in (step.get("when") or {}).items() if value not in (None, [], "")}
    plain = {"targets": list(step["targets"]), "wait_minutes": step.get("wait_minutes", 5)}
    return {**plain, "when": when} if when else plain


def _subject(ladder: Ladder) -> Subject:
    return Subject("ladder", ladder.pk, ladder.team_id)

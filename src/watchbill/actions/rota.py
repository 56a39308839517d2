"""Rotations: adopt settings, publish shifts, take overrides and absences.

Published shifts are rows, about a year ahead. What has begun is history: a publication replaces only what lies
ahead, and cuts or prolongs what runs now at its end. Every question "who is on watch" is answered by these rows,
and every row comes from `core.rota.turns.shifts`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from watchbill.actions import chat_watch, handoff_watch, rota_preview
from watchbill.actions.access import may_change, require, role_of
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.rota_preview import Preview as Preview
from watchbill.actions.rota_preview import check_absence, check_override
from watchbill.actions.rota_preview import preview_absence as preview_absence
from watchbill.actions.rota_preview import preview_change as preview_change
from watchbill.actions.rota_preview import preview_new as preview_new
from watchbill.actions.rota_preview import preview_override as preview_override
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.core.rota import pattern, plain, turns
from watchbill.core.wallclock import day_of
from watchbill.db import rota_facts
from watchbill.db.models import Absence, Membership, Override, Person, Rotation, RotationRevision, Shift, Team
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.kit.spans import Span

AHEAD = timedelta(days=400)
AGAIN = timedelta(days=1)


def subject_of(rotation: Rotation) -> Subject:
    """Give the log's name for a rotation."""
    return Subject("rotation", rotation.pk, rotation.team_id)


def create_rotation(team: Team, name: str, settings: dict[str, Any], person: Person, now: datetime) -> Rotation:
    """Make a rotation, adopt its first settings and publish its shifts; raises Refused naming the field, NotAllowed."""
    may_change(person, team, "add a rotation")
    name = _name(name)
    with transaction.atomic():
        rotation = Rotation.objects.create(team=team, slug=_free_slug(team, name), name=name, created_at=now)
        rota_facts.read_settings(rotation, settings, now)
        _adopt(rotation, settings, None, "its first settings", person, now)
        record(subject_of(rotation), "rotation.added", f"{person} added {name}", now, Actor.of(person))
        publish(rotation, now)
    return rotation


def create_from_preset(
    team: Team, preset: dict[str, Any], members: list[int], person: Person, now: datetime
) -> Rotation:
    """Make one of a preset's rotations for a team, with these members in this order.

    Its first turn began before now, so that somebody is on watch from the first minute on.
    """
    settings = {key: value for key, value in preset.items() if key != "name"}
    settings["zone"] = team.zone
    settings.setdefault("starts_on", _began(settings, team.zone, now).isoformat())
    settings.setdefault("seed", secrets.randbelow(2**31))
    settings["members"] = [{"person": member} for member in members]
    return create_rotation(team, str(preset.get("name", "Rotation")), settings, person, now)


def _began(settings: dict[str, Any], zone: str, now: datetime) -> date:
    """Give the day on which the turn that runs now began, whatever the hour of its handoff."""
    yesterday = day_of(now, zone) - timedelta(days=1)
    match settings.get("unit"):
        case "week":
            return yesterday - timedelta(days=(yesterday.weekday() - int(settings.get("handoff_weekday", 0))) % 7)
        case "month" | "quarter":
            return yesterday.replace(day=1)
        case _:
            return yesterday


def _free_slug(team: Team, name: str) -> str:
    base = slugify(f"{team.slug}-{name}")[:40] or "rotation"
    taken = set(Rotation.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _adopt(
    rotation: Rotation,
    settings: dict[str, Any],
    progress: dict[str, Any] | None,
    why: str,
    person: Person,
    now: datetime,
) -> None:
    newest = rotation.revisions.order_by("-version").first()
    RotationRevision.objects.create(
        rotation=rotation,
        version=newest.version + 1 if newest else 1,
        settings=settings,
        effective_from=now,
        progress=progress,
        adopted_at=now,
        adopted_by=person,
        why=why,
    )


def change_rotation(rotation: Rotation, settings: dict[str, Any], why: str, person: Person, now: datetime) -> None:
    """Adopt new settings from now on: served shifts stay, turns that are owed stay owed. Raises Refused, NotAllowed."""
    may_change(person, rotation.team, f"change {rotation}")
    with transaction.atomic():
        rotation = _lock(rotation.pk)
        plan = rota_facts.plan_of(rotation, now)
        progress = plain.progress_to_json(turns.progress(plan.rotation, plan.absences, now, plan.checkpoint))
        rota_facts.plan_with(rotation, settings, progress, now)
        _adopt(rotation, settings, progress, why, person, now)
        record(
            subject_of(rotation),
            "rotation.changed",
            f"{person} changed it: {why or 'no reason given'}",
            now,
            Actor.of(person),
        )
        publish(rotation, now)


def rename_rotation(rotation: Rotation, name: str, person: Person, now: datetime) -> Rotation:
    """Give a rotation another name; its address stays, so that no link and no calendar breaks. Raises Refused, NotAllowed."""
    may_change(person, rotation.team, f"rename {rotation}")
    name = _name(name)
    with transaction.atomic():
        rotation = _lock(rotation.pk)
        if rotation.name != name:
            why = f"{person} renamed it from {rotation.name} to {name}"
            rotation.name = name
            rotation.save(update_fields=["name"])
            record(subject_of(rotation), "rotation.renamed", why, now, Actor.of(person))
    return rotation


def _name(name: str) -> str:
    name = " ".join(name.split())[:80]
    if not name:
        raise Refused("a rotation needs a name", "name")
    return name


def archive_rotation(rotation: Rotation, person: Person, now: datetime) -> None:
    """Take a rotation out of use: what was served stays, what lies ahead is withdrawn."""
    may_change(person, rotation.team, f"archive {rotation}")
    with transaction.atomic():
        rotation = _lock(rotation.pk)
        rotation.archived_at = now
        rotation.save(update_fields=["archived_at"])
        Shift.objects.filter(rotation=rotation, starts_at__gte=now).delete()
        Shift.objects.filter(rotation=rotation, starts_at__lt=now, ends_at__gt=now).update(ends_at=now)
        record(subject_of(rotation), "rotation.archived", f"by {person}", now, Actor.of(person))


def _lock(rotation_id: int) -> Rotation:
    return Rotation.objects.select_related("team").select_for_update(of=("self",)).get(pk=rotation_id)


def publish(rotation: Rotation, now: datetime, actor: Actor = WATCHBILL) -> list[pattern.Shift]:
    """Publish the shifts of about a year ahead, and remember how far the turns have come. The caller holds the lock."""
    plan = rota_facts.plan_of(rotation, now)
    until = now + AHEAD
    planned = turns.shifts(plan.rotation, plan.overrides, plan.absences, Span(now, until), plan.checkpoint)
    revision = rota_facts.newest_revision(rotation)
    revision.progress = plain.progress_to_json(turns.progress(plan.rotation, plan.absences, now, plan.checkpoint))
    revision.save(update_fields=["progress"])
    _replace_what_lies_ahead(rotation, planned, now)
    rotation.published_until = until
    rotation.save(update_fields=["published_until"])
    set_timer(subject_of(rotation), "publish", now + AGAIN)
    chat_watch.watch_changed(rotation.team, now)
    handoff_watch.look_soon(rotation, now)
    return planned


def _replace_what_lies_ahead(rotation: Rotation, planned: list[pattern.Shift], now: datetime) -> None:
    """Write what differs from the rows that are there: a day that only passes moves one shift, not a year of them."""
    ahead = _rows_ahead(rotation, now)
    running = {
        shift.seat: shift for shift in Shift.objects.filter(rotation=rotation, starts_at__lte=now, ends_at__gt=now)
    }
    fresh: list[pattern.Shift] = []
    for shift in planned:
        row = running.get(shift.seat) if shift.start <= now else None
        if row is not None and row.person_id == shift.person:
            running.pop(shift.seat)
            _end_at(row, shift.end, now)
        elif ahead.pop(_as_row(shift), None) is None:
            fresh.append(replace(shift, start=max(shift.start, now)))
    for row in running.values():
        _end_at(row, now, now)
    gone = list(ahead.values())
    for first in range(0, len(gone), 500):
        Shift.objects.filter(pk__in=gone[first : first + 500]).delete()
    _write(rotation, fresh, now)


Row = tuple[str, int | None, datetime, datetime, str, int, str]


def _rows_ahead(rotation: Rotation, now: datetime) -> dict[Row, int]:
    """Read what is published for later than now, each with its id."""
    rows = Shift.objects.filter(rotation=rotation, starts_at__gt=now)
    fields = ("pk", "seat", "person_id", "starts_at", "ends_at", "kind", "turn", "reason")
    return {found[1:]: found[0] for found in rows.values_list(*fields)}


def _as_row(shift: pattern.Shift) -> Row:
    return (shift.seat, shift.person, shift.start, shift.end, shift.kind, shift.turn, shift.reason)


def _write(rotation: Rotation, fresh: list[pattern.Shift], now: datetime) -> None:
    Shift.objects.bulk_create(
        [
            Shift(
                rotation=rotation,
                seat=shift.seat,
                person_id=shift.person,
                starts_at=shift.start,
                ends_at=shift.end,
                kind=shift.kind,
                turn=shift.turn,
                reason=shift.reason,
                published_at=now,
            )
            for shift in fresh
        ],
        batch_size=500,
    )


def _end_at(row: Shift, end: datetime, now: datetime) -> None:
    if row.starts_at == end:
        row.delete()  # it would begin at this instant: nothing of it was served
    elif row.ends_at != end:
        row.ends_at, row.published_at = end, now
        row.save(update_fields=["ends_at", "published_at"])


def publish_due(claim: Claim, now: datetime) -> None:
    """Publish a rotation again because a day has passed."""
    with transaction.atomic():
        rotation = (
            Rotation.objects.select_related("team").select_for_update(of=("self",)).filter(pk=claim.subject_id).first()
        )
        if finish(claim) and rotation is not None and rotation.archived_at is None:
            publish(rotation, now)


def add_override(
    rotation: Rotation, taker: Person, start: datetime, end: datetime, person: Person, now: datetime,
    *, seat: str = "", why: str = "", outside_coverage: bool = False,
) -> Override:  # fmt: skip
    """Let `taker` stand the watch from `start` to `end` (UTC), in one seat or in every one; of several the later wins.

    A member may take a watch; an owner may give one to any member. What has passed cannot be changed. Raises
    Refused naming the field, NotAllowed.
    """
    require(person, rotation.team, "member", "change who stands the watch")
    if (
        taker.pk != person.pk
        and role_of(person, rotation.team) != "owner"
        and not _stands(rotation, person, start, end)
    ):
        raise NotAllowed(f"You may take a watch, or give yours away. To move others ask an owner of {rotation.team}.")
    check_override(rotation, taker, Span(min(start, end), max(start, end)), seat, now, backwards=end <= start)
    with transaction.atomic():
        rotation = _lock(rotation.pk)
        override = Override.objects.create(
            rotation=rotation,
            seat=seat,
            person=taker,
            starts_at=max(start, now),
            ends_at=end,
            why=why.strip(),
            outside_coverage=outside_coverage,
            created_at=now,
            created_by=person,
        )
        what = f"{taker} takes {seat or 'every seat'} {start:%a %d %b %H:%M} to {end:%a %d %b %H:%M} UTC"
        record(
            subject_of(rotation),
            "override.added",
            f"{what}{f': {why}' if why else ''}",
            now,
            Actor.of(person),
            {"override": override.pk},
        )
        publish(rotation, now)
    return override


def _stands(rotation: Rotation, person: Person, start: datetime, end: datetime) -> bool:
    return any(shift.person_id == person.pk for shift in rota_facts.published(rotation, start, end))


def remove_override(override: Override, person: Person, now: datetime) -> None:
    """Take an override back for what lies ahead; what was served by it stays. Raises NotAllowed, Refused."""
    rotation = override.rotation
    if person.pk not in {override.created_by_id, override.person_id}:
        may_change(person, rotation.team, "remove somebody else's override")
    if override.ends_at <= now or override.removed_at:
        raise Refused("this override is over: what was served does not change")
    with transaction.atomic():
        rotation = _lock(rotation.pk)
        override.removed_at, override.removed_by = now, person
        override.save(update_fields=["removed_at", "removed_by"])
        record(subject_of(rotation), "override.removed", f"{person} took back: {override}", now, Actor.of(person))
        publish(rotation, now)


def add_absence(
    absent: Person, first: date, last: date, person: Person, now: datetime, *, kind: str = "away", why: str = ""
) -> Absence:
    """Say that somebody cannot serve from `first` to `last`, both included; their rotations are published anew.

    One says so for oneself; an owner of a team for its members. Raises Refused naming the field, NotAllowed.
    """
    _may_say_absent(absent, person)
    check_absence(first, last)
    with transaction.atomic():
        absence = Absence.objects.create(
            person=absent, first_day=first, last_day=last, kind=kind, why=why.strip(), created_at=now, created_by=person
        )
        record(
            Subject("person", absent.pk, None),
            "absence.added",
            f"{absent} is away {first} to {last}",
            now,
            Actor.of(person),
        )
        publish_all_of(absent, now)
    return absence


def remove_absence(absence: Absence, person: Person, now: datetime) -> None:
    """Take an absence back; what it changed in the past stays. Raises NotAllowed."""
    _may_say_absent(absence.person, person)
    with transaction.atomic():
        absence.removed_at = now
        absence.save(update_fields=["removed_at"])
        record(
            Subject("person", absence.person_id, None),
            "absence.removed",
            f"{absence} taken back",
            now,
            Actor.of(person),
        )
        publish_all_of(absence.person, now)


def _may_say_absent(absent: Person, person: Person) -> None:
    if absent.pk == person.pk or person.is_superuser:
        return
    teams = Membership.objects.filter(person=absent).values("team_id")
    if not Membership.objects.filter(person=person, role="owner", team_id__in=teams).exists():
        raise NotAllowed(f"To say when {absent} is away you need to be an owner of one of their teams. Ask {absent}.")


def publish_all_of(person: Person, now: datetime) -> None:
    """Publish every rotation of the teams a person belongs to; in the order of their ids, so that two never deadlock."""
    ids = (
        Rotation.objects.filter(team__memberships__person=person, archived_at=None)
        .order_by("id")
        .values_list("pk", flat=True)
    )
    for rotation_id in ids:
        rotation = _lock(rotation_id)  # before its members are read: an edit may just be adding this person
        if rota_preview.serves_in(person, rotation):
            publish(rotation, now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("rotation", "publish"): publish_due}

"""Teams: made from a preset, with members, a policy that is versioned and dated, and a fallback person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from watchbill import presets, rules
from watchbill.actions import findings, handoff_watch, ladders, reachability, rota, stale, ticket_places
from watchbill.actions.access import may_change, require_administrator
from watchbill.actions.checking import check, check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.people import active_owners, check_calendar, check_role
from watchbill.actions.timers import Claim, clear_timer, set_timers
from watchbill.core.coverage import read_coverage
from watchbill.core.wallclock import check_zone
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Membership, Person, Policy, Team
from watchbill.kit.errors import Refused

NAMED = ("fallback", "manager", "product_manager")
LONGEST_WORD = 40
SERVING_FIELDS = frozenset({"skills", "active_from", "active_until"})

TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    **reachability.TIMER_HANDLERS,
    **stale.TIMER_HANDLERS,
    **findings.TIMER_HANDLERS,
}


def subject_of(team: Team) -> Subject:
    """Give the log's name for a team."""
    return Subject("team", team.pk, team.pk)


def create_team(
    name: str,
    zone: str,
    preset: str,
    person: Person,
    now: datetime,
    *,
    members: Sequence[Person] = (),
    fallback: Person | None = None,
) -> Team:
    """Make a team from a preset: its owner, version 1 of its policy, its ladder and its rotations (GEN-01).

    `person` becomes the owner, `members` serve in the rotations (nobody given: the owner alone). Raises Refused
    naming the field, NotAllowed.
    """
    require_administrator(person, "make a team")
    name = check_text({"name": name}, "name", 80, "a team needs a name")
    if preset not in presets.all_presets():
        raise Refused(f"there is no preset “{preset}”", "preset")
    chosen = presets.load(preset)
    serving = list(dict.fromkeys([*members] or [person]))
    with transaction.atomic():
        team = Team.objects.create(
            slug=free_slug(name),
            name=name,
            zone=check_zone(zone),
            fallback=fallback or person,
            created_at=now,
        )
        record(subject_of(team), "team.added", f"{person} made {team} from {chosen.title}", now, Actor.of(person))
        _enrol(team, person, serving, _skills_of(chosen.rotations), now)
        settings = {"coverage": chosen.coverage, "labels": dict(chosen.labels), "rules": dict(chosen.rules)}
        _adopt(team, check_policy(settings, team.zone), preset, person, f"the preset {chosen.title}", now)
        ladder = chosen.ladder
        ladders.add_ladder(team, "Standard", ladder["steps"], ladder.get("repeat", 1), person, now)
        _create_rotations(team, chosen.rotations, [member.pk for member in serving], person, now)
        reachability.set_daily(team, now)
        stale.set_daily(team, now)
    return team


def _enrol(team: Team, owner: Person, serving: Sequence[Person], skills: list[str], now: datetime) -> None:
    """Write the first members. They begin with every skill that the seats ask for, so that no seat begins empty."""
    for person in dict.fromkeys([owner, *serving]):
        role = "owner" if person == owner else "member"
        Membership.objects.create(team=team, person=person, role=role, skills=skills, created_at=now)


def _skills_of(rotations: Sequence[dict[str, Any]]) -> list[str]:
    seats = [seat for rotation in rotations for seat in rotation.get("seats", ())]
    return list(dict.fromkeys(seat["skill"] for seat in seats if seat.get("skill")))


def _create_rotations(
    team: Team, rotations: Sequence[dict[str, Any]], member_ids: list[int], person: Person, now: datetime
) -> None:
    for rotation in rotations:
        rota.create_from_preset(team, dict(rotation), member_ids, person, now)


def change_team(team: Team, values: dict[str, Any], person: Person, now: datetime) -> Team:
    """Change a team's name, zone, holiday calendar and its named people; raises Refused naming the field, NotAllowed."""
    may_change(person, team, f"change {team}")
    changed: dict[str, Any] = {
        "name": check_text(values, "name", 80, "a team needs a name"),
        "zone": check_zone(str(values.get("zone") or "")),
        **check_calendar(values),
        **{name: _named(values, name) for name in NAMED},
    }
    fields = [name for name, value in changed.items() if getattr(team, name) != value]
    if not fields:
        return team
    for name in fields:
        setattr(team, name, changed[name])
    with transaction.atomic():
        team.save(update_fields=fields)
        what = ", ".join(name.replace("_", " ") for name in fields)
        record(subject_of(team), "team.changed", f"{person} changed {what}", now, Actor.of(person))
    return team


def _named(values: dict[str, Any], name: str) -> Person | None:
    number = values.get(name)
    if not number:
        return None
    found = Person.objects.filter(pk=number, is_active=True).first() if str(number).isdigit() else None
    if found is None:
        raise Refused("this person has no active account", name)
    return found


def archive_team(team: Team, person: Person, now: datetime, *, archived: bool = True) -> None:
    """Take a team out of the lists, or bring it back; its history stays. Raises NotAllowed."""
    require_administrator(person, "archive a team")
    with transaction.atomic():
        team.archived_at = now if archived else None
        team.save(update_fields=["archived_at"])
        kind = "team.archived" if archived else "team.restored"
        record(subject_of(team), kind, f"by {person}", now, Actor.of(person))
        if archived:
            clear_timer(subject_of(team), "reachability")
            clear_timer(subject_of(team), "stale")
        else:
            reachability.set_daily(team, now)
            stale.set_daily(team, now)


def free_slug(name: str) -> str:
    """Find a name for addresses that no team has."""
    base = slugify(name)[:40] or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | {"new"}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def add_member(team: Team, member: Person, values: dict[str, Any], person: Person, now: datetime) -> Membership:
    """Take somebody with an account into a team (ROT-03, ROT-06); raises Refused naming the field, NotAllowed."""
    may_change(person, team, f"add somebody to {team}")
    if not member.is_active:
        raise Refused(f"{member}'s account is switched off", "person")
    if Membership.objects.filter(team=team, person=member).exists():
        raise Refused(f"{member} is in {team} already", "person")
    checked = check_membership(values)
    with transaction.atomic():
        membership = Membership.objects.create(team=team, person=member, created_at=now, **checked)
        _note(team, "team.member_added", f"{person} added {member} as {checked['role']}", member, person, now)
    return membership


def change_member(membership: Membership, values: dict[str, Any], person: Person, now: datetime) -> Membership:
    """Change a member's role, skills and dates; the last owner stays one. Raises Refused naming the field, NotAllowed."""
    team, member = membership.team, membership.person
    may_change(person, team, f"change who is in {team}")
    checked = check_membership(values)
    changed = [name for name, value in checked.items() if getattr(membership, name) != value]
    if not changed:
        return membership
    with transaction.atomic():
        _lock(team)
        if checked["role"] != "owner":
            _keep_an_owner(membership, "role")
        for name in changed:
            setattr(membership, name, checked[name])
        membership.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        _note(team, "team.member_changed", f"{person} changed {what} of {member}", member, person, now)
        if set(changed) & SERVING_FIELDS:
            rota.publish_all_of(member, now)
    return membership


def remove_member(membership: Membership, person: Person, now: datetime) -> None:
    """Take somebody out of a team; their history stays. An owner may, and everybody for themselves (never the last owner)."""
    team, member = membership.team, membership.person
    if member.pk != person.pk:
        may_change(person, team, f"take somebody out of {team}")
    with transaction.atomic():
        _lock(team)
        _keep_an_owner(membership, "")
        _demand_no_turns(membership)
        membership.delete()
        who = f"{person} left" if member.pk == person.pk else f"{person} took {member} out of the team"
        _note(team, "team.member_removed", who, member, person, now)


def _lock(team: Team) -> None:
    """Two owners who leave at the same moment wait for each other here, so that one of them stays."""
    Team.objects.select_for_update(of=("self",)).only("id").get(pk=team.pk)


def _keep_an_owner(membership: Membership, field: str) -> None:
    if not active_owners(membership.team).exclude(pk=membership.pk).exists():
        raise Refused(
            f"{membership.person} is the last owner of {membership.team}: make somebody else one first", field
        )


def _demand_no_turns(membership: Membership) -> None:
    """Who leaves is first taken out of the rotations, where the edit shows whom that moves."""
    for rotation in membership.team.rotations.filter(archived_at=None):
        newest = rotation.revisions.order_by("-version").first()
        turns = newest.settings.get("members", []) if newest else []
        if any(member.get("person") == membership.person_id for member in turns):
            raise Refused(f"{membership.person} still has turns in {rotation}: take them out of the rotation first")


def _note(team: Team, kind: str, why: str, member: Person, person: Person, now: datetime) -> None:
    record(subject_of(team), kind, why, now, Actor.of(person), {"person": member.pk})


def check_membership(values: dict[str, Any]) -> dict[str, Any]:
    """Check a role, skills and active dates (the last day is inclusive); raises Refused naming the field."""
    given = values.get("skills") or []
    words = given.split(",") if isinstance(given, str) else given
    skills = list(dict.fromkeys(word for skill in words if (word := " ".join(str(skill).split()))))
    if any(len(skill) > LONGEST_WORD for skill in skills):
        raise Refused(f"a skill has at most {LONGEST_WORD} characters", "skills")
    starts, ends = values.get("active_from") or None, values.get("active_until") or None
    if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
        raise Refused("the last day is before the first", "active_until")
    role = check_role(str(values.get("role") or "member"))
    return {"role": role, "skills": skills, "active_from": starts, "active_until": ends}


def adopt_policy(team: Team, settings: dict[str, Any], person: Person, why: str, now: datetime) -> Policy:
    """Adopt a new version of a team's policy, dated, with who and why (COM-10, GEN-01, PRI-10).

    Every rule's settings are checked by the rule itself. What is decided from now on follows it; what was
    decided stays. Raises Refused naming the field, NotAllowed.
    """
    may_change(person, team, f"change how {team} works")
    why = " ".join(why.split())
    if not why:
        raise Refused("say why, for whoever asks in a year", "why")
    checked = check_policy(settings, team.zone)
    with transaction.atomic():
        _lock(team)
        if checked == facts.policy_of(team):
            raise Refused("nothing is different from the policy of today")
        newest = Policy.objects.filter(team=team).order_by("-version").first()
        policy = _adopt(team, checked, newest.preset if newest else "", person, why, now)
    # Afterwards: alerts and rotations come before their timers, and who holds one may wait for the team.
    _ask_about_what_waits(team, now)
    handoff_watch.look_soon_at_all(team, now)
    return policy


def _adopt(team: Team, settings: dict[str, Any], preset: str, person: Person, why: str, now: datetime) -> Policy:
    newest = Policy.objects.filter(team=team).order_by("-version").values_list("version", flat=True).first()
    policy = Policy.objects.create(
        team=team,
        version=(newest or 0) + 1,
        preset=preset,
        settings=settings,
        adopted_at=now,
        adopted_by=person,
        why=why,
    )
    line = f"{person} adopted version {policy.version}: {why}"
    record(subject_of(team), "policy.adopted", line, now, Actor.of(person), {"version": policy.version})
    ticket_places.place_all_soon(team, now)
    findings.look_soon(team, now)
    return policy


def _ask_about_what_waits(team: Team, now: datetime) -> None:
    """Look again at the alerts that wait for coverage: by the new policy it may begin earlier."""
    waiting = AlertGroup.objects.filter(team=team, state="firing", response="page_in_coverage").order_by("id")
    set_timers([(Subject("alert", pk, team.pk), "look", now) for pk in waiting.values_list("pk", flat=True)])


def check_policy(settings: dict[str, Any], zone: str) -> dict[str, Any]:
    """Check a whole policy: coverage windows, the team's own words, every rule's settings. Raises Refused."""
    unknown = set(settings) - set(rules.POLICY_PARTS)
    if unknown:
        raise Refused(f"a policy has {', '.join(rules.POLICY_PARTS)}; it has no {', '.join(sorted(unknown))}")
    checked: dict[str, Any] = {}
    if settings.get("coverage"):
        read_coverage(settings["coverage"], zone)
        checked["coverage"] = settings["coverage"]
    labels = settings.get("labels") or {}
    if not all(isinstance(word, str) and len(word) <= LONGEST_WORD for pair in labels.items() for word in pair):
        raise Refused(f"a word of the team has at most {LONGEST_WORD} characters", "labels")
    checked["labels"] = {key: word for key, word in labels.items() if word}
    checked["rules"] = {name: _check_rule(name, values) for name, values in (settings.get("rules") or {}).items()}
    return checked


def _check_rule(name: str, values: Any) -> dict[str, Any]:
    rule = rules.all_rules().get(name)
    if rule is None:
        raise Refused(f"there is no rule “{name}”; there are {', '.join(rules.all_rules())}", f"rules.{name}")
    return check(rule.Settings, values, f"rules.{name}").model_dump(mode="json")

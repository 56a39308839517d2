"""Communities: who they are, by which mail domains they write, who speaks for them, and their soft support budget.

When a budget becomes spent, or is whole again in a new month, the worker places the open requests of the community
again in the team's order (TRI-14).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from watchbill.actions import request_places
from watchbill.actions.access import may_change, require
from watchbill.actions.checking import check_text
from watchbill.actions.desk import budget_at, desk_of
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.requesters import check_email, community_of
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.db.budget_facts import month_of
from watchbill.db.models import Community, Event, Person, Requester, SupportRequest, Team
from watchbill.kit.errors import Refused
from watchbill.rules.support_budget import State

LONGEST_NOTES = 10_000
MOST_MINUTES = 100_000
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


@dataclass(frozen=True)
class Budget:
    """Where a community stands this month; `allowed_minutes` None: no number was set."""

    used_minutes: int
    allowed_minutes: int | None
    state: State
    why: str


def subject_of(community: Community) -> Subject:
    """Give the log's name for a community."""
    return Subject("community", community.pk, community.team_id)


def add_community(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> Community:
    """Write a new community: name, mail_domains, budget_minutes (None: the team's), is_funded, notes.

    Whoever wrote from its mail domains before belongs to it from now on. Raises Refused naming the field, NotAllowed.
    """
    may_change(person, team, "add a community")
    checked = _check(team, {"mail_domains": (), "budget_minutes": None, "is_funded": False, "notes": "", **values})
    with transaction.atomic():
        community = Community.objects.create(
            team=team, slug=_free_slug(team, checked["name"]), created_at=now, **checked
        )
        record(subject_of(community), "community.added", f"{person} added {community}", now, Actor.of(person))
        _gather(community)
    return community


def change_community(community: Community, values: Mapping[str, Any], person: Person, now: datetime) -> Community:
    """Change what is given of a community; its open requests are placed again. Raises Refused, NotAllowed."""
    may_change(person, community.team, f"change {community}")
    checked = _check(community.team, {"name": community.name, **values})
    changed = [name for name, value in checked.items() if getattr(community, name) != value]
    if not changed:
        return community
    for name in changed:
        setattr(community, name, checked[name])
    with transaction.atomic():
        community.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        said = f"{person} changed {what}"
        record(subject_of(community), "community.changed", said, now, Actor.of(person), {"fields": changed})
        _gather(community)
        if {"budget_minutes", "is_funded"} & set(changed):
            set_timer(subject_of(community), "place", now)
    return community


def archive_community(community: Community, person: Person, now: datetime, *, archived: bool = True) -> None:
    """Take a community out of the lists, or bring it back; its requests stay. Raises NotAllowed."""
    may_change(person, community.team, f"archive {community}")
    community.archived_at = now if archived else None
    with transaction.atomic():
        community.save(update_fields=["archived_at"])
        kind = "community.archived" if archived else "community.restored"
        record(subject_of(community), kind, f"by {person}", now, Actor.of(person))


def _check(team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {"name": check_text(dict(values), "name", 80, "a community needs a name")}
    if "mail_domains" in values:
        checked["mail_domains"] = _domains(values["mail_domains"] or ())
    if "budget_minutes" in values:
        checked["budget_minutes"] = _minutes(values["budget_minutes"])
    if "is_funded" in values:
        checked["is_funded"] = bool(values["is_funded"])
    if "notes" in values:
        checked["notes"] = str(values["notes"] or "").strip()
        if len(checked["notes"]) > LONGEST_NOTES:
            raise Refused(f"at most {LONGEST_NOTES} characters", "notes")
    return checked


def _domains(given: Any) -> list[str]:
    words = given.replace(",", " ").split() if isinstance(given, str) else [str(word).strip() for word in given]
    found = list(dict.fromkeys(word.lower().removeprefix("@") for word in words if word))
    for domain in found:
        if not _DOMAIN.fullmatch(domain) or len(domain) > 253:
            raise Refused(f"“{domain[:80]}” is no mail domain, such as example.org", "mail_domains")
    return found


def _minutes(given: Any) -> int | None:
    if given is None or given == "":
        return None
    if not str(given).isdigit() or int(given) > MOST_MINUTES:
        raise Refused(f"minutes a month, 0 to {MOST_MINUTES}; empty: the team's number", "budget_minutes")
    return int(given)


def _free_slug(team: Team, name: str) -> str:
    base = slugify(name)[:40] or "community"
    taken = set(Community.objects.filter(team=team, slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _gather(community: Community) -> None:
    """Take in the requesters of no community who write from its mail domains."""
    for domain in community.mail_domains:
        Requester.objects.filter(team=community.team_id, community=None, email__endswith=f"@{domain}").update(
            community=community
        )


def change_requester(requester: Requester, values: Mapping[str, Any], person: Person, now: datetime) -> Requester:
    """Change what is given of a requester: name, email, community, is_representative (INT-04). Raises Refused, NotAllowed.

    Only somebody of a community can speak for it.
    """
    require(person, requester.team, "member", "change who asks us")
    checked = _check_requester(requester, values)
    changed = [name for name, value in checked.items() if getattr(requester, name) != value]
    if not changed:
        return requester
    for name in changed:
        setattr(requester, name, checked[name])
    if requester.is_representative and requester.community_id is None:
        raise Refused("say for which community they speak", "community")
    with transaction.atomic():
        requester.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        subject = Subject("requester", requester.pk, requester.team_id)
        record(subject, "community.requester_changed", f"{person} changed {what} of {requester}", now, Actor.of(person))
    return requester


def _check_requester(requester: Requester, values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    if "name" in values:
        checked["name"] = check_text(dict(values), "name", 120, "" if requester.email else "give a name")
    if "email" in values:
        checked["email"] = check_email(str(values["email"] or ""))
        taken = Requester.objects.filter(team=requester.team, email=checked["email"]).exclude(pk=requester.pk)
        if checked["email"] and taken.exists():
            raise Refused("somebody else asks from this address already", "email")
    if "community" in values:
        community = values["community"]
        if community is not None and community.team_id != requester.team_id:
            raise Refused(f"{community} is no community of {requester.team}", "community")
        checked["community"] = community
    elif checked.get("email") and requester.community_id is None:
        checked["community"] = community_of(requester.team, checked["email"])
    if "is_representative" in values:
        checked["is_representative"] = bool(values["is_representative"])
    return checked


def budget_of(community: Community, now: datetime) -> Budget:
    """Read where a community's support budget stands this month (TRI-14)."""
    stands = budget_at(community, desk_of(community.team, now))
    return Budget(stands.used, stands.allowed, stands.state, stands.why)


def look_at_budget(community: Community, now: datetime) -> None:
    """Let the worker look whether time that was logged changed the state of a budget. Call it inside a transaction."""
    set_timer(subject_of(community), "budget", now)
    set_timer(subject_of(community), "new_month", month_of(now, community.team.zone).end)


def keep_budget(claim: Claim, now: datetime) -> None:
    """Place the open requests again when the budget's state is another than was last said (TRI-14), and say so.

    Placing comes before saying: whoever is killed between the two leaves the claim, and the next one places again.
    """
    community = Community.objects.select_related("team").filter(pk=claim.subject_id).first()
    if community is None:
        finish(claim)
        return
    said = Event.objects.filter(subject_kind="community", subject_id=community.pk, kind="community.budget").last()
    stands = budget_of(community, now)
    changed = stands.state != (said.data["state"] if said else "unused")
    if changed or claim.kind == "place":
        request_places.place(SupportRequest.objects.filter(community=community), now)
    with transaction.atomic():
        if finish(claim) and changed:
            why = f"{stands.state}: {stands.why}"
            record(subject_of(community), "community.budget", why, now, data={"state": stands.state})


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("community", "budget"): keep_budget,
    ("community", "new_month"): keep_budget,
    ("community", "place"): keep_budget,
}

"""Who will be on watch soon and cannot be reached: shown, and told to them and the owners before it matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import addresses, delivery
from watchbill.actions.delivery import Words
from watchbill.actions.log import Subject, record
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.core.people import next_morning
from watchbill.db import facts
from watchbill.db.models import ContactAddress, Membership, Person, Shift, Team
from watchbill.rules import reachability as rule


@dataclass(frozen=True)
class Unreachable:
    """Somebody whom nothing reaches, the first shift for which it matters, and what is missing."""

    person: Person
    shift: Shift
    why: str


def reachability(teams: Team | list[Team] | None, now: datetime, days: int | None = None) -> list[Unreachable]:
    """Read who is on watch within `days` (None: as the team's policy says) without a verified address that works.

    `teams` None asks for all teams. Soonest first, each person once per team.
    """
    asked = list(Team.objects.filter(archived_at=None)) if teams is None else teams
    asked = [asked] if isinstance(asked, Team) else asked
    if days is not None:
        return _unreachable(asked, now, days)
    found = [item for team in asked for item in _unreachable([team], now, days_ahead(team))]
    return sorted(found, key=lambda item: item.shift.starts_at)


def days_ahead(team: Team) -> int:
    """Read how far ahead a team's policy looks, in days."""
    return rule.Settings.model_validate(facts.policy_of(team).get("rules", {}).get("reachability", {})).days


def _unreachable(teams: list[Team], now: datetime, days: int) -> list[Unreachable]:
    shifts = (
        Shift.objects.filter(
            rotation__team__in=teams,
            rotation__archived_at=None,
            ends_at__gt=now,
            starts_at__lt=now + timedelta(days=days),
            person__isnull=False,
        )
        .select_related("person", "rotation", "rotation__team")
        .order_by("starts_at", "id")
    )
    first: dict[tuple[int, int], Shift] = {}
    for shift in shifts:
        first.setdefault((shift.rotation.team_id, shift.person_id or 0), shift)
    channels = _verified_channels({person for _, person in first})
    found = [(shift, _why(shift, channels.get(person, []))) for (_, person), shift in first.items()]
    return [Unreachable(shift.person, shift, why) for shift, why in found if why and shift.person]


def _verified_channels(people: set[int]) -> dict[int, list[str]]:
    rows = ContactAddress.objects.filter(
        person__in=people, verified_at__isnull=False, failed_at=None, removed_at=None
    ).values_list("person_id", "channel")
    found: dict[int, list[str]] = {}
    for person, channel in rows:
        found.setdefault(person, []).append(channel)
    return found


def _why(shift: Shift, channels: list[str]) -> str:
    if shift.person is not None and not shift.person.is_active:
        return "the account is switched off"
    return rule.decide(channels)


def set_daily(team: Team, now: datetime) -> None:
    """Let the team be checked every morning at 09:00 in its own zone."""
    set_timer(Subject("team", team.pk, team.pk), "reachability", next_morning(team.zone, now))


def tell_unreachable(claim: Claim, now: datetime) -> None:
    """Tell whoever cannot be reached, by account e-mail, and the owners; once a day, each time on the record."""
    with transaction.atomic():
        team = Team.objects.select_for_update(of=("self",)).filter(pk=claim.subject_id).first()
        if not finish(claim) or team is None or team.archived_at is not None:
            return
        missing = reachability(team, now)
        for item in missing:
            _tell_them(team, item, now)
        if missing:
            _tell_owners(team, missing, now)
        set_daily(team, now)


def _tell_them(team: Team, item: Unreachable, now: datetime) -> None:
    subject = Subject("team", team.pk, team.pk)
    who, when = item.person, f"{item.shift.starts_at:%a %d %b %H:%M} UTC"
    why = f"{who} is on watch as {item.shift.seat} from {when}: {item.why}"
    line = record(subject, "reachability.missing", why, now, data={"person": who.pk})
    if not who.is_active:
        return
    words = Words(
        subject=f"Nothing would reach you on watch from {when}",
        text=f"You are on watch as {item.shift.seat} for {team} from {when}, but you have {item.why}.\n"
        "Open your page, add an address and enter the code that is sent to it.",
        purpose="code",
        path="/me/",
        action="Add an address",
    )
    addresses.send(addresses.account_address(who, now), words, line, subject, why, now)


def _tell_owners(team: Team, missing: list[Unreachable], now: datetime) -> None:
    subject = Subject("team", team.pk, team.pk)
    names = ", ".join(dict.fromkeys(str(item.person) for item in missing))
    line = record(subject, "reachability.told", f"the owners hear that nothing reaches {names}", now)
    text = "\n".join(
        f"- {item.person}: on watch as {item.shift.seat} from {item.shift.starts_at:%a %d %b %H:%M} UTC, {item.why}"
        for item in missing
    )
    words = Words(
        subject=f"{team}: nothing reaches {names}"[:200],
        text=f"These people are on watch soon and no page would reach them. They were told as well.\n\n{text}",
        purpose="notice",
        path=f"/teams/{team.slug}/",
        action="Open the team",
    )
    gone = {item.person.pk for item in missing}
    owners = Membership.objects.filter(team=team, role="owner", person__is_active=True).exclude(person__in=gone)
    for owner in owners.order_by("id"):
        delivery.reach(owner.person_id, subject, words, line, "you own the team", now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("team", "reachability"): tell_unreachable,
}

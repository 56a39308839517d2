"""Pages: open one, climb its ladder, take an answer. Every path locks the page first, then its timers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import chat_watch, delivery, incident_proposals
from watchbill.actions.access import may_answer
from watchbill.actions.delivery import Wanted
from watchbill.actions.effects import Notifier, Tray, carry_out
from watchbill.actions.log import WATCHBILL, Actor, Subject, event_of, record
from watchbill.actions.page_words import words_of
from watchbill.actions.timers import Claim, finish
from watchbill.core import paging
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Event, Ladder, Membership, Page, Person, Service, Team
from watchbill.kit.effects import Become, Effect, Notify, Start
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules import acknowledgement_expires, page_exhausted


@dataclass(frozen=True)
class Opening:
    """What a new page says: its words and where it comes from."""

    title: str
    details: str = ""
    severity: str = ""
    urgency: str = "important"
    group: AlertGroup | None = None
    service: Service | None = None
    targets: Sequence[str] = ()
    ladder: Ladder | None = None


def subject_of(page: Page) -> Subject:
    """Give the log's name for a page."""
    return Subject("page", page.pk, page.team_id)


def open_page(team: Team, opening: Opening, why: str, now: datetime, actor: Actor = WATCHBILL) -> Page:
    """Open a page and ask the first rung at once. `targets` replaces the service's ladder: "page Ben".

    The ladder is copied into the page: an edit counts for pages opened afterwards.
    """
    return open_pages(team, [(opening, why)], now, actor)[0]


def open_pages(
    team: Team, openings: Sequence[tuple[Opening, str]], now: datetime, actor: Actor = WATCHBILL
) -> list[Page]:
    """Open pages of one team, each with its reason, and ask their first rungs at once.

    What the rungs stand for is read once for all, each climb is decided in memory, and all is stored together: a
    hundred pages cost the statements of one.
    """
    with transaction.atomic():
        pages = [_new_page(team, opening, actor, now) for opening, _ in openings]
        policy = facts.policy_of(team)
        moment = facts.moment_of(team, policy, now, likely=_first_targets(pages))
        climbs = [_decide_climb(page, moment, now) for page in pages]
        for page, effects in zip(pages, climbs, strict=True):
            _become(page, effects)
        Page.objects.bulk_create(pages, batch_size=100)
        tray, wanted = Tray(), list[Wanted]()
        for page, effects, (_, why) in zip(pages, climbs, openings, strict=True):
            tray.write(event_of(subject_of(page), "page.opened", f"opened by {actor.name}: {why}", now, actor))
            done = [effect for effect in effects if not isinstance(effect, Become | Start)]
            carry_out(done, page, subject_of(page), now, notify=_collector(page, wanted), tray=tray)
        incident_proposals.watch_pages(policy, pages, tray)
        tray.store()
        chat_watch.announce(team, pages, now)
        delivery.reach_all_or_tell(wanted, now)
        for page in pages:
            if page.state == "exhausted":
                _exhaust(page, now)
    return pages


def _first_targets(pages: Sequence[Page]) -> set[str]:
    return {target for page in pages for step in page.ladder["steps"][:1] for target in step.get("targets", ())}


def _new_page(team: Team, opening: Opening, actor: Actor, now: datetime) -> Page:
    return Page(
        team=team,
        service=opening.service,
        group=opening.group,
        title=opening.title[:1024],
        details=opening.details,
        severity=opening.severity,
        urgency=opening.urgency,
        state="climbing",
        ladder=_ladder_for(opening),
        opened_at=now,
        opened_by_id=actor.id,
    )


def _become(page: Page, effects: Sequence[Effect]) -> None:
    """Give a page that is not stored yet what its first climb makes of it."""
    for effect in effects:
        if isinstance(effect, Become):
            for name, value in effect.changes.items():
                setattr(page, name, value)


def _ladder_for(opening: Opening) -> dict[str, Any]:
    if opening.targets:
        steps: list[dict[str, Any]] = [{"targets": list(opening.targets), "wait_minutes": 5}]
        return {
            "steps": [*steps, {"targets": ["fallback"], "wait_minutes": 10}],
            "repeat": 2,
            "name": "asked for by name",
        }
    ladder = opening.ladder or (opening.service.ladder if opening.service else None)
    if ladder is None:
        return paging.FALLBACK_LADDER
    return {"steps": ladder.steps, "repeat": ladder.repeat, "name": ladder.name, "version": ladder.version}


def page_people(
    team: Team,
    title: str,
    person: Person,
    now: datetime,
    *,
    details: str = "",
    urgency: str = "important",
    service: Service | None = None,
    to: Person | None = None,
) -> Page:
    """Page a team, one of its services or one of its members by hand; raises Refused naming the field, NotAllowed.

    Whoever has an account may page a team: somebody who needs help at night does not look for rights first, and
    the team's own ladder decides who wakes (the service's, else the team's oldest). One person by name is
    asked only by those who share a team with them, or by an administrator: a name goes past the ladder.
    """
    if not person.is_active:
        raise NotAllowed("Your account is switched off. Ask an administrator.")
    _check_words(title, details, urgency)
    if service is not None and (service.team_id != team.pk or service.archived_at):
        raise Refused(f"{service} is no service of {team}", "service")
    if to is not None:
        _check_named(to, team, person)
    opening = Opening(
        title=title.strip(),
        details=details.strip(),
        urgency=urgency,
        service=service,
        targets=(f"person:{to.pk}",) if to else (),
        ladder=None if service and service.ladder else _oldest_ladder(team),
    )
    return open_page(team, opening, f"{person} asked for {to or service or team}", now, Actor.of(person))


def _check_words(title: str, details: str, urgency: str) -> None:
    if not 0 < len(title.strip()) <= 300:
        raise Refused("say in one sentence what is wrong, at most 300 characters", "title")
    if len(details) > 10_000:
        raise Refused("at most 10000 characters", "details")
    if urgency not in {"important", "default"}:
        raise Refused("the urgency is important or default", "urgency")


def _check_named(to: Person, team: Team, by: Person) -> None:
    teams = set(Membership.objects.filter(person=to).values_list("team_id", flat=True))
    mine = set(Membership.objects.filter(person=by).values_list("team_id", flat=True))
    if team.pk not in teams:
        raise Refused(f"{to} is not in {team}", "to")
    if not (teams & mine or by.is_superuser):
        raise NotAllowed(f"You share no team with {to}. Page {team} instead: its ladder finds who is on watch.")
    if not to.is_active or not facts.usable_addresses(to.pk):
        raise Refused(f"{to} has no verified address and would not hear of it: page the team instead", "to")


def _oldest_ladder(team: Team) -> Ladder | None:
    return Ladder.objects.filter(team=team, archived_at=None).order_by("id").first()


def open_page_of(group: AlertGroup) -> int | None:
    """Read the open page of an alert group."""
    return Page.objects.filter(group=group, closed_at=None).values_list("pk", flat=True).first()


def climb_page(claim: Claim, now: datetime) -> None:
    """Go on with a climb whose wait is over. A claim that was superseded meanwhile does nothing."""
    with transaction.atomic():
        page = _find_and_lock(claim.subject_id)
        # A timer of a page that was deleted ends here too, or it would be due for ever.
        if finish(claim) and page is not None:
            _climb(page, now)


def ask_page_again(claim: Claim, now: datetime) -> None:
    """Ask again when an acknowledgement or a snooze has run out."""
    with transaction.atomic():
        _lock_service_of(claim.subject_id)
        page = _find_and_lock(claim.subject_id)
        if not finish(claim) or page is None:
            return
        why = "the snooze is over" if claim.kind == "snooze_over" else "the acknowledgement ran out and it still fires"
        if page.answered_by is not None and not page.answered_by.is_active:
            why = f"{page.answered_by}, who had answered, has left"
        _apply(page, paging.ask_again(facts.page_fact(page), why, now), now)
        _tell_group(page, "firing", None, now)


def acknowledge(page_id: int, person: Person, now: datetime) -> Page:
    """Take responsibility for a page; raises Refused when it is resolved, NotAllowed for a stranger to the team."""
    with transaction.atomic():
        page = _lock_with_group(page_id)
        may_answer(person, page)
        effects = paging.acknowledge(facts.page_fact(page), person.pk, str(person), _promised_until(page, now), now)
        _answer(page, effects, person, f"{person} acknowledged", "acknowledged", now)
    return page


def snooze(page_id: int, person: Person, until: datetime, now: datetime) -> Page:
    """Ask nobody until `until`; raises Refused for a time that is past or too far, NotAllowed for a stranger."""
    with transaction.atomic():
        page = _lock_with_group(page_id)
        may_answer(person, page)
        effects = paging.snooze(facts.page_fact(page), person.pk, str(person), until, now)
        _answer(page, effects, person, f"{person} snoozed it", "acknowledged", now)
    return page


def resolve(page_id: int, person: Person, now: datetime) -> Page:
    """Close a page, and its alert group with it; raises NotAllowed for a stranger."""
    with transaction.atomic():
        page = _lock_with_group(page_id)
        may_answer(person, page)
        effects = paging.resolve(facts.page_fact(page), str(person), now)
        _answer(page, effects, person, f"{person} resolved it", "resolved", now)
    return page


def reassign(page_id: int, to: Person, person: Person, now: datetime) -> Page:
    """Ask one person to take the page; raises Refused when they cannot be reached, NotAllowed for a stranger."""
    with transaction.atomic():
        page = _lock_with_group(page_id)
        may_answer(person, page)
        if not to.is_active or not facts.usable_addresses(to.pk):
            raise Refused(f"{to} has no verified address and would not hear of it: choose somebody else", "to")
        delivery.drop_waiting(subject_of(page), f"{person} asked {to}", now)
        effects = paging.reassign(facts.page_fact(page), to.pk, str(to), str(person), now)
        _apply(page, effects, now, Actor.of(person))
        _tell_group(page, "firing", person, now)
    return page


def ask_for_help(page_id: int, person: Person, now: datetime) -> Page:
    """Climb to the next rung at once, whoever has the page (DUT-05, DUT-07); raises Refused when it is resolved."""
    with transaction.atomic():
        page = _lock_with_group(page_id)
        may_answer(person, page)
        _apply(page, paging.ask_for_help(facts.page_fact(page), str(person)), now, Actor.of(person))
        _tell_group(page, "firing", None, now)
        _climb(page, now)
    return page


def close_for_groups(groups: Sequence[AlertGroup], by: str, now: datetime) -> None:
    """Resolve the open pages of alert groups, because the groups are over."""
    pages = _lock_open_pages(groups)
    delivery.drop_waiting_of_pages([page.pk for page in pages], f"resolved by {by}", now)
    for page in pages:
        _apply(page, paging.resolve(facts.page_fact(page), by, now), now)


def acknowledge_for_groups(groups: Sequence[AlertGroup], name: str, now: datetime) -> None:
    """Stop the climbs of the pages of groups because the monitor says that somebody took them: a promise with an end too."""
    asking = [page for page in _lock_open_pages(groups) if page.state in paging.ASKING]
    delivery.drop_waiting_of_pages([page.pk for page in asking], f"acknowledged in {name}", now)
    for page in asking:
        until = _promised_until(page, now)
        _apply(page, paging.acknowledge(facts.page_fact(page), None, name, until, now), now)


def _promised_until(page: Page, now: datetime) -> datetime | None:
    settings = acknowledgement_expires.Settings.model_validate(_rules(page, "acknowledgement_expires"))
    return acknowledgement_expires.decide(settings, now)


def _lock_open_pages(groups: Sequence[AlertGroup]) -> list[Page]:
    """Lock the open pages of groups; their messages come next, all at once and by id, as senders lock them."""
    pages = Page.objects.filter(group__in=groups, closed_at=None).select_related("answered_by", "team")
    return list(pages.select_for_update(of=("self",)).order_by("id")) if groups else []


def _find_and_lock(page_id: int) -> Page | None:
    """Lock a page for a step that touches the page alone; None when it was deleted."""
    pages = Page.objects.select_related("team", "team__fallback", "service", "group")
    return pages.select_for_update(of=("self",)).filter(pk=page_id).first()


def _lock_with_group(page_id: int) -> Page:
    """Lock a page for a step that also changes its alert group."""
    _lock_service_of(page_id)
    if (page := _find_and_lock(page_id)) is None:
        raise Refused(f"there is no page {page_id}")
    return page


def _lock_service_of(page_id: int) -> None:
    """Lock a page's service before the page, as placing does, so that the two cannot wait for each other."""
    service = Page.objects.filter(pk=page_id).values_list("service_id", flat=True).first()
    if service is not None:
        lock_service(service)


def lock_service(service_id: int) -> None:
    """Lock a service before its groups and pages: the one order in which every path locks."""
    Service.objects.select_for_update(no_key=True).only("id").filter(pk=service_id).first()


def _rules(page: Page, name: str) -> Mapping[str, Any]:
    return dict(facts.policy_of(page.team).get("rules", {}).get(name, {}))


def _climb(page: Page, now: datetime) -> None:
    _apply(page, _decide_climb(page, facts.moment_of(page.team, facts.policy_of(page.team), now), now), now)


def _decide_climb(page: Page, moment: paging.Moment, now: datetime) -> list[Effect]:
    ladder = paging.read_ladder(page.ladder["steps"], page.ladder["repeat"])
    return paging.climb(facts.page_fact(page), ladder, moment, now)


def _apply(page: Page, effects: list[Effect], now: datetime, actor: Actor = WATCHBILL) -> None:
    wanted: list[Wanted] = []
    done = [effect for effect in effects if not isinstance(effect, Start)]
    carry_out(done, page, subject_of(page), now, actor=actor, notify=_collector(page, wanted))
    delivery.reach_all_or_tell(wanted, now)
    if len(done) < len(effects):
        _exhaust(page, now)


def _collector(page: Page, wanted: list[Wanted]) -> Notifier:
    """Give a notifier that only notes who is to be reached: many are planned together."""

    def notify(effect: Notify, line: Event) -> None:
        wanted.append(Wanted(effect.person, subject_of(page), words_of(page), line, effect.why))

    return notify


def _exhaust(page: Page, now: datetime) -> None:
    """Do what the team's rule says when the whole ladder was climbed in vain."""
    settings = page_exhausted.Settings.model_validate(_rules(page, "page_exhausted"))
    fallback = page.team.fallback if page.team.fallback and page.team.fallback.is_active else None
    _apply(page, page_exhausted.decide(settings, fallback.pk if fallback else None, now), now)
    if fallback is None:
        delivery.tell_somebody(subject_of(page), words_of(page), "nobody answered this page", set(), now)


def _answer(page: Page, effects: list[Effect], person: Person, why: str, group_state: str, now: datetime) -> None:
    if not effects:
        return
    delivery.drop_waiting(subject_of(page), why, now)
    _apply(page, effects, now, Actor.of(person))
    _tell_group(page, group_state, person, now)


def _tell_group(page: Page, state: str, person: Person | None, now: datetime) -> None:
    """Keep the alert group in step with its page."""
    group = page.group
    if group is None or group.state == "resolved" or group.state == state == "firing":
        return
    group.state = state
    group.acknowledged_by = person if state == "acknowledged" else None
    group.acknowledged_at = now if state == "acknowledged" else None
    group.snoozed_until = page.until if page.state == "snoozed" else None
    fields = ["state", "acknowledged_by", "acknowledged_at", "snoozed_until"]
    if state == "resolved":
        group.resolved_at, group.firing_count = now, 0
        fields += ["resolved_at", "firing_count"]
        group.alerts.filter(state="firing").update(state="resolved", ended_at=now)
    group.save(update_fields=fields)
    actor = Actor.of(person) if person else WATCHBILL
    record(
        Subject("alert", group.pk, group.team_id), f"alert.{state}", f"by {actor.name}, on page {page.pk}", now, actor
    )


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("page", "climb"): climb_page,
    ("page", "acknowledgement_expires"): ask_page_again,
    ("page", "snooze_over"): ask_page_again,
}

"""How a team's desk works at one moment: its policy and coverage, and what follows from them for a request or a ticket."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from watchbill.core import clocks, support
from watchbill.core.coverage import Coverage
from watchbill.db import budget_facts, facts
from watchbill.db.models import Community, Service, SupportRequest, Team, Ticket
from watchbill.db.support_facts import communities_helped, request_fact, service_facts, waits_of
from watchbill.db.ticket_facts import count_warnings
from watchbill.rules import (
    chronic_slowness,
    oncall_task,
    priority_order,
    quick_fixes,
    representatives,
    request_classes,
    request_ends,
    support_budget,
    timebox,
    work_kinds,
)


@dataclass(frozen=True)
class Desk:
    """How a team works at one moment: its policy, its coverage (None: round the clock)."""

    policy: dict[str, Any]
    coverage: Coverage | None
    now: datetime

    @property
    def classes(self) -> request_classes.Settings:
        """The team's classes of request."""
        return request_classes.Settings.model_validate(self.rule("request_classes"))

    @property
    def order(self) -> priority_order.Settings:
        """The team's order of work."""
        return priority_order.Settings.model_validate(self.rule("priority_order"))

    @property
    def ends(self) -> request_ends.Settings:
        """How a request ends."""
        return request_ends.Settings.model_validate(self.rule("request_ends"))

    @property
    def who_may_ask(self) -> representatives.Settings:
        """Who may ask for a community."""
        return representatives.Settings.model_validate(self.rule("representatives"))

    @property
    def timebox(self) -> timebox.Settings:
        """How long quick help is."""
        return timebox.Settings.model_validate(self.rule("timebox"))

    @property
    def watch_tasks(self) -> oncall_task.Settings:
        """What a task of the watch is."""
        return oncall_task.Settings.model_validate(self.rule("oncall_task"))

    @property
    def kinds(self) -> work_kinds.Settings:
        """The labels of operations and feature work."""
        return work_kinds.Settings.model_validate(self.rule("work_kinds"))

    @property
    def quick_fixes(self) -> quick_fixes.Settings:
        """What follows a quick fix."""
        return quick_fixes.Settings.model_validate(self.rule("quick_fixes"))

    @property
    def budget(self) -> support_budget.Settings:
        """How much help a community gets in a month."""
        return support_budget.Settings.model_validate(self.rule("support_budget"))

    def rule(self, name: str) -> dict[str, Any]:
        """Give what the team set for a rule; nothing: the rule's defaults."""
        values: dict[str, Any] = self.policy.get("rules", {}).get(name, {})
        return values


def desk_of(team: Team, now: datetime) -> Desk:
    """Read how a team works now."""
    policy = facts.policy_of(team)
    return Desk(policy, facts.coverage_of(team, policy, now), now)


def promises_of(request: SupportRequest, desk: Desk) -> support.Promises:
    """Give what the team promised for a request, as covered time."""
    held = request_classes.decide(request.request_class, desk.classes)
    return support.Promises(_length(held.first_response, desk), _length(held.resolution, desk))


def _length(promise: request_classes.Promise | None, desk: Desk) -> timedelta | None:
    return clocks.length_of(promise.amount, promise.unit, desk.coverage) if promise else None


def deadline_of(request: SupportRequest, desk: Desk) -> support.Deadline:
    """Compute the next promise of a request that runs out."""
    return support.next_deadline(request_fact(request), promises_of(request, desk), desk.coverage, waits_of(request))


def budget_at(community: Community, desk: Desk) -> support_budget.Decision:
    """Decide where a community's support budget stands in the month of its team's calendar (TRI-14)."""
    return budgets_at([community], desk)[community.pk]


def budgets_at(communities: Collection[Community], desk: Desk) -> dict[int, support_budget.Decision]:
    """Decide where the budgets of several communities of one team stand, however many, by one look."""
    if not communities:
        return {}
    exempt = {name for name, held in desk.classes.classes.items() if not held.counts_for_budget}
    month = budget_facts.month_of(desk.now, next(iter(communities)).team.zone)
    used = budget_facts.used_on_each([one.pk for one in communities], month, exempt, desk.now)
    return {
        one.pk: support_budget.decide(int(used[one.pk].total_seconds() // 60), one.budget_minutes, desk.budget)
        for one in communities
    }


def _budget_fact(request: SupportRequest, desk: Desk, order: priority_order.Settings) -> str:
    """Give the state of the budget when the team's table asks for it; an incident has none."""
    if request.community is None or not priority_order.asks("budget", order):
        return ""
    held = request_classes.decide(request.request_class, desk.classes)
    return budget_at(request.community, desk).state if held.counts_for_budget else ""


def request_priority(request: SupportRequest, desk: Desk) -> priority_order.Decision:
    """Decide where a request stands in the team's order; what a person chose stays as it is (PRI-09)."""
    order = desk.order
    if request.is_priority_pinned:
        return priority_order.by_hand(request.priority, request.priority_why, order)
    known: dict[str, str | list[str]] = {
        "what": "request",
        "class": request.request_class,
        "impact": request.impact,
        "missed": "yes" if request.is_late else "",
        "funded": "yes" if request.community and request.community.is_funded else "",
        "budget": _budget_fact(request, desk, order),
        "reach": _reach(request, [request.community_id], order),
        "chronic": _chronic(request.service, desk),
        **service_facts(request.service),
    }
    if request.environment:
        known["environment"] = request.environment.lower()
    return priority_order.decide(known, order)


def ticket_priority(ticket: Ticket, desk: Desk) -> priority_order.Decision:
    """Decide where a ticket stands in the team's order; what a person chose stays as it is (PRI-09)."""
    order = desk.order
    if ticket.is_priority_pinned:
        return priority_order.by_hand(ticket.priority, ticket.priority_why, order)
    communities = [ticket.community_id, ticket.request.community_id if ticket.request else None]
    known: dict[str, str | list[str]] = {
        "what": "ticket",
        "kind": ticket.kind,
        "work_kind": ticket.work_kind,
        "label": [str(label) for label in ticket.labels],
        "missed": "yes" if ticket.request and ticket.request.is_late else "",
        "funded": "yes" if ticket.community and ticket.community.is_funded else "",
        "reach": _reach(ticket, communities, order),
        "goal": priority_order.goal_of([str(label) for label in ticket.labels], order),
        "chronic": _chronic(ticket.service, desk),
        **service_facts(ticket.service),
    }
    return priority_order.decide(known, order)


def _reach(work: SupportRequest | Ticket, own: Iterable[int | None], order: priority_order.Settings) -> str:
    """Tell whether one community or many are helped, by the work itself and by what is linked to its tickets."""
    if not priority_order.asks("reach", order):
        return ""
    if isinstance(work, Ticket):
        ids = [work.pk] if work.pk else []
    else:
        ids = list(work.tickets.exclude(stage="done").values_list("pk", flat=True)) if work.pk else []
    helped = {one for one in own if one is not None} | (communities_helped(ids) if ids else set())
    return "many" if len(helped) > 1 else "one" if helped else ""


def _chronic(service: Service | None, desk: Desk) -> str:
    """Counted only for a team whose table asks: its alerts may be many."""
    if service is None or not priority_order.asks("chronic", desk.order):
        return ""
    return "yes" if why_chronic(service, desk) else ""


def why_chronic(service: Service, desk: Desk) -> str:
    """Say why a service is chronically slow now (PRI-09); nothing: it is not."""
    rule = chronic_slowness.Settings.model_validate(desk.rule("chronic_slowness"))
    counted = count_warnings(service, rule.severities, chronic_slowness.since(rule, desk.now), rule.warnings)
    return chronic_slowness.decide(counted, rule)

"""Noise: mail of the monitoring, budget alerts, spam; judged by the team's list before anybody is told.

Nothing is dropped without a row: what is noise is a closed request with its reason, which a person can reopen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from watchbill.actions import support
from watchbill.actions.access import require
from watchbill.actions.asked import Asked
from watchbill.actions.desk import desk_of
from watchbill.actions.log import WATCHBILL, Actor, record
from watchbill.actions.requesters import Asker
from watchbill.actions.turning_away import end
from watchbill.core import support as decisions
from watchbill.db import facts
from watchbill.db.models import Person, Service, SupportRequest, Team
from watchbill.db.support_facts import request_fact
from watchbill.rules import noise as rule
from watchbill.rules import request_classes

OUTCOMES = {"drop_as_spam": "spam", "log_and_close": "done"}


@dataclass(frozen=True)
class Verdict:
    """What becomes of something that came in: `ends` is drop_as_spam, log_and_close or "" (a request like others)."""

    ends: str
    request_class: str
    service: Service | None
    why: str


def judge(team: Team, sender: str, subject: str, text: str) -> Verdict:
    """Judge what came in by the team's list; a class or a service that the team no longer has counts as none."""
    rules = facts.policy_of(team).get("rules", {})
    found = rule.decide(sender, subject, text, rule.Settings.model_validate(rules.get("noise", {})))
    classes = request_classes.Settings.model_validate(rules.get("request_classes", {})).classes
    service = Service.objects.filter(team=team, slug=found.service, archived_at=None).first() if found.service else None
    request_class = found.request_class if found.request_class in classes else ""
    return Verdict(found.ends, request_class, service, found.why)


def open_judged(team: Team, asker: Asker, asked: Asked, now: datetime) -> SupportRequest:
    """Take in a request as the team's list has it: like any other, or as a closed row that nobody is told of.

    What the asker chose (class, service) stands. Raises Refused as `support.open_request`.
    """
    sender = asker.email or (asker.person.email if asker.person else "") or asker.name
    verdict = judge(team, sender, asked.title, asked.text)
    asked = replace(
        asked,
        request_class=asked.request_class or verdict.request_class,
        service=asked.service or verdict.service,
        unseen=asked.unseen or bool(verdict.ends),
    )
    with transaction.atomic():
        request = support.open_request(team, asker, asked, now)
        if verdict.why:
            record(support.subject_of(request), "request.judged", verdict.why, now, data={"ends": verdict.ends})
        if verdict.ends:
            _close(request, OUTCOMES[verdict.ends], f"the team's list, {verdict.why}", now)
    return request


def mark_as_spam(request_id: int, person: Person, now: datetime) -> SupportRequest:
    """Close a request as spam; its sender hears nothing. Reopening it brings it back. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "say what is spam")
        _close(request, "spam", str(person), now, Actor.of(person))
    return request


def _close(request: SupportRequest, outcome: str, who: str, now: datetime, actor: Actor = WATCHBILL) -> None:
    desk = desk_of(request.team, now)
    end(request, outcome, who, desk, now, actor)
    support.apply(request, decisions.close(request_fact(request), "nothing to wait for", now), desk, now, actor)

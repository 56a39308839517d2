"""What the tests of the desk share: a policy in office hours, Ria who asks, and looks at what became of it."""

from __future__ import annotations

from typing import Any

from tests.world import World
from watchbill import presets
from watchbill.actions import support
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import Event, Export, Policy, SupportRequest, Ticket
from watchbill.rules import unused_in

OFFICE = [{"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "start": "08:00", "end": "18:00"}]
RIA = Asker("Ria", "ria@example.net")


def adopt(world: World, coverage: object = OFFICE, **rules: object) -> None:
    """The team works in office hours, with these settings of rules; one that is misspelt would be passed over."""
    assert not unused_in({"rules": rules}), unused_in({"rules": rules})
    newest = Policy.objects.filter(team=world.team).order_by("-version").first()
    Policy.objects.create(
        team=world.team,
        version=newest.version + 1 if newest else 1,
        preset="test",
        settings={"coverage": coverage, "rules": rules},
        adopted_at=world.now,
        why="test",
    )


def adopt_preset(world: World, name: str) -> None:
    """The team works as a preset says."""
    chosen = presets.load(name)
    adopt(world, chosen.coverage, **chosen.rules)


def ask(world: World, asker: Asker = RIA, **asked: Any) -> SupportRequest:
    """Somebody asks."""
    return support.open_request(
        world.team, asker, Asked(**{"title": "I cannot log in", "text": "Help.", **asked}), world.now
    )


def fresh(request: SupportRequest) -> SupportRequest:
    """Read a request as it is now."""
    return SupportRequest.objects.select_related("team", "community", "requester").get(pk=request.pk)


def story(subject: SupportRequest | Ticket) -> list[str]:
    """Read what happened to a request or a ticket, in order."""
    kind = "request" if isinstance(subject, SupportRequest) else "ticket"
    lines = Event.objects.filter(subject_kind=kind, subject_id=subject.pk).order_by("id")
    return list(lines.values_list("kind", flat=True))


def reason(subject: SupportRequest | Ticket, kind: str) -> str:
    """Read the last reason of a kind."""
    about = "request" if isinstance(subject, SupportRequest) else "ticket"
    return Event.objects.filter(subject_kind=about, subject_id=subject.pk, kind=kind).latest("id").why


def mails(request: SupportRequest) -> list[str]:
    """Read what leaves to requesters about a request, oldest first."""
    rows = Export.objects.filter(subject_kind="request", subject_id=request.pk, what="mail").order_by("id")
    return [str(row.payload["text"]) for row in rows]


def subjects(world: World, name: str) -> list[str]:
    """Read the subjects of the mail to one of the cast."""
    world.work()
    return [str(message["Subject"]) for message in world.mailbox.to(world.people[name])]

"""The engine over a long time, with whatever may happen in any order: hypothesis writes the stories.

Monitors fire and take back, people answer in every way, time passes with a worker at work or without one, and workers
die between a claim and its end. After each step the books must agree, and each alert that must page has a page that
will go on by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.kill.killing import Moments
from tests.world import World
from watchbill.actions import claiming, paging, timers
from watchbill.core.delivery import LEASE
from watchbill.db.models import Alert, AlertGroup, Event, Inbox, Outgoing, Page, Timer
from watchbill.kit.errors import Refused

KEYS = {"db": "critical", "web": "critical", "disk": "warning"}
BECOMES = {
    "page.opened": "climbing",
    "page.step": "climbing",
    "page.reassigned": "climbing",
    "page.help_asked": "climbing",
    "page.asks_again": "climbing",
    "page.exhausted": "exhausted",
    "page.acknowledged": "acknowledged",
    "page.snoozed": "snoozed",
    "page.resolved": "resolved",
}
GROUP_BECOMES = {
    "alert.opened": "firing",
    "alert.flapped": "firing",
    "alert.firing": "firing",
    "alert.acknowledged": "acknowledged",
    "alert.resolved": "resolved",
}
GOES_ON_BY = {
    "climbing": "climb",
    "exhausted": "climb",
    "acknowledged": "acknowledgement_expires",
    "snoozed": "snooze_over",
}


class Watch(RuleBasedStateMachine):
    """One small team over some hours."""

    world: ClassVar[World]
    moments: ClassVar[Moments]

    @initialize()
    def begin(self) -> None:
        self.moments.go_back("the_start")
        self.world.now = self.start
        self.world.mailbox.clear()
        self.firing: set[str] = set()

    start: ClassVar[Any]

    # What happens to the team.

    @rule(key=st.sampled_from(sorted(KEYS)))
    def fires(self, key: str) -> None:
        self.world.event("trigger", key, KEYS[key], f"{key} is broken")
        self.firing.add(key)

    @rule(key=st.sampled_from(sorted(KEYS)))
    def is_over(self, key: str) -> None:
        self.world.event("resolve", key)
        self.firing.discard(key)

    @rule(key=st.sampled_from(sorted(KEYS)))
    def is_taken_in_the_monitor(self, key: str) -> None:
        self.world.event("acknowledge", key)

    @rule()
    def the_worker_works(self) -> None:
        self.work()

    @rule(seconds=st.sampled_from([5, 14, 61, 305, 700, 1900]))
    def time_passes(self, seconds: int) -> None:
        """With a worker that does what is due when it is due."""
        self.work()
        before = self.quiet_pages()
        self.world.mailbox.clear()
        self.world.forward(seconds=seconds)
        self.nobody_was_called_about(before)

    @rule(minutes=st.integers(1, 90))
    def time_passes_while_every_worker_is_down(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)

    @rule(many=st.integers(1, 5))
    def a_worker_dies_with_what_it_claimed(self, many: int) -> None:
        timers.claim_due(lambda: self.world.now, many)
        claiming.claim_due(lambda: self.world.now, claiming.Senders(many, many))

    @precondition(lambda self: Page.objects.filter(closed_at=None).exists())
    @rule(
        how=st.sampled_from(["acknowledge", "snooze", "resolve", "reassign", "ask_for_help"]),
        who=st.sampled_from(["ana", "ben", "eva"]),
        which=st.integers(0, 10),
        minutes=st.integers(1, 40),
    )
    def somebody_answers(self, how: str, who: str, which: int, minutes: int) -> None:
        self.settle_inbox()
        pages = list(Page.objects.filter(closed_at=None).order_by("id"))
        if not pages:
            return
        page, person, now = pages[which % len(pages)], getattr(self.world, who), self.world.now
        if how == "snooze":
            paging.snooze(page.pk, person, now + timedelta(minutes=minutes), now)
        elif how == "reassign":
            paging.reassign(page.pk, self.world.ben, person, now)
        else:
            getattr(paging, how)(page.pk, person, now)
        if how == "resolve":
            self.firing.discard(page.title.split()[0])

    @rule()
    def an_old_page_is_answered_again(self) -> None:
        page = Page.objects.exclude(closed_at=None).first()
        if page is not None:
            with pytest.raises(Refused):
                paging.acknowledge(page.pk, self.world.ana, self.world.now)

    # How the steps are told.

    def work(self) -> None:
        """A worker comes when every claim of the dead has run out."""
        self.world.now += LEASE
        before = self.quiet_pages()
        self.world.mailbox.clear()
        self.world.work()
        self.nobody_was_called_about(before)

    def settle_inbox(self) -> None:
        if Inbox.objects.filter(state=Inbox.WAITING).exists():
            self.work()

    def quiet_pages(self) -> dict[int, int]:
        """The pages that somebody has, with how often each has asked so far."""
        pages = Page.objects.filter(state__in=("acknowledged", "snoozed", "resolved"))
        return {page.pk: self.asked(page.pk) for page in pages}

    def asked(self, page: int) -> int:
        return Event.objects.filter(subject_kind="page", subject_id=page, kind="page.asks_again").count()

    def nobody_was_called_about(self, before: dict[int, int]) -> None:
        references = {str(mail["Message-ID"]) for mail in self.world.mailbox.messages}
        for row in Outgoing.objects.filter(subject_kind="page", reference__in=references, purpose="page"):
            quiet = row.subject_id in before and self.asked(row.subject_id) == before[row.subject_id]
            assert not quiet, f"{row.person} was called about page {row.subject_id}, which somebody has"

    # What always holds.

    @invariant()
    def every_open_page_goes_on_by_itself(self) -> None:
        for page in Page.objects.all():
            due = set(Timer.objects.filter(subject_kind="page", subject_id=page.pk).values_list("kind", flat=True))
            expected = {GOES_ON_BY[page.state]} if page.state != "resolved" else set()
            if page.state == "acknowledged" and page.until is None:
                expected = set()  # taken in the monitor: the monitor says when it is over
            assert due == expected, f"page {page.pk} is {page.state} and has {due}"

    @invariant()
    def what_must_page_has_a_page_that_told_somebody(self) -> None:
        for group in AlertGroup.objects.exclude(state="resolved"):
            page = Page.objects.filter(group=group, closed_at=None).first()
            if group.response == "list_due":
                assert page is None
                continue
            if page is None:
                # Taken in the monitor before anybody was asked.
                assert (group.state, group.acknowledged_by) == ("acknowledged", None)
                assert not Page.objects.filter(group=group).exists()
                continue
            asks = page.state in {"climbing", "exhausted"}
            assert (group.state == "firing") == asks, f"{group} is {group.state}, its page {page.state}"
            assert Outgoing.objects.filter(subject_kind="page", subject_id=page.pk).exists()

    @invariant()
    def every_count_is_exact(self) -> None:
        for group in AlertGroup.objects.all():
            alerts = list(group.alerts.all())
            assert group.alert_count == len(alerts)
            assert group.firing_count == sum(alert.state == "firing" for alert in alerts)
            assert (group.state == "resolved") == (group.firing_count == 0)
        assert not Inbox.objects.filter(state__gt=Inbox.PARSED).exists()
        if not Inbox.objects.filter(state=Inbox.WAITING).exists():
            assert set(Alert.objects.filter(state="firing").values_list("fingerprint", flat=True)) == self.firing

    @invariant()
    def the_log_explains_each_state(self) -> None:
        for page in Page.objects.all():
            assert last_of("page", page.pk, BECOMES) == page.state
        for group in AlertGroup.objects.all():
            assert last_of("alert", group.pk, GROUP_BECOMES) == group.state

    def teardown(self) -> None:
        """In the end the worker works, and whatever is due leaves: nothing is stuck."""
        if not hasattr(self, "firing"):
            return
        self.work()
        assert not Inbox.objects.filter(state=Inbox.WAITING).exists()
        assert not Outgoing.objects.filter(due_at__lte=self.world.now).exists()
        assert not Timer.objects.filter(due_at__lte=self.world.now).exists()
        asking = Page.objects.filter(state__in=("climbing", "exhausted"))
        for page in asking:
            told = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk, state="sent")
            assert told.exists(), f"page {page.pk} has told nobody"


def last_of(kind: str, number: int, becomes: dict[str, str]) -> str:
    """Fold the log of one subject into its state."""
    lines = Event.objects.filter(subject_kind=kind, subject_id=number, kind__in=becomes).order_by("-id")
    return becomes[lines.values_list("kind", flat=True)[0]]


@pytest.fixture
def watch(world: World, moments: Moments) -> Iterator[type[Watch]]:
    moments.keep("the_start")
    Watch.world, Watch.moments, Watch.start = world, moments, world.now
    yield Watch
    world.worker.stop()


def test_whatever_happens_in_whatever_order_the_books_agree_and_every_page_goes_on(watch):
    run_state_machine_as_test(
        watch,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

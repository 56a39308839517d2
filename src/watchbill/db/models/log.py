"""The four tables that carry the process: what arrived, what happened, what is due, what must leave."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from watchbill.db.models.people import ContactAddress, Person
from watchbill.db.models.teams import Team


class Inbox(models.Model):
    """What arrived, raw, with who sent it: written before the answer, parsed afterwards.

    The door writes it with its own statement; `service_id` and `connection_id` are plain numbers so that the
    door never waits for another table. What comes to a desk (mail, a helpdesk, a tracker, a chat) has the service 0,
    and its `connection_id` is that of a `Connection`, not of a `MonitorConnection`.
    """

    WAITING, PARSED, NOT_UNDERSTOOD, FAILED = 0, 1, 2, 3

    received_at = models.DateTimeField()
    service_id = models.BigIntegerField()
    connection_id = models.BigIntegerField()
    monitor = models.CharField(max_length=40)
    body = models.BinaryField()
    note = models.TextField(blank=True, default="")
    sender = models.CharField(max_length=64, blank=True, default="")
    state = models.SmallIntegerField(default=WAITING)
    error = models.TextField(blank=True, default="")
    parsed_at = models.DateTimeField(null=True)

    class Meta:
        """What waits and what was not understood is found at once, however long the past is."""

        indexes = (
            models.Index(fields=["service_id", "id"], condition=models.Q(state=0), name="inbox_waiting"),
            models.Index(fields=["service_id", "id"], condition=models.Q(state__gt=1), name="inbox_not_understood"),
            models.Index(fields=["connection_id", "id"], name="inbox_of_connection"),
        )

    def __str__(self) -> str:
        return f"inbox {self.pk} for service {self.service_id}"


class Event(models.Model):
    """What happened, to what, by whom, when it happened, when it was written, and why. Append-only."""

    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+")
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    written_at = models.DateTimeField()
    actor = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=80)
    why = models.TextField()
    data = models.JSONField(default=dict)

    class Meta:
        """Read by subject (a timeline) or by team (the log)."""

        indexes = (
            models.Index(fields=["subject_kind", "subject_id", "id"], name="event_of_subject"),
            models.Index(fields=["team", "id"], name="event_of_team"),
        )

    def __str__(self) -> str:
        return f"{self.at:%F %H:%M:%S} {self.kind}: {self.why}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new line; a line that stands is never written again."""
        if self.pk:
            self._refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a correction is a new line."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError("the log is append-only: write a correction as a new event")


class Timer(models.Model):
    """What is due. The lease of whoever works on it is `due_at` itself: "due" and "its worker died" are one query."""

    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField(db_index=True)
    attempt = models.PositiveIntegerField(default=0)

    class Meta:
        """One timer per subject and kind."""

        constraints = (models.UniqueConstraint(fields=["subject_kind", "subject_id", "kind"], name="one_timer_a_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject_kind} {self.subject_id} at {self.due_at:%F %H:%M:%S}"


class Outgoing(models.Model):
    """What must leave: one message to one address. `key` is the idempotency key that every attempt carries."""

    key = models.CharField(max_length=120, unique=True)
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+")
    person = models.ForeignKey(Person, models.CASCADE, related_name="notifications")
    address = models.ForeignKey(ContactAddress, models.CASCADE, related_name="+")
    channel = models.CharField(max_length=40)
    purpose = models.CharField(max_length=12)
    urgency = models.CharField(max_length=12)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    message = models.JSONField()
    why = models.TextField()
    state = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    reference = models.CharField(max_length=255, blank=True)
    link_used_at = models.DateTimeField(null=True)

    class Meta:
        """What is due is found by its time; what was sent for a page by its subject."""

        indexes = (
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="outgoing_due"),
            models.Index(fields=["subject_kind", "subject_id", "id"], name="outgoing_of_subject"),
            models.Index(fields=["person", "-id"], name="outgoing_of_person"),
        )

    def __str__(self) -> str:
        return f"{self.channel} to {self.person}: {self.state}"

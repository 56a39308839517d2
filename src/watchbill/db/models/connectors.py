"""Connections to outside systems (trackers, helpdesks, chats), and where our things are in them."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team
from watchbill.db.sealed import SealedField


class Connection(models.Model):
    """One outside system that a team works with. `settings` holds its address and its secret, encrypted.

    `key_hash` finds the connection when the system calls us; `mapping` is how its words become ours (stages, kinds).
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="connectors")
    connector = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    settings = SealedField()
    mapping = models.JSONField(default=dict)
    key = SealedField()
    key_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    worked_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    cursor = models.JSONField(default=dict)
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.connector})"


class ExternalRef(models.Model):
    """Where one of our things is in an outside system, and how far the two are in step.

    sync     waiting, in_step, failed, unknown_state (it has a state that no mapping knows: shown, never silent),
             refused (a change there could not follow here), gone (deleted there); `error` says why
    pushed   what stood on both sides when they were last in step, so that our own echo is recognised
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="refs")
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    ref = models.CharField(max_length=200)
    url = models.URLField(max_length=500, blank=True)
    sync = models.CharField(max_length=16, default="waiting")
    their_state = models.CharField(max_length=80, blank=True)
    pushed = models.JSONField(default=dict)
    synced_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        """A thing is in a system once, and a thing of the system is ours once; what is not in step is found at once."""

        constraints = (
            models.UniqueConstraint(fields=["connection", "subject_kind", "ref"], name="external_ref_once"),
            models.UniqueConstraint(
                fields=["connection", "subject_kind", "subject_id"], name="external_ref_of_subject"
            ),
        )
        indexes = (
            models.Index(fields=["subject_kind", "subject_id"], name="external_ref_of"),
            models.Index(
                fields=["connection", "sync", "id"], condition=~models.Q(sync="in_step"), name="external_ref_unsettled"
            ),
        )

    def __str__(self) -> str:
        return f"{self.ref} in {self.connection}"


class Export(models.Model):
    """What must leave to an outside system (`connection`), or by mail to somebody without an account (`recipient`).

    Beside `Outgoing` and not in it: what wakes people never waits behind a tracker that is slow, and a page always
    has a person and an address. `key` is the idempotency key that every attempt carries.
    """

    key = models.CharField(max_length=160, unique=True)
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, related_name="exports")
    recipient = SealedField(null=True)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    what = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    why = models.TextField()
    state = models.CharField(max_length=12, default="waiting")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    reference = models.CharField(max_length=255, blank=True)

    class Meta:
        """What is due is found by its time; what left for a thing by its subject."""

        indexes = (
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="export_due"),
            models.Index(fields=["subject_kind", "subject_id", "id"], name="export_of_subject"),
        )

    def __str__(self) -> str:
        return f"{self.what} of {self.subject_kind} {self.subject_id}: {self.state}"

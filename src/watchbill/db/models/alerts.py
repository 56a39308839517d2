"""Alert groups (handled as one), the alerts in them, and silences."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.catalogue import Service
from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team


class Silence(models.Model):
    """Time-boxed suppression: who, why, until when. Ended early, the row stays."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="silences")
    service = models.ForeignKey(Service, models.CASCADE, null=True, related_name="silences")
    matchers = models.JSONField(default=list)
    why = models.TextField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Silences in force are found by their end."""

        indexes = (models.Index(fields=["team", "ends_at"], name="silence_in_force"),)

    def __str__(self) -> str:
        return f"silence {self.pk} until {self.ends_at:%F %H:%M}: {self.why}"


class AlertGroup(models.Model):
    """Alerts handled as one, from the first firing to the last resolution. `key` is unique while it is open."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="alert_groups")
    service = models.ForeignKey(Service, models.CASCADE, related_name="alert_groups")
    key = models.CharField(max_length=64)
    title = models.CharField(max_length=1024)
    severity = models.CharField(max_length=40)
    response = models.CharField(max_length=20)
    urgency = models.CharField(max_length=12)
    state = models.CharField(max_length=12)
    detected_by = models.CharField(max_length=20, default="alert")
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    silence = models.ForeignKey(Silence, models.SET_NULL, null=True, related_name="alert_groups")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    snoozed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    alert_count = models.PositiveIntegerField(default=0)
    firing_count = models.PositiveIntegerField(default=0)
    signal_count = models.PositiveIntegerField(default=0)
    restarts = models.PositiveIntegerField(default=0)

    class Meta:
        """Open groups are few and found at once; the long past is paged by id."""

        indexes = (
            models.Index(fields=["team", "id"], name="group_of_team"),
            models.Index(fields=["service", "key", "id"], name="group_by_key"),
            models.Index(fields=["team", "-opened_at"], condition=~models.Q(state="resolved"), name="group_open"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["service", "key"], condition=~models.Q(state="resolved"), name="one_open_group_a_key"
            ),
        )

    def __str__(self) -> str:
        return f"alert {self.pk}: {self.title}"


class Alert(models.Model):
    """One alert of a monitor within a group; firing again within the same group counts up."""

    group = models.ForeignKey(AlertGroup, models.CASCADE, related_name="alerts")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=64)
    title = models.CharField(max_length=1024)
    severity = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    labels = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    state = models.CharField(max_length=12)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        """The same alert is open once within a service."""

        indexes = (models.Index(fields=["group", "id"], name="alert_in_group"),)
        constraints = (
            models.UniqueConstraint(fields=["group", "fingerprint"], name="alert_once_in_group"),
            models.UniqueConstraint(
                fields=["service", "fingerprint"], condition=models.Q(state="firing"), name="alert_open_once"
            ),
        )

    def __str__(self) -> str:
        return self.title

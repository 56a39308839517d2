"""Ladders (escalation policies) and pages (demands on a person to acknowledge)."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team


class Ladder(models.Model):
    """Ordered steps: whom to page, how long to wait. An edit counts for pages opened afterwards."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="ladders")
    name = models.CharField(max_length=80)
    steps = models.JSONField()
    repeat = models.PositiveSmallIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    archived_at = models.DateTimeField(null=True)

    class Meta:
        """Names are unique within a team."""

        constraints = (models.UniqueConstraint(fields=["team", "name"], name="ladder_name_once"),)

    def __str__(self) -> str:
        return self.name


class Page(models.Model):
    """One climb of one ladder. `ladder` is the copy taken at its start, so that an edit never disturbs it."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="pages")
    service = models.ForeignKey("watchbill.Service", models.SET_NULL, null=True, related_name="pages")
    group = models.ForeignKey("watchbill.AlertGroup", models.CASCADE, null=True, related_name="pages")
    title = models.CharField(max_length=1024)
    details = models.TextField(blank=True)
    severity = models.CharField(max_length=40, blank=True)
    urgency = models.CharField(max_length=12)
    state = models.CharField(max_length=12)
    ladder = models.JSONField()
    step = models.SmallIntegerField(default=-1)
    round = models.PositiveSmallIntegerField(default=1)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """An alert group has at most one open page."""

        indexes = (
            models.Index(fields=["team", "id"], name="page_of_team"),
            models.Index(fields=["team", "group"], condition=models.Q(closed_at=None), name="page_open"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["group"], condition=models.Q(closed_at=None, group__isnull=False), name="one_open_page_a_group"
            ),
        )

    def __str__(self) -> str:
        return f"page {self.pk}: {self.title}"

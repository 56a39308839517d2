"""Rotations, their revisions, the published shifts, overrides and absences."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team


class Rotation(models.Model):
    """A list of people and a rule that produces shifts; the rule itself is the newest revision."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="rotations")
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    published_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class RotationRevision(models.Model):
    """One version of a rotation's settings, with the day from which it counts, who adopted it and why."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField()
    settings = models.JSONField()
    effective_from = models.DateTimeField()
    progress = models.JSONField(null=True)
    adopted_at = models.DateTimeField()
    adopted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    why = models.TextField(blank=True)

    class Meta:
        """Versions count up within a rotation."""

        constraints = (models.UniqueConstraint(fields=["rotation", "version"], name="revision_version_once"),)

    def __str__(self) -> str:
        return f"revision {self.version} of {self.rotation}"


class Shift(models.Model):
    """One published shift: one seat, one person (none: a gap that coverage does not allow), one interval.

    Rows that have begun are history and never change; rows of the future are replaced on every publication.
    """

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="shifts")
    seat = models.CharField(max_length=40)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    turn = models.IntegerField(default=0)
    reason = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        """Who is on watch now is one seek in the first index."""

        indexes = (
            models.Index(fields=["rotation", "ends_at", "starts_at"], name="shift_now"),
            models.Index(fields=["person", "ends_at"], name="shift_of_person"),
        )
        constraints = (
            models.UniqueConstraint(fields=["rotation", "seat", "starts_at"], name="one_shift_a_start"),
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="shift_has_length"),
        )

    def __str__(self) -> str:
        return f"{self.seat} {self.starts_at:%F %H:%M}: {self.person or 'nobody'}"


class Override(models.Model):
    """Explicit replacement of a shift or a part of one; the later one wins. An empty seat means every seat.

    Removing it keeps the row.
    """

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="overrides")
    seat = models.CharField(max_length=40, blank=True)
    person = models.ForeignKey(Person, models.PROTECT, related_name="overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    why = models.TextField(blank=True)
    outside_coverage = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.person} takes {self.seat} {self.starts_at:%F %H:%M} to {self.ends_at:%F %H:%M}"


class Absence(models.Model):
    """Dates on which a person cannot serve; the last day is inclusive. Removing it keeps the row."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="absences")
    first_day = models.DateField()
    last_day = models.DateField()
    kind = models.CharField(max_length=20, default="away")
    why = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person} away {self.first_day} to {self.last_day}"

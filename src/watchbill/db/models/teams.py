"""Teams, who belongs to them, and their versioned policy."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.people import Person
from watchbill.db.ordered_json import OrderedJSONField


class Team(models.Model):
    """Owns members, services, rotations and one versioned policy."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=64, default="UTC")
    holiday_country = models.CharField(max_length=8, blank=True)
    holiday_subdivision = models.CharField(max_length=16, blank=True)
    fallback = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    manager = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    product_manager = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    feed_version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a team: role, skills, and the dates in which they serve (the end date is inclusive)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12)
    skills = models.JSONField(default=list)
    active_from = models.DateField(null=True)
    active_until = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        """A person is in a team once."""

        constraints = (models.UniqueConstraint(fields=["team", "person"], name="once_in_a_team"),)

    def __str__(self) -> str:
        return f"{self.person} in {self.team} as {self.role}"


class Policy(models.Model):
    """One version of a team's policy: `settings` holds coverage, labels and the settings of each rule."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="policies")
    version = models.PositiveIntegerField()
    preset = models.CharField(max_length=40)
    settings = OrderedJSONField()
    adopted_at = models.DateTimeField()
    adopted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    why = models.TextField()

    class Meta:
        """Versions count up within a team."""

        constraints = (models.UniqueConstraint(fields=["team", "version"], name="policy_version_once"),)

    def __str__(self) -> str:
        return f"policy {self.version} of {self.team}"

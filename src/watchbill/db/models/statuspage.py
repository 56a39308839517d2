"""What the public sees: status pages with their components, notices of planned work, and who asked to hear of it.

Nothing of an incident reaches a page but what was written for the public: its public title and its public updates.
"""

from __future__ import annotations

from django.db import models

from watchbill.db.models.catalogue import Service
from watchbill.db.models.incidents import Incident
from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team
from watchbill.db.sealed import SealedField


class StatusPage(models.Model):
    """One page of a team: open to everybody, or only with the link that holds its key."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="status_pages")
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=80)
    intro = models.TextField(blank=True)
    is_public = models.BooleanField(default=False)
    key = SealedField(null=True)
    key_hash = models.CharField(max_length=64, blank=True)
    version = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title


class StatusComponent(models.Model):
    """A service of the catalogue under the name that the public knows."""

    page = models.ForeignKey(StatusPage, models.CASCADE, related_name="components")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    group = models.CharField(max_length=80, blank=True)
    description = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        """A service stands on a page once."""

        constraints = (
            models.UniqueConstraint(
                fields=["page", "service"], condition=models.Q(removed_at=None), name="component_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class PublicIncident(models.Model):
    """An incident under the title that the public may read; without a row nothing of it is public."""

    page = models.ForeignKey(StatusPage, models.CASCADE, related_name="incidents")
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="public")
    title = models.CharField(max_length=200)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        """An incident stands on a page once."""

        constraints = (models.UniqueConstraint(fields=["page", "incident"], name="public_incident_once"),)
        indexes = (models.Index(fields=["page", "-since"], name="public_incident_of_page"),)

    def __str__(self) -> str:
        return self.title


class Notice(models.Model):
    """Planned work that users may feel: announced, reminded of, begun, done, on the rails that updates use.

    state  draft, announced, in_progress, done, cancelled
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="notices")
    title = models.CharField(max_length=200)
    text = models.TextField()
    state = models.CharField(max_length=12, default="draft")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    condition = models.CharField(max_length=16, default="maintenance")
    audiences = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    announced_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    services = models.ManyToManyField(Service, related_name="+")

    class Meta:
        """What is ahead of a team, or under way, is found by its time."""

        indexes = (models.Index(fields=["team", "-starts_at"], name="notice_of_team"),)

    def __str__(self) -> str:
        return self.title


class NoticeUpdate(models.Model):
    """What was said about planned work, when."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="updates")
    state = models.CharField(max_length=12)
    text = models.TextField()
    at = models.DateTimeField()
    author = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.text[:60]


class ServiceCondition(models.Model):
    """How a service was, from when until when, because of an incident or planned work: the history of 90 days.

    condition  degraded, partial_outage, major_outage, maintenance
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="conditions")
    condition = models.CharField(max_length=16)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="conditions")
    notice = models.ForeignKey(Notice, models.CASCADE, null=True, related_name="conditions")

    class Meta:
        """A service's past and present are found by their time; of one incident a service has one condition at a time."""

        indexes = (
            models.Index(fields=["service", "-starts_at"], name="condition_of_service"),
            models.Index(fields=["service"], condition=models.Q(ends_at=None), name="condition_now"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["service", "incident"],
                condition=models.Q(ends_at=None, incident__isnull=False),
                name="condition_once_of_incident",
            ),
        )

    def __str__(self) -> str:
        return f"{self.service}: {self.condition}"


class StatusSubscription(models.Model):
    """Somebody who asked to hear what a page says: by mail or by a signed webhook. `address` is encrypted.

    Nothing is sent before `confirmed_at`; `token_hash` opens the links to confirm and to leave.
    """

    page = models.ForeignKey(StatusPage, models.CASCADE, related_name="subscriptions")
    kind = models.CharField(max_length=8)
    address = SealedField()
    address_hash = models.CharField(max_length=64)
    secret = SealedField(null=True)
    components = models.JSONField(default=list)
    token_hash = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        """An address hears once of a page."""

        constraints = (
            models.UniqueConstraint(
                fields=["page", "kind", "address_hash"],
                condition=models.Q(ended_at=None),
                name="subscription_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.page}"

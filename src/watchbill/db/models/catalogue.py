"""Services: what is supported, where it runs, who answers for it, and which monitors speak of it."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.paging import Ladder
from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team
from watchbill.db.sealed import SealedField


class Service(models.Model):
    """A thing that the team supports, in one environment, at one host, by one vendor (INT-11, RUN-02, ROL-17)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="services")
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    environment = models.CharField(max_length=40, blank=True)
    host = models.CharField(max_length=80, blank=True)
    vendor = models.CharField(max_length=80, blank=True)
    vendor_contact = models.TextField(blank=True)
    tier = models.PositiveSmallIntegerField(default=2)
    leadership_contact = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    links = models.JSONField(default=list)
    ladder = models.ForeignKey(Ladder, models.PROTECT, null=True, related_name="services")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class MonitorConnection(models.Model):
    """One monitoring tool's way in to one service: the key is found by its hash and shown from its sealed form."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="connections")
    monitor = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    key_hash = models.CharField(max_length=64, unique=True)
    key = SealedField()
    settings = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    last_heard_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.monitor})"

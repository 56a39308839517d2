"""People: accounts, the addresses at which they can be reached, their notification rules, their tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from watchbill.db.sealed import SealedField


class PersonManager(BaseUserManager["Person"]):
    """Makes people; e-mail addresses are kept in lower case, so that one person has one account."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Person:
        """Write a person with a hashed password (None: cannot sign in by password)."""
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with an account. `is_superuser` is the instance administrator."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=64, default="UTC")
    holiday_country = models.CharField(max_length=8, blank=True)
    holiday_subdivision = models.CharField(max_length=16, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(null=True)
    feed_version = models.PositiveIntegerField(default=1)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = PersonManager()

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Give the name as people say it."""
        return self.name

    def get_short_name(self) -> str:
        """Give the first word of the name."""
        return self.name.split(" ")[0] if self.name else self.email


class ContactAddress(models.Model):
    """One way to reach a person; it counts once verified by a code that was sent to it."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="addresses")
    channel = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    address = SealedField()
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    code_hash = models.CharField(max_length=128, blank=True)
    code_sent_at = models.DateTimeField(null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.channel} {self.label}"


class NotificationRule(models.Model):
    """For one urgency: which address, how many seconds after the page asked for the person."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="rules")
    urgency = models.CharField(max_length=12)
    address = models.ForeignKey(ContactAddress, models.CASCADE, related_name="rules")
    after_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        """One rule per address, delay and urgency."""

        constraints = (
            models.UniqueConstraint(fields=["person", "urgency", "address", "after_seconds"], name="one_rule_each"),
        )

    def __str__(self) -> str:
        return f"{self.urgency}: {self.address} after {self.after_seconds} s"


class ApiToken(models.Model):
    """A token for the API and the command line: only its hash is kept."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

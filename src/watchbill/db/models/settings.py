"""What the operator decides in the browser: the mail server, the push keys. Encrypted at rest."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.people import Person
from watchbill.db.sealed import SealedField


class InstanceSetting(models.Model):
    """One named value of the whole instance, such as `channel.email`."""

    name = models.CharField(max_length=80, unique=True)
    value = SealedField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name

"""A JSON field that is encrypted at rest: contact addresses, keys of outside systems, the operator's secrets."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

log = structlog.get_logger()


@cache
def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in settings.SEAL_KEYS])


def seal(value: Any) -> str:
    """Encrypt a JSON value with the instance's key."""
    return _fernet().encrypt(json.dumps(value).encode()).decode()


def unseal(text: str) -> Any:
    """Decrypt what `seal` made; raises cryptography.fernet.InvalidToken when the instance's secret has changed."""
    return json.loads(_fernet().decrypt(text.encode()))


if TYPE_CHECKING:
    TextOfAny = models.TextField[Any, Any]
else:
    TextOfAny = models.TextField


class SealedField(TextOfAny):
    """Holds a JSON value, encrypted in the table, plain in Python. It cannot be searched."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Decrypt on the way in; what cannot be read is empty, so that whoever needs it finds that it is not filled in.

        An error here would stop all that is read together with it: one broken address, everybody's pages.
        """
        try:
            return None if value is None else unseal(value)
        except (InvalidToken, ValueError):
            log.error("a sealed value cannot be read: is WATCHBILL_SECRET another one now?", column=self.column)
            return {}

    def get_prep_value(self, value: Any) -> str | None:
        """Encrypt on the way out."""
        return None if value is None else seal(value)

    def to_python(self, value: Any) -> Any:
        """Leave a plain value alone."""
        return value

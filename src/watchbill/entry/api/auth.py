"""Who calls: a bearer token with a scope, or the session of a browser, which writes only with its CSRF token.

Each scope holds those before it: read, answer (pages), write (change what your roles allow), admin (the instance).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from watchbill.actions.tokens import token_of
from watchbill.db.models import ApiToken, Person
from watchbill.entry import clock
from watchbill.kit.errors import NotAllowed

Scope = Literal["read", "answer", "write", "admin"]


@dataclass(frozen=True)
class Caller:
    """Who asks, when, and with which token (None: from a browser)."""

    person: Person
    now: datetime
    token: ApiToken | None


class Asked(HttpRequest):
    """A request whose caller is known."""

    auth: Caller


class Token(HttpBearer):
    """A token of a person, made under Me, by `POST /api/me/tokens`, or taken up by `watchbill login`."""

    openapi_description = "A token of a person; each scope holds those before it: read, answer, write, admin."

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """Find the caller; None when the token is not good. Raises NotAllowed when it lacks the scope."""
        now = clock.now()
        found = token_of(token, self.scope, now)
        return Caller(found.person, now, found) if found else None


class Session(AuthBase):
    """The session of a browser; what changes something needs the CSRF token in the header X-CSRFToken."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The session of a browser; what changes something needs the header X-CSRFToken too."

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Find the caller; raises NotAllowed for a write without the CSRF token."""
        if not isinstance(request.user, Person):
            return None
        if check_csrf(request) is not None:
            raise NotAllowed("A change from a browser needs the header X-CSRFToken: load the page again.")
        return Caller(request.user, clock.now(), None)


SESSION = Session()


def may(scope: Scope) -> Sequence[Any]:
    """Give the two ways in to an operation that needs `scope`."""
    return [Token(scope), SESSION]

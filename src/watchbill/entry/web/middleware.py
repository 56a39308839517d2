"""Turns our errors into answers, and gives each request its zone and its `now`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from watchbill.db.models import Person
from watchbill.entry import clock


class PageMiddleware:
    """Around every page: the reader's zone is active, `request.now` is read once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        request.now = clock.now()  # type: ignore[attr-defined]
        zone = request.user.zone if isinstance(request.user, Person) else "UTC"
        with timezone.override(zone):
            return self.get_response(request)

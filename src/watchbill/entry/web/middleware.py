"""Around every page: the reader's zone is active, `request.now` is read once, our errors become answers."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from watchbill.db.models import Person
from watchbill.entry import clock
from watchbill.kit.errors import NotAllowed, Refused


class PageMiddleware:
    """Gives each request its zone and its `now`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        request.now = clock.now()  # type: ignore[attr-defined]
        if not request.path.startswith(OPEN_BEFORE_SETUP) and _nobody_has_an_account(request):
            return redirect("/welcome/")
        zone = request.user.zone if isinstance(request.user, Person) else "UTC"
        with timezone.override(ZoneInfo(zone)):
            response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        # What one person reads is theirs, whatever a cache in front thinks of cookies.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Show what the person can act on; anything else crashes loudly."""
        if isinstance(error, NotAllowed):
            return self._refuse(request, 403, "You may not do this", error.message)
        if isinstance(error, Refused):
            return self._refuse(request, 409, "This cannot be done", error.message)
        return None

    def _refuse(self, request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
        back = request.headers.get("Referer") or "/"
        return render(request, "refused.html", {"title": title, "message": message, "back": back}, status=status)


def _nobody_has_an_account(request: HttpRequest) -> bool:
    """Tell whether this instance is fresh; who is signed in costs no question."""
    return not request.user.is_authenticated and not Person.objects.exists()


OPEN_BEFORE_SETUP = ("/welcome/", "/api/", "/sw.js", "/manifest.webmanifest")
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'"
)

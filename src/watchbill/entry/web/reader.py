"""Who reads a page, and when: what the middleware put on the request, with types."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest

from watchbill.actions.access import may_read
from watchbill.db.models import Person, Team
from watchbill.egress import Allow, Client

HTTP = Client(Allow.read(settings.CONFIG.allow))


class PageRequest(HttpRequest):
    """A request of somebody who is signed in; `now` is read once per request (UTC)."""

    user: Person
    now: datetime


def team_or_404(request: PageRequest, slug: str) -> Team:
    """Find a team that the reader may see; raises NotAllowed for one they may not, Http404 for none."""
    team = Team.objects.select_related("fallback", "manager", "product_manager").filter(slug=slug).first()
    if team is None:
        raise Http404
    may_read(request.user, team)
    return team

"""The link by which a requester without an account sees their own request, rates it and escalates it (INT-10).

A representative of the requester's community has a link of their own: it approves the request, and shows no more of
it than that needs (INT-04).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from watchbill.db.models import Requester, SupportRequest
from watchbill.kit.errors import Refused

SALT = "watchbill.request"


@dataclass(frozen=True)
class Link:
    """What a link opens; `speaker` is the representative whose link it is, None for the requester's own."""

    request: SupportRequest
    speaker: Requester | None


def path_of(request: SupportRequest, speaker: Requester | None = None) -> str:
    """Give the path of the requester's own page, or of a representative's; whoever has it may act there, nobody else."""
    who = [request.pk, request.requester_id, *([speaker.pk] if speaker else [])]
    return f"/r/{signing.Signer(salt=SALT).sign_object(who)}/"


def read(token: str) -> SupportRequest:
    """Read the request that a requester's link names; raises Refused when it is broken or no longer theirs."""
    link = open_link(token)
    if link.speaker is not None:
        raise Refused("This link approves a request and does nothing else.")
    return link.request


def open_link(token: str) -> Link:
    """Read what a link opens; raises Refused when it is broken or whoever had it has nothing to do with it any more."""
    try:
        number, requester, *speakers = signing.Signer(salt=SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise Refused("This link is not whole. Open it again from the message that brought it.") from None
    found = SupportRequest.objects.filter(pk=number, requester_id=requester)
    request = found.select_related("team", "requester", "community", "service", "assignee").first()
    if request is None:
        raise Refused("This request is no longer yours to see. Write to the team again.")
    return Link(request, _speaker(request, speakers[0]) if speakers else None)


def _speaker(request: SupportRequest, number: int) -> Requester:
    rows = Requester.objects.filter(pk=number, is_representative=True, community=request.community_id)
    speaker = rows.exclude(community=None).first()
    if speaker is None:
        raise Refused("You no longer speak for this community. Write to the team if that is not so.")
    return speaker

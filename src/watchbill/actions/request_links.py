"""The link by which a requester without an account sees their own request, rates it and escalates it (INT-10)."""

from __future__ import annotations

from django.core import signing

from watchbill.db.models import SupportRequest
from watchbill.kit.errors import Refused

SALT = "watchbill.request"


def path_of(request: SupportRequest) -> str:
    """Give the path of the requester's own page; whoever has it may read and answer there, nobody else."""
    return f"/r/{signing.dumps([request.pk, request.requester_id], salt=SALT)}/"


def read(token: str) -> SupportRequest:
    """Read the request that a link names; raises Refused when the link is broken or the requester is another now."""
    try:
        number, requester = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise Refused("This link is not whole. Open it again from the message that brought it.") from None
    found = SupportRequest.objects.filter(pk=number, requester_id=requester)
    request = found.select_related("team", "requester", "community", "service", "assignee").first()
    if request is None:
        raise Refused("This request is no longer yours to see. Write to the team again.")
    return request

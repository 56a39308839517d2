"""What a door takes in for a request, checked, and written down as a message with its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from watchbill.actions.desk import desk_of
from watchbill.db.models import Attachment, Message, Person, Service, SupportRequest, Team
from watchbill.kit.errors import Refused

LONGEST_TEXT = 100_000
LARGEST_FILE = 10 * 1024 * 1024
DOORS = ("page", "email", "chat", "helpdesk", "tracker", "api", "logged", "monitor")
IMPACTS = ("", "one", "several", "team", "everyone", "security")


@dataclass(frozen=True)
class File:
    """A file that comes with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Asked:
    """What somebody asks, as a door took it in; `at` is when they asked, if that was earlier.

    `quiet`: its requester gets no confirmation; `unseen`: the team hears nothing of it either, as of noise.
    """

    title: str
    text: str = ""
    request_class: str = ""
    door: str = "page"
    service: Service | None = None
    environment: str = ""
    component: str = ""
    impact: str = ""
    folded: str = ""
    message_id: str = ""
    files: Sequence[File] = field(default=())
    at: datetime | None = None
    quiet: bool = False
    unseen: bool = False


def check_asked(team: Team, asked: Asked, now: datetime) -> None:
    """Check what somebody asks of a team; raises Refused naming the field."""
    title = asked.title.strip()
    if not 0 < len(title) <= 300:
        raise Refused("say in one line what you need, at most 300 characters", "title")
    if len(asked.text) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", "text")
    if asked.door not in DOORS:
        raise Refused(f"a request comes by {', '.join(DOORS)}", "door")
    if asked.impact not in IMPACTS:
        raise Refused(f"the impact is one of {', '.join(IMPACTS[1:])}", "impact")
    if asked.service is not None and (asked.service.team_id != team.pk or asked.service.archived_at):
        raise Refused(f"{asked.service} is no service of {team}", "service")
    if asked.request_class and asked.request_class not in desk_of(team, now).classes.classes:
        raise Refused(f"{team} has no class “{asked.request_class}”", "request_class")
    if asked.at is not None and asked.at > now:
        raise Refused("this time is in the future", "at")


def demand_text(text: str) -> None:
    """Raise Refused for a message that says nothing, or too much."""
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        raise Refused(f"write something, at most {LONGEST_TEXT} characters", "text")


def write_message(
    request: SupportRequest,
    direction: str,
    door: str,
    text: str,
    name: str,
    author: Person | None,
    now: datetime,
    asked: Asked | None = None,
) -> Message:
    """Write a message on a request whose lock is held; raises Refused for a file that is too large."""
    message = Message.objects.create(
        team_id=request.team_id,
        request=request,
        direction=direction,
        door=door,
        author=author,
        author_name=name[:120],
        text=text.strip(),
        folded=asked.folded if asked else "",
        message_id=asked.message_id[:255] if asked else "",
        at=(asked.at if asked else None) or now,
        written_at=now,
    )
    for file in asked.files if asked else ():
        if len(file.content) > LARGEST_FILE:
            raise Refused(f"{file.name}: at most 10 MB", "files")
        Attachment.objects.create(
            message=message,
            name=file.name[:255],
            media_type=file.media_type[:120],
            size=len(file.content),
            content=file.content,
        )
    return message

"""The work on a post-mortem: who writes it by when, its figures, its meeting, the order of its actions, what was published."""

from __future__ import annotations

from typing import Any

from ninja import Router, Status

from watchbill.actions import action_items, postmortem_meeting, postmortems, publishing
from watchbill.db.models import PostMortem
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.postmortem_lines import (
    ActionLine,
    ActionPlace,
    AttendeeLine,
    ChangedAction,
    ChangedPostMortem,
    ImpactFigures,
    NewAttendee,
    PlannedMeeting,
    PostMortemLine,
    PostMortemWhy,
    WholePostMortem,
)
from watchbill.entry.api.postmortems import line_of, read, the_postmortem
from watchbill.entry.api.visible import find_one, the_person
from watchbill.entry.api.words import Id, demand_given

router = Router(tags=["Post-mortems"])


@router.patch("/{number}", auth=may("write"), response=answers(PostMortemLine), summary="Change a post-mortem")
def change(request: Asked, number: Id, body: ChangedPostMortem) -> PostMortemLine:
    """Its title, who writes it, by when it is due."""
    the_postmortem(request, number)
    caller = request.auth
    values: dict[str, Any] = body.model_dump(exclude_unset=True)
    demand_given(values, "title")
    if values.get("owner") is not None:
        values["owner"] = the_person(caller.person, values["owner"])
    postmortems.change(number, values, caller.person, caller.now)
    return line_of(request, number)


@router.post("/{number}/refill", auth=may("write"), response=answers(WholePostMortem), summary="Draft it anew")
def refill(request: Asked, number: Id) -> WholePostMortem:
    """From what was noted since; what somebody touched stays as it is."""
    the_postmortem(request, number)
    postmortems.refill(number, request.auth.person, request.auth.now)
    return read(request, number)


@router.put("/{number}/impact", auth=may("write"), response=answers(WholePostMortem), summary="Write the impact down")
def impact(request: Asked, number: Id, body: ImpactFigures) -> WholePostMortem:
    """What is not named stays."""
    the_postmortem(request, number)
    postmortems.set_impact(number, body.impact, request.auth.person, request.auth.now)
    return read(request, number)


@router.post("/{number}/meeting", auth=may("write"), response=answers(PostMortemLine), summary="Plan its meeting")
def plan_meeting(request: Asked, number: Id, body: PlannedMeeting) -> PostMortemLine:
    """Or move it; everybody who is asked gets an invitation by mail."""
    the_postmortem(request, number)
    postmortem_meeting.plan(number, body.at, request.auth.person, request.auth.now, minutes=body.minutes)
    return line_of(request, number)


@router.post(
    "/{number}/meeting/call-off", auth=may("write"), response=answers(PostMortemLine), summary="Call its meeting off"
)
def call_meeting_off(request: Asked, number: Id, body: PostMortemWhy) -> PostMortemLine:
    """Calendars take it away."""
    the_postmortem(request, number)
    postmortem_meeting.call_off(number, body.why, request.auth.person, request.auth.now)
    return line_of(request, number)


@router.post(
    "/{number}/attendees", auth=may("write"), response=answers(AttendeeLine, 201), summary="Ask somebody to the meeting"
)
def ask(request: Asked, number: Id, body: NewAttendee) -> Status[AttendeeLine]:
    """A colleague or a guest; they get the invitation when the meeting is planned."""
    the_postmortem(request, number)
    caller = request.auth
    whom = the_person(caller.person, body.person) if body.person is not None else None
    row = postmortem_meeting.ask(
        number,
        caller.person,
        caller.now,
        whom=whom,
        name=body.name,
        email=body.email,
        is_required=body.is_required,
    )
    return Status(201, AttendeeLine.of(row))


@router.delete(
    "/{number}/attendees/{attendee}", auth=may("write"), response=answers(WholePostMortem), summary="Excuse somebody"
)
def excuse(request: Asked, number: Id, attendee: Id) -> WholePostMortem:
    """Their calendar takes the meeting away."""
    row = find_one(the_postmortem(request, number).attendees.all(), attendee, "attendee")
    postmortem_meeting.excuse(row.pk, request.auth.person, request.auth.now)
    return read(request, number)


def _action(postmortem: PostMortem, number: int) -> int:
    return find_one(postmortem.actions.all(), number, "action").pk


@router.patch(
    "/{number}/actions/{action}", auth=may("write"), response=answers(ActionLine), summary="Say what an action is for"
)
def change_action(request: Asked, number: Id, action: Id, body: ChangedAction) -> ActionLine:
    """Its kind and purpose, and whether it is the smallest that helps. The rest is its ticket's."""
    found = _action(the_postmortem(request, number), action)
    item = action_items.change(
        found,
        request.auth.person,
        request.auth.now,
        kind=body.kind or "",
        purpose=body.purpose or "",
        is_smallest=body.is_smallest,
    )
    return ActionLine.of(item)


@router.post(
    "/{number}/actions/{action}/rank", auth=may("write"), response=answers(WholePostMortem), summary="Rank an action"
)
def rank_action(request: Asked, number: Id, action: Id, body: ActionPlace) -> WholePostMortem:
    """Put it at a place of the list, 0 first."""
    found = _action(the_postmortem(request, number), action)
    action_items.rank(found, body.place, request.auth.person, request.auth.now)
    return read(request, number)


@router.post(
    "/{number}/actions/{action}/next-sprint",
    auth=may("write"),
    response=answers(ActionLine),
    summary="Put an action into the next sprint",
)
def into_next_sprint(request: Asked, number: Id, action: Id) -> ActionLine:
    """The next that has not begun, else the one that runs."""
    found = _action(the_postmortem(request, number), action)
    return ActionLine.of(action_items.into_next_sprint(found, request.auth.person, request.auth.now))


@router.post(
    "/{number}/retract", auth=may("write"), response=answers(PostMortemLine), summary="Take it from the public"
)
def retract(request: Asked, number: Id, body: PostMortemWhy) -> PostMortemLine:
    """The public page is gone; what stands in a repository or a wiki is taken away there."""
    the_postmortem(request, number)
    publishing.retract(number, body.why, request.auth.person, request.auth.now)
    return line_of(request, number)


@router.post(
    "/{number}/publications/{publication}/retry",
    auth=may("write"),
    response=answers(WholePostMortem),
    summary="Publish once more what failed",
)
def retry(request: Asked, number: Id, publication: Id) -> WholePostMortem:
    """To the same place."""
    row = find_one(the_postmortem(request, number).publications.all(), publication, "publication")
    publishing.retry(row.pk, request.auth.person, request.auth.now)
    return read(request, number)

"""Post-mortems: read them, write their sections, their actions, where they go; bring in reports from elsewhere."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

from django.db.models import QuerySet
from ninja import Router, Status

from watchbill.actions import action_items, postmortem_sections, postmortems, publishing, report_import
from watchbill.actions.action_items import Wanted
from watchbill.actions.postmortem_files import file_name, report_of
from watchbill.core.reports.write import write_markdown, write_myst
from watchbill.db.models import Person, PostMortem
from watchbill.db.postmortem_facts import actions_of, open_revisions, readable_by
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.postmortem_lines import (
    ActionLine,
    AsideLine,
    AttendeeLine,
    ChangedPostMortem,
    FileLine,
    ImportedLine,
    MovedPostMortem,
    NewAction,
    NewPostMortem,
    NewReport,
    PostMortemLine,
    PublicationLine,
    Published,
    SavedLine,
    SectionLine,
    Settled,
    WholePostMortem,
    WrittenSection,
)
from watchbill.entry.api.visible import chosen_teams, find_one, the_person, the_team
from watchbill.entry.api.words import Id, Slug, demand_given
from watchbill.kit.errors import Refused

router = Router(tags=["Post-mortems"])


def _rows(person: Person) -> QuerySet[PostMortem]:
    return readable_by(person).select_related("team", "incident", "owner", "reviewed_by")


def the_postmortem(request: Asked, number: int) -> PostMortem:
    """Read one that the caller may see; raises Http404."""
    return find_one(_rows(request.auth.person), number, "post-mortem")


def line_of(request: Asked, number: int) -> PostMortemLine:
    """Show one as it stands now."""
    return PostMortemLine.of(the_postmortem(request, number))


@router.get("", auth=may("read"), response=answers(Listed[PostMortemLine]), summary="List post-mortems")
def list_postmortems(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[PostMortemLine]:
    """The newest first; those of private incidents only for who may see them."""
    rows = _rows(request.auth.person)
    if team:
        rows = rows.filter(team__in=chosen_teams(request.auth.person, team))
    return by_id(rows, after, limit, PostMortemLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(PostMortemLine, 201), summary="Begin one for an incident")
def begin(request: Asked, body: NewPostMortem) -> Status[PostMortemLine]:
    """From what the record tells; one that stands already is given back."""
    made = postmortems.begin_by_hand(body.incident, request.auth.person, request.auth.now, body.why)
    return Status(201, line_of(request, made.pk))


@router.post("/import", auth=may("write"), response=answers(ImportedLine, 201), summary="Bring in a report")
def import_report(request: Asked, body: NewReport) -> Status[ImportedLine]:
    """Markdown or PDF; the same file a second time makes nothing new."""
    team = the_team(request.auth.person, body.team)
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("send the bytes of the file in base64", "content") from None
    done = report_import.import_file(team, content, body.name, request.auth.person, request.auth.now)
    line = ImportedLine(
        postmortem=done.postmortem.pk,
        title=done.postmortem.title,
        is_new=done.is_new,
        guesses=[f"line {one.line}: {one.text}: {one.why}" for one in done.guesses],
        not_understood=[f"line {one.line}: {one.text}: {one.why}" for one in done.not_understood],
    )
    return Status(201, line)


@router.get("/{number}", auth=may("read"), response=answers(WholePostMortem), summary="Read one")
def read(request: Asked, number: Id) -> WholePostMortem:
    """With its sections, what was set aside, its actions, and where it was published."""
    row = the_postmortem(request, number)
    return WholePostMortem(
        **PostMortemLine.of(row).model_dump(),
        impact={name: str(value) for name, value in row.impact.items()},
        sections=[SectionLine.read(one) for one in row.sections.order_by("position", "id")],
        set_aside=[AsideLine(id=one.pk, section=one.section_id, text=one.text) for one in open_revisions(row)],
        actions=[ActionLine.of(item) for item in actions_of(row)],
        attendees=[AttendeeLine.of(one) for one in row.attendees.select_related("person").order_by("id")],
        publications=[
            PublicationLine(
                id=one.publication.pk,
                target=one.publication.target,
                state=one.state,
                url=one.publication.url,
                answer=one.answer,
            )
            for one in publishing.standings(row)
        ],
        is_changed=row.is_public and publishing.is_changed(row),
        missing=postmortems.missing_of(row, "reviewed", request.auth.now),
        not_understood=[f"line {one['line']}: {one['text']}: {one['why']}" for one in row.not_understood],
    )


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


@router.get("/{number}/file", auth=may("read"), response=answers(FileLine), summary="Take it along as a file")
def as_file(request: Asked, number: Id, style: Literal["markdown", "myst"] = "markdown") -> FileLine:
    """Markdown that loses nothing, or MyST as 2i2c publishes it. Importing it again gives the same record."""
    row = the_postmortem(request, number)
    text = (write_myst if style == "myst" else write_markdown)(report_of(row))
    return FileLine(name=file_name(row, "md"), text=text)


def _saved(saved: postmortem_sections.Saved) -> SavedLine:
    one = saved.section
    line = SectionLine.read(one)
    aside = saved.set_aside.pk if saved.set_aside else None
    return SavedLine(section=line, was_merged=saved.was_merged, set_aside=aside)


@router.put(
    "/{number}/sections/{section}", auth=may("answer"), response=answers(SavedLine), summary="Write in a section"
)
def write_section(request: Asked, number: Id, section: Id, body: WrittenSection) -> SavedLine:
    """Against the version that you began from: nothing that others wrote meanwhile is lost, and nothing of yours."""
    row = find_one(the_postmortem(request, number).sections.all(), section, "section")
    return _saved(postmortem_sections.save(row.pk, body.text, body.version, request.auth.person, request.auth.now))


@router.post("/{number}/settle", auth=may("answer"), response=answers(SavedLine), summary="Settle words set aside")
def settle(request: Asked, number: Id, body: Settled) -> SavedLine:
    """Send one text that was made of both."""
    row = find_one(open_revisions(the_postmortem(request, number)), body.revision, "revision")
    return _saved(postmortem_sections.settle(row.pk, body.text, body.version, request.auth.person, request.auth.now))


@router.post("/{number}/move", auth=may("answer"), response=answers(PostMortemLine), summary="Move it on, or back")
def move(request: Asked, number: Id, body: MovedPostMortem) -> PostMortemLine:
    """All that is missing is said at once."""
    the_postmortem(request, number)
    postmortems.move(number, body.state, request.auth.person, request.auth.now, body.why)
    return line_of(request, number)


@router.post("/{number}/actions", auth=may("write"), response=answers(ActionLine, 201), summary="Add an action")
def add_action(request: Asked, number: Id, body: NewAction) -> Status[ActionLine]:
    """It becomes a ticket of kind action."""
    the_postmortem(request, number)
    caller = request.auth
    if body.line:
        item = action_items.add_line(number, body.line, caller.person, caller.now)
    elif body.title:
        owner = the_person(caller.person, body.owner) if body.owner else None
        wanted = Wanted(body.title, body.text, owner, body.due_on, body.kind, body.purpose, "", body.is_smallest)
        item = action_items.add(number, wanted, caller.person, caller.now)
    else:
        raise Refused("give a line, or a title", "title")
    return Status(201, ActionLine.of(item))


@router.post("/{number}/publish", auth=may("write"), response=answers(PostMortemLine), summary="Publish it")
def publish(request: Asked, number: Id, body: Published) -> PostMortemLine:
    """Where the team's rule says, or to `targets`; without names."""
    row = the_postmortem(request, number)
    places = publishing.places_for(row)
    chosen = next((one for one in places if one.pk == body.connection), None)
    if body.connection is not None and chosen is None:
        raise Refused("the team has no such repository or wiki", "connection")
    publishing.publish(number, request.auth.person, request.auth.now, targets=body.targets, connection=chosen)
    return line_of(request, number)

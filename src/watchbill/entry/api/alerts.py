"""Alerts: the list, one with its explanation and timeline, and the answers to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill import monitors
from watchbill.actions import alerts, paging
from watchbill.db.models import Alert, AlertGroup, Event, Outgoing, Page
from watchbill.db.screens import alerts as screen
from watchbill.db.screens.visible import team_ids
from watchbill.db.search import search as find
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.pages import Notification, PageLine, Reason, Reassignment, Snooze, notifications_of
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import alerts_of, chosen_teams, the_alert, the_person, the_service
from watchbill.entry.api.words import EventLine, Given, Id, Line, PersonRef, ServiceRef, Slug, TeamRef, Text, Word
from watchbill.kit.errors import Refused

router = Router(tags=["Alerts"])
MOST_LINES = 500


class AlertLine(BaseModel):
    """An alert group: what is handled as one."""

    id: int
    title: str
    severity: str
    state: str = Field(description="firing, acknowledged or resolved.")
    response: str = Field(description="What the team's policy asks: page_now, page_in_coverage, list_due, record.")
    urgency: str
    team: TeamRef
    service: ServiceRef
    detected_by: str
    opened_at: datetime
    last_at: datetime
    due_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: PersonRef | None
    snoozed_until: datetime | None
    resolved_at: datetime | None
    silence: int | None
    alert_count: int
    firing_count: int
    signal_count: int

    @classmethod
    def of(cls, group: AlertGroup) -> AlertLine:
        """Show an alert group."""
        return cls(**_fields(group))


class AlertPart(BaseModel):
    """One alert of the group, as its monitor said it."""

    id: int
    title: str
    state: str
    severity: str
    source: str
    description: str
    labels: dict[str, str]
    links: list[list[str]]
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None
    count: int


class Explanation(BaseModel):
    """Why this alert is where it is, from the log."""

    received_by: str = Field(description="The monitor that spoke.")
    payload: int | None = Field(description="The number of the payload in the inbox.")
    parsed_as: str
    severity_word: str = Field(description="The monitor's own word for the severity.")
    grouped: str = Field(description="Why it is in this group, and why it has this severity.")
    silenced_by: str
    paged_through: str = Field(description="The ladder of its page.")
    because: str = Field(description="What the policy asked for it, in the log's words.")


class AlertWhole(AlertLine):
    """An alert group with its explanation, its alerts, its pages, its timeline and every notification."""

    explanation: Explanation
    why: list[Reason] = Field(description="The whole chain, oldest first, and what follows if nobody answers.")
    alerts: list[AlertPart]
    pages: list[PageLine]
    timeline: list[EventLine]
    notifications: list[Notification]


class Note(Given):
    """What to write on the timeline."""

    text: Text = Field(max_length=5000)


def _fields(group: AlertGroup) -> dict[str, Any]:
    names = (
        "title", "severity", "state", "response", "urgency", "detected_by", "opened_at", "last_at", "due_at",
        "acknowledged_at", "resolved_at", "alert_count", "firing_count", "signal_count",
    )  # fmt: skip
    return {name: getattr(group, name) for name in names} | {
        "id": group.pk,
        "snoozed_until": None if group.state == "resolved" else group.snoozed_until,
        "team": TeamRef.of(group.team),
        "service": ServiceRef.of(group.service),
        "acknowledged_by": PersonRef.maybe(group.acknowledged_by),
        "silence": group.silence_id,
    }


@router.get("", auth=may("read"), response=answers(Listed[AlertLine]), summary="List alerts, newest first")
def list_alerts(
    request: Asked,
    team: Slug = "",
    service: Slug = "",
    state: Literal["", "open", "firing", "acknowledged", "resolved"] = "",
    severity: Word = "",
    mine: bool = False,
    search: Line = "",
    after: After = "",
    limit: Limit = 50,
) -> Listed[AlertLine]:
    """`state=open` is firing and acknowledged; `mine` are those whose page asked you or that you acknowledged."""
    caller = request.auth
    rows = alerts_of(caller.person)
    if team:
        rows = rows.filter(team__in=chosen_teams(caller.person, team))
    if service:
        rows = rows.filter(service=the_service(caller.person, service))
    if state == "open":
        rows = rows.exclude(state="resolved")
    elif state:
        rows = rows.filter(state=state)
    rows = rows.filter(severity=severity) if severity else rows
    if mine:
        rows = _mine(rows, request)
    rows = find(rows, search, team_ids(caller.person)) if search else rows
    return by_id(rows, after, limit, AlertLine.of, newest_first=True)


def _mine(rows: QuerySet[AlertGroup], request: Asked) -> QuerySet[AlertGroup]:
    person = request.auth.person
    asked = Outgoing.objects.filter(person=person, subject_kind="page", purpose="page").values("subject_id")
    pages = Page.objects.filter(pk__in=asked, group__isnull=False).values("group_id")
    return rows.filter(pk__in=pages) | rows.filter(acknowledged_by=person)


@router.get("/{number}", auth=may("read"), response=answers(AlertWhole), summary="Read one alert, with why")
def read_alert(request: Asked, number: Id) -> AlertWhole:
    """With the explanation, each alert in it, its pages, its timeline and every notification with its state."""
    return _whole(the_alert(request.auth.person, number), request.auth.now)


def _whole(group: AlertGroup, now: datetime) -> AlertWhole:
    pages = list(
        Page.objects.filter(group=group).select_related("team", "service", "answered_by", "opened_by").order_by("pk")
    )
    numbers = [page.pk for page in pages]
    lines = _timeline(group, numbers)
    titles = {name: monitor.TITLE for name, monitor in monitors.all_monitors().items()}
    return AlertWhole(
        **_fields(group),
        explanation=_explain(group, pages, lines),
        why=[Reason.of(reason) for reason in screen.tell_group(group, now, titles).because],
        alerts=[_part(alert) for alert in Alert.objects.filter(group=group).order_by("pk")[:MOST_LINES]],
        pages=[PageLine.of(page) for page in pages],
        timeline=[EventLine.of(line) for line in lines],
        notifications=notifications_of(numbers),
    )


def _timeline(group: AlertGroup, pages: list[int]) -> list[Event]:
    own = Event.objects.filter(subject_kind="alert", subject_id=group.pk)
    both = own | Event.objects.filter(subject_kind="page", subject_id__in=pages)
    return list(both.order_by("at", "pk")[:MOST_LINES])


def _part(alert: Alert) -> AlertPart:
    return AlertPart(
        id=alert.pk,
        title=alert.title,
        state=alert.state,
        severity=alert.severity,
        source=alert.source,
        description=alert.description,
        labels={str(key): str(value) for key, value in alert.labels.items()},
        links=[[str(part) for part in link] for link in alert.links],
        first_at=alert.first_at,
        last_at=alert.last_at,
        ended_at=alert.ended_at,
        count=alert.count,
    )


def _explain(group: AlertGroup, pages: list[Page], lines: list[Event]) -> Explanation:
    opened = next((line for line in lines if line.kind == "alert.opened"), None)
    data = opened.data if opened else {}
    asked = ("alert.paged", "alert.silenced", "alert.waits", "alert.listed", "alert.recorded")
    silence = group.silence
    return Explanation(
        received_by=str(data.get("monitor", opened.actor_name if opened else "")),
        payload=data.get("inbox"),
        parsed_as=str(data.get("parsed", group.title)),
        severity_word=str(data.get("severity_word", "")),
        grouped=opened.why if opened else "",
        silenced_by=f"{silence.created_by or 'somebody'}: {silence.why}" if silence else "",
        paged_through=str(pages[-1].ladder.get("name", "")) if pages else "",
        because="; ".join(line.why for line in lines if line.kind in asked),
    )


def _open_page_of(group: AlertGroup) -> int:
    page = paging.open_page_of(group)
    if page is None:
        over = "it is resolved" if group.state == "resolved" else "nobody was paged for it"
        raise Refused(f"alert {group.pk} has no page to answer: {over}")
    return page


@router.post(
    "/{number}/acknowledge", auth=may("answer"), response=answers(AlertLine), summary="Take responsibility for an alert"
)
def acknowledge(request: Asked, number: Id) -> AlertLine:
    """The climb stops; after the team's time it asks again. A second time changes nothing, so a retry is safe."""
    caller = request.auth
    alerts.acknowledge_group(the_alert(caller.person, number).pk, caller.person, caller.now)
    return AlertLine.of(the_alert(caller.person, number))


@router.post(
    "/{number}/resolve", auth=may("answer"), response=answers(AlertLine), summary="Close an alert and its page"
)
def resolve(request: Asked, number: Id) -> AlertLine:
    """A resolved one stays as it is, so a retry is safe."""
    caller = request.auth
    if the_alert(caller.person, number).state != "resolved":
        alerts.resolve_group(number, caller.person, caller.now)
    return AlertLine.of(the_alert(caller.person, number))


@router.post(
    "/{number}/snooze", auth=may("answer"), response=answers(AlertLine), summary="Ask nobody for an alert until a time"
)
def snooze(request: Asked, number: Id, body: Snooze) -> AlertLine:
    """At most a week ahead; then the climb starts over."""
    caller = request.auth
    page = _open_page_of(the_alert(caller.person, number))
    paging.snooze(page, caller.person, body.until, caller.now)
    return AlertLine.of(the_alert(caller.person, number))


@router.post(
    "/{number}/reassign", auth=may("answer"), response=answers(AlertLine), summary="Ask one person to take an alert"
)
def reassign(request: Asked, number: Id, body: Reassignment) -> AlertLine:
    """They are asked at once; if they do not answer the ladder goes on."""
    caller = request.auth
    page = _open_page_of(the_alert(caller.person, number))
    paging.reassign(page, the_person(caller.person, body.to), caller.person, caller.now)
    return AlertLine.of(the_alert(caller.person, number))


@router.post(
    "/{number}/help", auth=may("answer"), response=answers(AlertLine), summary="Ask the next rung for help at once"
)
def ask_for_help(request: Asked, number: Id) -> AlertLine:
    """Whoever has the alert keeps it until somebody else answers."""
    caller = request.auth
    page = _open_page_of(the_alert(caller.person, number))
    paging.ask_for_help(page, caller.person, caller.now)
    return AlertLine.of(the_alert(caller.person, number))


@router.post(
    "/{number}/notes", auth=may("answer"), response=answers(EventLine, 201), summary="Write a note on an alert"
)
def note(request: Asked, number: Id, body: Note) -> Status[EventLine]:
    """The note stands on the timeline with your name."""
    caller = request.auth
    group = the_alert(caller.person, number)
    alerts.write_note(group, body.text, caller.person, caller.now)
    notes = Event.objects.filter(subject_kind="alert", subject_id=group.pk, kind="alert.note", actor=caller.person)
    return Status(201, EventLine.of(notes.order_by("-pk")[0]))

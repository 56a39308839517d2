"""Read what a handoff is drafted from, who comes after a shift, and what decisions about a handoff need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from watchbill.core import handoff as core
from watchbill.db.models import (
    AlertGroup,
    Handoff,
    Incident,
    LogEntry,
    Message,
    Notice,
    Page,
    Person,
    Rotation,
    Shift,
    Silence,
    SupportRequest,
    Team,
    Ticket,
)
from watchbill.db.models.incidents import NOT_OVER
from watchbill.kit.spans import Span

MOST = 200
MOST_COUNTED = 5000
MOST_OF_A_RUN = 60
LOOK_AHEAD = timedelta(days=60)
OPEN = Q(state__in=core.OPEN)


@dataclass(frozen=True)
class Names:
    """The team's words for the keys that stand in the rows."""

    roles: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)


def seat_names(rotation: Rotation, seat: str) -> tuple[str, str]:
    """Give the names by which a ticket belongs to a seat."""
    return seat, f"{rotation.slug}/{seat}"


def next_shift(shift: Shift, *, any_watch: bool) -> Shift | None:
    """Read the shift that follows another one in its seat, a night or a weekend later too; of whoever stands there.

    With `any_watch` it is that of whoever stands any watch of the team when the shift ends, or the first one after it:
    the evening takes over from the day, and the morning from the night (HND-11, HND-12). None: nobody is planned.
    """
    end = shift.ends_at
    ahead = Shift.objects.filter(ends_at__gt=end, starts_at__lt=end + LOOK_AHEAD, person__is_active=True)
    ahead = ahead.select_related("person").order_by("starts_at", "id")
    own = ahead.filter(rotation=shift.rotation_id, seat=shift.seat, starts_at__gte=end).first()
    if not any_watch or (own is not None and own.starts_at == end):
        return own
    others = ahead.filter(rotation__team=shift.rotation.team_id, rotation__archived_at=None)
    others = others.exclude(person=shift.person_id)
    standing = others.filter(starts_at__lte=end).order_by("-starts_at", "id").first()
    return standing or others.first()


def began(shift: Shift) -> datetime:
    """Read when the run of shifts began that a person stands in a seat without anybody between them."""
    rows = Shift.objects.filter(rotation=shift.rotation_id, seat=shift.seat, starts_at__lt=shift.starts_at)
    at = shift.starts_at
    for starts_at, person in rows.order_by("-starts_at").values_list("starts_at", "person")[:MOST_OF_A_RUN]:
        if person != shift.person_id or shift.ends_at - starts_at > LOOK_AHEAD:
            break
        at = starts_at
    return at


def handoffs_seen_by(person: Person) -> Q:
    """Give the handoffs that somebody may see, as a condition on `Handoff`: those of their teams."""
    return Q() if person.is_superuser else Q(team__memberships__person=person)


def due_from(person: Person, now: datetime) -> list[Handoff]:
    """Read the open handoffs that wait for somebody: theirs to hand on, or, handed on or late, theirs to accept."""
    leaves = Q(leaver=person)
    comes = Q(comer=person) & (Q(state=core.HANDED_ON) | Q(ends_at__lte=now))
    rows = Handoff.objects.filter(OPEN).filter(leaves | comes).select_related("team", "rotation", "leaver", "comer")
    return list(rows.order_by("due_at", "id")[:20])


def late_of(teams: Collection[int], person: Person, now: datetime) -> list[Handoff]:
    """Read the open handoffs of teams that are late, and are no matter of this person's own."""
    rows = Handoff.objects.filter(OPEN, team__in=teams, due_at__lt=now, asked_at__isnull=False)
    rows = rows.exclude(leaver=person).exclude(comer=person).select_related("team", "rotation", "leaver", "comer")
    return list(rows.order_by("due_at", "id")[:20])


def handoff_fact(handoff: Handoff) -> core.Handoff:
    """Give what decisions need of a handoff."""
    work = handoff.items.filter(part="work", is_over=False, keeps=False)
    numbers = list(work.filter(about="ticket").values_list("about_id", flat=True))
    tickets = list(noted(Ticket.objects.filter(pk__in=numbers), handoff.leaver, handoff.began_at).order_by("id"))
    return core.Handoff(
        state=handoff.state,
        ends_at=handoff.ends_at,
        due_at=handoff.due_at,
        summary=handoff.summary,
        witnesses=handoff.witnesses.count(),
        has_work=work.exists(),
        unnoted=tuple(f"T-{one.pk}" for one in tickets if not one.is_noted),  # type: ignore[attr-defined]
    )


def noted(tickets: QuerySet[Ticket], leaver: Person, since: datetime) -> QuerySet[Ticket]:
    """Mark tickets on which somebody wrote since a moment, as `is_noted` (HND-03)."""
    wrote = Message.objects.filter(ticket=OuterRef("pk"), author=leaver, at__gte=since)
    return tickets.annotate(is_noted=Exists(wrote))


def carried_tickets(handoff: Handoff) -> QuerySet[Ticket]:
    """Read the open tickets that the seat carries, and the unplanned ones that the leaver took on watch."""
    seats = Q(seat__in=seat_names(handoff.rotation, handoff.seat))
    mine = Q(assignee=handoff.leaver, is_unplanned=True)
    return Ticket.objects.filter(seats | mine, team=handoff.team).exclude(stage="done")


def carried_requests(handoff: Handoff) -> QuerySet[SupportRequest]:
    """Read the open requests that the leaver has, or nobody."""
    theirs = Q(assignee=handoff.leaver) | Q(assignee=None)
    return SupportRequest.objects.filter(theirs, team=handoff.team, state="open")


def held_pages(handoff: Handoff) -> QuerySet[Page]:
    """Read the open pages that the leaver answered: they would ask the leaver again (HND-08)."""
    rows = Page.objects.filter(team=handoff.team, closed_at=None, answered_by=handoff.leaver)
    return rows.filter(state__in=("acknowledged", "snoozed"), answered_at__lt=handoff.ends_at)


def story_of(handoff: Handoff, names: Names, now: datetime, planned_ahead: timedelta) -> core.Story:
    """Read everything from which the draft of a handoff follows."""
    team = handoff.team
    return core.Story(
        burning=[*_alerts(team), *_pages(team)],
        going=_incidents(team, names),
        work=[*_tickets(handoff, names), *_requests(handoff, names)],
        planned=_planned(team, now + planned_ahead),
        quiet=_silences(team, now),
        noted=_entries(handoff),
        counts=_counts(team, Span(handoff.began_at, max(min(handoff.ends_at, now), handoff.began_at))),
    )


def _alerts(team: Team) -> list[core.Burning]:
    rows = AlertGroup.objects.filter(team=team, silence=None).exclude(state="resolved").exclude(response="record")
    groups = list(rows.select_related("service", "acknowledged_by").order_by("-opened_at")[:MOST])
    pages = Page.objects.filter(group__in=groups, closed_at=None).select_related("answered_by")
    page_of = {page.group_id: page for page in pages}
    return [_burning("alert", one.pk, one.title, one.service.name, one.severity, one.state, one.acknowledged_by,
                     page_of.get(one.pk)) for one in groups]  # fmt: skip


def _pages(team: Team) -> list[core.Burning]:
    rows = Page.objects.filter(team=team, group=None, closed_at=None).select_related("answered_by")
    return [_burning("page", one.pk, one.title, "paged by hand", one.severity, one.state, one.answered_by, one)
            for one in rows.order_by("-id")[:MOST]]  # fmt: skip


def _burning(
    about: str, number: int, title: str, where: str, severity: str, state: str, by: Person | None, page: Page | None
) -> core.Burning:
    held = by or (page.answered_by if page and page.state in {"acknowledged", "snoozed"} else None)
    again = page.until if page and page.state in {"acknowledged", "snoozed"} else None
    return core.Burning(about, number, title, where, severity, state, str(held or ""), again)


def _incidents(team: Team, names: Names) -> list[core.Going]:
    # A private one is for those whom it names: a whole team reads this.
    rows = Incident.objects.filter(NOT_OVER, team=team, is_private=False).prefetch_related("roles__person")
    found = []
    for one in rows.order_by("id")[:MOST]:
        held = [role for role in one.roles.all() if role.state == "accepted"]
        roles = tuple((names.roles.get(role.role, role.role), str(role.person)) for role in held)
        title = f"Exercise: {one.title}" if one.is_exercise else one.title
        priority = names.priorities.get(one.priority, one.priority)
        found.append(core.Going(one.pk, title, one.state, priority, roles, one.next_update_at))
    return found


def _tickets(handoff: Handoff, names: Names) -> list[core.Work]:
    rows = noted(carried_tickets(handoff), handoff.leaver, handoff.began_at)
    return [
        core.Work(
            "ticket", one.pk, one.title, one.stage.replace("_", " "), names.levels.get(one.priority, one.priority),
            (one.rank, one.position, one.pk), "of the watch" if one.seat else f"{handoff.leaver} has it",
            one.is_noted,  # type: ignore[attr-defined]
        )
        for one in rows.order_by("rank", "position", "id")[:MOST]
    ]  # fmt: skip


def _requests(handoff: Handoff, names: Names) -> list[core.Work]:
    rows = carried_requests(handoff).select_related("assignee").order_by("rank", "due_at", "id")
    return [
        core.Work(
            "request", one.pk, one.title, f"waits for {one.waiting_on}",
            names.levels.get(one.priority, one.priority), (one.rank, 0, one.pk),
            f"{one.assignee} has it" if one.assignee else "nobody has it", due_at=one.due_at,
        )
        for one in rows[:MOST]
    ]  # fmt: skip


def _planned(team: Team, until: datetime) -> list[core.Planned]:
    soon = Q(state="in_progress") | Q(state="announced", starts_at__lt=until)
    rows = Notice.objects.filter(soon, team=team).prefetch_related("services").order_by("starts_at", "id")
    return [
        core.Planned(one.pk, one.title, one.state == "in_progress", one.starts_at, one.ends_at,
                     ", ".join(sorted(str(service) for service in one.services.all())))
        for one in rows[:MOST]
    ]  # fmt: skip


def _silences(team: Team, now: datetime) -> list[core.Quiet]:
    rows = Silence.objects.filter(team=team, ends_at__gt=now, starts_at__lte=now, ended_at=None)
    return [
        core.Quiet(one.pk, f"{one.service or team}{', some of its alerts' if one.matchers else ''}", one.why,
                   str(one.created_by or "somebody"), one.ends_at)
        for one in rows.select_related("service", "created_by").order_by("ends_at", "id")[:MOST]
    ]  # fmt: skip


def entries_of(handoff: Handoff) -> QuerySet[LogEntry]:
    """Read the log of a shift: what its seat noted, and what members in no seat noted meanwhile (RUN-10)."""
    here = Q(rotation=handoff.rotation, seat=handoff.seat) | Q(rotation=None)
    rows = LogEntry.objects.filter(here, team=handoff.team, at__gte=handoff.began_at, at__lt=handoff.ends_at)
    return rows.select_related("author", "ticket").order_by("at", "id")


def _entries(handoff: Handoff) -> list[core.Noted]:
    return [
        core.Noted(one.pk, one.title, str(one.author or "somebody"), one.at, one.ticket_id or 0)
        for one in entries_of(handoff)[:MOST]
    ]


def _counts(team: Team, span: Span) -> core.Counts:
    alerts, over, loud = _alert_counts(team, span)
    pages, answered = _page_counts(team, span)
    requests = SupportRequest.objects.filter(team=team)
    tickets = Ticket.objects.filter(team=team)
    return core.Counts(
        alerts=alerts,
        alerts_over=over,
        pages=pages,
        pages_answered=answered,
        requests=requests.filter(**_inside(span, "opened_at")).count(),
        requests_done=requests.filter(**_inside(span, "resolved_at")).count(),
        tickets=tickets.filter(**_inside(span, "created_at")).count(),
        tickets_done=tickets.filter(stage="done", **_inside(span, "done_at")).count(),
        loudest=loud,
    )


def _inside(span: Span, name: str) -> dict[str, datetime]:
    return {f"{name}__gte": span.start, f"{name}__lt": span.end}


def _alert_counts(team: Team, span: Span) -> tuple[int, int, tuple[tuple[int, str, int], ...]]:
    """Count the newest alerts of a span; the same key again is one alarm, named by its newest alert."""
    rows = AlertGroup.objects.filter(team=team).order_by("-id")
    columns = ("pk", "service_id", "key", "title", "restarts", "opened_at", "resolved_at")
    count, over = 0, 0
    loud: dict[tuple[int, str], tuple[int, str, int]] = {}
    for pk, service, key, title, restarts, opened, resolved in rows.values_list(*columns)[:MOST_COUNTED]:
        if not span.start <= opened < span.end:
            continue
        count, over = count + 1, over + (resolved is not None)
        newest, words, times = loud.get((service, key), (pk, title, 0))
        loud[service, key] = (newest, words, times + 1 + restarts)
    ranked = sorted(loud.values(), key=lambda one: (-one[2], -one[0]))
    return count, over, tuple(ranked[: core.LOUDEST])


def _page_counts(team: Team, span: Span) -> tuple[int, int]:
    rows = Page.objects.filter(team=team).order_by("-id").values_list("opened_at", "answered_at")[:MOST_COUNTED]
    inside = [answered for opened, answered in rows if span.start <= opened < span.end]
    return len(inside), sum(answered is not None for answered in inside)

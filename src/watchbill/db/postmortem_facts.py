"""Read what decisions about post-mortems need: the record as a story, the document as a fact, who is asked to the meeting."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.db.models import Q, QuerySet

from watchbill.core.incidents import DETECTED_BY, ENTRY_KINDS, MILESTONES
from watchbill.core.measures import Told
from watchbill.core.postmortems import Action, Document, Note, Story
from watchbill.db.incident_facts import incident_fact, seen_by, sees_incident
from watchbill.db.models import (
    ActionItem,
    Event,
    Incident,
    IncidentLink,
    Membership,
    Person,
    PostMortem,
    RoleAssignment,
    SectionRevision,
    Team,
)

# Lines that no report tells: who wrote where, what was pinned.
QUIET = ("incident.pinned", "incident.unpinned", "incident.step", "incident.changed", "incident.postmortem")
MOST_LINES = 2000


def readable_by(person: Person) -> QuerySet[PostMortem]:
    """Give the post-mortems that somebody may read: those of the incidents that they may see."""
    return PostMortem.objects.filter(incident__in=Incident.objects.filter(seen_by(person)))


def lines_of(incident: Incident) -> list[Event]:
    """Read the timeline of an incident as it stands now: what was put right is left out, in the order it happened."""
    rows = Event.objects.filter(subject_kind="incident", subject_id=incident.pk).exclude(kind__in=QUIET)
    lines = list(rows.order_by("at", "id")[:MOST_LINES])
    corrected = {line.data.get("corrects") for line in lines}
    return [line for line in lines if line.pk not in corrected]


def story_of(incident: Incident) -> Story:
    """Read what the record tells of an incident."""
    lines = lines_of(incident)
    count = _count_links(incident)
    roles = RoleAssignment.objects.filter(incident=incident, state="lapsed")
    pages = IncidentLink.objects.filter(incident=incident, kind="page").values("subject_id")
    exhausted = Event.objects.filter(subject_kind="page", subject_id__in=pages, kind="page.exhausted")
    return Story(
        title=incident.title,
        impact=incident.impact,
        summary=incident.summary,
        milestones=incident_fact(incident).milestones,
        detected_by=incident.detection_source,
        services=[str(row.service) for row in incident.touched.select_related("service").order_by("id")],
        communities=[str(row.community) for row in incident.communities.select_related("community").order_by("id")],
        notes=_notes(incident, lines),
        alerts=count["alert"],
        requests=count["request"],
        pages_exhausted=exhausted.values("subject_id").distinct().count(),
        roles_lapsed=roles.count(),
        updates_late=incident.promises.exclude(late_told_at=None).count(),
    )


def _count_links(incident: Incident) -> dict[str, int]:
    kinds = list(IncidentLink.objects.filter(incident=incident).values_list("kind", flat=True))
    return {kind: kinds.count(kind) for kind in ("alert", "request")}


def _notes(incident: Incident, lines: Sequence[Event]) -> list[Note]:
    pins = Event.objects.filter(
        subject_kind="incident", subject_id=incident.pk, kind__in=("incident.pinned", "incident.unpinned")
    )
    pinned: dict[int, bool] = {}
    for pin in pins.order_by("id"):
        pinned[pin.data.get("line", 0)] = pin.kind == "incident.pinned"
    return [
        Note(
            line.at,
            line.why,
            str(line.data.get("kind", "note")) if line.kind == "incident.entry" else line.kind,
            is_pinned=pinned.get(line.pk, False) or pinned.get(line.data.get("corrects", 0), False),
        )
        for line in lines
        if line.kind in {"incident.entry", "incident.mitigated", "incident.resolved"}
    ]


def counted(incident: Incident) -> list[tuple[str, int]]:
    """Count what the record knows of the impact: minutes that people felt it, services, communities, requests, alerts."""
    end = incident.mitigated_at or incident.resolved_at
    minutes = int((end - incident.started_at).total_seconds() // 60) if end else 0
    links = _count_links(incident)
    found = (
        ("Minutes of impact", minutes),
        ("Services", incident.touched.count()),
        ("Communities", incident.communities.count()),
        ("Linked requests", links["request"]),
        ("Linked alerts", links["alert"]),
    )
    return [(words, number) for words, number in found if number]


def actions_of(postmortem: PostMortem) -> list[ActionItem]:
    """Read the actions in their order."""
    rows = ActionItem.objects.filter(postmortem=postmortem).select_related("ticket__assignee", "ticket__sprint")
    return list(rows.order_by("position", "id"))


def document_of(postmortem: PostMortem, needed: Collection[str]) -> Document:
    """Give what decisions need of a post-mortem; `needed` are the keys of sections that must be written."""
    sections = list(postmortem.sections.order_by("position", "id"))
    waiting = set(open_revisions(postmortem).values_list("section", flat=True))
    return Document(
        state=postmortem.state,
        empty=[one.heading for one in sections if one.key in needed and not one.text.strip()],
        set_aside=[one.heading for one in sections if one.pk in waiting],
        actions=[
            Action(
                title=one.ticket.title,
                has_owner=one.ticket.assignee_id is not None or bool(one.ticket.seat),
                has_date=one.ticket.due_on is not None,
                is_done=one.ticket.stage == "done",
                is_smallest=one.is_smallest,
                in_sprint=one.ticket.sprint is not None and one.ticket.sprint.closed_at is None,
            )
            for one in actions_of(postmortem)
        ],
        milestones=incident_fact(postmortem.incident).milestones,
    )


def open_revisions(postmortem: PostMortem) -> QuerySet[SectionRevision]:
    """Read the words that were set aside and that nobody has settled."""
    rows = SectionRevision.objects.filter(section__postmortem=postmortem, set_aside=True, settled_at=None)
    return rows.select_related("section", "by").order_by("id")


def held(incident: Incident, role: str) -> list[Person]:
    """Read who held a role of an incident, whoever holds it last first."""
    rows = RoleAssignment.objects.filter(incident=incident, role=role).exclude(since=None)
    return list(dict.fromkeys(row.person for row in rows.select_related("person").order_by("-since", "-id")))


def people_called(incident: Incident, name: str, owner: Person | None) -> list[Person]:
    """Read whom a word of the team's rule means: a role, responders, manager, …; only those who may see the incident."""
    found = [one for one in _called(incident, name, owner) if one is not None and one.is_active]
    return [one for one in dict.fromkeys(found) if sees_incident(one, incident) or not incident.is_private]


def _called(incident: Incident, name: str, owner: Person | None) -> list[Person | None]:
    team = incident.team
    match name:
        case "owner":
            return [owner or incident.owner]
        case "declarer":
            return [incident.declared_by]
        case "responders":
            return [row.person for row in incident.members.select_related("person").order_by("id")]
        case "team":
            rows = Membership.objects.filter(team=team, role__in=("member", "owner")).select_related("person")
            return [row.person for row in rows.order_by("id")]
        case "manager" | "product_manager" | "fallback":
            person: Person | None = getattr(team, name)
            return [person]
        case "managers_manager":
            return _above(team)
        case _:
            return [*held(incident, name)]


def _above(team: Team) -> list[Person | None]:
    """Read the manager's manager: whoever manages the other teams that the manager belongs to (ROL-19)."""
    if team.manager is None:
        return []
    others = Team.objects.filter(memberships__person=team.manager, archived_at=None).exclude(pk=team.pk)
    return [one.manager for one in others.exclude(manager=team.manager).select_related("manager").order_by("id")]


def told_of(incidents: QuerySet[Incident], priorities: Mapping[tuple[int, str], tuple[str, bool]]) -> list[Told]:
    """Read what is measured of incidents; by team and key, what a priority is called and if it counts as high (MET-02)."""
    names = [f"{name}_at" for name in MILESTONES]
    rows = incidents.exclude(outcome__in=["merged", "not_an_incident"])
    told = []
    for row in rows.values("team_id", "priority", "detection_source", "is_exercise", *names):
        title, is_major = priorities.get((row["team_id"], row["priority"]), (row["priority"], False))
        told.append(
            Told(
                milestones={name.removesuffix("_at"): row[name] for name in names if row[name]},
                priority=title,
                is_major=is_major,
                detected_by=row["detection_source"] if row["detection_source"] in DETECTED_BY else "",
                is_exercise=row["is_exercise"],
            )
        )
    return told


def owed(team_ids: Collection[int]) -> Q:
    """Give what a team owes, as a condition on `PostMortem`: whatever is not published; an exercise owes nothing."""
    return Q(team__in=team_ids, incident__is_exercise=False) & ~Q(state="published")


def entry_words(line: Event) -> str:
    """Give a line's kind as people read it."""
    kind = str(line.data.get("kind", "")) if line.kind == "incident.entry" else line.kind.partition(".")[2]
    return (kind if kind in ENTRY_KINDS else kind or "note").replace("_", " ")

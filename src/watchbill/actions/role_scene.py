"""A locked incident with what its roles are decided by, and how what was decided about them is carried out.

Messages about roles go to the incident, and carry which offer they are of: one that nobody needs to answer any more is
taken back before it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watchbill.actions import delivery, incident_room, incidents
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.messages import about_offer
from watchbill.actions.timers import clear_timer, set_timer
from watchbill.core import roles as core
from watchbill.core.roles import Kind, Line, Put, Step, Turn
from watchbill.db.models import Event, Incident, Outgoing, Person, RoleAssignment
from watchbill.db.role_facts import lines_of, may_hear
from watchbill.kit.effects import Notify, Record
from watchbill.kit.errors import Refused
from watchbill.rules import incident_roles


def settings_of(desk: Desk) -> incident_roles.Settings:
    """Read who does what in a team's incidents."""
    return incident_roles.Settings.model_validate(desk.rule("incident_roles"))


class Scene:
    """An incident whose lock is held, its team's rule, and the record of its roles as it stands."""

    def __init__(
        self, incident: Incident, now: datetime, desk: Desk | None = None, lines: Sequence[Line] | None = None
    ) -> None:
        self.incident = incident
        self.now = now
        self.desk = desk or desk_of(incident.team, now)
        self.rule = settings_of(self.desk)
        self.is_major = incidents.is_major(incident, self.desk)
        self.lines: Sequence[Line] = lines_of(incident) if lines is None else lines

    @property
    def subject(self) -> Subject:
        """The log's name for the incident."""
        return incidents.subject_of(self.incident)

    @property
    def needed(self) -> list[str]:
        """The roles that the incident asks for, whether or not somebody has them."""
        return incident_roles.decide(self.rule, is_major=self.is_major)

    def kind(self, role: str) -> Kind:
        """Give a role; one that the team no longer has is still known by its key. Raises Refused for what never was."""
        kinds = self.rule.kinds()
        if role in kinds:
            return Kind(role, self.title(role), kinds[role].is_single, kinds[role].besides)
        if any(line.role == role for line in self.lines):
            return Kind(role, self.title(role))
        raise Refused(f"a role is one of {', '.join(kinds)}", "role")

    def title(self, role: str) -> str:
        """Give a role's name in the team's words."""
        return incident_roles.title_of(role, self.rule, self.desk.policy.get("labels") or {})

    def line(self, number: int) -> Line:
        """Give a line of the record. Raises Refused."""
        found = next((line for line in self.lines if line.id == number), None)
        if found is None:
            raise Refused("there is no such offer", "offer")
        return found

    def carry(self, steps: Sequence[Step], actor: Actor = WATCHBILL) -> None:
        """Write what was decided; the record is read anew."""
        offered: RoleAssignment | None = None
        line: Event | None = None
        for step in steps:
            match step:
                case Put():
                    offered = self._put(step)
                case Turn():
                    self._turn(step)
                case Record(kind, why, data):
                    line = record(self.subject, kind, why, self.now, actor, data)
                case Notify() if line is not None:
                    self._notify(step, offered, line)
                case _:
                    carry_out([step], self.incident, self.subject, self.now, actor=actor)
        self.lines = lines_of(self.incident)

    def _put(self, step: Put) -> RoleAssignment | None:
        row = RoleAssignment.objects.create(
            incident=self.incident,
            role=step.role,
            person_id=step.person,
            state=step.state,
            offered_by_id=step.by,
            offered_at=self.now,
            answer_by=step.answer_by,
            answered_at=step.since,
            since=step.since,
            takes_over_from_id=step.takes_over_from,
            scope=step.scope[:120],
            why=step.why,
        )
        if step.state != core.OFFERED:
            self._begin(row)
            return None
        if step.answer_by is not None:
            set_timer(role_subject(row), "answer", step.answer_by)
        return row

    def _turn(self, step: Turn) -> None:
        row = RoleAssignment.objects.get(pk=step.id)
        was, row.state = row.state, step.state
        if was == core.OFFERED:
            row.answered_at = step.at
            clear_timer(role_subject(row), "answer")
            take_back(row, self.now)
        if step.state == core.ACCEPTED:
            row.since = step.at
            self._begin(row)
        if step.state == core.ENDED:
            row.until = step.at
            clear_timer(role_subject(row), "fresh")
        row.save(update_fields=["state", "answered_at", "since", "until"])

    def _begin(self, row: RoleAssignment) -> None:
        if self.rule.fresh_after_minutes:
            at = self.now + timedelta(minutes=self.rule.fresh_after_minutes)
            set_timer(role_subject(row), "fresh", at)

    def _notify(self, step: Notify, offered: RoleAssignment | None, line: Event) -> None:
        if offered is not None and offered.person_id == step.person:
            self.tell(step.person, self._offer_words(offered), line, step.why)
        else:
            self.tell(step.person, self.news(line.why, urgency=step.urgency), line, step.why)

    def _offer_words(self, row: RoleAssignment) -> Words:
        title, asker = self.title(row.role), str(row.offered_by or "Watchbill")
        until = row.answer_by
        duties = self.rule.roles[row.role].duties if row.role in self.rule.roles else []
        parts = [
            f"{asker} asks whether you will be {title}. Say yes or no; no needs no reason."
            + (
                f" If you say nothing by {until.astimezone(ZoneInfo(row.person.zone)):%H:%M}, it goes on."
                if until
                else ""
            ),
            row.why,
            "\n".join(f"- {duty}" for duty in duties),
            f"What people feel: {self.incident.impact}",
        ]
        text = "\n\n".join(part for part in parts if part)
        return self.words(
            f"Will you be {title}?", text, urgency="important", action="Say yes or no", about=about_offer(row.pk)
        )

    def news(self, said: str, more: str = "", *, urgency: str = "default") -> Words:
        """Give the words of a message that something about the roles is so."""
        return self.words(said, "\n\n".join(part for part in (f"{said}.", more) if part), urgency=urgency)

    def words(self, subject: str, text: str, *, urgency: str = "default", action: str = "", about: str = "") -> Words:
        """Give the words of a message about the incident; one about an exercise begins with saying so."""
        exercise = "Exercise: " if self.incident.is_exercise else ""
        return Words(
            subject=f"{exercise}{subject} ({self.incident.title})"[:200],
            text=f"{exercise}{text}",
            purpose="notice",
            urgency=urgency,
            path=f"/incidents/{self.incident.pk}/",
            action=action or "Open the incident",
            about=about,
        )

    def tell(self, person: int, words: Words, line: Event, why: str) -> None:
        """Reach somebody who may hear of it; when nothing reaches them, the next one who may is told."""
        if may_hear(Person.objects.get(pk=person), self.incident):
            delivery.reach_or_tell(person, self.subject, words, line, why, self.now)

    def tell_all(self, people: Sequence[Person], words: Words, line: Event, why: str) -> None:
        """Reach people, each once, by their own rules."""
        for person in dict.fromkeys(people):
            if person.is_active:
                self.tell(person.pk, words, line, why)

    def note(self, what: str, why: str, actor: Actor = WATCHBILL, **data: object) -> Event:
        """Write a line on the timeline."""
        return record(self.subject, f"incident.{what}", why, self.now, actor, data)

    def responders(self) -> list[Person]:
        """Read who responds now, and who has a role."""
        rows = self.incident.members.filter(left_at=None).select_related("person").order_by("id")
        held = RoleAssignment.objects.filter(incident=self.incident, state="accepted").select_related("person")
        return list(dict.fromkeys([row.person for row in rows] + [row.person for row in held.order_by("id")]))

    def keep_topic(self) -> None:
        """Have the topic of its channel name who leads now."""
        incident_room.keep(self.incident, self.now)


def role_subject(row: RoleAssignment) -> Subject:
    """Give the name by which the timers of one line of the record are found."""
    return Subject("role", row.pk, row.incident.team_id)


def take_back(row: RoleAssignment, now: datetime) -> None:
    """Take back what asks somebody who need not answer any more, when it has not left."""
    waiting = Outgoing.objects.filter(
        subject_kind="incident", subject_id=row.incident_id, person=row.person_id, state="waiting",
        message__about=about_offer(row.pk),
    )  # fmt: skip
    rows = list(waiting.order_by("id").select_for_update(of=("self",)).values_list("pk", flat=True))
    over = Outgoing.objects.filter(pk__in=rows)
    over.update(state="dropped", due_at=None, finished_at=now, answer="the offer was answered or taken back")

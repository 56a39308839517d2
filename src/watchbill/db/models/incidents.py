"""Incidents: what is going wrong for users, who does what about it, and what was said to whom.

The timeline is the log itself: lines of `Event` whose subject is the incident. Nothing here repeats it.
"""

from __future__ import annotations

from django.db import models

from watchbill.db.models.catalogue import Service
from watchbill.db.models.people import Person
from watchbill.db.models.support import Community
from watchbill.db.models.teams import Team

NOT_OVER = models.Q(state__in=["active", "mitigated"])


class Incident(models.Model):
    """An unplanned interruption or degradation that users feel, handled under the team's process.

    state       active, mitigated (the impact has ended), resolved (normal state), closed (paperwork done)
    outcome     "" or why it ended early: merged, not_an_incident, exercise
    severity    size of the impact; `priority` is the order of work; each a key of the team's table
    impact      what people feel, in words; `impact_kind` is what the team's table asks for
    *_at        milestones as they stand; the log keeps every earlier value with its reason
    next_update_at  when somebody promised the next update, on whatever audience is due first
    `is_exercise` stays out of every figure; `is_private` is seen by those named and the team's owners alone.
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="incidents")
    title = models.CharField(max_length=200)
    impact = models.TextField()
    impact_kind = models.CharField(max_length=20, blank=True)
    summary = models.TextField(blank=True)
    state = models.CharField(max_length=12, default="active")
    outcome = models.CharField(max_length=20, blank=True)
    severity = models.CharField(max_length=40, blank=True)
    priority = models.CharField(max_length=40, blank=True)
    priority_why = models.TextField(blank=True)
    is_severity_pinned = models.BooleanField(default=False)
    is_private = models.BooleanField(default=False)
    is_exercise = models.BooleanField(default=False)
    detection_source = models.CharField(max_length=12, default="member")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="incidents")
    started_at = models.DateTimeField()
    detected_at = models.DateTimeField(null=True)
    declared_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    mitigated_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    declared_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="owned_incidents")
    call_url = models.URLField(max_length=500, blank=True)
    channel_name = models.CharField(max_length=80, blank=True)
    channel_url = models.URLField(max_length=500, blank=True)
    next_update_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="merged")
    policy_version = models.PositiveIntegerField(default=0)

    class Meta:
        """What is not over is found at once; the past by its id or by when it began."""

        indexes = (
            models.Index(fields=["team", "-id"], name="incident_of_team"),
            models.Index(fields=["team", "id"], condition=NOT_OVER, name="incident_open"),
            models.Index(fields=["team", "-started_at"], name="incident_started"),
            models.Index(fields=["service", "-id"], name="incident_of_service"),
        )

    def __str__(self) -> str:
        return f"incident {self.pk}: {self.title}"


class IncidentService(models.Model):
    """A service that an incident touches, and how badly now: degraded, partial_outage, major_outage, operational."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="touched")
    service = models.ForeignKey(Service, models.CASCADE, related_name="+")
    condition = models.CharField(max_length=16, default="degraded")

    class Meta:
        """A service is touched once."""

        constraints = (models.UniqueConstraint(fields=["incident", "service"], name="incident_service_once"),)

    def __str__(self) -> str:
        return f"{self.service}: {self.condition}"


class IncidentCommunity(models.Model):
    """A community that an incident touches: its representatives are an audience (COM-01)."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="communities")
    community = models.ForeignKey(Community, models.CASCADE, related_name="+")

    class Meta:
        """A community is named once."""

        constraints = (models.UniqueConstraint(fields=["incident", "community"], name="incident_community_once"),)

    def __str__(self) -> str:
        return str(self.community)


class IncidentMember(models.Model):
    """Somebody who may see a private incident, or who responds to any: `responding` until they say otherwise (INC-11).

    `seen_at` is when they last had its page open (COM-08).
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="members")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    added_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        """A person is named once."""

        constraints = (models.UniqueConstraint(fields=["incident", "person"], name="incident_member_once"),)
        indexes = (models.Index(fields=["person", "incident"], name="incident_of_member"),)

    def __str__(self) -> str:
        return str(self.person)


class RoleAssignment(models.Model):
    """A role of an incident in somebody's hands, or offered to them. Who held it when stands for ever.

    state  offered, accepted, declined, lapsed (no answer in the team's time), withdrawn, ended
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="roles")
    role = models.CharField(max_length=40)
    person = models.ForeignKey(Person, models.CASCADE, related_name="incident_roles")
    state = models.CharField(max_length=12, default="offered")
    offered_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    offered_at = models.DateTimeField()
    answer_by = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    takes_over_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    scope = models.CharField(max_length=120, blank=True)
    why = models.TextField(blank=True)

    class Meta:
        """Nobody is asked twice at once for one role; who serves now is found by the person."""

        constraints = (
            models.UniqueConstraint(
                fields=["incident", "role", "person"],
                condition=models.Q(state__in=["offered", "accepted"]),
                name="role_once_at_a_time",
            ),
        )
        indexes = (
            models.Index(fields=["incident", "id"], name="role_of_incident"),
            models.Index(fields=["person", "state", "id"], name="role_of_person"),
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.person} ({self.state})"


class IncidentStep(models.Model):
    """A step of the first responder's protocol: a checklist that is a state, in its order."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="steps")
    key = models.CharField(max_length=40)
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)
    is_required = models.BooleanField(default=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """A step stands once."""

        constraints = (models.UniqueConstraint(fields=["incident", "key"], name="incident_step_once"),)

    def __str__(self) -> str:
        return self.text


class IncidentTask(models.Model):
    """Something to do during an incident, with an owner. What outlives it becomes a ticket."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="incident_tasks")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    dropped_why = models.CharField(max_length=200, blank=True)
    ticket = models.ForeignKey("watchbill.Ticket", models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.title


class IncidentLink(models.Model):
    """What belongs to an incident: an alert, a page, a request, a ticket, a change, a silence, another incident.

    kind  alert, page, request, ticket, change, silence, related; `subject_id` is its id among those
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="links")
    kind = models.CharField(max_length=12)
    subject_id = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """A thing is linked once, and finds its incidents."""

        constraints = (models.UniqueConstraint(fields=["incident", "kind", "subject_id"], name="incident_link_once"),)
        indexes = (models.Index(fields=["kind", "subject_id"], name="incident_link_of"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class IncidentUpdate(models.Model):
    """What was said about an incident to one audience, in its words, and when the next update was promised.

    `parts` are the team's parts in order: [[heading, text], ...]; `state` is the incident's state as told (mitigated
    is told as monitoring). `corrects` names the update that this one puts right.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="updates")
    audience = models.CharField(max_length=40)
    state = models.CharField(max_length=20)
    parts = models.JSONField(default=list)
    text = models.TextField()
    next_update_at = models.DateTimeField(null=True)
    at = models.DateTimeField()
    author = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=80)
    corrects = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Read by incident and audience, newest first."""

        indexes = (models.Index(fields=["incident", "audience", "-id"], name="update_of_audience"),)

    def __str__(self) -> str:
        return f"{self.audience}: {self.text[:60]}"


class UpdatePromise(models.Model):
    """When one audience of an incident hears next: promised, reminded of before, and late after (COM-01, COM-02)."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="promises")
    audience = models.CharField(max_length=40)
    due_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    late_told_at = models.DateTimeField(null=True)

    class Meta:
        """One promise per audience."""

        constraints = (models.UniqueConstraint(fields=["incident", "audience"], name="update_promise_once"),)

    def __str__(self) -> str:
        return f"{self.audience} by {self.due_at}"


class IncidentFile(models.Model):
    """An image or a text that was pasted into the timeline; `event` is the line that shows it."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="files")
    event = models.ForeignKey("watchbill.Event", models.CASCADE, related_name="+", null=True)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name

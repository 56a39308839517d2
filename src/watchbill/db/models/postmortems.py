"""Post-mortems: the blameless review of an incident, its sections, its action items, where it was published."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.incidents import Incident
from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team
from watchbill.db.models.tickets import Ticket
from watchbill.db.ordered_json import OrderedJSONField


class PostMortem(models.Model):
    """What the team writes down after an incident, and the meeting in which it is talked about.

    state     draft, in_review, reviewed, published
    impact    numbers in order: {"people": 120, "duration_minutes": 42, ...}, by the team's words
    original  the whole text of an imported report, for ever; `not_understood` lists what could not be read of it
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="postmortems")
    incident = models.OneToOneField(Incident, models.CASCADE, related_name="postmortem")
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=12, default="draft")
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="postmortems")
    required_why = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True)
    publish_by = models.DateTimeField(null=True)
    meeting_at = models.DateTimeField(null=True)
    meeting_minutes = models.PositiveSmallIntegerField(null=True)
    meeting_sequence = models.PositiveIntegerField(default=0)
    impact = OrderedJSONField(default=dict)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    is_public = models.BooleanField(default=False)
    original = models.TextField(blank=True)
    original_name = models.CharField(max_length=255, blank=True)
    not_understood = models.JSONField(default=list)

    class Meta:
        """What is owed is found by when it is due."""

        indexes = (
            models.Index(fields=["team", "-id"], name="postmortem_of_team"),
            models.Index(fields=["team", "due_at"], condition=~models.Q(state="published"), name="postmortem_owed"),
        )

    def __str__(self) -> str:
        return self.title


class PostMortemSection(models.Model):
    """One part of the document; `version` counts its changes, so that two who write at once lose nothing."""

    postmortem = models.ForeignKey(PostMortem, models.CASCADE, related_name="sections")
    key = models.CharField(max_length=40)
    heading = models.CharField(max_length=120)
    hint = models.TextField(blank=True)
    text = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """A section stands once."""

        constraints = (models.UniqueConstraint(fields=["postmortem", "key"], name="section_once"),)

    def __str__(self) -> str:
        return self.heading


class SectionRevision(models.Model):
    """A section as somebody saved it. One that met another's words in the same place stays `set_aside` until settled."""

    section = models.ForeignKey(PostMortemSection, models.CASCADE, related_name="revisions")
    version = models.PositiveIntegerField()
    text = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    set_aside = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        """Read with its section, in order."""

        indexes = (models.Index(fields=["section", "id"], name="revision_of_section"),)

    def __str__(self) -> str:
        return f"{self.section} {self.version}"


class ActionItem(models.Model):
    """A change that follows from a post-mortem: a real ticket, with what it is for (PM-07, PM-08, PM-09).

    kind     process, documentation, technical
    purpose  prevent, detect, mitigate
    """

    postmortem = models.ForeignKey(PostMortem, models.CASCADE, related_name="actions")
    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="action_item")
    kind = models.CharField(max_length=16, default="technical")
    purpose = models.CharField(max_length=12, default="prevent")
    position = models.PositiveSmallIntegerField(default=0)
    is_smallest = models.BooleanField(default=False)
    chased_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.ticket)


class PostMortemAttendee(models.Model):
    """Somebody asked to the meeting, must or may; a guest has a name and an address and no account."""

    postmortem = models.ForeignKey(PostMortem, models.CASCADE, related_name="attendees")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    is_required = models.BooleanField(default=True)
    why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return str(self.person or self.name)


class Publication(models.Model):
    """One place to which a post-mortem goes, and how far it is: waiting, done, failed; `answer` says why.

    target  page, confluence, git, chat, pdf
    """

    postmortem = models.ForeignKey(PostMortem, models.CASCADE, related_name="publications")
    target = models.CharField(max_length=12)
    connection = models.ForeignKey("watchbill.Connection", models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=12, default="waiting")
    url = models.URLField(max_length=500, blank=True)
    answer = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.target}: {self.state}"


class PublicVersion(models.Model):
    """What the public reads of a post-mortem since `at`, until there is a newer one: the report without names.

    Never changed: what is written afterwards reaches the public page when somebody publishes again.
    """

    postmortem = models.ForeignKey(PostMortem, models.CASCADE, related_name="versions")
    report = models.JSONField()
    is_reviewed = models.BooleanField(default=False)
    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """The newest is found at once."""

        indexes = (models.Index(fields=["postmortem", "-id"], name="version_of_postmortem"),)

    def __str__(self) -> str:
        return f"{self.postmortem} as of {self.at:%F}"


class Drill(models.Model):
    """A scenario played as an exercise: what comes when, the incident it became, and what was learned.

    state  running, ended, stopped; `speed` is how many scenario seconds pass in one second
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="drills")
    name = models.CharField(max_length=120)
    scenario = models.TextField()
    speed = models.FloatField(default=1.0)
    state = models.CharField(max_length=12, default="running")
    next_step = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    incident = models.ForeignKey(Incident, models.SET_NULL, null=True, related_name="drills")
    debrief = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name

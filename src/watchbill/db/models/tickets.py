"""Tickets: the durable record of work, what links them, the sprints they are planned in, and filters of them."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.catalogue import Service
from watchbill.db.models.people import Person
from watchbill.db.models.support import Community, SupportRequest
from watchbill.db.models.teams import Team


class Sprint(models.Model):
    """A stretch of planned work. `kind`: team, or ops; `ops_share` is the percent promised to operations (BKL-04)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="sprints")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, default="team")
    starts_on = models.DateField()
    ends_on = models.DateField()
    goal = models.TextField(blank=True)
    capacity_points = models.PositiveSmallIntegerField(null=True)
    ops_share = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """Names are unique within a team."""

        indexes = (models.Index(fields=["team", "-starts_on"], name="sprint_of_team"),)
        constraints = (models.UniqueConstraint(fields=["team", "name"], name="sprint_name_once"),)

    def __str__(self) -> str:
        return self.name


class Ticket(models.Model):
    """A piece of work. Its assignee is a person, or the seat on watch: whoever stands the watch then has it (HND-09).

    kind       task, request, epic, investigation, action, quick_fix, lasting_fix, tracking
    work_kind  feature or operations (BKL-01); the team chooses the words
    stage      to_do, in_progress, waiting, done; `stage_at` is since when, the log keeps the earlier ones (MET-01)
    seat       the name of a seat, when the ticket belongs to the watch and not to a person
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="tickets")
    kind = models.CharField(max_length=16, default="task")
    title = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    work_kind = models.CharField(max_length=12, default="operations")
    stage = models.CharField(max_length=12, default="to_do")
    stage_at = models.DateTimeField()
    outcome = models.CharField(max_length=20, blank=True)
    points = models.PositiveSmallIntegerField(null=True)
    priority = models.CharField(max_length=40, blank=True)
    rank = models.PositiveSmallIntegerField(default=100)
    priority_why = models.TextField(blank=True)
    is_priority_pinned = models.BooleanField(default=False)
    position = models.BigIntegerField(default=0)
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="tickets")
    request = models.ForeignKey(SupportRequest, models.SET_NULL, null=True, related_name="tickets")
    community = models.ForeignKey(Community, models.SET_NULL, null=True, related_name="tickets")
    assignee = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="tickets")
    seat = models.CharField(max_length=80, blank=True)
    epic = models.ForeignKey("self", models.SET_NULL, null=True, related_name="parts")
    sprint = models.ForeignKey(Sprint, models.SET_NULL, null=True, related_name="tickets")
    labels = models.JSONField(default=list)
    is_unplanned = models.BooleanField(default=False)
    due_on = models.DateField(null=True)
    starts_on = models.DateField(null=True)
    no_pair_why = models.TextField(blank=True)
    spent_seconds = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        """The board and the list read what is not done, in the team's order; the long past by id or by a time."""

        indexes = (
            models.Index(fields=["team", "-id"], name="ticket_of_team"),
            models.Index(
                fields=["team", "stage", "rank", "position", "id"],
                condition=~models.Q(stage="done"),
                name="ticket_board",
            ),
            # Holds all that is counted of what was done: a window of weeks is counted without reading its rows. Also the
            # stage, though it is always the same: SQLite would read the row to compare it.
            models.Index(
                fields=["team", "-done_at", "kind", "work_kind", "outcome", "points", "stage"],
                condition=models.Q(stage="done"),
                name="ticket_done",
            ),
            models.Index(
                fields=["team", "rank", "position", "id"], condition=~models.Q(stage="done"), name="ticket_open"
            ),
            models.Index(fields=["team", "-changed_at"], name="ticket_changed"),
            models.Index(fields=["team", "-created_at"], name="ticket_created"),
            models.Index(fields=["team", "due_on"], condition=models.Q(due_on__isnull=False), name="ticket_due"),
            models.Index(
                fields=["team", "id"],
                condition=models.Q(kind="quick_fix", no_pair_why=""),
                name="ticket_quick_fix",
            ),
            models.Index(
                fields=["assignee", "-changed_at"], condition=~models.Q(stage="done"), name="ticket_of_person"
            ),
            models.Index(fields=["sprint", "stage", "id"], name="ticket_of_sprint"),
            models.Index(fields=["epic", "id"], name="ticket_of_epic"),
            models.Index(fields=["service", "-id"], name="ticket_of_service"),
            models.Index(fields=["request", "id"], name="ticket_of_request"),
            models.Index(fields=["team", "kind", "id"], condition=~models.Q(stage="done"), name="ticket_open_of_kind"),
        )

    def __str__(self) -> str:
        return f"ticket {self.pk}: {self.title}"


class TicketLink(models.Model):
    """Two tickets that belong together; read from `source` to `target`: "source <kind> target".

    kind  lasting_fix_of, spin_off_of, duplicate_of, blocks, relates_to
    """

    source = models.ForeignKey(Ticket, models.CASCADE, related_name="links_out")
    target = models.ForeignKey(Ticket, models.CASCADE, related_name="links_in")
    kind = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Two tickets are linked once in one way."""

        constraints = (models.UniqueConstraint(fields=["source", "target", "kind"], name="ticket_link_once"),)

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"


class SavedFilter(models.Model):
    """A named query of tickets or requests: one person's own, or shared with the team; `feed_key` opens its feed."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="filters")
    person = models.ForeignKey(Person, models.CASCADE, related_name="filters")
    about = models.CharField(max_length=8, default="tickets")
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    is_shared = models.BooleanField(default=False)
    feed_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        """A person names each of their filters once."""

        constraints = (models.UniqueConstraint(fields=["team", "person", "name"], name="filter_name_once"),)

    def __str__(self) -> str:
        return self.name


class WorkLog(models.Model):
    """Time really spent on a request or a ticket (TRI-02). `ended_at` is null while the clock runs."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    request = models.ForeignKey(SupportRequest, models.CASCADE, null=True, related_name="work_logs")
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="work_logs")
    community = models.ForeignKey(Community, models.SET_NULL, null=True, related_name="work_logs")
    person = models.ForeignKey(Person, models.CASCADE, related_name="work_logs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    seconds = models.PositiveIntegerField(default=0)
    counts = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        """One clock runs per person at a time; a community's month is one indexed read."""

        indexes = (
            models.Index(fields=["community", "started_at"], name="work_of_community"),
            models.Index(fields=["team", "started_at"], name="work_of_team"),
        )
        constraints = (
            models.UniqueConstraint(fields=["person"], condition=models.Q(ended_at=None), name="one_clock_runs"),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.seconds} s"


class Message(models.Model):
    """What somebody wrote on a request or a ticket: exactly one of the two is set.

    direction  in (from the requester), out (to the requester), note (for the team alone)
    folded     what was quoted, and the signature: kept, shown on demand
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    request = models.ForeignKey(SupportRequest, models.CASCADE, null=True, related_name="messages")
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="messages")
    direction = models.CharField(max_length=4)
    door = models.CharField(max_length=12)
    author = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=120)
    text = models.TextField()
    folded = models.TextField(blank=True)
    message_id = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()
    written_at = models.DateTimeField()

    class Meta:
        """Read in order with its subject; mail finds its thread by Message-ID."""

        indexes = (
            models.Index(fields=["request", "id"], name="message_of_request"),
            models.Index(fields=["ticket", "id"], name="message_of_ticket"),
            models.Index(fields=["message_id"], condition=~models.Q(message_id=""), name="message_by_id"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(request__isnull=True) ^ models.Q(ticket__isnull=True), name="message_of_one"
            ),
        )

    def __str__(self) -> str:
        return f"{self.author_name}: {self.text[:60]}"


class Attachment(models.Model):
    """A file that came with a message; kept in the database, so that a backup has everything."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.name

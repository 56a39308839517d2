"""Support requests: who asks, what they ask, the conversation about it, and what the team promised."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.catalogue import Service
from watchbill.db.models.people import Person
from watchbill.db.models.teams import Team


class Desk(models.Model):
    """How a team takes requests: its public page, its mailbox, and the words on both."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="desk")
    is_public = models.BooleanField(default=False)
    what = models.TextField(blank=True)
    how_long = models.TextField(blank=True)
    escalation = models.TextField(blank=True)
    contacts = models.JSONField(default=list)
    mail_address = models.EmailField(blank=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        """Mail finds its desk by the address it was sent to."""

        constraints = (
            models.UniqueConstraint(
                fields=["mail_address"], condition=~models.Q(mail_address=""), name="desk_of_a_mail_address"
            ),
        )

    def __str__(self) -> str:
        return f"desk of {self.team}"


class FaqEntry(models.Model):
    """A question that people ask, and its answer: shown before anybody has to write (RUN-08)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="faq")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+")
    question = models.CharField(max_length=200)
    answer = models.TextField()
    position = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.question


class CannedResponse(models.Model):
    """A message in the team's own words, with fields such as {requester} to fill (TRI-16, COM-05)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="canned_responses")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    text = models.TextField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        """Names are unique within a team."""

        constraints = (
            models.UniqueConstraint(
                fields=["team", "name"], condition=models.Q(removed_at=None), name="canned_response_name_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Community(models.Model):
    """A group of people on whose behalf requests come, with its soft support budget per month (TRI-14)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="communities")
    slug = models.SlugField()
    name = models.CharField(max_length=80)
    mail_domains = models.JSONField(default=list)
    budget_minutes = models.PositiveIntegerField(null=True)
    is_funded = models.BooleanField(default=False)
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        """Names for addresses are unique within a team."""

        constraints = (models.UniqueConstraint(fields=["team", "slug"], name="community_slug_once"),)

    def __str__(self) -> str:
        return self.name


class Requester(models.Model):
    """Somebody who asks a team for something; needs no account. A representative may ask for the community."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="requesters")
    community = models.ForeignKey(Community, models.SET_NULL, null=True, related_name="requesters")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    is_representative = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        """One requester per mail address of a team; addresses are kept in lower case."""

        constraints = (
            models.UniqueConstraint(fields=["team", "email"], condition=~models.Q(email=""), name="requester_once"),
        )

    def __str__(self) -> str:
        return self.name or self.email or "somebody"


class SupportRequest(models.Model):
    """Anything that somebody asks of a team, whatever door it came by.

    state       open, resolved (the requester may still say no), closed
    waiting_on  us, requester or vendor: who has the ball (INT-13)
    due_at      the next promise that runs out, as `due_what` names it; null while the clock stands still
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="requests")
    title = models.CharField(max_length=300)
    request_class = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=12, default="open")
    waiting_on = models.CharField(max_length=12, default="us")
    outcome = models.CharField(max_length=20, blank=True)
    approval = models.CharField(max_length=12, blank=True)
    door = models.CharField(max_length=12)
    requester = models.ForeignKey(Requester, models.PROTECT, related_name="requests")
    community = models.ForeignKey(Community, models.SET_NULL, null=True, related_name="requests")
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="requests")
    environment = models.CharField(max_length=40, blank=True)
    component = models.CharField(max_length=80, blank=True)
    assignee = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="requests")
    priority = models.CharField(max_length=40, blank=True)
    rank = models.PositiveSmallIntegerField(default=100)
    priority_why = models.TextField(blank=True)
    is_priority_pinned = models.BooleanField(default=False)
    impact = models.CharField(max_length=20, blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    first_response_at = models.DateTimeField(null=True)
    first_response_due_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    due_what = models.CharField(max_length=20, blank=True)
    is_late = models.BooleanField(default=False)
    last_message_at = models.DateTimeField()
    last_message_by = models.CharField(max_length=12, default="requester")
    escalated_at = models.DateTimeField(null=True)
    spent_seconds = models.PositiveIntegerField(default=0)
    resolved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    rating = models.PositiveSmallIntegerField(null=True)
    rating_comment = models.TextField(blank=True)
    rated_at = models.DateTimeField(null=True)

    class Meta:
        """The inbox is the open ones of a team, in the team's order, then by the next deadline.

        Its index holds the state, though it is always the same: SQLite, which knows no counts, takes the index of which
        most columns are given.
        """

        indexes = (
            models.Index(fields=["team", "-id"], name="request_of_team"),
            models.Index(
                fields=["team", "state", "rank", "due_at", "id"], condition=models.Q(state="open"), name="request_open"
            ),
            models.Index(
                fields=["team", "id"], condition=models.Q(state="open", assignee=None), name="request_unassigned"
            ),
            models.Index(fields=["team", "-last_message_at"], name="request_changed"),
            models.Index(fields=["team", "-opened_at"], name="request_opened"),
            models.Index(
                fields=["team", "-resolved_at"],
                condition=models.Q(resolved_at__isnull=False),
                name="request_resolved",
            ),
            models.Index(fields=["assignee", "state", "id"], name="request_of_assignee"),
            models.Index(fields=["requester", "-id"], name="request_of_requester"),
            models.Index(fields=["community", "-id"], name="request_of_community"),
            models.Index(fields=["service", "-id"], name="request_of_service"),
        )

    def __str__(self) -> str:
        return f"request {self.pk}: {self.title}"


class VendorCase(models.Model):
    """A third party's ticket that a request, a ticket or an incident waits for (INT-12)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="vendor_cases")
    request = models.ForeignKey(SupportRequest, models.CASCADE, null=True, related_name="vendor_cases")
    ticket = models.ForeignKey("watchbill.Ticket", models.CASCADE, null=True, related_name="vendor_cases")
    incident = models.ForeignKey("watchbill.Incident", models.CASCADE, null=True, related_name="vendor_cases")
    vendor = models.CharField(max_length=80)
    reference = models.CharField(max_length=80, blank=True)
    contact = models.TextField(blank=True)
    url = models.URLField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    heard_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """What the team waits for is few and found at once."""

        indexes = (models.Index(fields=["team", "remind_at"], condition=models.Q(closed_at=None), name="vendor_open"),)

    def __str__(self) -> str:
        return f"{self.vendor} {self.reference}".strip()


class ExpertAsk(models.Model):
    """Somebody was asked to take a request or a ticket on; they may decline without a reason (TRI-11, TRI-12)."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    request = models.ForeignKey(SupportRequest, models.CASCADE, null=True, related_name="asks")
    ticket = models.ForeignKey("watchbill.Ticket", models.CASCADE, null=True, related_name="asks")
    person = models.ForeignKey(Person, models.CASCADE, related_name="asked")
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    why = models.TextField(blank=True)
    answer = models.CharField(max_length=12, default="")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        """How often somebody was asked lately is one indexed read."""

        indexes = (models.Index(fields=["team", "person", "asked_at"], name="ask_of_person"),)

    def __str__(self) -> str:
        return f"{self.person} was asked: {self.answer or 'no answer yet'}"

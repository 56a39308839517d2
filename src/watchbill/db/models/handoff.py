"""Handoffs of a watch: what is handed on, what is asked and answered about it, who saw it; and the log of shifts."""

from __future__ import annotations

from django.db import models

from watchbill.db.models.people import Person
from watchbill.db.models.rota import Rotation
from watchbill.db.models.teams import Team
from watchbill.db.models.tickets import Message, Ticket


class LogEntry(models.Model):
    """A line of the on-call log: what somebody on watch noted, with a ticket or without (RUN-10, RUN-11).

    rotation, seat  in which its author stood then; both empty when they stood in none
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="log_entries")
    rotation = models.ForeignKey(Rotation, models.SET_NULL, null=True, related_name="+")
    seat = models.CharField(max_length=40, blank=True)
    author = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    ticket = models.ForeignKey(Ticket, models.SET_NULL, null=True, related_name="log_entries")
    at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        """Read by its team, newest first, and by the time of a shift."""

        indexes = (
            models.Index(fields=["team", "-id"], name="log_entry_of_team"),
            models.Index(fields=["team", "at"], name="log_entry_at"),
        )

    def __str__(self) -> str:
        return self.title


class Handoff(models.Model):
    """What the one who leaves a shift of a seat hands on to the one who comes.

    state    draft, handed_on, accepted, dropped
    began_at  when the person's run of shifts in the seat began: nights and weekends between may be nobody's;
              `starts_at` is that of the last shift of it, by which it is found
    mode     how the team hands on: meeting, call, notes; `how` is how it was really done
    due_at   when it is handed on: at the end of the shift, or at the first meeting after it
    version  counts the changes of the summary, so that two who write at once lose nothing
    settled_at  when what followed the one who left was given on
    """

    team = models.ForeignKey(Team, models.CASCADE, related_name="handoffs")
    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="handoffs")
    seat = models.CharField(max_length=40)
    leaver = models.ForeignKey(Person, models.PROTECT, related_name="+")
    comer = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=12, default="draft")
    mode = models.CharField(max_length=12)
    how = models.CharField(max_length=12, blank=True)
    summary = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)
    order_confirmed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    drafted_at = models.DateTimeField()
    handed_on_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        """A shift is handed on once; what is not accepted is found at once."""

        indexes = (
            models.Index(fields=["team", "-id"], name="handoff_of_team"),
            models.Index(
                fields=["team", "due_at"],
                condition=models.Q(state__in=["draft", "handed_on"]),
                name="handoff_open",
            ),
        )
        constraints = (models.UniqueConstraint(fields=["rotation", "seat", "starts_at"], name="one_handoff_a_shift"),)

    def __str__(self) -> str:
        return f"{self.seat} of {self.rotation}, {self.leaver} to {self.comer or 'nobody yet'}"


class HandoffItem(models.Model):
    """A line of a handoff, from the draft or of a person's own (`added_by`).

    part      which part of the form it stands in
    about     alert, page, incident, ticket, request, notice, silence, entry, or nothing
    is_first  marked by the one who leaves: this comes first
    keeps     the one who leaves keeps it: it is not given on
    is_over   a later draft no longer has it
    """

    handoff = models.ForeignKey(Handoff, models.CASCADE, related_name="items")
    part = models.CharField(max_length=12)
    about = models.CharField(max_length=12, blank=True)
    about_id = models.BigIntegerField(default=0)
    title = models.CharField(max_length=1024)
    detail = models.TextField(blank=True)
    priority = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(null=True)
    at_words = models.CharField(max_length=40, blank=True)
    position = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True)
    is_first = models.BooleanField(default=False)
    keeps = models.BooleanField(default=False)
    is_over = models.BooleanField(default=False)
    added_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """Read with its handoff, in order; a thing stands once in a part."""

        indexes = (models.Index(fields=["handoff", "position", "id"], name="handoff_item_order"),)
        constraints = (
            models.UniqueConstraint(
                fields=["handoff", "part", "about", "about_id"],
                condition=~models.Q(part="own"),
                name="handoff_item_once",
            ),
        )

    def __str__(self) -> str:
        return self.title[:120]


class HandoffQuestion(models.Model):
    """What the one who comes, or the team, asks about a handoff or one of its lines, and the answer (HND-05, HND-07).

    `asked_on`, `answered_on`: the same words on the ticket or the request that the line is about.
    """

    handoff = models.ForeignKey(Handoff, models.CASCADE, related_name="questions")
    item = models.ForeignKey(HandoffItem, models.CASCADE, null=True, related_name="questions")
    asker = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    at = models.DateTimeField()
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    asked_on = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    answered_on = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.text[:120]


class HandoffWitness(models.Model):
    """Somebody of the team in front of whom it was handed on (HND-02); `noted_by` somebody else, or themselves."""

    handoff = models.ForeignKey(Handoff, models.CASCADE, related_name="witnesses")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    noted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        """A person witnesses once."""

        constraints = (models.UniqueConstraint(fields=["handoff", "person"], name="witness_once"),)

    def __str__(self) -> str:
        return str(self.person)

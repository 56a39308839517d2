"""Tasks of the incident: who does what now; done, dropped with why, or a ticket (INC-15, INC-16)."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import incident_tasks
from watchbill.db.models import IncidentTask, Person
from watchbill.entry.web.incident_panels import About, Act, ActForm
from watchbill.entry.web.incident_panels._together import named
from watchbill.entry.web.request_forms import choose, person_of

PLACE = 20
TEMPLATE = "incidents/panel_tasks.html"


def words(about: About) -> dict[str, Any]:
    """Give the tasks, open ones first."""
    is_open = _open(about)
    return {"open_tasks": is_open, "over": [row for row in about.once(_tasks) if row not in is_open]}


def _tasks(about: About) -> list[IncidentTask]:
    found = IncidentTask.objects.filter(incident=about.incident).select_related("owner", "ticket")
    return sorted(found, key=lambda row: row.pk)


def _open(about: About) -> list[IncidentTask]:
    return [row for row in about.once(_tasks) if not (row.done_at or row.dropped_why or row.ticket_id)]


def _people(about: About) -> list[Person]:
    return list(dict.fromkeys([*(row.person for row in about.once(named)), *about.members]))


class TaskForm(ActForm):
    """A new task."""

    title = forms.CharField(label="What is to be done?", max_length=200)
    owner = forms.ChoiceField(label="By whom?", required=False)

    def fill_in(self, about: About) -> None:
        """Offer who responds, then the members."""
        choose(self, "owner", [(str(one.pk), str(one)) for one in _people(about)], "nobody yet")


class OneForm(ActForm):
    """Which task."""

    task = forms.IntegerField(widget=forms.HiddenInput)


class GiveForm(ActForm):
    """Which open task, and whose it is now."""

    given = forms.ChoiceField(label="Which task?")
    owner = forms.ChoiceField(label="To whom?", required=False)

    def fill_in(self, about: About) -> None:
        """Offer what is open, who responds, then the members."""
        choose(self, "given", [(str(row.pk), row.title) for row in _open(about)])
        choose(self, "owner", [(str(one.pk), str(one)) for one in _people(about)], "nobody")


def _give(about: About, given: dict[str, Any]) -> object:
    owner = person_of(given["owner"], _people(about))
    return incident_tasks.give(int(given["given"]), owner, about.reader, about.now)


class DropForm(OneForm):
    """Which task, and why it is not needed."""

    why = forms.CharField(label="Why is it not needed?", max_length=200)


ACTS = {
    "task": Act(
        TaskForm,
        lambda a, v: incident_tasks.add(a.incident.pk, v["title"], a.reader, a.now, person_of(v["owner"], _people(a))),
        "Written down.",
    ),
    "task_take": Act(
        OneForm, lambda a, v: incident_tasks.give(v["task"], a.reader, a.reader, a.now), "It is yours.", "#tasks"
    ),
    "task_give": Act(
        GiveForm, _give, lambda task: f"It is {task.owner}’s." if task.owner else "Nobody has it now.", "#tasks"
    ),
    "task_done": Act(OneForm, lambda a, v: incident_tasks.finish(v["task"], a.reader, a.now), "Done.", "#tasks"),
    "task_drop": Act(
        DropForm, lambda a, v: incident_tasks.drop(v["task"], v["why"], a.reader, a.now), "Dropped.", "#tasks"
    ),
    "task_again": Act(
        OneForm, lambda a, v: incident_tasks.take_up(v["task"], a.reader, a.now), "Open again.", "#tasks"
    ),
    "task_ticket": Act(
        OneForm,
        lambda a, v: incident_tasks.make_ticket(v["task"], a.reader, a.now),
        lambda ticket: f"It is T-{ticket.pk} now.",
        "#tasks",
    ),
}

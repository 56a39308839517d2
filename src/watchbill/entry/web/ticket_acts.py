"""What may be done with a ticket on its page: one form and one action each. To add one, add it to ACTS.

An act is a POST to /tickets/<id>/<name>/. What the action refuses is shown at its field, and nothing typed is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.db.models import Q

from watchbill.actions import epics, sprints, ticket_pairs, tickets, tracking, vendor_cases, work_clock
from watchbill.actions.tickets import Written
from watchbill.core.tickets import LINKS, STAGE_WORDS
from watchbill.db.models import AlertGroup, Sprint, Ticket, TicketLink
from watchbill.entry.web.acts import (
    AboutWork,
    Act,
    ActForm,
    EmptyForm,
    MinutesForm,
    PriorityForm,
    VendorForm,
    community_choices,
    read_choices,
    spent,
)
from watchbill.entry.web.request_forms import choose, service_choices
from watchbill.entry.web.templatetags.ticket_tags import KINDS, LINKS_OUT, OUTCOMES
from watchbill.entry.web.ticket_words import other_ticket, read_parts, read_who
from watchbill.entry.web.wall import WallField
from watchbill.kit.errors import Refused

LONG = forms.Textarea(attrs={"rows": 8})
SHORT = forms.Textarea(attrs={"rows": 3})
DAY = forms.DateInput(attrs={"type": "date"})
LOGGED = (15, 30, 60)


@dataclass(frozen=True, kw_only=True)
class About(AboutWork):
    """What a form of a ticket knows besides: the ticket, the seats and the sprints of its team."""

    ticket: Ticket
    seats: Sequence[str] = ()
    sprints: Sequence[Sprint] = ()

    @property
    def work(self) -> Ticket:
        """The ticket."""
        return self.ticket


Form = ActForm[About]


class TextForm(Form):
    """What it says."""

    title = forms.CharField(max_length=300)
    text = forms.CharField(
        required=False,
        widget=LONG,
        help_text="Markdown: lists, code, tables, links. What is known, what to do, when it is done.",
    )

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        self.initial.setdefault("title", about.ticket.title)
        self.initial.setdefault("text", about.ticket.text)


class MoveForm(Form):
    """Move it to another stage."""

    stage = forms.CharField()
    outcome = forms.ChoiceField(required=False)

    def fill_in(self, about: About) -> None:
        """Offer how it may end."""
        choose(self, "outcome", OUTCOMES.items(), "done")


def _move(about: About, given: dict[str, Any]) -> object:
    outcome = given["outcome"] or "done"
    return tickets.move(about.ticket.pk, given["stage"], about.reader, about.now, outcome=outcome)


class EndForm(Form):
    """End it without having done it."""

    outcome = forms.ChoiceField(label="Why is it not done?")
    text = forms.CharField(
        label="In a word", required=False, max_length=500, help_text="Whoever looks for it will ask."
    )

    def fill_in(self, about: About) -> None:
        """Offer what is not the good end."""
        choose(self, "outcome", [("wont_do", "It will not be done"), ("duplicate", "It is written elsewhere too")])


def _end(about: About, given: dict[str, Any]) -> object:
    if given["text"].strip():
        tickets.comment(about.ticket.pk, given["text"], about.reader, about.now)
    return tickets.move(about.ticket.pk, "done", about.reader, about.now, outcome=given["outcome"])


class FinishForm(Form):
    """End a quick fix with its other half (SPN-01)."""

    lasting = forms.CharField(
        label="The lasting fix", required=False, max_length=300,
        help_text="A new ticket in one line, or one that stands, like T-34.",
    )  # fmt: skip
    reason = forms.CharField(
        label="Or why there is none", required=False, max_length=1000, help_text="It stands on this ticket for good."
    )

    def fill_in(self, about: About) -> None:
        """Show the reason that stands."""
        self.initial.setdefault("reason", about.ticket.no_pair_why)


def _finish(about: About, given: dict[str, Any]) -> object:
    named = given["lasting"].strip()
    lasting: Written | int | None = None
    if re.fullmatch(r"(?i)t-\d+|\d+", named):
        lasting = other_ticket(about.reader, named, "lasting").pk
    elif named:
        lasting = Written(named, kind="lasting_fix")
    return ticket_pairs.close_quick_fix(
        about.ticket.pk, about.reader, about.now, lasting=lasting, reason=given["reason"]
    )


class WhoForm(Form):
    """Give it to a person, or to the watch (HND-09)."""

    who = forms.ChoiceField(label="Who has it?", required=False)

    def fill_in(self, about: About) -> None:
        """Offer the seats and the members."""
        seats = [(f"seat:{name}", f"the watch: {name}") for name in about.seats]
        people = [(f"person:{one.pk}", str(one)) for one in about.members]
        choose(self, "who", [*seats, *people], "nobody yet")
        ticket = about.ticket
        held = f"person:{ticket.assignee_id}" if ticket.assignee_id else f"seat:{ticket.seat}" if ticket.seat else ""
        self.initial.setdefault("who", held)


def _change(about: About, values: Mapping[str, Any]) -> object:
    return tickets.change_ticket(about.ticket.pk, values, about.reader, about.now)


class AboutForm(Form):
    """Say what kind of work it is."""

    kind = forms.ChoiceField()
    labels = forms.CharField(required=False, max_length=900, help_text="With commas between.")
    points = forms.IntegerField(required=False, min_value=0, max_value=100)
    service = forms.ChoiceField(required=False)
    community = forms.ChoiceField(label="For which community", required=False)
    starts_on = forms.DateField(label="Not before", required=False, widget=DAY)
    due_on = forms.DateField(label="Due on", required=False, widget=DAY)
    is_unplanned = forms.BooleanField(label="It came unexpected", required=False)

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        ticket = about.ticket
        choose(self, "kind", KINDS.items())
        choose(self, "service", service_choices(about.services), "none named")
        if about.communities:
            choose(self, "community", community_choices(about.communities), "none")
        else:
            del self.fields["community"]
        for name in ("kind", "points", "starts_on", "due_on", "is_unplanned"):
            self.initial.setdefault(name, getattr(ticket, name))
        self.initial.setdefault("labels", ", ".join(str(label) for label in ticket.labels))
        self.initial.setdefault("service", str(ticket.service_id or ""))
        self.initial.setdefault("community", str(ticket.community_id or ""))
        kinds = about.desk.kinds
        self.fields[
            "labels"
        ].help_text = f"With commas between. {kinds.operations_labels[0]} or {kinds.feature_labels[0]} says which kind of work it is."


def _about(about: About, given: dict[str, Any]) -> object:
    return _change(about, read_choices(about, given))


class SprintForm(Form):
    """Plan it."""

    sprint = forms.ChoiceField(required=False)

    def fill_in(self, about: About) -> None:
        """Offer what is open."""
        choose(self, "sprint", [(str(one.pk), one.name) for one in about.sprints], "in no sprint")
        self.initial.setdefault("sprint", str(about.ticket.sprint_id or ""))


def _plan(about: About, given: dict[str, Any]) -> object:
    sprint = int(given["sprint"]) if given["sprint"] else None
    return sprints.plan(about.ticket.pk, sprint, about.reader, about.now)


class EpicForm(Form):
    """Say of which epic it is a part."""

    epic = forms.CharField(required=False, max_length=20, help_text="Like T-34; empty: of none.")

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        self.initial.setdefault("epic", f"T-{about.ticket.epic_id}" if about.ticket.epic_id else "")


def _epic(about: About, given: dict[str, Any]) -> object:
    named = given["epic"].strip()
    return _change(about, {"epic": other_ticket(about.reader, named, "epic") if named else None})


class SplitForm(Form):
    """Name the parts of an epic (DUT-12)."""

    parts = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One part a line, with its points if you know: Move the data (3)",
    )


class LinkForm(Form):
    """Link it to another ticket."""

    kind = forms.ChoiceField(label="This ticket")
    target = forms.CharField(label="Which other", max_length=20, widget=forms.TextInput(attrs={"placeholder": "T-34"}))

    def fill_in(self, about: About) -> None:
        """Offer the kinds."""
        kinds = [(kind, LINKS_OUT[kind]) for kind in reversed(LINKS)]
        choose(self, "kind", [*kinds, ("blocks:in", "waits for"), ("lasting_fix_of:in", "is mended for good by")])


def _link(about: About, given: dict[str, Any]) -> object:
    kind, _, turned = given["kind"].partition(":")
    ends = [about.ticket.pk, other_ticket(about.reader, given["target"], "target").pk]
    source, target = reversed(ends) if turned else ends
    return tickets.link(source, target, kind, about.reader, about.now)


class UnlinkForm(Form):
    """Take a link away; which one says the button."""

    link = forms.IntegerField()


def _unlink(about: About, given: dict[str, Any]) -> object:
    found = TicketLink.objects.filter(Q(source=about.ticket) | Q(target=about.ticket), pk=given["link"]).first()
    if found is None:
        raise Refused("this link is gone already")
    return tickets.unlink(found.source_id, found.target_id, found.kind, about.reader, about.now)


class SpinForm(Form):
    """Write down what came out of it (SPN-02)."""

    title = forms.CharField(label="In one line", max_length=300)
    kind = forms.ChoiceField(label="What it is")

    def fill_in(self, about: About) -> None:
        """A quick fix leads to its lasting fix first."""
        lasting = [("lasting_fix_of", "the lasting fix of this")]
        other = [("spin_off_of", "something that came out of this")]
        choose(self, "kind", [*lasting, *other] if about.ticket.kind == "quick_fix" else [*other, *lasting])


class CommentForm(Form):
    """Write on it (HND-03)."""

    text = forms.CharField(label="Write", widget=SHORT)


class HappenedForm(Form):
    """Note down that it happened again (SPN-05)."""

    text = forms.CharField(label="What was seen?", required=False, widget=SHORT)
    at = WallField(label="When", required=False, help_text="Empty: now.")
    group = forms.IntegerField(label="Number of its alert", required=False, min_value=1)


def _happened(about: About, given: dict[str, Any]) -> object:
    group = None
    if given["group"]:
        group = AlertGroup.objects.filter(pk=given["group"], team=about.ticket.team_id).first()
        if group is None:
            raise Refused(f"there is no alert {given['group']} of this team", "group")
    at = given["at"] or about.now
    return tracking.happened(about.ticket.pk, given["text"], at, about.reader, about.now, group=group)


class WatchForm(Form):
    """Let it gather an alarm by itself (SPN-05)."""

    service = forms.ChoiceField(required=False)
    key = forms.CharField(
        label="The alarm’s key, or words of its title",
        required=False,
        max_length=255,
        help_text="Empty: it watches for nothing.",
    )

    def fill_in(self, about: About) -> None:
        """Show what it watches for."""
        watched = tracking.watched(about.ticket) if about.ticket.kind == "tracking" else None
        choose(self, "service", service_choices(about.services), "choose")
        self.initial.setdefault("service", str(watched.service if watched else about.ticket.service_id or ""))
        self.initial.setdefault("key", watched.key if watched else "")


def _watch(about: About, given: dict[str, Any]) -> object:
    service = next((one for one in about.services if str(one.pk) == given["service"]), None)
    return tracking.watch_for(about.ticket.pk, service, given["key"], about.reader, about.now)


def _stop(about: About, given: dict[str, Any]) -> object:
    running = work_clock.running_clock(about.reader)
    if running is None or running.ticket_id != about.ticket.pk:
        raise Refused("no clock of yours runs here")
    return work_clock.stop(about.reader, about.now)


def _moved(ticket: object) -> str:
    return f"It is in “{STAGE_WORDS[cast('Ticket', ticket).stage]}” now."


ACTS: Mapping[str, Act[About]] = {
    "vendor": Act(
        VendorForm,
        lambda a, v: vendor_cases.open_case(a.ticket, v, a.reader, a.now),
        "The case is written down. The ticket waits for the vendor.",
    ),
    "text": Act(TextForm, _change, "Saved."),
    "move": Act(MoveForm, _move, _moved),
    "end": Act(EndForm, _end, "It is ended. Why stands on it."),
    "finish": Act(FinishForm, _finish, "Done, with its other half."),
    "take": Act(EmptyForm, lambda a, v: _change(a, {"assignee": a.reader}), "You have it."),
    "who": Act(WhoForm, lambda a, v: _change(a, read_who(v["who"], a.members)), "Whose it is, is saved."),
    "about": Act(AboutForm, _about, "Saved. Its place follows the team’s order."),
    "priority": Act(
        PriorityForm,
        lambda a, v: tickets.set_priority(a.ticket.pk, v["level"], v["why"], a.reader, a.now),
        "Its place is set.",
    ),
    "sprint": Act(SprintForm, _plan, "Planned."),
    "epic": Act(EpicForm, _epic, "Saved."),
    "make-epic": Act(
        EmptyForm, lambda a, v: epics.make_epic(a.ticket.pk, a.reader, a.now), "It is an epic now: name its parts."
    ),
    "split": Act(
        SplitForm,
        lambda a, v: epics.split(a.ticket.pk, read_parts(v["parts"]), a.reader, a.now),
        lambda made: f"{len(cast('list[Ticket]', made))} written.",
    ),
    "link": Act(LinkForm, _link, "Linked."),
    "unlink": Act(UnlinkForm, _unlink, "The link is gone. Both tickets say so."),
    "spin": Act(
        SpinForm,
        lambda a, v: ticket_pairs.spin_off(a.ticket.pk, Written(v["title"]), a.reader, a.now, kind=v["kind"]),
        lambda made: f"T-{cast('Ticket', made).pk} is written, and linked to this.",
    ),
    "comment": Act(CommentForm, lambda a, v: tickets.comment(a.ticket.pk, v["text"], a.reader, a.now), "Written."),
    "happened": Act(HappenedForm, _happened, "Noted."),
    "watch": Act(WatchForm, _watch, "Saved. What fires from now on is gathered here."),
    "start": Act(EmptyForm, lambda a, v: work_clock.start(a.ticket, a.reader, a.now), "Your clock runs."),
    "stop": Act(EmptyForm, _stop, spent),
    "log": Act(
        MinutesForm, lambda a, v: work_clock.log_time(a.ticket, v["minutes"], a.reader, a.now, v["note"]), spent
    ),
}

"""What may be done with a post-mortem on its page: one form and one action each. To add one, add it to ACTS.

An act is a POST to /postmortems/<id>/<name>/. What the action refuses is shown at its field, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from watchbill.actions import action_items, postmortem_meeting, postmortem_sections, postmortems, publishing
from watchbill.actions.desk import Desk
from watchbill.actions.postmortem_rules import rule_of
from watchbill.core.postmortems import ACTION_KINDS, PURPOSES
from watchbill.db.models import Person, PostMortem
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.wall import WallField
from watchbill.kit.errors import Refused

LONG = forms.Textarea(attrs={"rows": 8})
TARGET_WORDS = {"page": "A public page", "git": "The repository", "confluence": "Confluence", "chat": "The team’s chat"}


@dataclass(frozen=True)
class About:
    """What a form knows: the post-mortem, its team's desk, who reads and when, and the members of the team."""

    postmortem: PostMortem
    desk: Desk
    reader: Person
    now: datetime
    members: Sequence[Person] = ()


class ActForm(forms.Form):
    """A form of the page; `name` keeps its fields apart from those of the others."""

    def __init__(self, data: Any, about: About, name: str, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", auto_id=f"{name}-%s", **kwargs)
        self.about = about
        self.fill_in(about)

    def fill_in(self, about: About) -> None:
        """Give the fields their choices and what stands in them at first."""


@dataclass(frozen=True)
class Act:
    """One thing that may be done: its form, what does it, what is said afterwards, where on the page one comes back."""

    form: type[ActForm]
    do: Callable[[About, dict[str, Any]], object]
    said: str | Callable[[Any], str]
    back: str = ""

    def words(self, result: object) -> str:
        """Say what was done."""
        return self.said if isinstance(self.said, str) else self.said(result)


class EmptyForm(ActForm):
    """Only a button."""


class SectionForm(ActForm):
    """The words of a section, and the version that they were made from."""

    section = forms.IntegerField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)
    text = forms.CharField(required=False, widget=LONG, strip=False, label="Words")


class SettleForm(SectionForm):
    """What becomes of words that were set aside."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class MoveForm(ActForm):
    """Move it on, or back."""

    state = forms.CharField(widget=forms.HiddenInput)
    why = forms.CharField(label="Why does it go back?", required=False, max_length=500)


class AboutForm(ActForm):
    """Its title, who writes it, by when."""

    title = forms.CharField(max_length=200)
    owner = forms.ChoiceField(label="Who writes it?", required=False)
    due_at = WallField(label="Due", required=False)

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        one = about.postmortem
        choose(self, "owner", [(str(person.pk), str(person)) for person in about.members], "nobody yet")
        for name, value in (("title", one.title), ("owner", str(one.owner_id or "")), ("due_at", one.due_at)):
            self.initial.setdefault(name, value)


def _about(about: About, given: dict[str, Any]) -> object:
    owner = next((one for one in about.members if str(one.pk) == given["owner"]), None)
    values = {"title": given["title"], "owner": owner, "due_at": given["due_at"] or None}
    if owner is None and given["owner"] == str(about.postmortem.owner_id or ""):
        del values["owner"]
    return postmortems.change(about.postmortem.pk, values, about.reader, about.now)


class ImpactForm(ActForm):
    """One number of the impact."""

    name = forms.CharField(label="What is counted", max_length=120)
    value = forms.CharField(label="How many", required=False, max_length=120, help_text="Empty takes it away.")


class LineForm(ActForm):
    """An action in one line."""

    line = forms.CharField(
        label="What is to be done",
        max_length=300,
        help_text="One line makes a ticket: Alert earlier @ben by 2026-04-01 #technical #detect smallest",
    )


class ActionForm(ActForm):
    """What an action is for."""

    item = forms.IntegerField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(choices=[(one, one.capitalize()) for one in ACTION_KINDS])
    purpose = forms.ChoiceField(label="It is there to", choices=[(one, one) for one in PURPOSES])
    is_smallest = forms.BooleanField(label="It is the smallest that helps", required=False)


class ItemForm(ActForm):
    """Which action, and its place."""

    item = forms.IntegerField(widget=forms.HiddenInput)
    place = forms.IntegerField(required=False, widget=forms.HiddenInput)


class MeetingForm(ActForm):
    """When the meeting is."""

    at = WallField(label="When?")
    minutes = forms.IntegerField(min_value=5, max_value=480)

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        self.initial.setdefault("at", about.postmortem.meeting_at)
        self.initial.setdefault("minutes", about.postmortem.meeting_minutes or 30)


class WhyForm(ActForm):
    """Only a reason."""

    why = forms.CharField(label="Why?", required=False, max_length=500)


class GuestForm(ActForm):
    """Somebody who is asked to the meeting."""

    whom = forms.ChoiceField(label="A colleague", required=False)
    name = forms.CharField(label="Or a guest", required=False, max_length=80)
    email = forms.EmailField(label="Their mail address", required=False)
    is_optional = forms.BooleanField(label="They may stay away", required=False)

    def fill_in(self, about: About) -> None:
        """Offer the members of the team and those above it."""
        team = about.postmortem.team
        above = [one for one in (team.manager, team.product_manager, team.fallback) if one is not None]
        people = dict.fromkeys([*about.members, *above])
        choose(self, "whom", [(str(person.pk), str(person)) for person in people], "—")


def _ask(about: About, given: dict[str, Any]) -> object:
    whom = Person.objects.filter(pk=int(given["whom"])).first() if given["whom"] else None
    return postmortem_meeting.ask(
        about.postmortem.pk,
        about.reader,
        about.now,
        whom=whom,
        name=given["name"],
        email=given["email"],
        is_required=not given["is_optional"],
    )


class PublishForm(ActForm):
    """Where it goes."""

    targets = forms.MultipleChoiceField(
        label="Where to", choices=TARGET_WORDS.items(), widget=forms.CheckboxSelectMultiple, required=False
    )
    connection = forms.ChoiceField(label="Which one", required=False)

    def fill_in(self, about: About) -> None:
        """Offer what the team's rule names."""
        rule = rule_of(about.desk)
        self.initial.setdefault("targets", rule.publish_to)
        places = publishing.places_for(about.postmortem)
        choose(self, "connection", [(str(one.pk), str(one)) for one in places], "the first that fits")


def _publish(about: About, given: dict[str, Any]) -> object:
    places = publishing.places_for(about.postmortem)
    chosen = next((one for one in places if str(one.pk) == given["connection"]), None)
    if not given["targets"]:
        raise Refused("say where it goes", "targets")
    return publishing.publish(about.postmortem.pk, about.reader, about.now, targets=given["targets"], connection=chosen)


class NumberForm(ActForm):
    """Which row."""

    number = forms.IntegerField(widget=forms.HiddenInput)


def _saved(saved: postmortem_sections.Saved) -> str:
    if saved.set_aside is not None:
        return "Somebody wrote in the same place meanwhile. Your words are kept beside theirs: settle them there."
    return "Saved, together with what others wrote meanwhile." if saved.was_merged else "Saved."


def _section(about: About, given: dict[str, Any]) -> object:
    if not about.postmortem.sections.filter(pk=given["section"]).exists():
        raise Refused("this section is not of this page", "section")
    return postmortem_sections.save(given["section"], given["text"], given["version"], about.reader, about.now)


def _item(about: About, given: dict[str, Any]) -> int:
    number = int(given["item"])
    if not about.postmortem.actions.filter(pk=number).exists():
        raise Refused("this action is not of this page", "item")
    return number


ACTS: dict[str, Act] = {
    "section": Act(SectionForm, _section, _saved),
    "settle": Act(
        SettleForm,
        lambda a, v: postmortem_sections.settle(v["revision"], v["text"], v["version"], a.reader, a.now),
        _saved,
    ),
    "move": Act(
        MoveForm, lambda a, v: postmortems.move(a.postmortem.pk, v["state"], a.reader, a.now, v["why"]), "Moved."
    ),
    "about": Act(AboutForm, _about, "Saved."),
    "refill": Act(
        EmptyForm,
        lambda a, v: postmortems.refill(a.postmortem.pk, a.reader, a.now),
        "What nobody had touched is drafted anew from the record.",
    ),
    "impact": Act(
        ImpactForm,
        lambda a, v: postmortems.set_impact(a.postmortem.pk, {v["name"]: v["value"]}, a.reader, a.now),
        "Written down.",
    ),
    "line": Act(
        LineForm,
        lambda a, v: action_items.add_line(a.postmortem.pk, v["line"], a.reader, a.now),
        lambda item: f"T-{item.ticket_id} is made.",
        "#do-line",
    ),
    "action": Act(
        ActionForm,
        lambda a, v: action_items.change(
            _item(a, v), a.reader, a.now, kind=v["kind"], purpose=v["purpose"], is_smallest=v["is_smallest"]
        ),
        "Saved.",
        "#actions",
    ),
    "rank": Act(
        ItemForm, lambda a, v: action_items.rank(_item(a, v), v["place"] or 0, a.reader, a.now), "Moved.", "#actions"
    ),
    "sprint": Act(
        ItemForm,
        lambda a, v: action_items.into_next_sprint(_item(a, v), a.reader, a.now),
        lambda item: f"It is in {item.ticket.sprint}.",
        "#actions",
    ),
    "meeting": Act(
        MeetingForm,
        lambda a, v: postmortem_meeting.plan(a.postmortem.pk, v["at"], a.reader, a.now, minutes=v["minutes"]),
        "Planned. Everybody gets an invitation by mail.",
        "#meeting",
    ),
    "call-off": Act(
        WhyForm,
        lambda a, v: postmortem_meeting.call_off(a.postmortem.pk, v["why"], a.reader, a.now),
        "Called off. Calendars take it away.",
        "#meeting",
    ),
    "ask": Act(GuestForm, _ask, "Asked.", "#meeting"),
    "excuse": Act(
        NumberForm, lambda a, v: postmortem_meeting.excuse(v["number"], a.reader, a.now), "Taken off.", "#meeting"
    ),
    "publish": Act(PublishForm, _publish, "It is on its way.", "#published"),
    "retract": Act(
        WhyForm,
        lambda a, v: publishing.retract(a.postmortem.pk, v["why"], a.reader, a.now),
        "The public page is gone.",
        "#published",
    ),
    "retry": Act(
        NumberForm, lambda a, v: publishing.retry(v["number"], a.reader, a.now), "It is on its way again.", "#published"
    ),
}

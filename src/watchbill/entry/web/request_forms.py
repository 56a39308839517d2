"""The forms of requests: what the public page, the inbox and a request's own page ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from watchbill.actions.asked import IMPACTS, LARGEST_FILE, Asked, File
from watchbill.actions.desk import Desk
from watchbill.db.models import Community, Person, Service, Team
from watchbill.db.screens import requests as screen
from watchbill.entry.web.templatetags.request_tags import IMPACTS as IMPACT_WORDS
from watchbill.entry.web.wall import WallField

Choices = list[tuple[str, str]]


def choose(form: forms.Form, name: str, choices: Iterable[tuple[str, str]], none: str | None = None) -> None:
    """Give a field of a form its choices, with a word for none of them in front."""
    field: Any = form.fields[name]
    field.choices = [*([("", none)] if none is not None else []), *choices]


def class_choices(desk: Desk) -> Choices:
    """Give a team's classes of request, in its own order."""
    return [(name, held.title) for name, held in desk.classes.classes.items()]


def service_choices(services: Iterable[Service]) -> Choices:
    """Give services by name, with their environments."""
    return [(str(one.pk), f"{one.name} ({one.environment})" if one.environment else one.name) for one in services]


class FilesInput(forms.ClearableFileInput):
    """A field for several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files at once; gives what came, judged by the action."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=FilesInput(attrs={"multiple": True}), required=False, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[File]:
        """Read the files."""
        given = data if isinstance(data, list | tuple) else [data]
        uploads = [upload for one in given if one and (upload := super(FilesField, self).clean(one, initial))]
        # What no action takes is not brought into memory to be told so.
        for one in uploads:
            if one.size > LARGEST_FILE:
                raise forms.ValidationError(f"“{one.name}”: at most {LARGEST_FILE // 1024**2} MB.")
        return [File(one.name, one.content_type or "application/octet-stream", one.read()) for one in uploads]


class AskForm(forms.Form):
    """What somebody asks of a team (INT-02, INT-11, PRI-07)."""

    request_class = forms.ChoiceField(label="What is it?", required=False)
    title = forms.CharField(label="In one line", max_length=300)
    text = forms.CharField(
        label="What happened, or what do you need?",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    service = forms.ChoiceField(label="Which service?", required=False)
    environment = forms.CharField(
        label="Environment", required=False, max_length=40, help_text="Such as production or test, if you know it."
    )
    component = forms.CharField(
        label="Part of it", required=False, max_length=80, help_text="A page, a job, a machine: whatever it is about."
    )
    impact = forms.ChoiceField(label="Who is held up by it?", required=False)
    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.CharField(
        label="Your mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="Our answer goes there.",
    )

    def __init__(self, data: Any, files: Any, desk: Desk, services: Sequence[Service], **kwargs: Any) -> None:
        super().__init__(data, files, label_suffix="", **kwargs)
        self.services = {str(one.pk): one for one in services}
        choose(self, "request_class", class_choices(desk), "I am not sure")
        choose(self, "service", service_choices(services), "I do not know, or none of these")
        choose(self, "impact", [(name, IMPACT_WORDS[name].capitalize()) for name in IMPACTS if name], "I cannot tell")

    def asked(self) -> Asked:
        """Give what was typed as actions take it."""
        given = self.cleaned_data
        return Asked(
            title=given["title"],
            text=given["text"],
            request_class=given["request_class"],
            service=self.services.get(given["service"]),
            environment=given["environment"],
            component=given["component"],
            impact=given["impact"],
            files=tuple(given.get("attached") or ()),
        )


class LogForm(AskForm):
    """A request that somebody asked by word or elsewhere, logged for them (TRI-04)."""

    field_order = ("name", "email", "title", "text", "request_class", "service", "environment", "component", "impact")
    asked_at = WallField(label="Asked at", required=False, help_text="Empty: now. The promise runs from then on.")
    quiet = forms.BooleanField(label="Send no confirmation: they know already", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label, self.fields["email"].label = "Who asks?", "Their mail address"
        self.fields["email"].required = False
        self.fields["email"].help_text = "Empty: they get no mail, and nobody can answer them from here."
        self.fields["text"].label = "What they said"
        for name in ("name", "email"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        for name, none in (("request_class", "not classed yet"), ("service", "none named"), ("impact", "not said")):
            field: Any = self.fields[name]
            field.choices = [("", none), *field.choices[1:]]


class FilterForm(forms.Form):
    """What the inbox is narrowed to; it stands in the address, so that a list can be sent to somebody."""

    q = forms.CharField(label="Search", required=False, max_length=200)
    team = forms.ChoiceField(required=False)
    request_class = forms.ChoiceField(label="Class", required=False)
    service = forms.ChoiceField(required=False)
    community = forms.ChoiceField(required=False)

    def __init__(self, data: Any, teams: Sequence[Team], classes: Choices) -> None:
        super().__init__(data, label_suffix="")
        services = Service.objects.filter(team__in=teams).order_by("name").values_list("slug", "name")
        communities: list[Community] = screen.communities_of([team.pk for team in teams])
        choose(self, "team", [(team.slug, team.name) for team in teams], "every team")
        choose(self, "request_class", classes, "every class")
        choose(self, "service", services, "every service")
        choose(self, "community", {one.slug: one.name for one in communities}.items(), "every community")
        self.fields["q"].widget.attrs.update({"type": "search", "placeholder": "words, a name, R-12"})

    def read(self, tab: str) -> screen.Filters:
        """Read the filters; what is wrong in the address counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        return screen.Filters(
            tab=tab if tab in screen.TABS else "open",
            team=given.get("team", ""),
            request_class=given.get("request_class", ""),
            service=given.get("service", ""),
            community=given.get("community", ""),
            text=given.get("q", ""),
        )


def person_of(choice: str, among: Iterable[Person]) -> Person | None:
    """Give the person that a choice names."""
    return next((one for one in among if str(one.pk) == choice), None)

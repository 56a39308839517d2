"""Who does what: each role, who has it since when, who is asked; ask somebody, take it, hand it on (ROL-01, ROL-12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms

from watchbill.actions import incident_roles
from watchbill.actions.role_finding import ranking
from watchbill.actions.role_scene import Scene
from watchbill.core import roles as core
from watchbill.db.models import RoleAssignment
from watchbill.db.role_facts import leadership_of, talks_for
from watchbill.entry.web.incident_panels import SHORT, About, Act, ActForm
from watchbill.entry.web.incident_panels._together import roles, scene, touched
from watchbill.entry.web.request_forms import choose, person_of
from watchbill.kit.errors import Refused

PLACE = 5
TEMPLATE = "incidents/panel_roles.html"


@dataclass
class Row:
    """One role as the page shows it."""

    key: str
    title: str
    duties: list[str]
    is_needed: bool
    is_single: bool
    held: list[RoleAssignment] = field(default_factory=list)
    asked: list[RoleAssignment] = field(default_factory=list)
    mine: bool = False
    may_take: bool = False
    may_offer: bool = False


def words(about: About) -> dict[str, Any]:
    """Give the roles in the team's order, who had one before, who talks, and who speaks to leadership."""
    here, lines = about.once(scene), about.once(roles)
    rows = _rows(here, lines, about)
    talks = talks_for(lines, here.rule.liaison_is)
    return {
        "rows": rows,
        "may_ask": any(row.may_offer and row.key in here.rule.roles for row in rows),
        "past": [(here.title(one.role), one) for one in lines if one.state == core.ENDED],
        "talks": talks if not any(one.role == "liaison" and one.state == core.ACCEPTED for one in lines) else None,
        "leadership": leadership_of(about.incident, about.once(touched)),
        "may_act": here.rule.commander_may_act,
        "is_over": about.is_over,
    }


def theirs_to_give(about: About) -> list[str]:
    """Give the roles for which the reader may ask others."""
    here = about.once(scene)
    return incident_roles.may_offer_of(here, {*here.rule.roles, *(line.role for line in here.lines)}, about.reader)


def _rows(scene: Scene, lines: list[RoleAssignment], about: About) -> list[Row]:
    kinds = scene.rule.kinds()
    rows = {
        key: Row(key, scene.title(key), role.duties, key in scene.needed, role.is_single)
        for key, role in scene.rule.roles.items()
    }
    for one in lines:
        if one.state in core.OPEN:
            row = rows.setdefault(one.role, Row(one.role, scene.title(one.role), [], is_needed=False, is_single=True))
            (row.held if one.state == core.ACCEPTED else row.asked).append(one)
    offered = about.once(theirs_to_give)
    for key, row in rows.items():
        row.may_offer = key in offered
        row.mine = any(one.person_id == about.reader.pk for one in row.held)
        free = not row.held or not row.is_single
        row.may_take = free and key in kinds and not core.why_not(kinds[key], about.reader.pk, scene.lines)
    return list(rows.values())


class RoleForm(ActForm):
    """Which role."""

    role = forms.CharField(widget=forms.HiddenInput, max_length=40)


class LineForm(ActForm):
    """Which line of the record."""

    line = forms.IntegerField(widget=forms.HiddenInput)


class AskForm(ActForm):
    """Ask somebody to take a role; whoever has it keeps it until they say yes."""

    role = forms.ChoiceField(label="Which role?")
    person = forms.ChoiceField(label="Whom?", help_text="In the team's order. They may say no, without a reason.")
    scope = forms.CharField(label="For what?", required=False, max_length=120)
    why = forms.CharField(label="A word to them", required=False, max_length=2000, widget=SHORT)

    def fill_in(self, about: About) -> None:
        """Offer the roles that are the reader's to give, and the members in the team's order, with the reasons."""
        here = about.once(scene)
        # What somebody else took meanwhile is refused by the action, which says who has it.
        theirs = {*about.once(theirs_to_give), self.data.get("role")}
        choose(self, "role", [(key, here.title(key)) for key in here.rule.roles if key in theirs])
        ranked = ranking(here, "commander")
        known = {one.id: f"{one.name} ({', '.join(one.reasons)})" for one in ranked}
        others = [one for one in about.members if one.pk not in known and one != about.reader]
        known.pop(about.reader.pk, None)
        choose(
            self,
            "person",
            [*((str(pk), words) for pk, words in known.items()), *((str(one.pk), str(one)) for one in others)],
        )


class StepInForm(ActForm):
    """Take a role that somebody else has, because they cannot go on."""

    role = forms.ChoiceField(label="Which role?")
    because = forms.CharField(label="Why now?", max_length=500, help_text="They hear of it, and may take it back.")

    def fill_in(self, about: About) -> None:
        """Offer the roles that others have."""
        here = about.once(scene)
        held = {one.role for one in here.lines if one.state == core.ACCEPTED and one.person != about.reader.pk}
        choose(self, "role", [(key, here.title(key)) for key in here.rule.roles if key in held])


def _ask(about: About, given: dict[str, Any]) -> object:
    whom = person_of(given["person"], about.members)
    if whom is None:
        raise Refused("choose whom to ask", "person")
    return incident_roles.offer(
        about.incident.pk, given["role"], whom, about.reader, about.now, given["why"], given["scope"]
    )


ACTS = {
    "ask_role": Act(AskForm, _ask, "They are asked. It stays as it is until they say yes."),
    "take_role": Act(
        RoleForm, lambda a, v: incident_roles.take(a.incident.pk, v["role"], a.reader, a.now), "It is yours."
    ),
    "step_in": Act(
        StepInForm,
        lambda a, v: incident_roles.take(a.incident.pk, v["role"], a.reader, a.now, v["because"]),
        "It is yours. They hear of it.",
    ),
    "ask_who": Act(
        RoleForm,
        lambda a, v: incident_roles.ask_who(a.incident.pk, v["role"], a.reader, a.now),
        "They are told to say who.",
    ),
    "unask": Act(LineForm, lambda a, v: incident_roles.withdraw(v["line"], a.reader, a.now), "Taken back."),
    "end_role": Act(LineForm, lambda a, v: incident_roles.end(v["line"], a.reader, a.now), "Done, thank you."),
}

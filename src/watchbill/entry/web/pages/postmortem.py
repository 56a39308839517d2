"""One post-mortem: its sections, milestones, impact, actions, meeting, where it was published; to print, to take along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import postmortem_rules, postmortems, publishing
from watchbill.actions.desk import desk_of
from watchbill.actions.postmortem_files import file_name, public_report, report_of, roles_in
from watchbill.core import measures
from watchbill.core import postmortems as core
from watchbill.core.incidents import MILESTONES
from watchbill.core.reports.blameless import Hint, blaming_words, names_left
from watchbill.core.reports.pdf import write_pdf
from watchbill.core.reports.write import write_markdown, write_myst
from watchbill.db.incident_facts import incident_fact, named_in
from watchbill.db.models import PostMortem, PostMortemSection, SectionRevision
from watchbill.db.postmortem_facts import actions_of, counted, open_revisions
from watchbill.db.screens import postmortems as screen
from watchbill.db.screens.requests import members_of
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.postmortem_acts import ACTS, About, ActForm
from watchbill.entry.web.reader import PageRequest

NEXT = {
    core.DRAFT: ("in_review", "Ask for a review"),
    core.IN_REVIEW: ("reviewed", "Reviewed"),
}
WRITERS = {"md": write_markdown, "myst.md": write_myst}


@dataclass(frozen=True)
class Part:
    """A section as the page shows it: what was set aside in it, and words that may blame, with kinder ones."""

    section: PostMortemSection
    set_aside: list[SectionRevision]
    hints: list[Hint]


def postmortem_or_404(request: PageRequest, number: int) -> PostMortem:
    """Find a post-mortem that the reader may see; raises Http404 also for one of others."""
    one = screen.find_postmortem(request.user, number)
    if one is None:
        raise Http404(f"there is no post-mortem {number}")
    return one


@login_required
def show(request: PageRequest, number: int) -> HttpResponse:
    """Show one post-mortem."""
    return _render(request, postmortem_or_404(request, number), {})


def _about(request: PageRequest, one: PostMortem) -> About:
    return About(one, desk_of(one.team, request.now), request.user, request.now, members_of([one.team_id]))


def _render(request: PageRequest, one: PostMortem, given: dict[str, ActForm], status: int = 200) -> HttpResponse:
    about = _about(request, one)
    is_member = may_answer(request.user, one.team) or named_in(one.incident, request.user)
    rule = postmortem_rules.rule_of(about.desk)
    fact = incident_fact(one.incident)
    to, word = NEXT.get(one.state, ("", ""))
    words: dict[str, Any] = {
        "one": one,
        "rule": rule,
        "incident": one.incident,
        "state": core.STATE_WORDS[one.state],
        "parts": _parts(one),
        "milestones": [(name, fact.milestones.get(name)) for name in MILESTONES],
        "pairs": measures.lengths_of(fact.milestones),
        "counted": counted(one.incident),
        "asked_numbers": [words for words in rule.impact.values() if words not in one.impact],
        "actions": actions_of(one),
        "attendees": one.attendees.select_related("person").order_by("-is_required", "id"),
        "standings": publishing.standings(one),
        "public_url": publishing.public_url(one) if one.is_public else "",
        "version": publishing.version_of(one) if one.is_public else None,
        "is_changed": one.is_public and publishing.is_changed(one),
        "missing": postmortems.missing_of(one, to or "published", request.now) if one.state != "published" else [],
        "to": to,
        "word": word,
        "left": _names_left(one),
        "story": screen.read_story(one),
        "is_member": is_member,
        "open_form": next(iter(given), ""),
        "given": given,
        "refused": [str(error) for form in given.values() for errors in form.errors.values() for error in errors],
    }
    if is_member:
        words["forms"] = {
            name.replace("-", "_"): given.get(name) or act.form(None, about, name) for name, act in ACTS.items()
        }
    return render(request, "postmortems/one.html", words, status=status)


def _parts(one: PostMortem) -> list[Part]:
    waiting = list(open_revisions(one))
    return [
        Part(section, [row for row in waiting if row.section_id == section.pk], blaming_words(section.text))
        for section in one.sections.select_related("changed_by").order_by("position", "id")
    ]


def _names_left(one: PostMortem) -> list[str]:
    """Read names that would stand in the published version, because they belong to several people."""
    roles = roles_in(one)
    return sorted({name for section in one.sections.all() for name in names_left(section.text, roles)})


@login_required
@require_POST
def act(request: PageRequest, number: int, name: str) -> HttpResponse:
    """Do one thing; a refusal shows the page again with what was typed."""
    if name not in ACTS:
        raise Http404(name)
    one = postmortem_or_404(request, number)
    form = ACTS[name].form(request.POST, _about(request, one), name)
    if form.is_valid():
        result = attempt(form, ACTS[name].do, form.about, form.cleaned_data)
        if result is not None:
            messages.success(request, ACTS[name].words(result))
            return redirect(next_url(request, f"/postmortems/{number}/{ACTS[name].back}"))
    return _render(request, postmortem_or_404(request, number), {name: form}, 409)


@login_required
def printed(request: PageRequest, number: int) -> HttpResponse:
    """Show the whole document for paper, and for reading at the meeting."""
    one = postmortem_or_404(request, number)
    report = report_of(one)
    words = {"one": one, "report": report, "sections": publishing.without_actions(report)}
    return render(request, "postmortems/printed.html", words)


@login_required
def download(request: PageRequest, number: int, ending: str) -> HttpResponse:
    """Give the file: `?blameless` without names, as it would be published."""
    one = postmortem_or_404(request, number)
    report = public_report(one) if "blameless" in request.GET else report_of(one)
    if ending == "pdf":
        return _file(write_pdf(report), file_name(one, ending), "application/pdf")
    if ending not in WRITERS:
        raise Http404(ending)
    return _file(WRITERS[ending](report).encode(), file_name(one, ending), "text/markdown; charset=utf-8")


def _file(content: bytes, name: str, media_type: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def public(request: HttpRequest, token: str) -> HttpResponse:
    """Show a post-mortem to everybody as it was published, without names."""
    version = publishing.find_public(token)
    if version is None:
        raise Http404("there is no such page")
    report = publishing.read_version(version)
    words = {"version": version, "report": report, "sections": publishing.without_actions(report), "bare": True}
    answer = render(request, "postmortems/public.html", words)
    answer["Cache-Control"] = "public, max-age=60"
    return answer


URLS = [
    path("postmortems/public/<str:token>/", public, name="postmortem-public"),
    path("postmortems/<int:number>/", show, name="postmortem"),
    path("postmortems/<int:number>/print/", printed, name="postmortem-print"),
    path("postmortems/<int:number>/file.<str:ending>", download, name="postmortem-file"),
    path("postmortems/<int:number>/<slug:name>/", act, name="postmortem-act"),
]

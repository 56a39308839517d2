"""One request: where it is, what was said, what may be done, and why everything is as it is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from watchbill.actions import desk_settings, experts, request_links, work_clock
from watchbill.actions.desk import Desk, desk_of
from watchbill.db.models import Attachment, SupportRequest
from watchbill.db.screens import requests as screen
from watchbill.db.screens.incidents import linked_incidents
from watchbill.db.support_facts import spent_on
from watchbill.entry.web.acts import with_own
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.hours import reckon
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_acts import ACTS, LOGGED, About, Form
from watchbill.entry.web.request_help import HELP_ACTS

ALL_ACTS = {**ACTS, **HELP_ACTS}
SUGGESTED = 4


def request_or_404(request: PageRequest, number: int) -> SupportRequest:
    """Find a request that the reader may see; raises Http404 also for one of others."""
    one = screen.find_request(request.user, number)
    if one is None:
        raise Http404(f"there is no request {number}")
    return one


@login_required
def show(request: PageRequest, number: int) -> HttpResponse:
    """Show one request."""
    one = request_or_404(request, number)
    return _render(request, one, {})


def _render(request: PageRequest, one: SupportRequest, given: dict[str, Form], status: int = 200) -> HttpResponse:
    desk = desk_of(one.team, request.now)
    is_member = may_answer(request.user, one.team)
    story = screen.tell_request(one)
    clock = screen.running_clock(request.user) if is_member else None
    words: dict[str, Any] = {
        "one": one,
        "story": story,
        "incidents": linked_incidents(request.user, "request", one.pk),
        "is_member": is_member,
        "held": desk.classes.classes.get(one.request_class),
        "level": desk.order.levels.get(one.priority),
        "reckoning": reckon(one, desk, one.team.zone),
        "link": request_links.path_of(one),
        "spent": spent_on(one, request.now),
        "clock": clock,
        "runs_here": clock is not None and clock.request_id == one.pk,
        "logged": LOGGED,
        "open_form": next(iter(given), ""),
        "help_asked": any(line.kind == "request.help_asked" for line in story.timeline),
        "asks_me": [ask for ask in story.asks if ask.person_id == request.user.pk and ask.answered_at is None],
    }
    if is_member:
        about = _about(request, one, desk)
        words |= {
            "forms": {name: given.get(name) or act.form(None, about, name) for name, act in ALL_ACTS.items()},
            "ready": desk_settings.ready_messages(one, request.user, request.now),
            "advice": work_clock.decision_on(one, desk, request.now) if one.state == "open" else None,
            "suggestions": experts.suggest(one.team, one, None, request.now)[:SUGGESTED] if one.state == "open" else [],
        }
    return render(request, "requests/one.html", words, status=status)


def _about(request: PageRequest, one: SupportRequest, desk: Desk) -> About:
    return About(
        request=one,
        desk=desk,
        reader=request.user,
        now=request.now,
        members=screen.members_of([one.team_id]),
        services=with_own(screen.services_of(one.team), one.service),
        communities=with_own(screen.communities_of([one.team_id]), one.community),
    )


@login_required
@require_POST
def act(request: PageRequest, number: int, name: str) -> HttpResponse:
    """Do one thing with a request; a refusal shows the page again with what was typed."""
    if name not in ALL_ACTS:
        raise Http404(name)
    one = request_or_404(request, number)
    chosen = ALL_ACTS[name]
    about = _about(request, one, desk_of(one.team, request.now))
    form = chosen.form(request.POST, about, name)
    if form.is_valid():
        result = attempt(form, chosen.do, about, form.cleaned_data)
        if result is not None:
            messages.success(request, chosen.words(result))
            return redirect(next_url(request, f"/requests/{number}/"))
    return _render(request, one, {name: form}, 409)


@login_required
@require_POST
def ready(request: PageRequest, number: int) -> HttpResponse:
    """Put a ready message, its fields filled, into the box below what stands there; nothing is sent (TRI-16)."""
    one = request_or_404(request, number)
    chosen = request.POST.get("ready", "")
    offered = desk_settings.ready_messages(one, request.user, request.now)
    text = next((message.text for message in offered if message.name == chosen), "")
    typed = request.POST.get("text", "").rstrip()
    about = _about(request, one, desk_of(one.team, request.now))
    whole = "\n\n".join(part for part in (typed, text) if part)
    form = ACTS["answer"].form(None, about, "answer", initial={"text": whole, "then": request.POST.get("then", "")})
    if request.headers.get("HX-Request"):
        return HttpResponse(str(form["text"]))
    return _render(request, one, {"answer": form})


@login_required
@require_POST
def respond(request: PageRequest, number: int, ask: int) -> HttpResponse:
    """Take it on, or decline without a reason: only whoever was asked (TRI-11)."""
    one = request_or_404(request, number)
    if not one.asks.filter(pk=ask).exists():
        raise Http404
    willing = request.POST.get("willing") == "yes"
    experts.respond(ask, willing, request.user, request.now)
    messages.success(request, "It is yours. Thank you." if willing else "Declined. Thank you for saying so.")
    return redirect("request", number=number)


@login_required
def download(request: PageRequest, number: int, file: int) -> HttpResponse:
    """Give a file of a request."""
    one = request_or_404(request, number)
    return give(screen.find_attachment(one, file))


def give(found: Attachment | None) -> HttpResponse:
    """Give a file that a stranger sent: always to be saved, never shown within our pages. Raises Http404 for none."""
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=found.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


URLS = [
    path("requests/<int:number>/", show, name="request"),
    path("requests/<int:number>/ready/", ready, name="request-ready"),
    path("requests/<int:number>/files/<int:file>/", download, name="request-file"),
    path("requests/<int:number>/asks/<int:ask>/", respond, name="request-ask"),
    path("requests/<int:number>/<slug:name>/", act, name="request-act"),
]

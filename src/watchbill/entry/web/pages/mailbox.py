"""The mailbox of the desks, the address to which others post mail, and what came to a desk and was not understood."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from watchbill.actions import desk_inbox, mailbox
from watchbill.actions.access import require_administrator
from watchbill.db.models import Connection, Desk, Inbox, Membership, Person
from watchbill.db.screens.services import show_payload
from watchbill.entry import clock
from watchbill.entry.mail import imap
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_pydantic import form_for
from watchbill.entry.web.reader import PageRequest

LARGEST_MAIL = imap.LARGEST


@login_required
def mail_settings(request: PageRequest) -> HttpResponse:
    """Set up where mail comes in, and try it: what the mail server answered is shown."""
    require_administrator(request.user, "change where mail arrives")
    stored = mailbox.mailbox_values()
    form = form_for(mailbox.Mailbox)(request.POST or None, stored=stored)
    tried: dict[str, str] = {}
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") == "try":
            tried = _try(mailbox.Mailbox.model_validate(form.values()))
        elif attempt(form, mailbox.change_mailbox, form.values(), request.user, request.now):
            messages.success(request, "The mailbox is saved. Within half a minute a worker looks into it.")
            return redirect("settings-mailbox")
    words = {
        "form": form,
        "tried": tried,
        "by_environment": bool(settings.MAILBOX),
        "stored": stored,
        "last": mailbox.last_poll(),
        "key": mailbox.mail_key(),
        "url": settings.WATCHBILL_URL,
        "desks": Desk.objects.exclude(mail_address="").filter(team__archived_at=None).select_related("team"),
    }
    return render(request, "settings/mailbox.html", words)


def _try(box: mailbox.Mailbox) -> dict[str, str]:
    try:
        return {"said": imap.try_it(box)}
    except imap.MailboxFailed as failure:
        return {"failed": str(failure)}


@login_required
@require_POST
def forget(request: PageRequest) -> HttpResponse:
    """Forget the mailbox."""
    mailbox.change_mailbox({}, request.user, request.now)
    messages.success(request, "The mailbox is forgotten; nobody looks into it any more.")
    return redirect("settings-mailbox")


@login_required
@require_POST
def make_key(request: PageRequest) -> HttpResponse:
    """Make a new address to post mail to; the old one stops working."""
    mailbox.make_mail_key(request.user, request.now)
    messages.success(request, "This is the new address. The one before takes nothing any more.")
    return redirect("settings-mailbox")


@csrf_exempt
@require_POST
def take_mail(request: HttpRequest, key: str) -> HttpResponse:
    """Take one raw mail (RFC 5322) from a provider or a mail server's pipe: 202 means that it is on disk."""
    if not mailbox.is_mail_key(key):
        return JsonResponse({"status": "error", "message": "No desk takes mail with this key."}, status=401)
    raw = request.read(LARGEST_MAIL + 1)
    if len(raw) > LARGEST_MAIL or not raw.strip():
        said = "This mail is empty." if not raw.strip() else f"At most {LARGEST_MAIL // 1024**2} MB."
        return JsonResponse({"status": "error", "message": said}, status=413 if raw.strip() else 400)
    sender = str(request.META.get("REMOTE_ADDR") or "")
    try:
        number = desk_inbox.store(desk_inbox.MAIL, 0, raw, {}, sender, clock.now())
    except DatabaseError:
        said = "The database cannot be written now: nothing was stored. Send it again in a few seconds."
        return JsonResponse({"status": "error", "message": said}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "accepted", "id": number}, status=202)


def _row_or_404(request: PageRequest, number: int) -> Inbox:
    row = Inbox.objects.filter(pk=number, service_id=0).first()
    if row is None or not _may_see(request.user, row):
        raise Http404
    return row


def _may_see(person: Person, row: Inbox) -> bool:
    if person.is_superuser:
        return True
    return Connection.objects.filter(pk=row.connection_id, team__in=_teams(person)).exists()


def _teams(person: Person) -> list[int]:
    mine = Membership.objects.filter(person=person, role__in=("member", "owner"))
    return list(mine.values_list("team_id", flat=True))


@login_required
def inbox(request: PageRequest) -> HttpResponse:
    """Show what came to a desk and was not understood: an administrator all of it, others what their teams' systems sent."""
    rows = desk_inbox.not_understood()
    if not request.user.is_superuser:
        mine = set(Connection.objects.filter(team__in=_teams(request.user)).values_list("pk", flat=True))
        shown = [row for row in rows if row.connection_id in mine]
    else:
        shown = list(rows)
    return render(request, "settings/inbox.html", {"rows": shown})


@login_required
def inbox_row(request: PageRequest, number: int) -> HttpResponse:
    """Show one of them as it came."""
    row = _row_or_404(request, number)
    body = bytes(row.body)
    text = body[:50_000].decode("utf-8", "replace") if row.monitor == desk_inbox.MAIL else show_payload(body)
    return render(request, "settings/inbox_row.html", {"row": row, "text": text})


@login_required
@require_POST
def replay(request: PageRequest, number: int) -> HttpResponse:
    """Have it read again."""
    desk_inbox.replay(_row_or_404(request, number), request.user, request.now)
    messages.success(request, "It is read again. If it is not understood this time either, it comes back here.")
    return redirect("settings-inbox")


URLS = (
    path("settings/mailbox/", mail_settings, name="settings-mailbox"),
    path("settings/mailbox/forget/", forget, name="settings-mailbox-forget"),
    path("settings/mailbox/key/", make_key, name="settings-mail-key"),
    path("settings/inbox/", inbox, name="settings-inbox"),
    path("settings/inbox/<int:number>/", inbox_row, name="settings-inbox-row"),
    path("settings/inbox/<int:number>/replay/", replay, name="settings-inbox-replay"),
    path("in-mail/<str:key>", take_mail, name="in-mail"),
)

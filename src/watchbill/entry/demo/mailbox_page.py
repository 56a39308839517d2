"""The page /demo/mailbox/: what the demo's people were sent, newest first, with the links that are in the mails."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path

from watchbill.entry.demo.mailbox import Mailbox

_SHOWN: list[Mailbox] = []


def show_mailbox(mailbox: Mailbox) -> None:
    """Show this mailbox from now on."""
    _SHOWN[:] = [mailbox]


def page(request: HttpRequest) -> HttpResponse:
    """Show every letter that is kept; `?to=` shows those of one address."""
    if not _SHOWN:
        raise Http404
    to = request.GET.get("to", "")
    letters = [letter for letter in _SHOWN[0].read() if to in {"", letter.to}]
    return render(request, "demo/mailbox.html", {"letters": letters, "to": to, "bare": True})


URLS: tuple[URLPattern, ...] = (path("demo/mailbox/", page, name="demo-mailbox"),)

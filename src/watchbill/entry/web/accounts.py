"""How allauth's sign-in fits us: accounts are made by the first-run page or by invitation, never by sign-up.

Its mails leave by the operator's mail server like every other, but not through `Outgoing`: a link that resets a
password is never stored.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from watchbill import channels
from watchbill.actions.first_run import is_unfinished
from watchbill.actions.settings import channel_settings
from watchbill.channels import Message
from watchbill.entry.web.reader import HTTP
from watchbill.kit.errors import DeliveryFailed

log = structlog.get_logger()
# The answer must take as long for an unknown address as for a known one, so nobody waits for the mail server.
MAILER = ThreadPoolExecutor(2, thread_name_prefix="account-mail")
RESET = "account/email/password_reset_key"
RESET_TEXT = (
    "Somebody, hopefully you, asked for a new password for this address.\n\n"
    "If it was not you, do nothing: your password stays as it is."
)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closed to strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Take an administrator back to a set-up that is not finished."""
        if is_unfinished(request.user):
            return reverse("welcome")
        return str(super().get_login_redirect_url(request))

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Make the link from the operator's address: the Host header is whatever the caller says."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.WATCHBILL_URL + path.replace("UID-KEY", key)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send what allauth wants to say by the operator's mail server, after the answer has left."""
        server = channel_settings("email")
        if not server:
            log.warning("no mail server is set up: a sign-in mail was not sent", mail=template_prefix)
            return
        if template_prefix == RESET:
            subject, text, link = "A new password for Watchbill", RESET_TEXT, context["password_reset_url"]
        else:
            mail = self.render_mail(template_prefix, email, context)
            subject, text, link = str(mail.subject), str(mail.body), ""
        message = Message(
            key=f"account-{uuid.uuid4()}",
            subject=subject,
            text=text,
            link=link,
            action="Choose a new password",
            purpose="notice",
        )
        MAILER.submit(_send, message, email, server)


def _send(message: Message, email: str, server: dict[str, Any]) -> None:
    try:
        channels.send("email", message, {"email": email}, server, HTTP)
    except DeliveryFailed as failure:
        log.warning("a sign-in mail could not be sent", reason=failure.message)

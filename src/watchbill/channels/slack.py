"""Slack by incoming webhook (docs.slack.dev, "Sending messages using incoming webhooks").

Mattermost and Rocket.Chat take the same form, so any host may be entered. Slack knows no idempotency key: after
a crash the same message may be seen twice. Its errors are a status and one word; the words that a person can do
something about are explained.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from watchbill.channels import Listed, Message, Receipt
from watchbill.channels._fields import Name, SecretUrl, clean, host_of, list_pages, one_line, shorten, web_link
from watchbill.egress import Blocked, Client, Response, explain, read_url
from watchbill.kit.errors import DeliveryFailed

TITLE = "Slack"
HINT = "An incoming webhook of a Slack channel (Slack: Apps, Incoming Webhooks), or of Mattermost."

BUNDLES = True
HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
# The limits of Block Kit: a section, a header, a button.
SECTION_LIMIT, HEADER_LIMIT, BUTTON_LIMIT = 2900, 150, 70
FALLBACK_LIMIT = 300
EXPLAINED = {
    "no_service": "the webhook was removed in Slack: make a new one and enter it here",
    "no_service_id": "the webhook was removed in Slack: make a new one and enter it here",
    "no_team": "the workspace is gone or switched off",
    "invalid_token": "the address is not complete or was revoked: copy it again from Slack",
    "team_disabled": "the workspace is switched off",
    "channel_not_found": "the channel is gone: make a webhook for another one",
    "channel_is_archived": "the channel is archived: make a webhook for another one",
    "action_prohibited": "an administrator of the workspace does not let webhooks post there",
    "posting_to_general_channel_denied": "this webhook may not post to the general channel",
    "user_not_found": "the person it wrote to has left the workspace",
}


class Address(BaseModel):
    """A channel's webhook. The URL is the key to the channel, so all of it is a secret."""

    model_config = ConfigDict(extra="forbid")

    webhook: SecretUrl = Field(title="Webhook URL", description="https://hooks.slack.com/services/...")
    name: Name = Field("", title="Name", description="the channel, as you call it: #ops-alerts")

    @field_validator("webhook")
    @classmethod
    def _check_webhook(cls, webhook: SecretStr) -> SecretStr:
        target = read_url(webhook.get_secret_value())
        if target.host.endswith((".slack.com", "slack-gov.com")) and target.host not in HOOKS:
            raise ValueError("this is a page of Slack; the webhook starts with https://hooks.slack.com/services/")
        return webhook

    def shown(self) -> str:
        """Give the name and the host."""
        host = host_of(self.webhook.get_secret_value())
        return f"{self.name} ({host})" if self.name else host

    def urls(self) -> dict[str, str]:
        """Give the URLs a person typed, by field."""
        return {"webhook": self.webhook.get_secret_value()}


def send(message: Message, address: Address, settings: BaseModel, http: Client) -> Receipt:
    """Post one message to the channel; raises DeliveryFailed."""
    try:
        answer = http.post(address.webhook.get_secret_value(), json=_body(message))
    except Blocked as error:
        raise explain(error) from error
    if not answer.is_good:
        raise _explain(answer)
    if answer.text != "ok" and answer.read_json() != {"success": True}:
        raise DeliveryFailed(f"It did not answer as Slack does: {answer.status} {answer.text[:200]}")
    return Receipt(answer=f"{answer.status} {answer.text}")


def _explain(answer: Response) -> DeliveryFailed:
    failure = explain(answer)
    known = EXPLAINED.get(answer.text)
    if known is None:
        return failure
    return DeliveryFailed(f"{failure.message}: {known}", permanent=True)


def _body(message: Message) -> dict[str, object]:
    subject = one_line(message.subject, HEADER_LIMIT) or "Watchbill"
    link, action = web_link(message.link), one_line(message.action, BUTTON_LIMIT) or "Open"
    text = shorten(_escape(clean(message.text)), SECTION_LIMIT)
    if message.pages:
        text = f"{text}\n{list_pages(message.pages, SECTION_LIMIT - len(text), _line)}"
    blocks: list[dict[str, object]] = [{"type": "header", "text": {"type": "plain_text", "text": subject}}]
    if text:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    if link:
        button: dict[str, object] = {"type": "button", "text": {"type": "plain_text", "text": action}, "url": link}
        if message.urgency == "important":
            button["style"] = "primary"
        blocks.append({"type": "actions", "elements": [button]})
    # What a phone's lock screen shows, and clients without blocks (Mattermost): it must say it all.
    fallback = f"{_escape(subject)}\n{shorten(text, FALLBACK_LIMIT)}".strip()
    return {"text": f"{fallback}\n<{_escape(link)}|{_escape(action)}>" if link else fallback, "blocks": blocks}


def _line(page: Listed) -> str:
    # A bar or a line break would end the link's name.
    name = _escape(one_line(page.subject, HEADER_LIMIT)).replace("|", "¦")
    return f"• <{_escape(web_link(page.link))}|{name}>"


def _escape(text: str) -> str:
    """Escape the three characters that Slack reads as markup, so that nobody's text pings a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

"""The instance: how messages leave. For administrators."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from ninja import Router
from pydantic import BaseModel, Field

from watchbill import channels
from watchbill.actions.access import require_administrator
from watchbill.actions.settings import change_channel_settings, channel_settings
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.words import Given, Json, Slug

router = Router(tags=["Instance"])
CHANGE = "change how messages leave"


class ChannelSetUp(BaseModel):
    """A channel as the operator sees it; what is set is never shown, because it holds secrets."""

    name: str
    title: str
    is_set: bool
    by_environment: bool = Field(description="Set in the environment of the server, which wins over the API.")
    settings: dict[str, Any] = Field(description="The JSON schema of its settings.")


class ChannelSettings(Given):
    """The settings of a channel, in its own form."""

    settings: Json


def _show(name: str) -> ChannelSetUp:
    channel = channels.all_channels()[name]
    return ChannelSetUp(
        name=name,
        title=channel.TITLE,
        is_set=bool(channel_settings(name)),
        by_environment=name in settings.CHANNEL_SETTINGS,
        settings=channels.settings_of(channel).model_json_schema(),
    )


@router.get("/channels", auth=may("admin"), response=answers(list[ChannelSetUp]), summary="List how messages leave")
def list_channels(request: Asked) -> list[ChannelSetUp]:
    """With the form of each channel's settings."""
    require_administrator(request.auth.person, CHANGE)
    return [_show(name) for name in channels.all_channels()]


@router.put("/channels/{slug}", auth=may("admin"), response=answers(ChannelSetUp), summary="Set a channel up")
def change_channel(request: Asked, slug: Slug, body: ChannelSettings) -> ChannelSetUp:
    """In the form that `GET /api/instance/channels` gives; it is kept encrypted."""
    caller = request.auth
    require_administrator(caller.person, CHANGE)
    if slug not in channels.all_channels():
        raise Http404(f"there is no channel “{slug}”")
    change_channel_settings(slug, dict(body.settings), caller.person, caller.now)
    return _show(slug)

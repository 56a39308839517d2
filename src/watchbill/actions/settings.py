"""What the operator decides for the whole instance: channel settings from the environment or from the browser."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from pydantic import ValidationError

from watchbill import channels
from watchbill.actions.access import require_administrator
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import InstanceSetting, Person
from watchbill.kit.errors import Refused


def channel_settings(channel: str) -> dict[str, Any]:
    """Read the operator's settings of one channel; what the environment says wins over the browser."""
    from_environment: dict[str, Any] | None = settings.CHANNEL_SETTINGS.get(channel)
    if from_environment is not None:
        return from_environment
    row = InstanceSetting.objects.filter(name=f"channel.{channel}").first()
    return dict(row.value) if row else {}


def change_channel_settings(channel: str, values: dict[str, Any], person: Person, now: datetime) -> None:
    """Write the operator's settings of a channel, encrypted; raises Refused naming the field, NotAllowed."""
    require_administrator(person, "change how messages leave")
    if channel in settings.CHANNEL_SETTINGS:
        raise Refused("this is set in the environment of the server; change it there")
    model = channels.settings_of(channels.all_channels()[channel])
    try:
        checked = channels.to_plain(model.model_validate(values))
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(str(first["msg"]), ".".join(str(part) for part in first["loc"])) from None
    with transaction.atomic():
        InstanceSetting.objects.update_or_create(
            name=f"channel.{channel}", defaults={"value": checked, "changed_at": now, "changed_by": person}
        )
        record(
            Subject("instance", 0, None),
            "instance.channel_changed",
            f"{channel} settings changed",
            now,
            Actor.of(person),
        )

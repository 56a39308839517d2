"""What the lists of the desk ask of the past answered by indexes alone; begun words found as quickly as whole ones on SQLite.

And the daily look at stale work for teams that were made before there was one: at the hour of the other daily look.
"""

from typing import Any

from django.db import migrations, models

from watchbill.db import desk_search


def rebuild(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        desk_search.rebuild(schema_editor)


def look_daily(apps: Any, schema_editor: Any) -> None:
    timers = apps.get_model("watchbill", "Timer").objects.filter(subject_kind="team")
    have = set(timers.filter(kind="stale").values_list("subject_id", flat=True))
    others = dict(timers.filter(kind="reachability").values_list("subject_id", "due_at"))
    teams = apps.get_model("watchbill", "Team").objects.filter(archived_at=None).exclude(pk__in=have)
    timers.model.objects.bulk_create(
        timers.model(subject_kind="team", subject_id=pk, kind="stale", due_at=others.get(pk, created_at))
        for pk, created_at in teams.values_list("pk", "created_at")
    )


class Migration(migrations.Migration):
    dependencies = [("watchbill", "0009_incidents")]

    operations = [
        migrations.RemoveIndex(model_name="ticket", name="ticket_done"),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage", "done")),
                fields=["team", "-done_at", "kind", "work_kind", "outcome", "points", "stage"],
                name="ticket_done",
            ),
        ),
        migrations.AddIndex(
            model_name="supportrequest",
            index=models.Index(
                condition=models.Q(("resolved_at__isnull", False)),
                fields=["team", "-resolved_at"],
                name="request_resolved",
            ),
        ),
        migrations.RunPython(rebuild, migrations.RunPython.noop),
        migrations.RunPython(look_daily, migrations.RunPython.noop),
    ]

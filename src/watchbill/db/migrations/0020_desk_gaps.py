"""What the lists of the desk ask of the past answered by indexes alone; begun words found as quickly as whole ones on SQLite."""

from typing import Any

from django.db import migrations, models

from watchbill.db import desk_search


def rebuild(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        desk_search.rebuild(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("watchbill", "0008_desk_open_index")]

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
    ]

"""Indexes for the lists of the desk, and its full-text index made anew: a request is found by whoever asked, too."""

from typing import Any

from django.db import migrations, models

from watchbill.db import desk_search


def rebuild(apps: Any, schema_editor: Any) -> None:
    desk_search.rebuild(schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("watchbill", "0006_unsettled_twins"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_done",
        ),
        migrations.AddIndex(
            model_name="supportrequest",
            index=models.Index(fields=["team", "-last_message_at"], name="request_changed"),
        ),
        migrations.AddIndex(
            model_name="supportrequest",
            index=models.Index(fields=["team", "-opened_at"], name="request_opened"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage", "done")),
                fields=["team", "-done_at", "kind", "work_kind", "outcome", "points"],
                name="ticket_done",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("stage", "done"), _negated=True),
                fields=["team", "rank", "position", "id"],
                name="ticket_open",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["team", "-changed_at"], name="ticket_changed"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["team", "-created_at"], name="ticket_created"),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("due_on__isnull", False)), fields=["team", "due_on"], name="ticket_due"
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("kind", "quick_fix"), ("no_pair_why", "")),
                fields=["team", "id"],
                name="ticket_quick_fix",
            ),
        ),
        migrations.RunPython(rebuild, migrations.RunPython.noop),
    ]

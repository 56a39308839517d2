"""The full-text index of tickets and requests, and that of alerts made anew: it holds a service's number, not its name."""

from typing import Any

from django.db import migrations

from watchbill.db import desk_search, search


def forwards(apps: Any, schema_editor: Any) -> None:
    desk_search.install(schema_editor)
    search.rebuild(schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    desk_search.uninstall(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("watchbill", "0003_desk")]
    operations = [migrations.RunPython(forwards, backwards)]

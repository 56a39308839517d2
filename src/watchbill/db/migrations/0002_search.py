"""The full-text index of alerts; see watchbill.db.search."""

from typing import Any

from django.db import migrations

from watchbill.db.search import install, uninstall


def forwards(apps: Any, schema_editor: Any) -> None:
    install(schema_editor)


def backwards(apps: Any, schema_editor: Any) -> None:
    uninstall(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("watchbill", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]

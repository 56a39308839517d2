"""What the public reads of a post-mortem is kept as it was published.

A page that was public before has no kept version, and is taken away until somebody publishes it again.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def take_away(apps: Any, schema_editor: Any) -> None:
    public = apps.get_model("watchbill", "PostMortem").objects.filter(is_public=True)
    apps.get_model("watchbill", "Publication").objects.filter(target="page", postmortem__in=public).delete()
    public.update(is_public=False)


class Migration(migrations.Migration):

    dependencies = [
        ('watchbill', '0010_desk_gaps'),
    ]

    operations = [
        migrations.CreateModel(
            name='PublicVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('report', models.JSONField()),
                ('is_reviewed', models.BooleanField(default=False)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('postmortem', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='watchbill.postmortem')),
            ],
            options={
                'indexes': [models.Index(fields=['postmortem', '-id'], name='version_of_postmortem')],
            },
        ),
        migrations.RunPython(take_away, migrations.RunPython.noop),
    ]

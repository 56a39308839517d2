"""When somebody who responds last had the page of an incident open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("watchbill", "0011_public_version")]

    operations = [migrations.AddField("incidentmember", "seen_at", models.DateTimeField(null=True))]

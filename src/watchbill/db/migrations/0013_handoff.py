"""What is handed on at the end of a shift, and the log of shifts."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('watchbill', '0012_seen'),
    ]

    operations = [
        migrations.CreateModel(
            name='Handoff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seat', models.CharField(max_length=40)),
                ('began_at', models.DateTimeField()),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('state', models.CharField(default='draft', max_length=12)),
                ('mode', models.CharField(max_length=12)),
                ('how', models.CharField(blank=True, max_length=12)),
                ('summary', models.TextField(blank=True)),
                ('version', models.PositiveIntegerField(default=0)),
                ('order_confirmed', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('drafted_at', models.DateTimeField()),
                ('handed_on_at', models.DateTimeField(null=True)),
                ('accepted_at', models.DateTimeField(null=True)),
                ('asked_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('comer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('leaver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handoffs', to='watchbill.rotation')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='handoffs', to='watchbill.team')),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-id'], name='handoff_of_team'), models.Index(condition=models.Q(('state__in', ['draft', 'handed_on'])), fields=['team', 'due_at'], name='handoff_open')],
                'constraints': [models.UniqueConstraint(fields=('rotation', 'seat', 'starts_at'), name='one_handoff_a_shift')],
            },
        ),
        migrations.CreateModel(
            name='HandoffItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(max_length=12)),
                ('about', models.CharField(blank=True, max_length=12)),
                ('about_id', models.BigIntegerField(default=0)),
                ('title', models.CharField(max_length=1024)),
                ('detail', models.TextField(blank=True)),
                ('priority', models.CharField(blank=True, max_length=40)),
                ('at', models.DateTimeField(null=True)),
                ('at_words', models.CharField(blank=True, max_length=40)),
                ('position', models.PositiveIntegerField(default=0)),
                ('note', models.TextField(blank=True)),
                ('is_first', models.BooleanField(default=False)),
                ('keeps', models.BooleanField(default=False)),
                ('is_over', models.BooleanField(default=False)),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('handoff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='watchbill.handoff')),
            ],
            options={
                'indexes': [models.Index(fields=['handoff', 'position', 'id'], name='handoff_item_order')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('part', 'own'), _negated=True), fields=('handoff', 'part', 'about', 'about_id'), name='handoff_item_once')],
            },
        ),
        migrations.CreateModel(
            name='HandoffQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
                ('answer', models.TextField(blank=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('answered_on', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='watchbill.message')),
                ('asked_on', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='watchbill.message')),
                ('asker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('handoff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='watchbill.handoff')),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='watchbill.handoffitem')),
            ],
        ),
        migrations.CreateModel(
            name='HandoffWitness',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('handoff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='witnesses', to='watchbill.handoff')),
                ('noted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('handoff', 'person'), name='witness_once')],
            },
        ),
        migrations.CreateModel(
            name='LogEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seat', models.CharField(blank=True, max_length=40)),
                ('title', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rotation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='watchbill.rotation')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log_entries', to='watchbill.team')),
                ('ticket', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='log_entries', to='watchbill.ticket')),
            ],
            options={
                'indexes': [models.Index(fields=['team', '-id'], name='log_entry_of_team'), models.Index(fields=['team', 'at'], name='log_entry_at')],
            },
        ),
    ]

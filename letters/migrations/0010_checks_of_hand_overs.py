"""Keeps what suppliers say they received of each hand-over."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("letters", "0009_rests_and_queues"),
    ]

    operations = [
        migrations.CreateModel(
            name="HandOverCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField()),
                ("count", models.PositiveIntegerField(help_text="How many messages the supplier counted.")),
                ("difference", models.CharField(blank=True, max_length=300)),
                ("at", models.DateTimeField(help_text="When it was received, as the supplier says.")),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("difference", ""), _negated=True),
                        fields=["received_at"],
                        name="check_of_difference",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("key", "difference"), name="one_check_a_key_and_difference")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handovercheck",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4db8a96dcfc713f674ef3c5a67940520d54afd6d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_2554b",
                    table="letters_handovercheck",
                    when="BEFORE",
                ),
            ),
        ),
    ]

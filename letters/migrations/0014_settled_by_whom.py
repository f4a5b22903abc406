"""Keeps who settled a doubt, and lets an earlier attempt count in the place of one that was queued."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("letters", "0013_taken_by_call"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempt", models.PositiveSmallIntegerField()),
                ("has_it", models.BooleanField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlements",
                        to="letters.message",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("message", "attempt"), name="one_settlement_an_attempt")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="settlement",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="67aae0ab1b02a20c9ef5176975d8c9d18d8a3f4a",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8d07d",
                    table="letters_settlement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="message",
            name="only_legal_moves",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="only_legal_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IS DISTINCT FROM NEW.state AND (OLD.state || ':' || NEW.state <> ALL ('{FAILED:HANDED_OVER,FAILED:STOPPED,FAILED:WAITING,HANDED_OVER:FAILED,HELD:HANDED_OVER,HELD:STOPPED,HELD:WAITING,IN_DOUBT:FAILED,IN_DOUBT:HANDED_OVER,MAKING:FAILED,MAKING:HANDED_OVER,MAKING:HELD,MAKING:RELEASED,MAKING:STOPPED,MAKING:WAITING,RELEASED:FAILED,RELEASED:HANDED_OVER,RELEASED:IN_DOUBT,RELEASED:STOPPED,RELEASED:WAITING,WAITING:HANDED_OVER,WAITING:HELD,WAITING:MAKING,WAITING:STOPPED}')  OR NEW.state = 'HANDED_OVER' AND OLD.state IN ('WAITING', 'MAKING', 'HELD')   AND NEW.attempt >= OLD.attempt))",
                    func="RAISE EXCEPTION 'Illegal move of a message from % to %', OLD.state, NEW.state;",
                    hash="be8cfad5d416f053e64c29ce238099fb089e07d7",
                    operation="UPDATE",
                    pgid="pgtrigger_only_legal_moves_20cc0",
                    table="letters_message",
                    when="BEFORE",
                ),
            ),
        ),
    ]

"""Lets a failed message be handed over after all, and ranks a delivery above every failure."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("letters", "0011_cheaper_moves"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="message",
            name="only_legal_moves",
        ),
        migrations.AlterField(
            model_name="message",
            name="delivery",
            field=models.CharField(
                blank=True,
                choices=[
                    ("PENDING", "PENDING"),
                    ("ACCEPTED", "ACCEPTED"),
                    ("PRINTED", "PRINTED"),
                    ("DISPATCHED", "DISPATCHED"),
                    ("CANCELLED", "CANCELLED"),
                    ("REJECTED", "REJECTED"),
                    ("FAILED", "FAILED"),
                    ("DELIVERED", "DELIVERED"),
                    ("RETURNED", "RETURNED"),
                ],
                db_default="",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="receipt",
            name="status",
            field=models.CharField(
                choices=[
                    ("PENDING", "PENDING"),
                    ("ACCEPTED", "ACCEPTED"),
                    ("PRINTED", "PRINTED"),
                    ("DISPATCHED", "DISPATCHED"),
                    ("CANCELLED", "CANCELLED"),
                    ("REJECTED", "REJECTED"),
                    ("FAILED", "FAILED"),
                    ("DELIVERED", "DELIVERED"),
                    ("RETURNED", "RETURNED"),
                ],
                max_length=10,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="only_legal_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IS DISTINCT FROM NEW.state AND OLD.state || ':' || NEW.state <> ALL ('{FAILED:HANDED_OVER,FAILED:STOPPED,FAILED:WAITING,HANDED_OVER:FAILED,HELD:STOPPED,HELD:WAITING,IN_DOUBT:FAILED,IN_DOUBT:HANDED_OVER,MAKING:FAILED,MAKING:HELD,MAKING:RELEASED,MAKING:STOPPED,MAKING:WAITING,RELEASED:FAILED,RELEASED:HANDED_OVER,RELEASED:IN_DOUBT,RELEASED:STOPPED,RELEASED:WAITING,WAITING:HELD,WAITING:MAKING,WAITING:STOPPED}'))",
                    func="RAISE EXCEPTION 'Illegal move of a message from % to %', OLD.state, NEW.state;",
                    hash="f00257671c61d063364de60e213f6afcf8689078",
                    operation="UPDATE",
                    pgid="pgtrigger_only_legal_moves_20cc0",
                    table="letters_message",
                    when="BEFORE",
                ),
            ),
        ),
    ]

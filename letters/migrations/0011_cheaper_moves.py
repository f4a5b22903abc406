"""Checks moves without calling a function for each, and takes what no read needs out of indexes."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cohort", "0020_contact_problems"),
        ("letters", "0010_checks_of_hand_overs"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="message",
            name="legal_moves",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_by_batch_and_state",
        ),
        migrations.AlterField(
            model_name="message",
            name="hand_over",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="letters.handover",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state__in", ["HANDED_OVER", "HELD", "FAILED", "STOPPED"])),
                fields=["batch", "state", "channel"],
                name="message_settled",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="message",
            trigger=pgtrigger.compiler.Trigger(
                name="only_legal_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state IS DISTINCT FROM NEW.state AND OLD.state || ':' || NEW.state <> ALL ('{FAILED:STOPPED,FAILED:WAITING,HANDED_OVER:FAILED,HELD:STOPPED,HELD:WAITING,IN_DOUBT:FAILED,IN_DOUBT:HANDED_OVER,MAKING:FAILED,MAKING:HELD,MAKING:RELEASED,MAKING:STOPPED,MAKING:WAITING,RELEASED:FAILED,RELEASED:HANDED_OVER,RELEASED:IN_DOUBT,RELEASED:STOPPED,RELEASED:WAITING,WAITING:HELD,WAITING:MAKING,WAITING:STOPPED}'))",
                    func="RAISE EXCEPTION 'Illegal move of a message from % to %', OLD.state, NEW.state;",
                    hash="6eddc82fae80f23db108282a982ef43be4dbef24",
                    operation="UPDATE",
                    pgid="pgtrigger_only_legal_moves_20cc0",
                    table="letters_message",
                    when="BEFORE",
                ),
            ),
        ),
    ]

"""Lets suppliers rest, and orders the queue by channel and turn."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cohort", "0020_contact_problems"),
        ("letters", "0008_drafts_and_translations"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="message_waiting",
        ),
        migrations.RemoveIndex(
            model_name="message",
            name="message_making",
        ),
        migrations.AddField(
            model_name="supplier",
            name="rests_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="supplier",
            name="setbacks",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "WAITING")),
                fields=["batch", "channel", "queued_at", "turn", "id"],
                name="message_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("state", "MAKING")), fields=["lease_token"], name="message_claimed"),
        ),
    ]

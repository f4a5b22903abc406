"""Finds what a provider took one by one in the last minutes: for the pace on a batch's page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("letters", "0012_late_deliveries"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("hand_over__isnull", True), ("state", "HANDED_OVER")),
                fields=["batch", "released_at"],
                name="message_taken_by_call",
            ),
        ),
    ]

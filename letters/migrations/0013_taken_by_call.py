"""Finds what a provider took one by one in the last minutes: for the pace on a batch's page."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # so that messages go on while the index is made

    dependencies = [
        ("letters", "0012_late_deliveries"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("hand_over__isnull", True), ("state", "HANDED_OVER")),
                fields=["batch", "released_at"],
                name="message_taken_by_call",
            ),
        ),
    ]

"""The receipts of people confirmed together."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cohort.models.lists import PracticeList


class BulkReceipt(models.Model):
    """Who was confirmed together, who of those selected was not and why, and what became of an undo.

    One row however many people, so that a receipt costs nothing beside the decisions. `refused` maps ids
    of patients to a `cohort.rules.NotConfirmed`; `kept` are those whom an undo left as they were, because
    somebody had decided about them again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice_list = models.ForeignKey(PracticeList, models.PROTECT, related_name="receipts")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed = ArrayField(models.UUIDField(), default=list, blank=True)
    refused = models.JSONField(default=dict, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    kept = ArrayField(models.UUIDField(), default=list, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="bulk_receipt_undone_at_and_by",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="only_its_undo_is_written", exclude=["undone_at", "undone_by", "kept"]),
            pgtrigger.Protect(
                name="undone_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__undone_at__isnull=False)
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.id)

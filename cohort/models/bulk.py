"""The receipts of people decided together."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cohort.models.lists import PracticeList


class BulkReceipt(models.Model):
    """Who was confirmed or removed together, who of those selected was not and why, and what became of an undo.

    One row however many people, so that a receipt costs nothing beside the decisions. `refused` maps ids
    of patients to a `cohort.rules.NotConfirmed`; `changed` are those of `confirmed` and `removed` who had
    been decided before, whom an undo leaves alone; `kept` are all whom it left as they were, those and
    whoever was decided again since.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    practice_list = models.ForeignKey(PracticeList, models.PROTECT, related_name="receipts")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed = ArrayField(models.UUIDField(), default=list, blank=True)
    removed = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True)
    changed = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True)
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

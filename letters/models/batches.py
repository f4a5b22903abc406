"""Campaigns, and the batches of a campaign."""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from letters.models.templates import TemplateVersion
from letters.models.words import CHANNELS
from letters.rules import BATCH_TRANSITIONS, BatchState


class Campaign(models.Model):
    """One purpose for which nobody is contacted twice by the same channel, such as `first-advice`."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Batch(models.Model):
    """A mailing: everybody due for a campaign at one moment, by one channel, with one template version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="batches")
    channel = models.CharField(max_length=8, choices=CHANNELS)
    template_version = models.ForeignKey(TemplateVersion, models.PROTECT)
    unit = models.ForeignKey(
        "accounts.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="letter_batches",
        help_text="The hospital unit that writes to its own patients; none where the centre writes.",
    )
    state = models.CharField(max_length=10, choices=[(s.value, s.value.title()) for s in BatchState])
    planned_at = models.DateTimeField()
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    stop_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | Q(released_at__isnull=False, released_by__isnull=False),
                name="batch_released_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True, stopped_by__isnull=True, stop_reason="")
                | (Q(stopped_at__isnull=False, stopped_by__isnull=False) & ~Q(stop_reason="")),
                name="batch_stopped_at_by_and_why",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="legal_moves",
                field="state",
                transitions=sorted((a.value, b.value) for a, after in BATCH_TRANSITIONS.items() for b in after),
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign} by {self.get_channel_display().lower()}"

"""Campaigns, and the batches of a campaign."""

import uuid

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cohort.rules import Audience
from letters.models.templates import TemplateVersion
from letters.models.words import AUDIENCES, CHANNELS
from letters.rules import BATCH_TRANSITIONS, BatchState


class Campaign(models.Model):
    """One purpose for which nobody is contacted twice by the same channel, such as `first-advice`."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    audience = models.CharField(
        max_length=8, choices=AUDIENCES, default=Audience.LISTED.value, db_default=Audience.LISTED.value
    )

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Batch(models.Model):
    """A mailing: everybody due for a campaign at one moment, by one channel, with one template version.

    Whom `channel` cannot reach is written to by `fallback_channel`, where the plan names one. A second
    person approves it before it can be released; a hospital unit's own letters need no second person.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="batches")
    channel = models.CharField(max_length=8, choices=CHANNELS)
    template_version = models.ForeignKey(TemplateVersion, models.PROTECT)
    fallback_channel = models.CharField(max_length=8, choices=CHANNELS, blank=True, db_default="")
    fallback_version = models.ForeignKey(TemplateVersion, models.PROTECT, null=True, blank=True, related_name="+")
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
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    stop_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | (Q(approved_at__isnull=False, approved_by__isnull=False) & ~Q(approved_by=F("planned_by"))),
                name="batch_approved_at_and_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(fallback_channel="", fallback_version__isnull=True)
                | (~Q(fallback_channel="") & ~Q(fallback_channel=F("channel")) & Q(fallback_version__isnull=False)),
                name="batch_fallback_has_another_channel_and_words",
            ),
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
        otherwise = f", else {self.get_fallback_channel_display().lower()}" if self.fallback_channel else ""
        return f"{self.campaign} by {self.get_channel_display().lower()}{otherwise}"


class PartialStop(models.Model):
    """A part of a batch that was stopped: the people of a practice, a disease group, or who were added by a source.

    `value` is the practice's id, the group's slug or the source; `words` is how it was called then. Append-only.
    """

    class Kind(models.TextChoices):
        PRACTICE = "PRACTICE", "GP practice"
        GROUP = "GROUP", "Disease group"
        SOURCE = "SOURCE", "Who put them on the list"

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="partial_stops")
    kind = models.CharField(max_length=10, choices=Kind)
    value = models.CharField(max_length=100)
    words = models.CharField(max_length=200)
    reason = models.CharField(max_length=300)
    stopped = models.PositiveIntegerField(help_text="How many messages it stopped.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.words}"

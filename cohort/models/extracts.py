"""Extracts of coded records. The rows are Parquet in the extract store; here is what was loaded."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Extract(models.Model):
    """One folder from one supplier, checked and loaded. `folder` is relative to the extract store."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    supplier = models.SlugField(max_length=50)
    as_at = models.DateField()
    sha256 = models.CharField(max_length=64, help_text="Of the names and contents of the files supplied.")
    folder = models.CharField(max_length=200)
    accepted_rows = models.JSONField(default=dict, help_text="Per table.")
    rejected_rows = models.JSONField(default=dict, help_text="Per table.")
    loaded_at = models.DateTimeField()
    changed_since = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The extract that changed.parquet names the differences from; none for a supplier's first.",
    )
    notes = models.JSONField(default=list, help_text="What was told when it was loaded.")
    files = models.JSONField(default=list, help_text="What became of each file's rows: see loading.FileCount.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "sha256"], name="the_same_extract_is_loaded_once"),
            models.CheckConstraint(condition=~Q(folder=""), name="an_extract_has_a_folder"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} as at {self.as_at}"


class SourceAgeLimit(models.Model):
    """How old a supplier's newest extract may be before it stops a search; others have the default of settings."""

    supplier = models.SlugField(max_length=50, unique=True)
    days = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.supplier}: {self.days} days"


class MendedRows(models.Model):
    """Rejected rows that were mended and sent again: the job that adds them to a new extract made of the old."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", "Waiting for a worker"
        RUNNING = "RUNNING", "Being added"
        ADDED = "ADDED", "Added"
        REFUSED = "REFUSED", "Refused"
        FAILED = "FAILED", "Failed"

    ACTIVE = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    extract = models.ForeignKey(Extract, models.PROTECT, related_name="mendings")
    file = models.CharField(max_length=200, help_text="The name of the file of rejected rows.")
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    doing = models.CharField(max_length=100, blank=True)
    problems = models.JSONField(default=list, blank=True)
    result = models.ForeignKey(Extract, models.PROTECT, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["extract"],
                condition=Q(state__in=["QUEUED", "RUNNING"]),
                name="an_extract_is_mended_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="ADDED", result__isnull=False) | (~Q(state="ADDED") & Q(result__isnull=True)),
                name="mended_rows_added_have_a_result",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["QUEUED", "RUNNING"], finished_at__isnull=True)
                | (~Q(state__in=["QUEUED", "RUNNING"]) & Q(finished_at__isnull=False)),
                name="mended_rows_finished_have_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} of {self.extract_id}, mended"

"""Extracts of coded records. The rows are Parquet in the extract store; here is what was loaded."""

import uuid

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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "sha256"], name="the_same_extract_is_loaded_once"),
            models.CheckConstraint(condition=~Q(folder=""), name="an_extract_has_a_folder"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} as at {self.as_at}"

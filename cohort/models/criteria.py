"""Clinical-risk criteria and code lists: versioned data, never changed once published."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class CodeList(models.Model):
    """A named list of codes, such as `solid-transplant`."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class CodeListVersion(models.Model):
    """One edition of a code list: where it came from and the SHA-256 of the file. Append-only."""

    code_list = models.ForeignKey(CodeList, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    origin = models.CharField(max_length=300, help_text="File name, publisher and version as given.")
    sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code_list", "number"], name="code_list_versions_are_numbered"),
            models.UniqueConstraint(fields=["code_list", "sha256"], name="same_file_is_the_same_version"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.code_list} version {self.number}"


class CodeListCode(models.Model):
    """One code of a version. Matched on (system, code): C437 is valid in ICD-10 and in OPCS-4.

    `paired_code` is the second code of a pair such as `B208,Y012`, which must be in the same episode.
    """

    version = models.ForeignKey(CodeListVersion, models.PROTECT, related_name="codes")
    system = models.CharField(max_length=10)
    code = models.CharField(max_length=20)
    paired_code = models.CharField(max_length=20, blank=True)
    term = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "system", "code", "paired_code"], name="one_row_per_code")
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.system} {self.code}"


class Criterion(models.Model):
    """A clinical-risk criterion: the thing whose versions are argued over."""

    class Tier(models.TextChoices):
        HIGH = "HIGH", "High risk"
        VULNERABLE = "VULNERABLE", "Vulnerable"

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    tier = models.CharField(max_length=10, choices=Tier)
    disease_group = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "criteria"

    def __str__(self) -> str:
        return self.title


class CriterionVersion(models.Model):
    """One version of a criterion. `definition` is the tree of `cohort.search.criteria` as JSON.

    Append-only: a published version is replaced by the next, never changed. The newest published
    one is in force. Without an author it came with the product.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    plain_english = models.TextField()
    code_lists = models.ManyToManyField(CodeListVersion, related_name="criterion_versions")
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    signed_off_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, help_text="What changed and why.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(written_by__isnull=True, signed_off_by__isnull=True)
                | (Q(written_by__isnull=False, signed_off_by__isnull=False) & ~Q(written_by=F("signed_off_by"))),
                name="signed_off_by_another_than_the_author",
            ),
            models.UniqueConstraint(fields=["criterion", "number"], name="criterion_versions_are_numbered"),
            models.CheckConstraint(condition=Q(number__gte=1), name="criterion_versions_start_at_one"),
        ]
        triggers = [APPEND_ONLY]

    def __str__(self) -> str:
        return f"{self.criterion} version {self.number}"

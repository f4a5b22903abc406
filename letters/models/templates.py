"""Templates, their versions, and translations of a version."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cohort.languages import LANGUAGES
from letters.models.words import CHANNELS

_WORDS = ("subject", "body", "drafted_at", "drafted_by")


def _words_stay(*fields: str) -> list[pgtrigger.Trigger]:
    """Returns what keeps words as they were drafted, for good: an approval or a withdrawal is all that can be added."""
    return [
        pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        pgtrigger.Protect(
            name="words_stay", operation=pgtrigger.Update, condition=pgtrigger.AnyChange(*_WORDS, *fields)
        ),
        pgtrigger.Protect(
            name="decided_once",
            operation=pgtrigger.Update,
            condition=pgtrigger.Q(old__approved_at__isnull=False) | pgtrigger.Q(old__withdrawn_at__isnull=False),
        ),
    ]


class Template(models.Model):
    """A letter or text for one purpose, such as the advice letter."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=8, choices=CHANNELS)

    def __str__(self) -> str:
        return self.name


class Words(models.Model):
    """What is drafted by one person and approved, or withdrawn, by another; the words never change after.

    `body` is in the marks that `letters.wording` explains: paragraphs, headings, lists,
    `((placeholders))` and parts that only some people get. What came with the product was drafted by nobody.
    """

    subject = models.CharField(
        "heading", max_length=200, blank=True, help_text="The letter's heading; texts have none."
    )
    body = models.TextField("words")
    drafted_at = models.DateTimeField(db_default=Now())
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, drafted_by__isnull=True)
                | (Q(approved_at__isnull=False, approved_by__isnull=False) & ~Q(approved_by=F("drafted_by"))),
                name="%(class)s_approved_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, approved_at__isnull=True),
                name="%(class)s_withdrawn_at_and_by",
            ),
        ]

    @property
    def is_open(self) -> bool:
        """Whether it is a draft that waits for somebody to approve or withdraw it."""
        return self.approved_at is None and self.withdrawn_at is None


class TemplateVersion(Words):
    """One version of a template's words."""

    template = models.ForeignKey(Template, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()

    class Meta(Words.Meta):
        abstract = False
        constraints = [
            *Words.Meta.constraints,
            models.UniqueConstraint(fields=["template", "number"], name="template_versions_are_numbered"),
        ]
        triggers = _words_stay("template", "number")

    def __str__(self) -> str:
        return f"{self.template} version {self.number}"


class Translation(Words):
    """A version's words in another language. The one approved last goes to people with that language.

    A person approves every one, and says who has read it beside the English: most approvers cannot.
    """

    version = models.ForeignKey(TemplateVersion, models.PROTECT, related_name="translations")
    language = models.CharField(max_length=15, choices=list(LANGUAGES.items()), help_text="BCP 47.")
    is_machine_made = models.BooleanField(default=False)
    checked_by = models.CharField(
        max_length=200, blank=True, help_text="Who has read it beside the English: a translator or a service."
    )

    class Meta(Words.Meta):
        abstract = False
        constraints = [
            *Words.Meta.constraints,
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, checked_by="")
                | (Q(approved_at__isnull=False, approved_by__isnull=False) & ~Q(checked_by="")),
                name="translation_approved_once_checked",
            ),
        ]
        indexes = [models.Index(fields=["version", "language"], name="translation_by_language")]
        triggers = _words_stay("version", "language", "is_machine_made")

    def __str__(self) -> str:
        return f"{self.version} in {self.get_language_display()}"

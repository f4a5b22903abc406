"""Templates and their versions."""

import pgtrigger
from django.conf import settings
from django.db import models

from letters.models.words import CHANNELS


class Template(models.Model):
    """A letter or text for one purpose, such as the advice letter."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=8, choices=CHANNELS)

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One version of a template's words. Append-only.

    `body` is in the marks that `letters.wording` explains: paragraphs, headings, lists,
    `((placeholders))` and parts that only some people get.
    """

    template = models.ForeignKey(Template, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=200, blank=True, help_text="The letter's heading; texts have none.")
    body = models.TextField()
    approved_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_versions_are_numbered")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.template} version {self.number}"

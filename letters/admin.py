"""Administration of templates: to be read. Words are drafted and approved on the pages of the centre."""

from django.contrib import admin

from letters.models import Template, TemplateVersion, Translation
from shielding.administration import ByRole


class ReadOnly(ByRole, admin.ModelAdmin):
    """Rows that nobody adds or changes here."""

    may_add = may_change = False


@admin.register(Template)
class TemplateAdmin(ReadOnly):
    """The letters and texts there are. New ones come with a release of the product."""

    list_display = ("name", "slug", "channel")
    ordering = ("name",)


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnly):
    """What was drafted, approved and sent."""

    list_display = ("template", "number", "drafted_at", "drafted_by", "approved_at", "approved_by")
    list_filter = ("template",)
    list_select_related = ("template", "drafted_by", "approved_by")
    ordering = ("template__name", "-number")


@admin.register(Translation)
class TranslationAdmin(ReadOnly):
    """The translations of versions."""

    list_display = ("version", "language", "is_machine_made", "drafted_at", "approved_at", "approved_by", "checked_by")
    list_filter = ("language",)
    list_select_related = ("version__template", "approved_by")
    ordering = ("version__template__name", "-version__number", "language")

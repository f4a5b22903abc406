"""Administration of suppliers, and templates to be read: words are drafted and approved on the pages of the centre."""

from django.contrib import admin

from letters.models import HandOverCheck, Supplier, Template, TemplateVersion, Translation
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


@admin.register(Supplier)
class SupplierAdmin(ByRole, admin.ModelAdmin):
    """Who prints, posts and texts. One of each channel is in use."""

    list_display = ("name", "channel", "transport", "in_use", "daily_capacity", "rests_until")
    list_filter = ("channel", "in_use")
    ordering = ("channel", "name")


@admin.register(HandOverCheck)
class HandOverCheckAdmin(ReadOnly):
    """What suppliers say they received: those that do not match what we gave are first."""

    list_display = ("key", "count", "difference", "at", "received_at")
    list_filter = (("difference", admin.EmptyFieldListFilter),)
    search_fields = ("key",)
    ordering = ("-difference", "-received_at")

"""Administration of suppliers, and templates to be read: words are drafted and approved on the pages of the centre."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

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
    """Who prints, posts and texts. One of each channel is in use.

    How one is given messages never changes: what is on its way would be looked for in another place.
    """

    list_display = ("name", "channel", "transport", "in_use", "daily_capacity", "rests_until")
    list_filter = ("channel", "in_use")
    ordering = ("channel", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Supplier | None = None) -> tuple[str, ...]:
        """Returns what is decided when a supplier is added."""
        return ("slug", "channel", "transport") if obj else ()


@admin.register(HandOverCheck)
class HandOverCheckAdmin(ReadOnly):
    """What suppliers say they received: those that do not match what we gave are first.

    One is settled by a later receipt that matches.
    """

    list_display = ("key", "count", "difference", "is_settled", "at", "received_at")
    list_filter = (("difference", admin.EmptyFieldListFilter),)
    search_fields = ("key",)
    ordering = ("-difference", "-received_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[HandOverCheck]:
        """Returns the checks, and whether the supplier has said since that all is well."""
        matches = HandOverCheck.objects.filter(key=OuterRef("key"), difference="")
        return super().get_queryset(request).annotate(settled=Exists(matches))

    @admin.display(boolean=True)
    def is_settled(self, check: Any) -> bool:
        """Whether nobody has to look any more."""
        return bool(check.settled)

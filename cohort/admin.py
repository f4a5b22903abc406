"""Administration of the cohort app: no clinical data, only how old each supplier's records may be."""

from django.contrib import admin
from django.http import HttpRequest

from cohort.api.admin import UnitTokenAdmin
from cohort.models import SourceAgeLimit
from shielding.administration import ByRole

__all__ = ["SourceAgeLimitAdmin", "UnitTokenAdmin"]


@admin.register(SourceAgeLimit)
class SourceAgeLimitAdmin(ByRole, admin.ModelAdmin):
    """How old a supplier's newest extract may be before it stops a search, where that is not the usual limit."""

    list_display = ("supplier", "days")
    ordering = ("supplier",)

    def get_readonly_fields(self, request: HttpRequest, obj: SourceAgeLimit | None = None) -> tuple[str, ...]:
        """The supplier is its identity."""
        return ("supplier",) if obj else ()

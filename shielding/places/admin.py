"""Administration of places. They come from national files, so that most of it is to be read only."""

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from shielding.administration import ByRole
from shielding.places.models import LocalAuthority, Postcode, ResilienceForum, Successor
from shielding.places.rules import normal_postcode


class SuccessorInline(ByRole, admin.TabularInline):
    """Who took over, and when."""

    model = Successor
    fk_name = "predecessor"
    fields = readonly_fields = ("successor", "on_date")
    may_add = may_change = False
    extra = 0


@admin.register(LocalAuthority)
class LocalAuthorityAdmin(ByRole, admin.ModelAdmin):
    """Local authorities: how the public reaches them may be changed, what they are may not."""

    list_display = ("name", "gss_code", "tier", "phone", "end_date")
    list_filter = ("tier", "resilience_forum")
    search_fields = ("name", "gss_code")
    ordering = ("name", "gss_code")
    fields = ("gss_code", "name", "tier", "county", "resilience_forum", "phone", "website", "start_date", "end_date")
    readonly_fields = ("gss_code", "name", "tier", "county", "resilience_forum", "start_date", "end_date")
    inlines = (SuccessorInline,)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_per_page = 50
    may_add = False


@admin.register(ResilienceForum)
class ResilienceForumAdmin(ByRole, admin.ModelAdmin):
    """Local resilience forums; their names may be corrected."""

    list_display = ("name", "code")
    search_fields = ("name", "code")
    ordering = ("name",)
    may_add = False

    def get_readonly_fields(self, request: HttpRequest, obj: ResilienceForum | None = None) -> tuple[str, ...]:
        """The code is its identity."""
        return ("code",)


@admin.register(Postcode)
class PostcodeAdmin(ByRole, admin.ModelAdmin):
    """Which authority a postcode lies in, to look up. England has 2 million, so nothing is counted or listed whole."""

    list_display = ("postcode", "local_authority", "introduced_date", "terminated_date")
    list_select_related = ("local_authority",)
    search_fields = ("postcode",)
    search_help_text = "The beginning of a postcode, such as SM1 1"
    ordering = ("postcode",)
    show_full_result_count = False
    list_per_page = 50
    may_add = may_change = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Postcode], search_term: str
    ) -> tuple[QuerySet[Postcode], bool]:
        """Returns the postcodes that begin as typed, however they were spaced."""
        typed = " ".join(search_term.upper().split())
        return queryset.filter(postcode__startswith=normal_postcode(typed) or typed), False

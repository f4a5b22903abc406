"""What every page of Django admin shares, whichever app it belongs to."""

from django.db.models import Model
from django.http import HttpRequest


class ByRole:
    """A ModelAdmin whose site has already checked the role: what is registered may be seen.

    `may_add` and `may_change` say what more; nothing here is ever deleted.
    """

    may_add = True
    may_change = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Always True."""
        return True

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Always True."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Says whether rows may be added here."""
        return self.may_add

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Says whether rows may be changed here."""
        return self.may_change

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Always False: what has happened stays on record."""
        return False

"""Django admin's front door: administrators only, signed in through the service's own page."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from shielding.accounts.models import Role
from shielding.accounts.policies import NotAllowed
from shielding.administration import ByRole


class AdminSite(admin.AdminSite):
    """For users with `is_staff` who work under an administrator's membership."""

    site_header = "Shielding administration"
    site_title = "Shielding administration"
    index_title = "Administration"
    site_url = "/"
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Registers what says `ByRole`; what libraries register for themselves is left out."""
        if admin_class is not None and issubclass(admin_class, ByRole):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Says whether this person is an administrator now."""
        membership = getattr(request, "membership", None)
        return bool(
            request.user.is_active
            and request.user.is_staff
            and membership is not None
            and membership.role == Role.ADMINISTRATOR
        )

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends people to the service's own sign-in; raises NotAllowed for those who are signed in."""
        target = request.GET.get("next", "/admin/")
        if not request.user.is_authenticated:
            return redirect_to_login(target)
        if self.has_permission(request):
            return redirect("admin:index")
        raise NotAllowed("Only administrators can use the administration pages.")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Hands over to the service's own signing out."""
        from allauth.account import views

        return views.logout(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sends people to the service's own page."""
        return redirect("account_change_password")

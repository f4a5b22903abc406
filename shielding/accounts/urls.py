"""Sign-in: the pages of django-allauth that this service offers, and no others.

allauth's own list has more (signing up, several e-mail addresses, codes by e-mail). What it
reverses by name although we do not offer it leads to "page not found".
"""

from typing import Never

from allauth.account import views as account
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest
from django.urls import include, path, re_path


@login_not_required
def not_offered(request: HttpRequest) -> Never:
    """Answers "page not found": an administrator makes and changes accounts."""
    raise Http404


urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("two-step/", include("allauth.mfa.urls")),
    path("signup/", not_offered, name="account_signup"),
    path("email/", not_offered, name="account_email"),
    path("email/confirm/", not_offered, name="account_email_verification_sent"),
    path("password/set/", not_offered, name="account_set_password"),
]

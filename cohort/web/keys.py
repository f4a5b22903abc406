"""Single-key shortcuts: what they are, and switching them off (WCAG 2.1.4)."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cohort.web.practice import member
from shielding.accounts.http import MemberRequest

#: Says whose keys are off in this browser. Speech-control users would have to switch them off at every sign-in,
#: were it kept in the session.
COOKIE = "keys_off"
_A_YEAR = 60 * 60 * 24 * 365


def are_keys_on(request: MemberRequest) -> bool:
    """Says whether the user has left the single-key shortcuts on, in this browser."""
    return request.COOKIES.get(COOKIE) != str(request.user.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: MemberRequest) -> HttpResponse:
    """The cheat-sheet as a page; switches the shortcuts off or on, and goes back to where that was asked."""
    member(request)
    if request.method != "POST":
        return render(request, "cohort/validation/keys.html", {"keys_are_on": are_keys_on(request)})
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if is_ours else reverse("cohort:keys"))
    if request.POST.get("keys") == "off":
        response.set_cookie(
            COOKIE,
            str(request.user.pk),
            max_age=_A_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    else:
        response.delete_cookie(COOKIE)
    return response

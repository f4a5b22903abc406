"""The pages that belong to no app: home, which organisation to work under, one's own account, health."""

from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseUnreachable
from django.db import connection
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from shielding.accounts.http import MemberRequest
from shielding.accounts.middleware import SESSION_KEY
from shielding.accounts.models import Membership
from shielding.web import navigation


@require_GET
def home(request: MemberRequest) -> HttpResponse:
    """What this person can do now, by role; what to do about it if that is nothing."""
    membership: Membership | None = request.membership
    if membership is None:
        return render(request, "no_membership.html")
    return render(request, "home.html", {"items": navigation.items_for(membership)})


class OrganisationForm(forms.Form):
    """Which of one's current memberships to work under."""

    membership = forms.ChoiceField(
        label="Where are you working now?",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select where you are working now",
            "invalid_choice": "Select one of the places listed: your access may have changed",
        },
    )

    def __init__(self, memberships: list[Membership], *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.fields["membership"].choices = [  # type: ignore[attr-defined]
            (str(membership.id), f"{membership.organisation} ({membership.get_role_display()})")
            for membership in memberships
        ]


@require_http_methods(["GET", "POST"])
def choose_organisation(request: MemberRequest) -> HttpResponse:
    """Asks somebody with several memberships which one to work under, and keeps it for the session."""
    memberships, current = request.memberships, request.membership
    if current is None:
        return redirect("home")
    form = OrganisationForm(memberships, request.POST or None, initial={"membership": str(current.id)})
    if request.method == "POST" and form.is_valid():
        request.session[SESSION_KEY] = form.cleaned_data["membership"]
        chosen = next(one for one in memberships if str(one.id) == form.cleaned_data["membership"])
        messages.success(request, f"You are now working at {chosen.organisation} as {chosen.get_role_display()}.")
        return _safe_next(request)
    return render(request, "choose_organisation.html", {"form": form, "next": request.GET.get("next", "")})


def _safe_next(request: MemberRequest) -> HttpResponseRedirect:
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(target)
    return HttpResponseRedirect("/")


@require_GET
def your_account(request: MemberRequest) -> HttpResponse:
    """One's own name, e-mail address, roles, and how one signs in."""
    return render(request, "account/your_account.html", {"has_second_step": is_mfa_enabled(request.user)})


@never_cache
@login_not_required
@require_GET
def healthz(request: MemberRequest) -> JsonResponse:
    """Tells a load balancer whether this process reaches its database: 200 or 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseUnreachable:
        return JsonResponse({"database": "unreachable"}, status=503)
    return JsonResponse({"database": "reachable"})

"""Puts the membership somebody is working under on each request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from shielding.accounts import queries

SESSION_KEY = "membership"


class MembershipMiddleware:
    """Sets `request.membership`: the one chosen in this session, else the user's first, else None.

    A membership that has ended is not used, however recently the session chose it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Returns the answer of the view."""
        request.membership = None  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            request.membership = queries.working_membership(  # type: ignore[attr-defined]
                user=request.user, chosen=request.session.get(SESSION_KEY)
            )
        return self.get_response(request)

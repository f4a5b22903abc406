"""Puts the membership somebody is working under on each request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from shielding.accounts import queries

SESSION_KEY = "membership"


class MembershipMiddleware:
    """Sets `request.memberships`, all that are current, and `request.membership`, the one to work under.

    That is the one chosen in this session, else the user's first, else None. A membership that has
    ended is not used, however recently the session chose it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Returns the answer of the view."""
        memberships = list(queries.current_memberships(request.user)) if request.user.is_authenticated else []
        request.memberships = memberships  # type: ignore[attr-defined]
        request.membership = queries.working_membership(  # type: ignore[attr-defined]
            memberships, chosen=request.session.get(SESSION_KEY)
        )
        return self.get_response(request)

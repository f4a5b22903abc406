"""What every page is given."""

from typing import Any

from django.http import HttpRequest

from shielding.web import navigation


def page(request: HttpRequest) -> dict[str, Any]:
    """Returns the membership somebody works under and their menu, for the header.

    An error may come before the middleware that finds the membership has run, hence the defaults.
    """
    membership = getattr(request, "membership", None)
    return {
        "membership": membership,
        "can_choose_organisation": len(getattr(request, "memberships", ())) > 1,
        "navigation": navigation.menu(membership, path=request.path),
    }

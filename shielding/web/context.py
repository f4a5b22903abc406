"""What every page is given."""

from typing import Any

from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    """Returns the membership somebody works under, for the header."""
    return {"membership": getattr(request, "membership", None)}

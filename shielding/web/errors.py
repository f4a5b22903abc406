"""Error pages: what went wrong in plain English, and what to do. None shows how the inside works."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from shielding.accounts.policies import NotAllowed


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Returns the page for an address or form that makes no sense."""
    return _alone("errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Returns the page for something that somebody may not do; a policy's own message is shown."""
    message = str(exception) if isinstance(exception, NotAllowed) else ""
    return render(request, "errors/403.html", {"message": message}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Returns the page for an address that leads nowhere, or to what is not this person's to see."""
    return render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Returns a page that needs neither session, database nor the page it stands on."""
    return _alone("errors/500.html", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Returns the page for a form that was out of date, or did not come from this service."""
    return _alone("errors/csrf.html", status=403)


def _alone(template: str, *, status: int) -> HttpResponse:
    try:
        return HttpResponse(render_to_string(template), status=status)
    except Exception:
        # Whatever broke the page may break this one too: words alone are better than none.
        text = "Something went wrong. Nothing that you had saved is lost. Go back, wait a minute, and try again."
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")

"""The Jinja2 environment of every page: NHS.UK macros, our filters, and strict escaping."""

import json
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader

from shielding.web import components


def nhs_number(value: str) -> str:
    """Returns an NHS number as people read it: `999 123 4567`."""
    return f"{value[:3]} {value[3:6]} {value[6:]}"


def long_date(value: date | datetime | None) -> str:
    """Returns `14 March 2020`, in UK time; an empty string for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value)
    return f"{value.day} {value:%B %Y}"


def long_moment(value: datetime | None) -> str:
    """Returns `14 March 2020 at 9:05am`, in UK time; an empty string for None."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    return f"{long_date(local)} at {local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def session_ran_out(request: HttpRequest) -> bool:
    """Says whether somebody was sent to sign in by a page, with the cookie of a session that is no more."""
    return bool(
        request.GET.get("next")
        and settings.SESSION_COOKIE_NAME in request.COOKIES
        and not request.user.is_authenticated
        and request.session.is_empty()
    )


def url(name: str, *, args: Any = None, kwargs: dict[str, Any] | None = None) -> str:
    """Returns the address of the view called `name`."""
    return reverse(name, args=args, kwargs=kwargs)


def environment(**options: Any) -> Environment:
    """Returns the environment Django's Jinja2 backend uses.

    NHS.UK's macros chain through missing parameters, hence `ChainableUndefined`.
    """
    loader = ChoiceLoader([options.pop("loader"), PackageLoader("nhsuk_frontend_jinja")])
    made = Environment(**{**options, "undefined": ChainableUndefined, "loader": loader})
    made.globals |= {"static": static, "url": url, "get_messages": get_messages}
    made.globals |= {
        "component": components.component,
        "error_items": components.error_items,
        "page_links": components.page_links,
        "text_or_html": components.text_or_html,
        "as_json": json.dumps,
        "session_ran_out": session_ran_out,
    }
    made.filters |= {
        "nhs_number": nhs_number,
        "long_date": long_date,
        "long_moment": long_moment,
        "count": lambda value: intcomma(value),
    }
    made.trim_blocks = made.lstrip_blocks = True
    return made

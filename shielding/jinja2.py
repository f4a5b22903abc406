"""The Jinja2 environment of every page: NHS.UK macros, our filters, and strict escaping."""

from datetime import date, datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.contrib.messages import get_messages
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
    }
    made.filters |= {
        "nhs_number": nhs_number,
        "long_date": long_date,
        "long_moment": long_moment,
        "count": lambda value: intcomma(value),
    }
    made.trim_blocks = made.lstrip_blocks = True
    return made

"""The name that a list page is filtered by: kept in the session, since addresses end up in logs and histories.

A page is known by its address. What is typed is posted to it; everything else that picks people stays
in the address.
"""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import redirect

from shielding.accounts.http import MemberRequest


class NameForm(forms.Form):
    """A name as typed; empty for everybody. A number is told and not kept: it could be an NHS number."""

    name = forms.CharField(required=False, max_length=100)

    def clean_name(self) -> str:
        """Returns the name without blanks around it."""
        name: str = self.cleaned_data["name"]
        if any(c.isdigit() for c in name):
            raise forms.ValidationError("Enter a name: an NHS number finds nobody here.")
        return name


def name_filter(request: MemberRequest, address: str) -> str:
    """Returns the name that this user, under this membership, filters a page by; empty for none."""
    return str(request.session.get(_key(request, address), ""))


def filter_by_name(request: MemberRequest, address: str, **others: str) -> HttpResponseRedirect:
    """Keeps the posted name as the page's filter, an empty one for none, and goes back to the page.

    `others` are its other filters, for the address. What cannot be a name leaves the filter as it was,
    and the page says why.
    """
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.warning(request, " ".join(str(error) for error in form.errors["name"]))
    elif form.cleaned_data["name"]:
        request.session[_key(request, address)] = form.cleaned_data["name"]
    else:
        drop_name_filter(request, address)
    query = urlencode({key: value for key, value in others.items() if value})
    return redirect(f"{address}?{query}" if query else address)


def drop_name_filter(request: MemberRequest, address: str) -> None:
    """Shows everybody on the page again."""
    request.session.pop(_key(request, address), None)


def _key(request: MemberRequest, address: str) -> str:
    """Returns a key of this membership: a name typed at one practice is not shown at another."""
    return f"name filter {request.membership.pk if request.membership else ''} {address}"

"""What the pages of a practice share: whose they are, which people are chosen, where to go next."""

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from cohort import policies
from cohort.queries import review as review_queries
from cohort.queries.worklists import Tab
from cohort.rules import ReviewState
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.accounts.name_filter import name_filter

#: What people of a list are picked by in its address, besides the tab.
CHOICES = ("group", "age", "strength", "since")


def member(request: MemberRequest) -> Membership:
    """Returns the membership of somebody who may see a practice's lists, or raises NotAllowed."""
    return policies.check_can_see_lists(request.membership)


def found_or_404(get: Any, *args: Any, **kwargs: Any) -> Any:
    """Returns what `get` does; what is another practice's is as absent as what never was."""
    try:
        return get(*args, **kwargs)
    except ObjectDoesNotExist as error:
        raise Http404 from error


def chosen_of(request: MemberRequest, list_id: UUID) -> dict[str, Any]:
    """Returns which people of a list are chosen, as `cohort.queries.worklists.people` takes it.

    The name is kept in the session, all else in the address.
    """
    asked = {key: request.GET.get(key, "") for key in CHOICES}
    tab = request.GET.get("tab", "")
    return {
        "name": name_filter(request, list_url(list_id)),
        "tab": Tab(tab) if tab in list(Tab) else Tab.TO_REVIEW,
        "today": timezone.localdate(),
        **asked,
    }


def query_of(chosen: dict[str, Any], **more: Any) -> str:
    """Returns what of the filter an address may carry, as a query string: the name stays in the session."""
    tab = chosen["tab"].value if chosen["tab"] is not Tab.TO_REVIEW else ""
    kept = {"tab": tab, **{key: chosen[key] for key in CHOICES}}
    return urlencode({key: value for key, value in {**kept, **more}.items() if value})


def list_url(list_id: UUID) -> str:
    """Returns the address of a list."""
    return reverse("cohort:list", args=[list_id])


def person_url(list_id: UUID | None, patient_id: UUID, query: str) -> str:
    """Returns the address of somebody's page on a list, with a query string or none."""
    address = reverse("cohort:person", args=[list_id, patient_id])
    return f"{address}?{query}" if query else address


def back_url(list_id: UUID, before: UUID | None, chosen: dict[str, Any]) -> str:
    """Returns the address of whoever was shown before, else of the list."""
    query = query_of(chosen)
    if before:
        return person_url(list_id, before, query)
    return f"{list_url(list_id)}?{query}" if query else list_url(list_id)


def just_decided(request: MemberRequest, by: Membership, list_id: UUID) -> Any:
    """Returns the entry that this user has just decided, for the banner with its undo, or None."""
    try:
        decided = review_queries.entry(by, list_id, UUID(request.GET.get("decided", "")))
    except (ValueError, ObjectDoesNotExist):
        return None
    is_mine = decided.reviewed_by_id == by.user_id and decided.review_state != ReviewState.TO_REVIEW
    return decided if is_mine else None


def age(birth_date: date, on: date) -> int:
    """Returns whole years."""
    return int(on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day)))

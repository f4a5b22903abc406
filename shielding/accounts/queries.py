"""Reads of organisations, users and memberships."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from shielding.accounts.models import Membership

if TYPE_CHECKING:
    from shielding.accounts.models import User


def current_memberships(user: "User | Any") -> QuerySet[Membership]:
    """Returns the user's memberships that have not ended, by organisation name then role."""
    return (
        Membership.objects.filter(user=user, ended_at__isnull=True)
        .select_related("organisation", "user")
        .order_by("organisation__name", "role")
    )


def working_membership(memberships: Sequence[Membership], *, chosen: str | None) -> Membership | None:
    """Returns the membership with id `chosen` if it is among `memberships`, else the first, else None."""
    by_id = {str(membership.id): membership for membership in memberships}
    return by_id.get(chosen or "") or (memberships[0] if memberships else None)

"""The request as views get it."""

from django.http import HttpRequest

from shielding.accounts.models import Membership


class MemberRequest(HttpRequest):
    """A request after `MembershipMiddleware`: it knows what somebody is working under, if anything."""

    membership: Membership | None
    #: All that the user may choose among.
    memberships: list[Membership]

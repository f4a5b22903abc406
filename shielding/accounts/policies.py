"""Who may: the ground every app's `policies.py` stands on."""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied

from shielding.accounts.models import Membership, Role


class NotAllowed(PermissionDenied):
    """Somebody asked for what their role does not allow; the message says what and is fit to show."""


def check_role(membership: Membership | None, allowed: Collection[Role], *, to: str) -> Membership:
    """Returns the membership if its role is among `allowed`.

    `to` completes the sentence shown otherwise: "Your role does not allow you to {to}."
    """
    if membership is None or membership.role not in allowed:
        raise NotAllowed(f"Your role does not allow you to {to}.")
    return membership

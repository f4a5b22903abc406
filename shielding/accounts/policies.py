"""Who may: the ground every app's `policies.py` stands on."""

from collections.abc import Collection
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from shielding.accounts.models import Membership, Organisation, Role


class NotAllowed(PermissionDenied):
    """Somebody asked for what their role does not allow; the message says what and is fit to show."""


def check_role(membership: Membership | None, allowed: Collection[Role], *, to: str) -> Membership:
    """Returns the membership if its role is among `allowed`.

    `to` completes the sentence shown otherwise: "Your role does not allow you to {to}."
    """
    if membership is None or membership.role not in allowed:
        raise NotAllowed(f"Your role does not allow you to {to}.")
    return membership


@dataclass(frozen=True)
class Permission:
    """What some roles may do. `to` completes "may {to}"; `kind` is that of their organisation, None for any.

    An app's `policies.py` lists its permissions, and docs/roles.md is made from them.
    """

    to: str
    roles: frozenset[Role]
    kind: Organisation.Kind | None = None

    def allows(self, membership: Membership | None) -> bool:
        """Says whether somebody working under `membership` may."""
        return (
            membership is not None
            and membership.role in self.roles
            and self.kind in (None, membership.organisation.kind)
        )

    def check(self, membership: Membership | None) -> Membership:
        """Returns the membership, or raises NotAllowed."""
        checked = check_role(membership, self.roles, to=self.to)
        if not self.allows(checked):
            raise NotAllowed(f"{checked.organisation} is not an organisation that may {self.to}.")
        return checked

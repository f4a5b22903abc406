"""What an administrator does to users in Django admin, on top of `actions.py`."""

from collections.abc import Iterable
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction

from shielding.accounts import actions
from shielding.accounts.models import Membership, Role, User
from shielding.accounts.policies import NotAllowed


class NotYours(NotAllowed):
    """Somebody tried to end the membership they are working under."""


@transaction.atomic
def save_user(*, user: User) -> User:
    """Saves a user with the address in lower case, as sign-in looks it up.

    allauth keeps its own copy of the address; where the two differ, the copy goes, so that an
    address an administrator has taken away can neither sign in nor receive a password link.
    """
    user.email = user.email.lower()
    user.save()
    EmailAddress.objects.filter(user_id=user.pk).exclude(email=user.email).delete()
    return user


def match_staff_flag(*, user: User) -> None:
    """Sets `is_staff`, which Django admin asks for, to whether the user is an administrator somewhere now."""
    is_staff = user.memberships.filter(role=Role.ADMINISTRATOR, ended_at__isnull=True).exists()
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])


def end_membership(*, membership: Membership, at: datetime, by: Membership) -> Membership:
    """Ends a membership from `at` on; it stays on record, and ending it again changes nothing.

    Raises NotYours where `by` would end itself and lock its owner out.
    """
    if membership.pk == by.pk:
        raise NotYours("You cannot end the membership you are working under. Ask another administrator.")
    return actions.end_membership(membership=membership, at=at)


def remove_second_step(*, users: Iterable[User]) -> int:
    """Takes away authenticator apps, keys and recovery codes; returns how many.

    For somebody who has lost them. Whoever does this makes sure first that it is really them who asks.
    """
    removed, _ = Authenticator.objects.filter(user__in=list(users)).delete()
    return removed

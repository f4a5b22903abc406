"""Tokens by which a unit's computer uses the API: made by an administrator for one unit, shown once, kept hashed."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from cohort.models import UnitToken
from cohort.policies import check_can_keep_tokens
from shielding.accounts.models import Membership, Organisation, Role, User

LONGEST_DAYS = 365
_PREFIX = "shu_"
#: How exactly it is kept when a token was last used: not each request writes.
_USED_WITHIN = timedelta(minutes=1)


class NotAUnit(Exception):
    """A token is for a hospital unit that is open."""


@transaction.atomic
def make_token(
    *, unit: Organisation, name: str, days: int, by: Membership | None, at: datetime
) -> tuple[UnitToken, str]:
    """Returns a token, which ends after `days` (365 at most), and its secret: nobody can read that again.

    Raises NotAUnit, NotAllowed.
    """
    user = check_can_keep_tokens(by).user
    if unit.kind != Organisation.Kind.HOSPITAL or unit.closed_date is not None:
        raise NotAUnit
    secret = _PREFIX + secrets.token_urlsafe(32)
    token = UnitToken.objects.create(
        membership=_service_membership(unit),
        name=name,
        digest=digest(secret),
        begins=secret[:8],
        made_at=at,
        made_by=user,
        expires_at=at + timedelta(days=min(max(days, 1), LONGEST_DAYS)),
    )
    return token, secret


@transaction.atomic
def revoke_token(*, token_id: UUID, by: Membership | None, at: datetime) -> UnitToken:
    """Returns the token, of no use from this moment, or when it was revoked before. Raises NotAllowed."""
    user = check_can_keep_tokens(by).user
    token = UnitToken.objects.select_for_update().get(pk=token_id)
    if token.revoked_at is None:
        token.revoked_at, token.revoked_by = at, user
        token.save(update_fields=["revoked_at", "revoked_by"])
    return token


def use_token(*, secret: str, at: datetime) -> Membership | None:
    """Returns the membership a token works under, or None where it is unknown, expired, revoked or its unit closed."""
    token = (
        UnitToken.objects.select_related("membership__user", "membership__organisation")
        .filter(
            digest=digest(secret),
            revoked_at=None,
            expires_at__gt=at,
            membership__ended_at=None,
            membership__user__is_active=True,
            membership__organisation__closed_date=None,
        )
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or at - token.last_used_at > _USED_WITHIN:
        UnitToken.objects.filter(pk=token.pk).update(last_used_at=at)
    return token.membership


def digest(secret: str) -> str:
    """Returns what is kept of a secret. It is random and long, so that a plain SHA-256 does."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _service_membership(unit: Organisation) -> Membership:
    """Returns the membership of the unit's service user, who stands in the records and can never sign in."""
    email = f"api.{unit.code.lower()}@service.invalid"
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=f"{unit} (by its computer)")
    made, _ = Membership.objects.get_or_create(user=user, organisation=unit, role=Role.HOSPITAL_STAFF, ended_at=None)
    return made

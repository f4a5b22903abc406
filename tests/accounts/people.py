"""Users to sign in with."""

from typing import Any

from shielding.accounts.models import Membership, Organisation, Role, User
from shielding.places.models import LocalAuthority

PASSWORD = "three words together"

KINDS = {
    Role.CENTRAL_OPERATOR: "CENTRE",
    Role.CENTRAL_CLINICIAN: "CENTRE",
    Role.PRACTICE_STAFF: "PRACTICE",
    Role.GP: "PRACTICE",
    Role.COORDINATOR: "PRACTICE",
    Role.HOSPITAL_STAFF: "HOSPITAL",
    Role.LA_STAFF: "LOCAL_AUTHORITY",
    Role.ICS_LEAD: "ICS",
    Role.ADMINISTRATOR: "CENTRE",
}


def organisation(kind: str = "PRACTICE", **fields: Any) -> Organisation:
    """Returns an organisation of this kind, made once a code."""
    code = fields.pop(
        "code", {"PRACTICE": "A81001", "LOCAL_AUTHORITY": "E09000012", "HOSPITAL": "RXX01"}.get(kind, "X26")
    )
    defaults = {"name": f"Hawthorn {kind.lower()}", "kind": kind, **fields}
    if kind == "LOCAL_AUTHORITY":
        area, _ = LocalAuthority.objects.get_or_create(gss_code=code, defaults={"name": defaults["name"]})
        defaults["local_authority"] = area
    return Organisation.objects.get_or_create(code=code, defaults=defaults)[0]


def user(email: str = "sam@example.org", name: str = "Sam Reed", **fields: Any) -> User:
    """Returns a new user who can sign in with PASSWORD."""
    return User.objects.create_user(email, PASSWORD, name=name, **fields)


def member(role: Role, *, of: User | None = None, at: Organisation | None = None) -> Membership:
    """Returns a new membership, of a new user unless one is given."""
    owner = of or user(f"{role.value.lower()}@example.org", is_staff=role == Role.ADMINISTRATOR)
    return Membership.objects.create(user=owner, organisation=at or organisation(KINDS[role]), role=role)

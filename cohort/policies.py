"""Who may do what in the cohort app.

`MAY` is the whole answer, as data; the functions below only ask it.
"""

from dataclasses import dataclass
from enum import StrEnum

from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import NotAllowed, check_role


class Act(StrEnum):
    """Something a policy is asked about."""

    SEE_LISTS = "SEE_LISTS"
    REVIEW = "REVIEW"
    SUBMIT = "SUBMIT"
    CHANGE_SUBMITTED = "CHANGE_SUBMITTED"
    RUN_SEARCH = "RUN_SEARCH"


@dataclass(frozen=True)
class Permission:
    """The roles that may, in organisations of which kind. `to` completes "You may not {to}."."""

    roles: frozenset[Role]
    kind: Organisation.Kind
    to: str


_PRACTICE = frozenset({Role.PRACTICE_STAFF, Role.GP})
_GP = frozenset({Role.GP})

#: A GP signs a list off (domain, section 3); from then on a change to it is a GP's too.
MAY: dict[Act, Permission] = {
    Act.SEE_LISTS: Permission(_PRACTICE, Organisation.Kind.PRACTICE, "see a practice's list"),
    Act.REVIEW: Permission(_PRACTICE, Organisation.Kind.PRACTICE, "confirm, remove or add people"),
    Act.SUBMIT: Permission(_GP, Organisation.Kind.PRACTICE, "sign a list off: a GP does that"),
    Act.CHANGE_SUBMITTED: Permission(
        _GP, Organisation.Kind.PRACTICE, "change a list that has been signed off: a GP does that"
    ),
    Act.RUN_SEARCH: Permission(
        frozenset({Role.CENTRAL_OPERATOR}), Organisation.Kind.CENTRE, "see extracts or run the central search"
    ),
}


def can(act: Act, membership: Membership | None) -> bool:
    """Says whether somebody working under `membership` may."""
    permission = MAY[act]
    return (
        membership is not None
        and membership.role in permission.roles
        and membership.organisation.kind == permission.kind
    )


def _check(act: Act, membership: Membership | None) -> Membership:
    permission = MAY[act]
    checked = check_role(membership, permission.roles, to=permission.to)
    if not can(act, checked):
        raise NotAllowed(f"{checked.organisation} is not an organisation that may {permission.to}.")
    return checked


def check_can_see_lists(membership: Membership | None) -> Membership:
    """Returns the membership, or raises NotAllowed."""
    return _check(Act.SEE_LISTS, membership)


def check_can_review(membership: Membership | None, *, is_submitted: bool = False) -> Membership:
    """Returns the membership if it may decide about people on a list, signed off or not, or raises NotAllowed."""
    return _check(Act.CHANGE_SUBMITTED if is_submitted else Act.REVIEW, membership)


def can_review(membership: Membership | None, *, is_submitted: bool = False) -> bool:
    """Says whether somebody may decide about people on a list, signed off or not."""
    return can(Act.CHANGE_SUBMITTED if is_submitted else Act.REVIEW, membership)


def check_can_submit(membership: Membership | None) -> Membership:
    """Returns the membership if it may sign a list off, or raises NotAllowed."""
    return _check(Act.SUBMIT, membership)


def can_submit(membership: Membership | None) -> bool:
    """Says whether somebody may sign a list off."""
    return can(Act.SUBMIT, membership)


def check_can_run_search(membership: Membership | None) -> Membership:
    """Returns the membership if it may see extracts and run the central search, or raises NotAllowed."""
    return _check(Act.RUN_SEARCH, membership)


def can_run_search(membership: Membership | None) -> bool:
    """Says whether somebody may see extracts and run the central search."""
    return can(Act.RUN_SEARCH, membership)

"""Who may do what in the cohort app.

`MAY` is the whole answer, as data; the functions below only ask it.
"""

from enum import StrEnum

from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import Permission


class Act(StrEnum):
    """Something a policy is asked about."""

    SEE_LISTS = "SEE_LISTS"
    REVIEW = "REVIEW"
    SUBMIT = "SUBMIT"
    CHANGE_SUBMITTED = "CHANGE_SUBMITTED"
    RUN_SEARCH = "RUN_SEARCH"
    SEE_CRITERIA = "SEE_CRITERIA"
    CHANGE_CRITERIA = "CHANGE_CRITERIA"
    SIGN_OFF_CRITERIA = "SIGN_OFF_CRITERIA"
    SEND_PATIENTS = "SEND_PATIENTS"
    KEEP_TOKENS = "KEEP_TOKENS"
    OVERSEE = "OVERSEE"
    SEE_AREA = "SEE_AREA"


_PRACTICE = frozenset({Role.PRACTICE_STAFF, Role.GP})
_GP = frozenset({Role.GP})
_CLINICIAN = frozenset({Role.CENTRAL_CLINICIAN})

#: A GP signs a list off (domain, section 3); from then on a change to it is a GP's too.
MAY: dict[Act, Permission] = {
    Act.SEE_LISTS: Permission("see a practice's list", _PRACTICE, Organisation.Kind.PRACTICE),
    Act.REVIEW: Permission("confirm, remove or add people", _PRACTICE, Organisation.Kind.PRACTICE),
    Act.SUBMIT: Permission("sign a list off, which only a GP does", _GP, Organisation.Kind.PRACTICE),
    Act.CHANGE_SUBMITTED: Permission(
        "change a list that has been signed off, which only a GP does", _GP, Organisation.Kind.PRACTICE
    ),
    Act.RUN_SEARCH: Permission(
        "see extracts or run the central search", frozenset({Role.CENTRAL_OPERATOR}), Organisation.Kind.CENTRE
    ),
    Act.SEE_CRITERIA: Permission(
        "see criteria, code lists and how many people they find",
        _CLINICIAN | {Role.CENTRAL_OPERATOR},
        Organisation.Kind.CENTRE,
    ),
    Act.CHANGE_CRITERIA: Permission(
        "draft, test and publish criteria and code lists", _CLINICIAN, Organisation.Kind.CENTRE
    ),
    Act.SIGN_OFF_CRITERIA: Permission(
        "sign off a criterion that a colleague has changed", _CLINICIAN, Organisation.Kind.CENTRE
    ),
    Act.SEND_PATIENTS: Permission(
        "send lists of their unit's patients and see what became of them",
        frozenset({Role.HOSPITAL_STAFF}),
        Organisation.Kind.HOSPITAL,
    ),
    Act.KEEP_TOKENS: Permission(
        "make and revoke the tokens of hospital units' computers",
        frozenset({Role.ADMINISTRATOR}),
        Organisation.Kind.CENTRE,
    ),
    Act.OVERSEE: Permission(
        "see how far every practice is, and decide about the people of late ones",
        frozenset({Role.CENTRAL_OPERATOR}),
        Organisation.Kind.CENTRE,
    ),
    Act.SEE_AREA: Permission(
        "see how far the practices of their care system are", frozenset({Role.ICS_LEAD}), Organisation.Kind.ICS
    ),
}


def check_can_see_lists(membership: Membership | None) -> Membership:
    """Returns the membership, or raises NotAllowed."""
    return MAY[Act.SEE_LISTS].check(membership)


def check_can_review(membership: Membership | None, *, is_submitted: bool = False) -> Membership:
    """Returns the membership if it may decide about people on a list, signed off or not, or raises NotAllowed."""
    return MAY[Act.CHANGE_SUBMITTED if is_submitted else Act.REVIEW].check(membership)


def can_review(membership: Membership | None, *, is_submitted: bool = False) -> bool:
    """Says whether somebody may decide about people on a list, signed off or not."""
    return MAY[Act.CHANGE_SUBMITTED if is_submitted else Act.REVIEW].allows(membership)


def check_can_submit(membership: Membership | None) -> Membership:
    """Returns the membership if it may sign a list off, or raises NotAllowed."""
    return MAY[Act.SUBMIT].check(membership)


def can_submit(membership: Membership | None) -> bool:
    """Says whether somebody may sign a list off."""
    return MAY[Act.SUBMIT].allows(membership)


def check_can_run_search(membership: Membership | None) -> Membership:
    """Returns the membership if it may see extracts and run the central search, or raises NotAllowed."""
    return MAY[Act.RUN_SEARCH].check(membership)


def check_can_see_criteria(membership: Membership | None) -> Membership:
    """Returns the membership if it may see criteria and code lists, or raises NotAllowed."""
    return MAY[Act.SEE_CRITERIA].check(membership)


def check_can_change_criteria(membership: Membership | None) -> Membership:
    """Returns the membership if it may change criteria and code lists, or raises NotAllowed."""
    return MAY[Act.CHANGE_CRITERIA].check(membership)


def can_change_criteria(membership: Membership | None) -> bool:
    """Says whether somebody may change criteria and code lists."""
    return MAY[Act.CHANGE_CRITERIA].allows(membership)


def check_can_sign_off_criteria(membership: Membership | None) -> Membership:
    """Returns the membership if it may sign off what a colleague has changed, or raises NotAllowed."""
    return MAY[Act.SIGN_OFF_CRITERIA].check(membership)


def check_can_oversee(membership: Membership | None) -> Membership:
    """Returns the membership if it may see and decide about every practice's lists, or raises NotAllowed."""
    return MAY[Act.OVERSEE].check(membership)


def check_can_see_area(membership: Membership | None) -> Membership:
    """Returns the membership if it may see how far its area's practices are, or raises NotAllowed."""
    return MAY[Act.SEE_AREA].check(membership)


def check_can_explain(membership: Membership | None) -> Membership:
    """Returns the membership if it may see why somebody is or is not found, or raises NotAllowed.

    A practice may of its own people; the central operator, who answers for the search, of anybody.
    """
    if membership is not None and membership.organisation.kind == Organisation.Kind.PRACTICE:
        return check_can_see_lists(membership)
    return check_can_run_search(membership)


def check_can_send_patients(membership: Membership | None) -> Membership:
    """Returns the membership if it may send its unit's patients and see what became of them, or raises NotAllowed."""
    return MAY[Act.SEND_PATIENTS].check(membership)


def check_can_keep_tokens(membership: Membership | None) -> Membership:
    """Returns the membership if it may make and revoke units' tokens, or raises NotAllowed."""
    return MAY[Act.KEEP_TOKENS].check(membership)

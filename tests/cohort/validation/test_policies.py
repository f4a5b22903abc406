"""Who may, for every role and kind of organisation."""

import pytest

from cohort.policies import (
    MAY,
    Act,
    check_can_review,
    check_can_run_search,
    check_can_see_lists,
    check_can_submit,
)
from shielding.accounts.models import Organisation, Role
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import MembershipFactory, OrganisationFactory

pytestmark = pytest.mark.django_db

EXPECTED = {
    ("PRACTICE", "GP"): {Act.SEE_LISTS, Act.REVIEW, Act.SUBMIT, Act.CHANGE_SUBMITTED},
    ("PRACTICE", "PRACTICE_STAFF"): {Act.SEE_LISTS, Act.REVIEW},
    ("CENTRE", "CENTRAL_OPERATOR"): {Act.RUN_SEARCH, Act.SEE_CRITERIA, Act.OVERSEE},
    ("ICS", "ICS_LEAD"): {Act.SEE_AREA},
    ("HOSPITAL", "HOSPITAL_STAFF"): {Act.SEND_PATIENTS},
    # In Django admin, whose other tables are for administrators too.
    ("CENTRE", "ADMINISTRATOR"): {Act.KEEP_TOKENS},
    ("CENTRE", "CENTRAL_CLINICIAN"): {Act.SEE_CRITERIA, Act.CHANGE_CRITERIA, Act.SIGN_OFF_CRITERIA},
}
KINDS = [kind for kind in Organisation.Kind if kind != Organisation.Kind.LOCAL_AUTHORITY]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", KINDS)
def test_nobody_may_more_than_the_table_says(kind: str, role: str) -> None:
    membership = MembershipFactory(organisation=OrganisationFactory(kind=kind), role=role)
    assert {act for act in Act if MAY[act].allows(membership)} == EXPECTED.get((kind, role), set())


def test_every_act_is_in_the_table() -> None:
    assert set(MAY) == set(Act)


@pytest.mark.parametrize("check", [check_can_see_lists, check_can_review, check_can_submit, check_can_run_search])
def test_without_a_membership_nothing_is_allowed(check: object) -> None:
    with pytest.raises(NotAllowed):
        check(None)  # type: ignore[operator]


def test_the_refusal_says_what_and_where() -> None:
    gp_at_hospital = MembershipFactory(organisation=OrganisationFactory(kind="HOSPITAL", name="St Ann's"), role="GP")
    with pytest.raises(NotAllowed, match=r"St Ann's is not an organisation that may see a practice's list"):
        check_can_see_lists(gp_at_hospital)
    staff = MembershipFactory(role="PRACTICE_STAFF")
    with pytest.raises(NotAllowed, match="sign a list off, which only a GP does"):
        check_can_submit(staff)
    assert check_can_review(staff) == staff
    with pytest.raises(NotAllowed, match="signed off"):
        check_can_review(staff, is_submitted=True)

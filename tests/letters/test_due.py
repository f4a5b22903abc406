"""Whom a campaign is meant for: the one that names a coordinator, those who have one; any other, everybody."""

from datetime import timedelta

import pytest

from cohort.models import Patient
from cohort.rules import Channel
from coordinators.models import Assignment
from letters.due import COORDINATOR, meant_for
from letters.models import Campaign
from letters.queries import preview
from shielding.accounts.models import Membership, Role
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import NOON, Mailing, validated

pytestmark = pytest.mark.django_db
#: Assignments of somebody, one after the other: whether each has ended.
OPEN, ENDED = False, True


def assign(patient: Patient, by: Membership, assignments: list[bool]) -> None:
    for number, has_ended in enumerate(assignments):
        Assignment.objects.create(
            patient=patient,
            coordinator=by,
            started_at=NOON + timedelta(days=number),
            ended_at=NOON + timedelta(days=number, hours=1) if has_ended else None,
        )


@pytest.mark.parametrize(
    ("slug", "assignments", "expected"),
    [
        ("first-advice", [], True),
        ("first-advice", [OPEN], True),
        ("first-advice", [ENDED], True),
        ("hospital-advice", [], True),
        (COORDINATOR, [], False),
        (COORDINATOR, [OPEN], True),
        (COORDINATOR, [ENDED], False),
        (COORDINATOR, [ENDED, ENDED], False),
        (COORDINATOR, [ENDED, OPEN], True),
    ],
)
def test_a_letter_that_names_the_coordinator_is_for_those_who_have_one_now(
    mailing: Mailing, slug: str, assignments: list[bool], expected: bool
) -> None:
    amina, bob = validated(), validated()
    lead = MembershipFactory(organisation=amina.practice, role=Role.COORDINATOR)
    assign(amina, lead, assignments)
    campaign = Campaign.objects.get(slug=slug)
    assert Patient.objects.filter(meant_for(campaign), pk=amina.pk).exists() is expected
    # Each for themselves, whoever else has one.
    meant_for_bob = Patient.objects.filter(meant_for(campaign), pk=bob.pk).exists()
    assert meant_for_bob is (slug != COORDINATOR)
    counted = preview(campaign, Channel.LETTER, NOON.date())
    assert counted.everybody == int(expected) + int(meant_for_bob)


def test_somebody_is_meant_once(mailing: Mailing) -> None:
    amina = validated()
    assign(amina, MembershipFactory(organisation=amina.practice, role=Role.COORDINATOR), [ENDED, ENDED, OPEN])
    assert Patient.objects.filter(meant_for(Campaign.objects.get(slug=COORDINATOR))).count() == 1

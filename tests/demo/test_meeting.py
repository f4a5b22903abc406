"""The demo's case conference."""

from datetime import date

import pytest

from cohort.models import Patient
from coordinators import queries
from coordinators.models import AgendaItem, AgreedAction, Conference
from coordinators.rules import NeedKind
from shielding.accounts.models import Role
from shielding.demo.meeting import confer
from tests.cohort.factories import MembershipFactory
from tests.coordinators.factories import make_team

pytestmark = pytest.mark.django_db


def test_a_practice_and_its_council_hold_one_conference_with_a_referral_however_often_the_demo_runs() -> None:
    team = make_team()
    Patient.objects.filter(pk=team.amina.pk).update(birth_date=date(1930, 1, 1))
    gp = MembershipFactory(organisation=team.practice, role=Role.GP)
    for _ in range(2):
        made = confer(by=gp, council=team.staff)
        assert made is not None
        assert made.state == "HELD"
    assert Conference.objects.count() == 1
    assert AgreedAction.objects.count() == AgendaItem.objects.count() > 0
    [referral] = queries.open_referrals(team.staff)
    assert referral.need.kind == NeedKind.FOOD


def test_where_nobody_lives_in_the_councils_area_nobody_meets() -> None:
    team = make_team()
    gp = MembershipFactory(organisation=team.charlie.practice, role=Role.GP)
    assert confer(by=gp, council=team.staff) is None
    assert not Conference.objects.exists()

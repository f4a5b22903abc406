"""Rates beside peers': what a practice is shown of itself and of others, and whom the centre sees."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from cohort.funnel import Verdict
from cohort.queries.peers import Rate, compared, count_peers, outliers, own_rates
from shielding.accounts.models import Membership, Organisation
from tests.cohort.factories import NOW, MembershipFactory
from tests.cohort.oversight.scene import care_system, operator, practice_list, put
from tests.cohort.validation.pages import read

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Any]


@pytest.fixture(autouse=True)
def _nothing_kept(db: None) -> None:
    cache.clear()


@pytest.fixture
def gp(db: None) -> Membership:
    return MembershipFactory(user__name="Dr Grace Okafor")


@pytest.fixture
def north(gp: Membership) -> Organisation:
    """Twelve practices that remove 2 of 20 and add 2, one of 40 that removes 30 and adds 40, one too small to judge."""
    ics = care_system()
    for number in range(12):
        put(practice_list(0, ics=ics, practice__name=f"Elm {number}"), gp, confirmed=18, removed=2, added=2)
    put(practice_list(0, ics=ics, practice__name="Oak"), gp, confirmed=10, removed=30, added=40)
    put(practice_list(0, ics=ics, practice__name="Ash"), gp, removed=19, to_review=50)
    return ics


def test_every_practice_is_counted_by_what_it_has_reviewed(north: Organisation) -> None:
    counted = {row.name: (row.reviewed, row.removed, row.added) for row in count_peers(NOW).practices}
    assert counted["Elm 0"] == (20, 2, 2)
    assert counted["Oak"] == (40, 30, 40)
    assert counted["Ash"] == (19, 19, 0)


def test_the_outlier_is_found_and_the_small_are_not_judged(north: Organisation) -> None:
    among = count_peers(NOW)
    for rate in Rate:
        assert [(row.practice.name, row.verdict) for row in outliers(rate, among)] == [("Oak", Verdict.VERY_HIGH)]
    small = compared(Rate.REMOVED, next(row for row in among.practices if row.name == "Ash"), among)
    assert (small.verdict, small.z, small.expected) == (Verdict.TOO_FEW, None, None)


def test_a_rate_of_few_practices_is_not_told(gp: Membership) -> None:
    mine = practice_list(0, ics=care_system())
    put(mine, gp, confirmed=30, removed=10)
    for _ in range(3):
        put(practice_list(0, ics=mine.practice.ics), gp, confirmed=30, removed=10)
    for _ in range(3):
        put(practice_list(0, ics=care_system()), gp, confirmed=30, removed=10)
    by = MembershipFactory(organisation=mine.practice)
    removed, added = own_rates(by, count_peers(NOW))
    assert (removed.own, removed.ics, removed.england) == (0.25, None, 0.25)
    assert (added.own, added.ics, added.england) == (0, None, 0)


def test_a_practice_sees_its_own_rates_and_no_other_practice(north: Organisation, sign_in: SignIn) -> None:
    oak = Organisation.objects.get(name="Oak")
    page = read(sign_in(MembershipFactory(organisation=oak)).get(reverse("cohort:rates")))
    assert "Your practice: 30 for 40 reviewed 75.0%" in page
    assert "Much higher" in page
    assert "England 19.3%" in page  # 54 of 280
    assert "Elm" not in page
    assert "Ash" not in page
    ash = Organisation.objects.get(name="Ash")
    assert "Too few people to judge" in read(sign_in(MembershipFactory(organisation=ash)).get(reverse("cohort:rates")))


def test_before_anything_is_reviewed_there_is_nothing_to_compare(gp: Membership, sign_in: SignIn) -> None:
    assert "There is nothing to compare yet" in read(sign_in(gp).get(reverse("cohort:rates")))
    assert "nothing is compared yet" in read(sign_in(operator()).get(reverse("cohort:outliers")))


def test_the_centre_sees_who_stands_out(north: Organisation, sign_in: SignIn) -> None:
    client = sign_in(operator())
    page = read(client.get(reverse("cohort:outliers")))
    assert "13 practices are compared" in page
    assert "Oak" in page
    assert "75.0%" in page
    assert "Elm" not in page
    added = read(client.get(reverse("cohort:outliers"), {"rate": "added", "show": "all"}))
    assert "100.0%" in added

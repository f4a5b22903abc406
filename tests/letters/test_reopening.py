"""A list is opened again for a reason, as long as nobody on it has been written to."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from cohort.actions.sign_off import NotSignedOff, ReasonNeeded, submit_list
from cohort.models import ListSignOff, PracticeList, SearchRun
from letters.actions import outbox
from letters.actions.lists import LettersHaveGone, reopen_list
from letters.models import Message
from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import MembershipFactory, PracticeListFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import work

pytestmark = pytest.mark.django_db


@pytest.fixture
def gp(db: None) -> Membership:
    return MembershipFactory()


@pytest.fixture
def signed(gp: Membership) -> PracticeList:
    """A list with one confirmed person, signed off."""
    practice_list = PracticeListFactory(practice=gp.organisation)
    validated(practice_list=practice_list)
    return submit_list(list_id=practice_list.pk, by=gp, at=NOON)


def reopen(signed: PracticeList, gp: Membership, **options: Any) -> PracticeList:
    return reopen_list(**{"list_id": signed.pk, "reason": "One is in the wrong group", "by": gp, "at": NOON, **options})


def test_a_list_is_opened_again_and_both_are_kept(signed: PracticeList, gp: Membership) -> None:
    opened = reopen(signed, gp, reason=" One is in the wrong group ")
    assert (opened.submitted_at, opened.submitted_by) == (None, None)
    kept = ListSignOff.objects.filter(practice_list=signed).order_by("pk")
    assert [(row.act, row.reason, row.by, row.confirmed) for row in kept] == [
        ("SIGNED_OFF", "", gp.user, 1),
        ("REOPENED", "One is in the wrong group", gp.user, 1),
    ]
    submit_list(list_id=signed.pk, by=gp, at=NOON)
    assert kept.all().count() == 3


def test_what_is_kept_is_never_changed(signed: PracticeList) -> None:
    for change in (lambda rows: rows.update(confirmed=9), lambda rows: rows.delete()):
        with pytest.raises((InternalError, IntegrityError)), transaction.atomic():
            change(ListSignOff.objects.all())


@pytest.mark.parametrize(("days_left", "expected"), [(5, 5), (1, 2), (-3, 2)])
def test_a_list_opened_near_or_after_its_due_date_gets_some_days(
    signed: PracticeList, gp: Membership, days_left: int, expected: int
) -> None:
    PracticeList.objects.filter(pk=signed.pk).update(due_date=NOON.date() + timedelta(days=days_left))
    assert reopen(signed, gp).due_date == NOON.date() + timedelta(days=expected)


def test_a_message_that_is_planned_or_held_is_not_in_the_way(
    mailing: Mailing, signed: PracticeList, gp: Membership
) -> None:
    mailing.released()
    validated(practice_list=signed, death_status="FORMAL")
    mailing.plan()
    assert sorted(Message.objects.values_list("state", flat=True)) == ["HELD", "WAITING"]
    assert reopen(signed, gp).submitted_at is None


def test_once_a_message_has_gone_to_anybody_the_list_stays_signed_off(
    mailing: Mailing, signed: PracticeList, gp: Membership
) -> None:
    validated(practice_list=signed, mobile="")
    mailing.released()
    claimed = outbox.claim(at=NOON, limit=1)
    assert claimed
    key = outbox.release(claimed=claimed, made=outbox.make(claimed.batch, claimed.message_ids), at=NOON)
    assert key
    for finish in (lambda: None, lambda: outbox.hand_over(key=key, at=NOON)):
        finish()
        with pytest.raises(LettersHaveGone) as refused:
            reopen(signed, gp)
        assert refused.value.people == 1
    signed.refresh_from_db()
    assert signed.submitted_at == NOON
    assert ListSignOff.objects.count() == 1


def test_a_letter_from_before_the_list_was_made_is_not_in_the_way(
    mailing: Mailing, signed: PracticeList, gp: Membership
) -> None:
    mailing.released()
    work()
    SearchRun.objects.filter(pk=signed.run_id).update(finished_at=NOON + timedelta(days=1))
    assert reopen(signed, gp).submitted_at is None


def test_only_a_gp_of_the_practice_opens_it_with_a_reason_and_once(signed: PracticeList, gp: Membership) -> None:
    staff = MembershipFactory(organisation=gp.organisation, role=Role.PRACTICE_STAFF)
    with pytest.raises(NotAllowed):
        reopen(signed, staff)
    with pytest.raises(PracticeList.DoesNotExist):
        reopen(signed, MembershipFactory())
    with pytest.raises(ReasonNeeded):
        reopen(signed, gp, reason="  ")
    reopen(signed, gp)
    with pytest.raises(NotSignedOff):
        reopen(signed, gp)

"""Letters to those taken off the list: only whom a clinician has told, and who was ever told that they were on it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cohort.actions.decisions import confirm, mark_told, remove
from cohort.models import ListEntry, Patient
from cohort.queries.review import version
from cohort.rules import Channel, RemovalReason
from letters import queries
from letters.actions.batches import NobodyDue, plan_batch
from letters.models import Batch, Campaign, Message
from shielding.accounts.models import Membership
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import states, work

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
EVENING = NOON + timedelta(hours=9)


@pytest.fixture
def removals(mailing: Mailing) -> Mailing:
    """The campaign of those taken off the list, and its operators."""
    return Mailing(Campaign.objects.get(slug="removal"), mailing.operator, mailing.second)


def write_to(mailing: Mailing, **details: Any) -> Patient:
    """Returns somebody who has had the first letter."""
    patient = validated(**details)
    mailing.released()
    work()
    assert patient.messages.get().state == "HANDED_OVER"
    return patient


def gp_of(patient: Patient) -> Membership:
    return MembershipFactory(organisation=patient.practice)


def take_off(
    patient: Patient, *, told: bool = True, reason: RemovalReason = RemovalReason.LOW_RISK, at: datetime = NOON
) -> Membership:
    """Has the GP take somebody off the list, and returns the GP."""
    gp = gp_of(patient)
    remove(
        entry_id=patient.pk,
        reason=reason,
        detail="",
        is_patient_told=told,
        by=gp,
        at=at,
        seen=version(ListEntry.objects.get(pk=patient.pk)),
    )
    return gp


def planned_for(mailing: Mailing) -> dict[Any, str]:
    try:
        batch = mailing.plan(at=LATER)
    except NobodyDue:
        return {}
    return dict(batch.messages.values_list("patient", "hold_reason"))


def test_who_was_written_to_and_told_of_their_removal_gets_the_letter(mailing: Mailing, removals: Mailing) -> None:
    amina, bob = write_to(mailing), write_to(mailing)
    take_off(bob)
    batch = removals.released(at=LATER)
    work(LATER)
    assert list(batch.messages.values_list("patient", "state")) == [(bob.pk, "HANDED_OVER")]
    assert amina.messages.count() == 1
    assert planned_for(removals) == {}


def test_who_was_not_told_gets_it_once_a_clinician_has_talked_with_them(mailing: Mailing, removals: Mailing) -> None:
    bob = write_to(mailing)
    gp = take_off(bob, told=False)
    assert planned_for(removals) == {}
    mark_told(entry_id=bob.pk, by=gp, at=LATER, told_by="Dr Grey", told_date=timezone.localdate(LATER))
    assert planned_for(removals) == {bob.pk: ""}


def test_who_was_never_written_to_is_not_told_by_letter_that_it_is_over(mailing: Mailing, removals: Mailing) -> None:
    bob = validated()
    mailing.plan()
    take_off(bob)
    assert planned_for(removals) == {}


def test_who_was_taken_off_as_dead_is_not_written_to_though_told_was_ticked(
    mailing: Mailing, removals: Mailing
) -> None:
    bob = write_to(mailing)
    take_off(bob, reason=RemovalReason.DIED)
    assert planned_for(removals) == {}


def test_the_dead_are_held_and_get_none(mailing: Mailing, removals: Mailing) -> None:
    bob = write_to(mailing)
    take_off(bob)
    Patient.objects.filter(pk=bob.pk).update(death_status="FORMAL")
    assert planned_for(removals) == {bob.pk: "DIED"}


@pytest.mark.parametrize("channel", Channel)
def test_who_is_back_on_the_list_is_held_when_theirs_would_go(
    mailing: Mailing, removals: Mailing, channel: Channel
) -> None:
    bob = write_to(mailing)
    gp = take_off(bob)
    batch = removals.released(channel, at=LATER)
    confirm(entry_id=bob.pk, by=gp, at=LATER, seen=version(ListEntry.objects.get(pk=bob.pk)))
    work(LATER)
    assert batch.messages.get().hold_reason == "BACK_ON_LIST"


def test_who_is_taken_off_again_without_being_told_is_held_until_they_are(mailing: Mailing, removals: Mailing) -> None:
    bob = write_to(mailing)
    gp = take_off(bob)
    batch = removals.released(at=LATER)
    confirm(entry_id=bob.pk, by=gp, at=LATER, seen=version(ListEntry.objects.get(pk=bob.pk)))
    take_off(bob, told=False, reason=RemovalReason.CONDITION_RESOLVED, at=LATER + timedelta(minutes=1))
    work(EVENING)
    assert batch.messages.get().hold_reason == "REMOVAL_NOT_TOLD"
    mark_told(entry_id=bob.pk, by=gp, at=EVENING, told_by="Dr Grey", told_date=timezone.localdate(EVENING))
    work(EVENING)
    work(EVENING)
    assert states(batch) == {"HANDED_OVER": 1}


def test_each_campaign_is_held_by_its_own_rules(mailing: Mailing, removals: Mailing) -> None:
    bob = write_to(mailing)
    late = mailing.released(Channel.SMS)
    take_off(bob)
    letter = removals.released(at=LATER)
    work(LATER)
    assert (late.messages.get().hold_reason, letter.messages.get().state) == ("OFF_LIST", "HANDED_OVER")


def test_whom_the_letter_does_not_reach_gets_the_text_if_they_were_told(mailing: Mailing, removals: Mailing) -> None:
    bob = write_to(mailing)
    take_off(bob)
    Patient.objects.filter(pk=bob.pk).update(no_fixed_abode=True)
    shown = queries.preview(removals.campaign, Channel.LETTER, NOON.date(), fallback=Channel.SMS)
    assert (shown.to_go, shown.instead) == (0, 1)
    batch = plan_batch(
        campaign=removals.campaign, channel=Channel.LETTER, fallback=Channel.SMS, by=removals.operator, at=LATER
    )
    assert dict(Message.objects.filter(batch=batch).values_list("channel", "state")) == {
        "LETTER": "HELD",
        "SMS": "WAITING",
    }


def test_a_plan_says_whom_it_is_for(client: Any, mailing: Mailing, removals: Mailing) -> None:
    client.force_login(mailing.operator.user)
    page = client.get(reverse("letters:plan"), {"campaign": "removal", "channel": "LETTER"}).content.decode()
    assert "have been taken off it, and have been told so by a clinician" in page
    assert not Batch.objects.exists()

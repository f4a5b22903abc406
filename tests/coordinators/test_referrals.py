"""What a council does with its referrals, and that it reaches nobody else's."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coordinators import queries
from coordinators.actions import (
    AlreadyAnswered,
    ReferralNotFound,
    accept,
    close,
    find_authorities,
    record_download,
    reject,
)
from coordinators.models import Referral
from coordinators.rules import ReferralState, RejectionReason
from coordinators.tasks import find_referral_authorities
from shielding.accounts.models import Organisation
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from shielding.places.models import Postcode
from tests.cohort.factories import NOW, MembershipFactory
from tests.coordinators.factories import AssignmentFactory, Team, coordinator, refer, validated

SETTLED = {"settled_at": NOW}


def answer(name: str, referral: Referral, by: Any) -> Referral:
    if name == "accept":
        return accept(referral_id=referral.pk, by=by, at=NOW)
    if name == "close":
        return close(referral_id=referral.pk, what_was_done="Parcel", by=by, at=NOW)
    return reject(referral_id=referral.pk, reason=RejectionReason.DECLINED, by=by, at=NOW)


def test_a_referral_is_accepted_then_closed_with_what_was_done(team: Team) -> None:
    referral = refer(team.amina, team.staff, team.lead)

    accept(referral_id=referral.pk, by=team.staff, at=NOW)
    close(referral_id=referral.pk, what_was_done=" Parcel on Tuesdays ", by=team.staff, at=NOW)

    referral.refresh_from_db()
    assert (referral.state, referral.what_was_done) == ("CLOSED", "Parcel on Tuesdays")
    assert (referral.settled_at, referral.settled_by) == (NOW, team.staff)


@pytest.mark.parametrize("accepted_first", [True, False])
def test_a_referral_is_rejected_with_a_reason(team: Team, accepted_first: bool) -> None:
    referral = refer(team.amina, team.staff, team.lead)
    if accepted_first:
        accept(referral_id=referral.pk, by=team.staff, at=NOW)

    reject(referral_id=referral.pk, reason=RejectionReason.NOT_OURS, by=team.staff, at=NOW)

    referral.refresh_from_db()
    assert (referral.state, referral.rejection_reason, referral.settled_by) == ("REJECTED", "NOT_OURS", team.staff)


@pytest.mark.parametrize(
    ("done", "then"),
    [
        ([], "close"),
        (["accept", "close"], "accept"),
        (["accept", "close"], "reject"),
        (["reject"], "accept"),
        (["reject"], "close"),
    ],
)
def test_a_referral_makes_no_other_move(team: Team, done: list[str], then: str) -> None:
    referral = refer(team.amina, team.staff, team.lead)
    for name in done:
        answer(name, referral, team.staff)
    referral.refresh_from_db()

    with pytest.raises(AlreadyAnswered) as error:
        answer(then, referral, team.staff)

    assert error.value.state == referral.state


@pytest.mark.parametrize("names", [["accept"], ["accept", "close"], ["reject"]])
def test_the_same_answer_again_changes_nothing(team: Team, names: list[str]) -> None:
    referral = refer(team.amina, team.staff, team.lead)
    for name in names:
        answer(name, referral, team.staff)
    referral.refresh_from_db()

    answer(names[-1], referral, team.staff)

    assert Referral.objects.get().settled_at == referral.settled_at


def test_another_persons_words_are_not_swallowed(team: Team) -> None:
    referral = refer(team.amina, team.staff, team.lead, state="ACCEPTED")
    answer("close", referral, team.staff)
    colleague = MembershipFactory(organisation=team.staff.organisation, role="LA_STAFF")

    with pytest.raises(AlreadyAnswered):
        close(referral_id=referral.pk, what_was_done="Something else", by=colleague, at=NOW)


def test_closing_takes_words(team: Team) -> None:
    with pytest.raises(ValueError, match="what was done"):
        close(referral_id=UUID(int=0), what_was_done="  ", by=team.staff, at=NOW)


@pytest.mark.parametrize("name", ["accept", "close", "reject"])
def test_another_councils_referral_is_not_there(team: Team, name: str) -> None:
    referral = refer(team.charlie, team.other_staff, team.other_lead)

    with pytest.raises(ReferralNotFound):
        answer(name, referral, team.staff)


@pytest.mark.parametrize("name", ["accept", "close", "reject"])
def test_only_council_staff_answer(team: Team, name: str) -> None:
    referral = refer(team.amina, team.staff, team.lead)

    with pytest.raises(NotAllowed):
        answer(name, referral, team.lead)


def test_staff_of_no_council_have_no_referrals_not_those_without_a_council(team: Team) -> None:
    refer(team.amina, None, team.lead)
    stray = MembershipFactory(role="LA_STAFF", organisation__kind=Organisation.Kind.PRACTICE)

    assert not queries.referrals_for(stray).exists()
    with pytest.raises(NotAllowed):
        record_download(membership=stray, at=NOW)


def test_somebody_restricted_since_is_out_of_reach(team: Team) -> None:
    referral = refer(team.amina, team.staff, team.lead)
    team.amina.is_restricted = True
    team.amina.save()

    assert record_download(membership=team.staff, at=NOW) == []
    assert queries.referral_counts(team.staff)[ReferralState.WAITING] == 0
    with pytest.raises(ReferralNotFound):
        accept(referral_id=referral.pk, by=team.staff, at=NOW)


def test_a_download_is_noted_once_on_the_referral_and_each_time_in_the_log(team: Team) -> None:
    waiting = refer(team.amina, team.staff, team.lead, made_at=NOW - timedelta(days=1))
    accepted = refer(team.amina, team.staff, team.lead, kind="MONEY", state="ACCEPTED")
    refer(team.amina, team.staff, team.lead, kind="HOUSING", state="CLOSED", settled_by=team.staff, **SETTLED)
    refer(team.charlie, team.other_staff, team.other_lead)

    first = record_download(membership=team.staff, at=NOW)
    later = NOW + timedelta(days=1)
    again = record_download(membership=team.staff, at=later)

    assert [row.id for row in first] == [row.id for row in again] == [waiting.pk, accepted.pk]
    assert set(Referral.objects.exclude(downloaded_at=None).values_list("pk", "downloaded_at")) == {
        (waiting.pk, NOW),
        (accepted.pk, NOW),
    }
    assert list(ReadLog.objects.order_by("pk").values_list("what", "at", "patient_ids")) == [
        ("coordinators:download", NOW, [team.amina.pk]),
        ("coordinators:download", later, [team.amina.pk]),
    ]


@pytest.mark.parametrize(
    ("patient", "referral", "is_told_where", "notice"),
    [
        ({}, {}, True, ""),
        ({"death_status": "FORMAL"}, {}, False, "has died"),
        ({"death_status": "INFORMAL"}, {}, True, "reported to have died"),
        ({}, {"state": "CLOSED", **SETTLED}, False, ""),
        ({}, {"state": "REJECTED", "rejection_reason": "DECLINED", **SETTLED}, False, ""),
    ],
)
def test_a_council_is_told_where_only_while_somebody_may_call(
    team: Team, patient: dict[str, Any], referral: dict[str, Any], is_told_where: bool, notice: str
) -> None:
    for name, value in patient.items():
        setattr(team.amina, name, value)
    team.amina.save()
    if "settled_at" in referral:
        referral = {**referral, "settled_by": team.staff}
    made = refer(team.amina, team.staff, team.lead, **referral)

    told = queries.for_council(queries.referrals_for(team.staff).get(pk=made.pk))

    contact = (told.address_lines, told.postcode, told.uprn, told.mobile, told.landline, told.email)
    assert all(contact) if is_told_where else not any(contact)
    assert notice in told.death_notice
    assert bool(told.death_notice) is bool(notice)


def test_a_referral_finds_its_council_once_the_postcode_is_known(team: Team) -> None:
    team.amina.postcode = "SM9 9ZZ"
    team.amina.save()
    lost = refer(team.amina, None, team.lead)
    assert find_authorities(at=NOW) == 0

    Postcode.objects.create(postcode="SM9 9ZZ", local_authority=team.staff.organisation.local_authority)
    find_referral_authorities.run()

    lost.refresh_from_db()
    assert lost.local_authority == team.staff.organisation.local_authority
    assert find_authorities(at=NOW) == 0


def test_a_restricted_persons_lost_referral_stays_lost(team: Team) -> None:
    refer(team.amina, None, team.lead)
    team.amina.is_restricted = True
    team.amina.save()

    assert find_authorities(at=NOW) == 0


def test_the_counts_of_the_ledger_add_up(team: Team) -> None:
    [waiting] = validated(team.practice)
    [_dead] = validated(team.practice, death_status="FORMAL")
    unserved = coordinator(team.practice).organisation
    assert unserved == team.practice
    refer(team.amina, team.staff, team.lead)
    refer(team.amina, team.staff, team.lead, state="ACCEPTED")
    refer(team.amina, None, team.lead)
    kept = refer(team.charlie, team.other_staff, team.other_lead)
    kept.delete()
    refer(team.charlie, team.other_staff, team.other_lead)
    team.charlie.is_restricted = True
    team.charlie.save()

    counts = queries.coordination_counts()

    assert counts == {
        "validated": 4,
        "with_coordinator": 2,
        "waiting_for_coordinator": 1,
        "died": 1,
        "at_practice_without_coordinator": 0,
        "needs": 5,
        "referrals": {"WAITING": 2, "ACCEPTED": 1, "CLOSED": 0, "REJECTED": 0},
        "needs_without_authority": 1,
        "needs_kept_by_coordinator": 1,
        "referrals_hidden": 1,
    }
    AssignmentFactory(patient=waiting, coordinator=team.lead)
    assert queries.coordination_counts()["waiting_for_coordinator"] == 0

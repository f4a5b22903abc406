"""What a practice decides, on real PostgreSQL."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cohort.actions.additions import AlreadyListed, Grounds, NoList, PersonHasDied, PersonNotFound, add_person
from cohort.actions.decisions import DetailNeeded, EntryChanged, ListSubmitted, NothingToUndo, confirm, remove, reopen
from cohort.actions.facts import record_fact
from cohort.actions.sign_off import PeopleLeft, submit_list
from cohort.models import ListEntry, ListFact, Patient
from cohort.queries.review import version
from cohort.rules import FactSource, RemovalReason, Request
from shielding.accounts.models import Membership
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import (
    NOW,
    Cast,
    MembershipFactory,
    OrganisationFactory,
    PatientFactory,
    PracticeListFactory,
)
from tests.cohort.validation.conftest import HUGO, HUGO_BORN

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def entry_of(patient: Patient) -> ListEntry:
    return ListEntry.objects.get(pk=patient.pk)


def do_confirm(patient: Patient, by: Membership, at: datetime = NOW, seen: str | None = None) -> ListEntry:
    return confirm(entry_id=patient.pk, by=by, at=at, seen=version(entry_of(patient)) if seen is None else seen)


def do_remove(patient: Patient, by: Membership, at: datetime = NOW, **kwargs: Any) -> ListEntry:
    wanted: dict[str, Any] = {"reason": RemovalReason.LOW_RISK, "detail": "", "is_patient_told": True, **kwargs}
    return remove(entry_id=patient.pk, by=by, at=at, **{"seen": version(entry_of(patient)), **wanted})


def do_reopen(patient: Patient, by: Membership, at: datetime = LATER) -> ListEntry:
    return reopen(entry_id=patient.pk, by=by, at=at, seen=version(entry_of(patient)))


def test_confirming_is_a_fact_of_the_gp_and_says_who_and_when(cast: Cast) -> None:
    entry = do_confirm(cast.amina, cast.staff)
    assert (entry.review_state, entry.reviewed_by, entry.reviewed_at) == ("CONFIRMED", cast.staff.user, NOW)
    assert entry.is_on_list
    fact = entry.because
    assert (fact.source, fact.request, fact.by, fact.organisation) == ("GP", "ADD", cast.staff.user, cast.practice)


def test_removing_takes_off_the_list_with_the_reason_and_whether_the_person_knows(cast: Cast) -> None:
    entry = do_remove(cast.bob, cast.gp, reason=RemovalReason.OTHER, detail="Emigrated", is_patient_told=False)
    assert not entry.is_on_list
    assert (entry.review_state, entry.removal_reason, entry.removal_detail) == ("REMOVED", "OTHER", "Emigrated")
    assert entry.is_patient_told is False
    assert (entry.because.request, entry.because.reason) == ("REMOVE", "Emigrated")
    assert entry.changed_at == NOW


@pytest.mark.parametrize("reason", [RemovalReason.OTHER, RemovalReason.ADDED_BY_MISTAKE])
def test_another_reason_must_be_said_and_a_mistake_is_not_a_reason_to_choose(cast: Cast, reason: RemovalReason) -> None:
    with pytest.raises(DetailNeeded):
        do_remove(cast.bob, cast.gp, reason=reason)
    assert entry_of(cast.bob).review_state == "TO_REVIEW"


def test_undoing_withdraws_the_fact_and_brings_back_to_review(cast: Cast) -> None:
    before = entry_of(cast.bob)
    do_remove(cast.bob, cast.gp)
    entry = do_reopen(cast.bob, cast.staff)
    assert (entry.review_state, entry.reviewed_by, entry.removal_reason) == ("TO_REVIEW", None, "")
    assert entry.is_on_list
    assert entry.because == before.because
    assert ListFact.objects.filter(patient=cast.bob).count() == 3  # hit, removal, withdrawal: all kept


def test_undoing_a_changed_mind_leaves_nothing_of_the_practice_standing(cast: Cast) -> None:
    do_confirm(cast.amina, cast.staff)
    do_remove(cast.amina, cast.gp, LATER)
    entry = do_reopen(cast.amina, cast.gp)
    assert (entry.review_state, entry.is_on_list, entry.because.source) == ("TO_REVIEW", True, "ALGORITHM")


def test_undoing_leaves_what_others_said(cast: Cast) -> None:
    hospital = OrganisationFactory(kind="HOSPITAL")
    record_fact(
        patient_id=cast.amina.pk,
        source=FactSource.HOSPITAL,
        request=Request.REMOVE,
        reason="Treatment over",
        at=NOW - timedelta(days=1),
        organisation=hospital,
    )
    do_confirm(cast.amina, cast.gp)
    entry = do_reopen(cast.amina, cast.gp)
    assert (entry.is_on_list, entry.because.organisation) == (False, hospital)


def test_there_is_nothing_to_undo_before_a_decision(cast: Cast) -> None:
    with pytest.raises(NothingToUndo):
        do_reopen(cast.amina, cast.gp)


def test_a_decision_made_on_an_old_page_is_refused_with_the_one_it_missed(cast: Cast) -> None:
    seen = version(entry_of(cast.bob))
    do_remove(cast.bob, cast.gp)
    with pytest.raises(EntryChanged) as caught:
        do_confirm(cast.bob, cast.staff, LATER, seen=seen)
    assert (caught.value.entry.reviewed_by, caught.value.entry.review_state) == (cast.gp.user, "REMOVED")
    assert not entry_of(cast.bob).is_on_list


def test_a_hospitals_request_since_the_page_was_made_is_seen_too(cast: Cast) -> None:
    seen = version(entry_of(cast.bob))
    record_fact(
        patient_id=cast.bob.pk, source=FactSource.HOSPITAL, request=Request.REMOVE, reason="Treatment over", at=NOW
    )
    with pytest.raises(EntryChanged):
        do_confirm(cast.bob, cast.staff, LATER, seen=seen)


def test_pressing_the_button_twice_decides_once(cast: Cast) -> None:
    seen = version(entry_of(cast.amina))
    first = do_confirm(cast.amina, cast.gp, NOW, seen)
    assert do_confirm(cast.amina, cast.gp, LATER, seen).reviewed_at == first.reviewed_at
    seen = version(entry_of(cast.bob))
    do_remove(cast.bob, cast.gp, seen=seen)
    do_remove(cast.bob, cast.gp, LATER, seen=seen)
    assert ListFact.objects.filter(source="GP").count() == 2


@pytest.mark.parametrize("do", [do_confirm, do_remove, do_reopen])
def test_another_practices_person_does_not_exist(cast: Cast, do: Callable[..., ListEntry]) -> None:
    with pytest.raises(ListEntry.DoesNotExist):
        do(cast.charlie, cast.gp)
    assert entry_of(cast.charlie).review_state == "TO_REVIEW"


def test_somebody_who_has_moved_to_another_practice_is_out_of_reach(cast: Cast) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(practice=cast.other_practice)
    with pytest.raises(ListEntry.DoesNotExist):
        do_confirm(cast.amina, cast.gp)


@pytest.mark.parametrize("role", ["COORDINATOR", "LA_STAFF", "CENTRAL_OPERATOR", "ADMINISTRATOR"])
def test_only_practice_staff_and_gps_decide(cast: Cast, role: str) -> None:
    with pytest.raises(NotAllowed):
        do_confirm(cast.amina, MembershipFactory(organisation=cast.practice, role=role))


# Signing off


def test_a_gp_signs_off_a_list_when_everybody_is_reviewed(cast: Cast) -> None:
    do_confirm(cast.amina, cast.staff)
    do_remove(cast.bob, cast.gp)
    signed = submit_list(list_id=cast.practice_list.pk, by=cast.gp, at=LATER)
    assert (signed.submitted_at, signed.submitted_by) == (LATER, cast.gp.user)
    with pytest.raises(ListSubmitted):
        submit_list(list_id=cast.practice_list.pk, by=cast.gp, at=LATER)


def test_a_list_with_people_left_says_how_many_and_stays_as_it_is(cast: Cast) -> None:
    do_confirm(cast.amina, cast.gp)
    with pytest.raises(PeopleLeft) as caught:
        submit_list(list_id=cast.practice_list.pk, by=cast.gp, at=LATER)
    assert caught.value.count == 1
    cast.practice_list.refresh_from_db()
    assert cast.practice_list.submitted_at is None
    assert entry_of(cast.bob).review_state == "TO_REVIEW"


def test_staff_do_not_sign_off_and_nobody_signs_off_anothers_list(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        submit_list(list_id=cast.practice_list.pk, by=cast.staff, at=NOW)
    with pytest.raises(cast.other_list.DoesNotExist):
        submit_list(list_id=cast.other_list.pk, by=cast.gp, at=NOW)


def test_after_signing_off_only_a_gp_changes_a_decision_and_nobody_undoes_one(
    cast: Cast, register: Callable[..., None]
) -> None:
    do_confirm(cast.amina, cast.staff)
    do_remove(cast.bob, cast.gp)
    submit_list(list_id=cast.practice_list.pk, by=cast.gp, at=LATER)
    with pytest.raises(NotAllowed):
        do_remove(cast.amina, cast.staff)
    with pytest.raises(ListSubmitted):
        do_reopen(cast.amina, cast.gp)
    register(cast.practice)
    with pytest.raises(NotAllowed):
        add_person(nhs_number=HUGO, birth_date=HUGO_BORN, grounds=Grounds("Known"), by=cast.staff, at=LATER)
    assert not do_remove(cast.amina, cast.gp).is_on_list


# Adding


def add_hugo(by: Membership, reason: str = "Takes a hospital-only medicine", at: datetime = NOW) -> ListEntry:
    return add_person(nhs_number=HUGO, birth_date=HUGO_BORN, grounds=Grounds(reason), by=by, at=at)


def test_a_registered_person_is_added_with_the_reason_and_the_extracts_details(
    cast: Cast, register: Callable[..., None]
) -> None:
    register(cast.practice)
    entry = add_hugo(cast.staff)
    assert (entry.review_state, entry.is_on_list, entry.is_flagged) == ("ADDED", True, False)
    assert entry.practice_list == cast.practice_list
    assert (entry.because.source, entry.because.reason) == ("GP", "Takes a hospital-only medicine")
    hugo = entry.patient
    assert (hugo.practice, hugo.mobile, hugo.as_at) == (cast.practice, "07700900456", date(2020, 3, 14))


def test_people_are_added_to_the_list_of_the_newest_search(cast: Cast, register: Callable[..., None]) -> None:
    newer = PracticeListFactory(practice=cast.practice, run__requested_at=NOW)
    register(cast.practice)
    assert add_hugo(cast.gp).practice_list == newer


def test_whoever_is_registered_elsewhere_or_nowhere_is_not_found(cast: Cast, register: Callable[..., None]) -> None:
    with pytest.raises(PersonNotFound):
        add_hugo(cast.gp)
    register(cast.other_practice)
    with pytest.raises(PersonNotFound):
        add_hugo(cast.gp)
    with pytest.raises(PersonNotFound):
        add_person(
            nhs_number=cast.charlie.nhs_number,
            birth_date=cast.charlie.birth_date,
            grounds=Grounds("x"),
            by=cast.gp,
            at=NOW,
        )
    assert ListFact.objects.filter(source="GP").count() == 0


def test_a_wrong_date_of_birth_finds_nobody(cast: Cast, register: Callable[..., None]) -> None:
    register(cast.practice)
    with pytest.raises(PersonNotFound):
        add_person(nhs_number=HUGO, birth_date=date(1970, 9, 1), grounds=Grounds("x"), by=cast.gp, at=NOW)


def test_nobody_is_added_twice_or_over_a_decision(cast: Cast, register: Callable[..., None]) -> None:
    register(cast.practice)
    add_hugo(cast.gp)
    do_remove(Patient.objects.get(nhs_number=HUGO), cast.gp, LATER)
    with pytest.raises(AlreadyListed) as caught:
        add_hugo(cast.staff)
    assert caught.value.entry.review_state == "REMOVED"
    assert not caught.value.entry.is_on_list


def test_somebody_whose_death_is_registered_is_not_added(cast: Cast, register: Callable[..., None]) -> None:
    register(cast.practice, death_status="FORMAL", death_date=date(2019, 12, 1))
    with pytest.raises(PersonHasDied):
        add_hugo(cast.gp)
    assert not Patient.objects.filter(nhs_number=HUGO).exists()


def test_a_practice_without_a_list_adds_nobody(register: Callable[..., None]) -> None:
    by = MembershipFactory()
    register(by.organisation)
    with pytest.raises(NoList):
        add_hugo(by)


def test_somebody_who_came_from_another_practice_comes_onto_this_ones_list(
    cast: Cast, register: Callable[..., None]
) -> None:
    register(cast.practice, nhs_number=cast.charlie.nhs_number, birth_date=cast.charlie.birth_date)
    entry = add_person(
        nhs_number=cast.charlie.nhs_number,
        birth_date=cast.charlie.birth_date,
        grounds=Grounds("New here"),
        by=cast.gp,
        at=NOW,
    )
    assert (entry.practice_list, entry.patient.practice) == (cast.practice_list, cast.practice)
    assert (entry.review_state, entry.is_on_list) == ("CONFIRMED", True)


def test_an_older_extract_does_not_fetch_somebody_back(cast: Cast, register: Callable[..., None]) -> None:
    PatientFactory(
        nhs_number=HUGO, birth_date=HUGO_BORN, practice=cast.other_practice, as_at=date(2020, 3, 19), mobile="1"
    )
    register(cast.practice, as_at=date(2020, 3, 14))
    with pytest.raises(PersonNotFound):
        add_hugo(cast.gp)


def test_undoing_an_addition_takes_the_person_off_as_added_by_mistake(
    cast: Cast, register: Callable[..., None]
) -> None:
    register(cast.practice)
    hugo = add_hugo(cast.staff).patient
    entry = do_reopen(hugo, cast.staff)
    assert (entry.review_state, entry.removal_reason, entry.is_on_list) == ("REMOVED", "ADDED_BY_MISTAKE", False)
    with pytest.raises(NothingToUndo):
        do_reopen(hugo, cast.staff)
    again = do_confirm(hugo, cast.gp, LATER)
    assert (again.review_state, again.is_on_list) == ("ADDED", True)


def test_undoing_the_removal_of_an_added_person_adds_them_again(cast: Cast, register: Callable[..., None]) -> None:
    register(cast.practice)
    hugo = add_hugo(cast.staff).patient
    do_remove(hugo, cast.gp, LATER)
    entry = do_reopen(hugo, cast.staff)
    assert (entry.review_state, entry.removal_reason, entry.is_on_list) == ("ADDED", "", True)


def test_an_addition_that_a_search_finds_later_goes_back_to_review_when_undone(
    cast: Cast, register: Callable[..., None]
) -> None:
    register(cast.practice)
    entry = add_hugo(cast.staff)
    record_fact(
        patient_id=entry.pk,
        source=FactSource.ALGORITHM,
        request=Request.ADD,
        reason="",
        at=LATER,
        run=cast.run,
    )
    ListEntry.objects.filter(pk=entry.pk).update(is_flagged=True)
    entry = do_reopen(entry.patient, cast.gp)
    assert (entry.review_state, entry.is_on_list) == ("TO_REVIEW", True)

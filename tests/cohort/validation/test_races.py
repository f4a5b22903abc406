"""Two people at once, on real PostgreSQL: nobody's decision is overwritten unseen."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from cohort.actions.additions import AlreadyListed, Grounds, add_person
from cohort.actions.bulk import confirm_together
from cohort.actions.decisions import EntryChanged, ListSubmitted, confirm, remove, reopen
from cohort.actions.sign_off import PeopleLeft, submit_list
from cohort.models import ListEntry, ListFact, Patient
from cohort.queries.review import version
from cohort.rules import RemovalReason
from tests.cohort.factories import NOW, Cast, make_cast
from tests.cohort.validation.conftest import HUGO, HUGO_BORN

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Runs the calls in a thread each, let go together; returns what each returned or raised."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait()
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("_again", range(5))
def test_of_two_people_who_decide_at_once_one_wins_and_the_other_is_told(cast: Cast, _again: int) -> None:
    seen = version(ListEntry.objects.get(pk=cast.amina.pk))
    results = at_once(
        lambda: confirm(entry_id=cast.amina.pk, by=cast.staff, at=NOW, seen=seen),
        lambda: remove(
            entry_id=cast.amina.pk,
            reason=RemovalReason.LOW_RISK,
            detail="",
            is_patient_told=True,
            by=cast.gp,
            at=NOW,
            seen=seen,
        ),
    )
    (winner,) = [result for result in results if isinstance(result, ListEntry)]
    (loser,) = [result for result in results if isinstance(result, EntryChanged)]
    assert (loser.entry.review_state, loser.entry.reviewed_by_id) == (winner.review_state, winner.reviewed_by_id)
    entry = ListEntry.objects.get(pk=cast.amina.pk)
    assert entry.is_on_list is (entry.review_state == "CONFIRMED")
    assert ListFact.objects.filter(patient=cast.amina, source="GP").count() == 1


def test_two_who_undo_at_once_undo_once(cast: Cast) -> None:
    seen = version(ListEntry.objects.get(pk=cast.amina.pk))
    decided = confirm(entry_id=cast.amina.pk, by=cast.gp, at=NOW, seen=seen)
    results = at_once(
        *[
            lambda by=by: reopen(entry_id=cast.amina.pk, by=by, at=NOW, seen=version(decided))
            for by in (cast.gp, cast.staff)
        ]
    )
    assert sorted(type(result).__name__ for result in results) == ["EntryChanged", "ListEntry"]
    assert ListFact.objects.filter(patient=cast.amina).exclude(withdraws=None).count() == 1


@pytest.mark.parametrize("_again", range(5))
def test_a_list_signed_off_while_somebody_undoes_has_nobody_left_to_review(cast: Cast, _again: int) -> None:
    for patient in (cast.amina, cast.bob):
        seen = version(ListEntry.objects.get(pk=patient.pk))
        decided = confirm(entry_id=patient.pk, by=cast.gp, at=NOW, seen=seen)
    results = at_once(
        lambda: submit_list(list_id=cast.practice_list.pk, by=cast.gp, at=NOW),
        lambda: reopen(entry_id=cast.bob.pk, by=cast.gp, at=NOW, seen=version(decided)),
    )
    cast.practice_list.refresh_from_db()
    is_signed = cast.practice_list.submitted_at is not None
    left = ListEntry.objects.filter(practice_list=cast.practice_list, review_state="TO_REVIEW").count()
    assert (is_signed, left) in {(True, 0), (False, 1)}
    assert sum(isinstance(result, ListSubmitted | PeopleLeft) for result in results) == 1


def test_two_who_add_the_same_person_at_once_add_them_once(cast: Cast, register: Callable[..., None]) -> None:
    register(cast.practice)
    results = at_once(
        *[
            lambda by=by: add_person(nhs_number=HUGO, birth_date=HUGO_BORN, grounds=Grounds("Known"), by=by, at=NOW)
            for by in (cast.gp, cast.staff)
        ]
    )
    assert sorted(type(result).__name__ for result in results) == ["AlreadyListed", "ListEntry"]
    assert any(isinstance(result, AlreadyListed) for result in results)
    assert Patient.objects.filter(nhs_number=HUGO).count() == 1
    assert ListFact.objects.filter(patient__nhs_number=HUGO).count() == 1


@pytest.mark.parametrize("_again", range(3))
def test_of_two_who_confirm_the_same_people_together_one_does_and_the_other_is_told(cast: Cast, _again: int) -> None:
    seen = {patient.pk: version(ListEntry.objects.get(pk=patient.pk)) for patient in (cast.amina, cast.bob)}
    turned = dict(reversed(seen.items()))
    receipts = at_once(
        lambda: confirm_together(list_id=cast.practice_list.pk, seen=seen, by=cast.gp, at=NOW),
        lambda: confirm_together(list_id=cast.practice_list.pk, seen=turned, by=cast.staff, at=NOW),
    )
    assert sorted(len(receipt.confirmed) for receipt in receipts) == [0, 2]
    assert sorted(len(receipt.refused) for receipt in receipts) == [0, 2]
    assert ListFact.objects.filter(source="GP").count() == 2


@pytest.mark.parametrize("_again", range(3))
def test_somebody_confirmed_with_others_and_removed_at_once_is_decided_once(cast: Cast, _again: int) -> None:
    seen = {patient.pk: version(ListEntry.objects.get(pk=patient.pk)) for patient in (cast.amina, cast.bob)}
    receipt, removed = at_once(
        lambda: confirm_together(list_id=cast.practice_list.pk, seen=seen, by=cast.gp, at=NOW),
        lambda: remove(
            entry_id=cast.bob.pk,
            reason=RemovalReason.LOW_RISK,
            detail="",
            is_patient_told=True,
            by=cast.staff,
            at=NOW,
            seen=seen[cast.bob.pk],
        ),
    )
    bob = ListEntry.objects.get(pk=cast.bob.pk)
    if isinstance(removed, EntryChanged):
        assert (bob.review_state, cast.bob.pk in receipt.confirmed) == ("CONFIRMED", True)
    else:
        assert (bob.review_state, receipt.refused) == ("REMOVED", {str(cast.bob.pk): "DECIDED_SINCE"})
    assert bob.is_on_list is (bob.review_state == "CONFIRMED")
    assert ListFact.objects.filter(source="GP", patient=cast.bob).count() == 1

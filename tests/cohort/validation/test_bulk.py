"""People confirmed together: as if each had been confirmed, with a receipt of everybody, and one undo."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cohort.actions.bulk import MOST_AT_ONCE, AlreadyUndone, TooMany, confirm_together, undo_together
from cohort.actions.decisions import ListSubmitted, confirm, remove
from cohort.actions.facts import record_fact
from cohort.models import BulkReceipt, ListEntry, ListFact, Patient, PracticeList, ReviewQuery
from cohort.queries.review import version
from cohort.rules import FactSource, RemovalReason, Request
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from tests.cohort.factories import NOW, Cast, ListEntryFactory, MembershipFactory, fill_list
from tests.cohort.validation.pages import SignIn, entry_of, list_url, read

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def seen_of(*patients: Patient) -> dict[Any, str]:
    return {patient.pk: version(entry_of(patient)) for patient in patients}


def together(cast: Cast, *patients: Patient, **other: Any) -> BulkReceipt:
    return confirm_together(
        list_id=cast.practice_list.pk, **{"seen": seen_of(*patients), "by": cast.gp, "at": NOW, **other}
    )


def test_each_is_confirmed_as_one_by_one(cast: Cast) -> None:
    receipt = together(cast, cast.amina, cast.bob)
    assert set(receipt.confirmed) == {cast.amina.pk, cast.bob.pk}
    for patient in (cast.amina, cast.bob):
        entry = entry_of(patient)
        assert (entry.review_state, entry.reviewed_at, entry.reviewed_by) == ("CONFIRMED", NOW, cast.gp.user)
        because = entry.because
        assert because is not None
        assert (entry.is_on_list, because.source, because.at) == (True, "GP", NOW)
        assert because.organisation == cast.practice
    assert not receipt.refused


def test_a_later_request_of_a_hospital_still_decides(cast: Cast) -> None:
    record_fact(patient_id=cast.bob.pk, source=FactSource.HOSPITAL, request=Request.REMOVE, reason="Not ours", at=LATER)
    together(cast, cast.amina, cast.bob)
    bob = entry_of(cast.bob)
    assert bob.because is not None
    assert (bob.review_state, bob.is_on_list, bob.because.source) == ("CONFIRMED", False, "HOSPITAL")
    assert entry_of(cast.amina).is_on_list


def test_who_is_not_confirmed_stays_as_they_were_and_the_receipt_says_why(cast: Cast) -> None:
    decided, dead, elsewhere = (ListEntryFactory(practice_list=cast.practice_list).patient for _ in range(3))
    seen = seen_of(cast.amina, cast.bob, decided, dead, elsewhere, cast.charlie)
    remove(
        entry_id=decided.pk,
        reason=RemovalReason.LOW_RISK,
        detail="",
        is_patient_told=True,
        by=cast.staff,
        at=NOW,
        seen=seen[decided.pk],
    )
    ReviewQuery.objects.create(
        patient=cast.bob, practice=cast.practice, question="Still so?", asked_at=NOW, asked_by=cast.staff.user
    )
    Patient.objects.filter(pk=dead.pk).update(death_status="INFORMAL")
    Patient.objects.filter(pk=elsewhere.pk).update(practice=cast.other_practice)
    stranger = uuid4()
    receipt = together(cast, seen=seen | {stranger: "x"})
    assert receipt.confirmed == [cast.amina.pk]
    assert receipt.refused == {
        str(decided.pk): "DECIDED_SINCE",
        str(cast.bob.pk): "QUESTION_OPEN",
        str(dead.pk): "DIED",
        str(elsewhere.pk): "NOT_ON_LIST",
        str(cast.charlie.pk): "NOT_ON_LIST",
        str(stranger): "NOT_ON_LIST",
    }
    assert entry_of(decided).review_state == "REMOVED"
    assert entry_of(cast.charlie).review_state == "TO_REVIEW"


def test_a_version_from_before_another_decision_confirms_nobody(cast: Cast) -> None:
    receipt = together(cast, seen={cast.amina.pk: "TO_REVIEW//0"})
    assert (receipt.confirmed, receipt.refused) == ([], {str(cast.amina.pk): "DECIDED_SINCE"})


def test_an_undo_brings_back_whoever_nobody_has_decided_again(cast: Cast) -> None:
    receipt = together(cast, cast.amina, cast.bob)
    remove(
        entry_id=cast.bob.pk,
        reason=RemovalReason.LOW_RISK,
        detail="",
        is_patient_told=True,
        by=cast.staff,
        at=LATER,
        seen=version(entry_of(cast.bob)),
    )
    undone = undo_together(receipt_id=receipt.pk, by=cast.staff, at=LATER)
    assert (undone.undone_by, undone.kept) == (cast.staff.user, [cast.bob.pk])
    amina = entry_of(cast.amina)
    assert (amina.review_state, amina.reviewed_at, amina.is_on_list) == ("TO_REVIEW", None, True)
    assert amina.because is not None
    assert amina.because.source == "ALGORITHM"
    assert entry_of(cast.bob).review_state == "REMOVED"
    with pytest.raises(AlreadyUndone):
        undo_together(receipt_id=receipt.pk, by=cast.gp, at=LATER)


def test_what_was_confirmed_on_a_signed_off_list_is_not_undone(cast: Cast) -> None:
    receipt = together(cast, cast.amina, cast.bob)
    PracticeList.objects.filter(pk=cast.practice_list.pk).update(submitted_at=NOW, submitted_by=cast.gp.user)
    with pytest.raises(ListSubmitted):
        undo_together(receipt_id=receipt.pk, by=cast.gp, at=LATER)


def test_only_the_practice_may_and_never_too_many(cast: Cast) -> None:
    with pytest.raises(PracticeList.DoesNotExist):
        together(cast, by=cast.other_gp)
    with pytest.raises(NotAllowed):
        together(cast, by=MembershipFactory(organisation=cast.practice, role="COORDINATOR"))
    with pytest.raises(TooMany):
        together(cast, seen={uuid4(): "" for _ in range(MOST_AT_ONCE + 1)})
    receipt = together(cast, cast.amina)
    with pytest.raises(BulkReceipt.DoesNotExist):
        undo_together(receipt_id=receipt.pk, by=cast.other_gp, at=NOW)


def test_two_hundred_take_as_many_statements_as_two(cast: Cast) -> None:
    fill_list(cast.practice_list, 200)
    many = [row.patient for row in ListEntry.objects.filter(practice_list=cast.practice_list).select_related("patient")]
    seen = [seen_of(cast.amina, cast.bob), seen_of(*(p for p in many if p not in (cast.amina, cast.bob)))]

    def statements(do: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            do()
        return len(captured)

    few, lot = (statements(lambda each=each: together(cast, seen=each)) for each in seen)
    assert few == lot
    assert ListFact.objects.filter(source="GP").count() == 202


def test_a_selection_is_confirmed_and_undone_from_the_pages(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    page = client.get(list_url(cast, select="page"))
    assert page.content.count(b" checked>") == 2
    picks = [f"{pk} {seen}" for pk, seen in seen_of(cast.amina, cast.bob).items()]
    confirm(entry_id=cast.bob.pk, by=cast.staff, at=NOW, seen=version(entry_of(cast.bob)))
    url = reverse("cohort:bulk_confirm", args=[cast.practice_list.pk])
    receipt = client.post(url, {"pick": picks}, follow=True)
    words = read(receipt)
    assert "1 person confirmed together" in words
    assert "Marsh, Bob" in words
    assert "Not confirmed: decided or changed since the page was shown" in words
    row = BulkReceipt.objects.get()
    assert set(ReadLog.objects.get(what="cohort:receipt").patient_ids) == {cast.amina.pk, cast.bob.pk}
    undo = reverse("cohort:undo_receipt", args=[cast.practice_list.pk, row.pk])
    assert "Undone: 1 person is to be reviewed." in read(client.post(undo, follow=True))
    assert "A colleague has undone this already." in read(client.post(undo, follow=True))
    assert entry_of(cast.amina).review_state == "TO_REVIEW"


@pytest.mark.parametrize("pick", [[], ["nonsense"], ["' OR 1=1"]])
def test_nobody_selected_is_told(cast: Cast, sign_in: SignIn, pick: list[str]) -> None:
    url = reverse("cohort:bulk_confirm", args=[cast.practice_list.pk])
    assert "Nobody was selected" in read(sign_in(cast.gp).post(url, {"pick": pick}, follow=True))


def test_the_receipts_and_selections_of_others_do_not_exist(cast: Cast, sign_in: SignIn) -> None:
    receipt = together(cast, cast.amina)
    client = sign_in(cast.other_gp)
    args = [cast.practice_list.pk, receipt.pk]
    assert client.get(reverse("cohort:receipt", args=args)).status_code == 404
    assert client.post(reverse("cohort:undo_receipt", args=args)).status_code == 404
    assert client.post(reverse("cohort:bulk_confirm", args=args[:1]), {"pick": [str(cast.bob.pk)]}).status_code == 404
    assert entry_of(cast.amina).review_state == "CONFIRMED"


def test_the_dead_cannot_be_selected_nor_anybody_on_another_tab(cast: Cast, sign_in: SignIn) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(death_status="FORMAL")
    client = sign_in(cast.gp)
    assert client.get(list_url(cast)).content.count(b'name="pick"') == 1
    assert b'name="pick"' not in client.get(list_url(cast, tab="confirmed")).content

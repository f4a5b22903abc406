"""Units' lists on the real list: domain, section 5, row by row, with what the practice sees and what it may undo."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from cohort.actions import decisions
from cohort.actions.facts import record_fact
from cohort.actions.hospitals import lists
from cohort.hospital_lists import UnusableList, check_rows
from cohort.matching import RowState
from cohort.models import HospitalList, HospitalRow, ListEntry, ListFact, Patient, PracticeList
from cohort.queries import hospitals as queries
from cohort.queries.review import version
from cohort.rules import FactSource, RemovalReason, Request
from shielding.accounts.models import Organisation
from shielding.accounts.policies import NotAllowed
from shielding.ledger import ledger
from tests.cohort.factories import NOW, ListEntryFactory, PracticeListFactory
from tests.cohort.hospitals.scene import AMINA, BOB, DORA, STRANGER, TODAY, Scene, entry_of, make_scene

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


@pytest.fixture
def scene(db: None, settings: Any) -> Scene:
    return make_scene(settings)


def listed(scene: Scene, number: str = AMINA, **fields: Any) -> ListEntry:
    """Somebody whom the search flagged, on the practice's list."""
    return ListEntryFactory(
        practice_list=scene.practice_list, patient__nhs_number=number, patient__unsafe_channels=["LETTER"], **fields
    )


def remove(scene: Scene, number: str, at: Any) -> None:
    entry = entry_of(number)
    decisions.remove(
        entry_id=entry.pk,
        reason=RemovalReason.LOW_RISK,
        detail="",
        is_patient_told=True,
        by=scene.gp,
        at=at,
        seen=version(entry),
    )


def confirm(scene: Scene, number: str, at: Any) -> None:
    entry = entry_of(number)
    decisions.confirm(entry_id=entry.pk, by=scene.gp, at=at, seen=version(entry))


def outcome_of(scene: Scene, sent: HospitalList) -> str:
    return queries.outcome(queries.row(scene.staff, scene.only_row(sent).pk))


def test_an_addition_comes_on_the_list_and_its_practice_sees_who_and_why(scene: Scene) -> None:
    sent = scene.send(scene.row(disease_group="Renal dialysis", hospital_medicine="eculizumab"))
    row = scene.only_row(sent)
    assert (sent.state, row.state) == ("SENT", RowState.TAKEN)
    entry = entry_of(AMINA)
    assert (entry.is_on_list, entry.is_flagged, entry.review_state) == (True, False, "ADDED")
    assert (entry.practice_list, entry.listed_at, entry.reviewed_by) == (scene.practice_list, NOW, scene.staff.user)
    assert entry.because == row.fact
    assert row.fact is not None
    assert (row.fact.source, row.fact.organisation, row.fact.by) == ("HOSPITAL", scene.unit, scene.staff.user)
    (said,) = queries.said_by_hospitals(scene.gp, entry.pk)
    assert (said.unit, said.request, said.reason, said.medicine) == (scene.unit, "ADD", "On dialysis", "eculizumab")
    assert outcome_of(scene, sent) == "ON_LIST"
    assert ledger().differences == []


# (what was said before, by whom, what the unit asks, on the list afterwards): domain, section 5.
TABLE = [
    ([], "add", True),
    ([("ALGORITHM", "ADD")], "add", True),
    ([("GP", "REMOVE")], "add", True),
    ([("GP", "ADD")], "add", True),
    ([("PATIENT", "REMOVE")], "add", True),
    ([], "remove", False),
    ([("ALGORITHM", "ADD")], "remove", False),
    ([("RISK_MODEL", "ADD")], "remove", False),
    ([("GP", "ADD")], "remove", False),
    ([("GP", "REMOVE")], "remove", False),
    ([("ALGORITHM", "ADD"), ("GP", "REMOVE")], "add", True),
    ([("ALGORITHM", "ADD"), ("GP", "ADD")], "remove", False),
]


@pytest.mark.parametrize(("before", "action", "is_on_list"), TABLE)
def test_the_decision_table(scene: Scene, before: list[tuple[str, str]], action: str, is_on_list: bool) -> None:
    if before:
        listed(scene, because=None, is_on_list=False)
        patient = Patient.objects.get(nhs_number=AMINA)
        for days, (source, request) in enumerate(before, start=-5):
            record_fact(
                patient_id=patient.pk,
                source=FactSource(source),
                request=Request(request),
                reason="",
                at=NOW + timedelta(days=days),
                run=scene.practice_list.run if source == "ALGORITHM" else None,
            )
    scene.send(scene.row(action=action))
    assert ListEntry.objects.filter(patient__nhs_number=AMINA, is_on_list=True).exists() is is_on_list
    fact = ListFact.objects.get(source="HOSPITAL")
    assert fact.request == ("ADD" if action == "add" else "REMOVE")


def test_a_subtraction_of_somebody_not_on_the_list_keeps_them_off_when_a_search_finds_them(scene: Scene) -> None:
    scene.send(scene.row(action="remove"))
    assert not ListEntry.objects.exists()
    patient = Patient.objects.get()
    ListEntryFactory(practice_list=scene.practice_list, patient=patient, because=None)
    record_fact(
        patient_id=patient.pk,
        source=FactSource.ALGORITHM,
        request=Request.ADD,
        reason="",
        at=LATER,
        run=scene.practice_list.run,
    )
    assert not entry_of(AMINA).is_on_list


def test_a_gps_later_removal_wins_and_the_unit_sees_it(scene: Scene) -> None:
    sent = scene.send(scene.row())
    remove(scene, AMINA, LATER)
    assert not entry_of(AMINA).is_on_list
    assert outcome_of(scene, sent) == "OVERRULED"


def test_against_a_practices_decision_the_request_stands_and_the_practice_looks_again(scene: Scene) -> None:
    listed(scene)
    remove(scene, AMINA, NOW)
    scene.send(scene.row(), at=LATER)
    entry = entry_of(AMINA)
    assert (entry.is_on_list, entry.review_state) == (True, "REMOVED")
    assert (entry.recheck, entry.recheck_at) == ("HOSPITAL_DISAGREES", LATER)
    listed(scene, BOB)
    confirm(scene, BOB, NOW)
    scene.send(scene.row(BOB, action="remove"), at=LATER)
    assert (entry_of(BOB).is_on_list, entry_of(BOB).recheck) == (False, "HOSPITAL_DISAGREES")


def test_with_a_practices_decision_nobody_looks_again(scene: Scene) -> None:
    listed(scene)
    confirm(scene, AMINA, NOW)
    scene.send(scene.row(), at=LATER)
    assert (entry_of(AMINA).recheck, entry_of(AMINA).review_state) == ("", "CONFIRMED")


def test_whoever_a_search_found_is_still_for_their_practice_to_review(scene: Scene) -> None:
    listed(scene)
    scene.send(scene.row())
    assert (entry_of(AMINA).review_state, entry_of(AMINA).is_on_list) == ("TO_REVIEW", True)


def test_somebody_who_had_lapsed_is_to_be_reviewed_again_on_an_open_list(scene: Scene) -> None:
    old = PracticeListFactory(practice=scene.practice, submitted_at=NOW, submitted_by=scene.gp.user)
    ListEntryFactory(
        practice_list=old, patient__nhs_number=AMINA, because=None, is_on_list=False, review_state="LAPSED"
    )
    scene.send(scene.row())
    assert (entry_of(AMINA).review_state, entry_of(AMINA).practice_list) == ("TO_REVIEW", scene.practice_list)


def test_a_practice_without_a_list_gets_one(scene: Scene) -> None:
    PracticeList.objects.all().delete()
    scene.send(scene.row(), scene.row(BOB))
    assert entry_of(AMINA).practice_list == PracticeList.objects.get(practice=scene.practice)


def test_the_unit_takes_off_whom_it_added_and_puts_them_back(scene: Scene) -> None:
    scene.send(scene.row())
    scene.send(scene.row(action="remove"), at=LATER)
    entry = entry_of(AMINA)
    assert (entry.is_on_list, entry.review_state, entry.is_patient_told, entry.recheck) == (False, "REMOVED", False, "")
    assert entry.removal_detail == "Taken off by St Anselm's Renal Unit"
    scene.send(scene.row(), at=LATER + timedelta(days=1))
    assert (entry_of(AMINA).is_on_list, entry_of(AMINA).review_state) == (True, "ADDED")
    assert ledger().differences == []


def test_two_units_ask_and_the_later_wins(scene: Scene) -> None:
    scene.send(scene.row())
    scene.send(scene.row(action="remove"), by=scene.other_staff, at=LATER)
    assert not entry_of(AMINA).is_on_list
    assert len(queries.said_by_hospitals(scene.gp, entry_of(AMINA).pk)) == 2


def test_what_was_said_already_makes_no_new_fact_unless_somebody_went_against_it(scene: Scene) -> None:
    first = scene.send(scene.row())
    again = scene.send(scene.row(), scene.row(), at=LATER)
    assert list(again.rows.values_list("state", "fact")) == [("SAID_ALREADY", scene.only_row(first).fact_id)] * 2
    assert ListFact.objects.count() == 1
    remove(scene, AMINA, LATER)
    later = scene.send(scene.row(), at=LATER + timedelta(days=1))
    assert scene.only_row(later).state == RowState.TAKEN
    assert entry_of(AMINA).is_on_list


def test_a_withdrawn_row_recomputes_the_person(scene: Scene) -> None:
    sent = scene.send(scene.row())
    row = scene.only_row(sent)
    lists.withdraw_row(row_id=row.pk, reason="Wrong patient", by=scene.staff, at=LATER)
    entry = entry_of(AMINA)
    assert (entry.is_on_list, entry.review_state, entry.removal_reason) == (False, "REMOVED", "ADDED_BY_MISTAKE")
    assert outcome_of(scene, sent) == "WITHDRAWN"
    with pytest.raises(lists.AlreadyWithdrawn):
        lists.withdraw_row(row_id=row.pk, reason="Again", by=scene.staff, at=LATER)
    assert ledger().differences == []


def test_withdrawing_a_subtraction_puts_back_whom_the_search_finds(scene: Scene) -> None:
    listed(scene)
    row = scene.only_row(scene.send(scene.row(action="remove")))
    assert not entry_of(AMINA).is_on_list
    lists.withdraw_row(row_id=row.pk, reason="Wrong patient", by=scene.staff, at=LATER)
    assert (entry_of(AMINA).is_on_list, entry_of(AMINA).review_state) == (True, "TO_REVIEW")


def test_an_earlier_removal_of_the_gps_stands_again_once_the_row_is_withdrawn(scene: Scene) -> None:
    listed(scene)
    remove(scene, AMINA, NOW)
    row = scene.only_row(scene.send(scene.row(), at=LATER))
    lists.withdraw_row(row_id=row.pk, reason="Wrong patient", by=scene.staff, at=LATER + timedelta(days=1))
    assert (entry_of(AMINA).is_on_list, entry_of(AMINA).removal_reason) == (False, "LOW_RISK")


def test_the_dead_are_not_added(scene: Scene) -> None:
    sent = scene.send(scene.row(DORA))
    assert scene.only_row(sent).state == RowState.DIED
    assert not ListEntry.objects.exists()
    assert outcome_of(scene, sent) == "DIED"


def test_whoever_is_not_found_is_told_and_the_others_count(scene: Scene) -> None:
    sent = scene.send(scene.row(STRANGER, family_name="Nobody", birth_date="1990-01-01"), scene.row())
    assert list(sent.rows.order_by("number").values_list("state", flat=True)) == ["NOT_FOUND", "TAKEN"]


def test_somebody_of_a_practice_that_is_not_known_here_is_not_found(scene: Scene) -> None:
    Organisation.objects.filter(pk=scene.practice.pk).update(code="Z90009")
    assert scene.only_row(scene.send(scene.row())).state == RowState.NOT_FOUND


def doubtful(scene: Scene) -> HospitalRow:
    row = scene.only_row(scene.send(scene.row(birth_date="1961-02-15")))
    assert row.state == RowState.DOUBTFUL
    assert not ListFact.objects.exists()
    return row


def test_a_doubtful_row_counts_once_a_person_says_who_is_meant(scene: Scene) -> None:
    row = doubtful(scene)
    with pytest.raises(lists.NoSuchCandidate):
        lists.decide_row(row_id=row.pk, nhs_number=STRANGER, by=scene.staff, at=LATER)
    decided = lists.decide_row(row_id=row.pk, nhs_number=AMINA, by=scene.staff, at=LATER)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("TAKEN", scene.staff.user, LATER)
    assert entry_of(AMINA).is_on_list
    with pytest.raises(lists.RowDecided):
        lists.decide_row(row_id=row.pk, nhs_number=None, by=scene.staff, at=LATER)


def test_none_of_these_leaves_everybody_as_they_were(scene: Scene) -> None:
    row = doubtful(scene)
    lists.decide_row(row_id=row.pk, nhs_number=None, by=scene.staff, at=LATER)
    assert HospitalRow.objects.get().state == RowState.NOT_THEM
    assert not Patient.objects.exists()


def test_nothing_counts_before_a_list_is_sent_and_sending_twice_does_nothing_more(scene: Scene) -> None:
    read = check_rows([(2, scene.row())], today=TODAY)
    made = lists.check_list(read=read, sha256="0" * 64, by=scene.staff, at=NOW)
    assert not ListFact.objects.exists()
    assert not Patient.objects.exists()
    for _ in range(2):
        lists.send_list(list_id=made.pk, by=scene.staff, at=NOW)
    assert ListFact.objects.count() == 1


def test_a_list_that_was_never_sent_goes_after_a_day(scene: Scene) -> None:
    read = check_rows([(2, scene.row())], today=TODAY)
    old = lists.check_list(read=read, sha256="0" * 64, by=scene.staff, at=NOW)
    lists.check_list(read=read, sha256="1" * 64, by=scene.staff, at=NOW + timedelta(hours=25))
    assert not HospitalList.objects.filter(pk=old.pk).exists()
    kept = HospitalList.objects.get()
    lists.discard_list(list_id=kept.pk, by=scene.staff)
    assert not HospitalRow.objects.exists()


def test_two_rows_about_one_person_that_ask_the_opposite_are_in_error(scene: Scene) -> None:
    read = check_rows([(2, scene.row()), (3, scene.row(nhs_number="", action="remove"))], today=TODAY)
    made = lists.check_list(read=read, sha256="0" * 64, by=scene.staff, at=NOW)
    assert [row.number for row in made.rows.all()] == [2]
    (error,) = queries.errors_of(made)
    assert (error.number, error.column) == (3, "action")


def test_a_unit_reaches_only_what_it_sent(scene: Scene) -> None:
    row = scene.only_row(scene.send(scene.row()))
    read = check_rows([(2, scene.row())], today=TODAY)
    made = lists.check_list(read=read, sha256="0" * 64, by=scene.staff, at=NOW)
    other = scene.other_staff
    with pytest.raises(HospitalRow.DoesNotExist):
        lists.withdraw_row(row_id=row.pk, reason="Mine", by=other, at=NOW)
    with pytest.raises(HospitalRow.DoesNotExist):
        lists.decide_row(row_id=row.pk, nhs_number=None, by=other, at=NOW)
    with pytest.raises(HospitalList.DoesNotExist):
        lists.send_list(list_id=made.pk, by=other, at=NOW)
    with pytest.raises(HospitalList.DoesNotExist):
        lists.discard_list(list_id=made.pk, by=other)
    with pytest.raises(HospitalRow.DoesNotExist):
        queries.row(other, row.pk)
    with pytest.raises(HospitalList.DoesNotExist):
        queries.one_list(other, made.pk)
    assert not queries.lists(other).exists()
    assert queries.said_by_hospitals(other, entry_of(AMINA).pk) == []


def test_only_a_units_staff_send(scene: Scene) -> None:
    read = check_rows([(2, scene.row())], today=TODAY)
    with pytest.raises(NotAllowed):
        lists.check_list(read=read, sha256="0" * 64, by=scene.gp, at=NOW)


def submit(
    scene: Scene, *rows: dict[str, Any], key: str = "a-key", sha256: str = "0" * 64
) -> tuple[HospitalList, bool]:
    read = check_rows(enumerate(rows, start=1), today=TODAY)
    return lists.submit_list(read=read, sha256=sha256, idempotency_key=key, by=scene.staff, at=NOW)


def test_the_same_key_and_list_again_do_nothing_and_another_list_is_refused(scene: Scene) -> None:
    first, is_new = submit(scene, scene.row())
    again, is_new_again = submit(scene, scene.row())
    assert (is_new, is_new_again, again) == (True, False, first)
    with pytest.raises(lists.KeyUsed):
        submit(scene, scene.row(BOB), sha256="1" * 64)
    with pytest.raises(UnusableList):
        submit(scene, scene.row(action=""), key=str(uuid4()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["same key", "two uploads", "two units"])
def test_the_same_list_sent_twice_at_once_counts_once(settings: Any, way: str) -> None:
    scene = make_scene(settings)
    rows = [scene.row(), scene.row(BOB)]
    start, failed = threading.Barrier(4), []

    def send(number: int) -> None:
        try:
            start.wait(20)
            if way == "same key":
                submit(scene, *rows)
            else:
                by = scene.other_staff if way == "two units" and number % 2 else scene.staff
                scene.send(*(rows if number % 2 else rows[::-1]), by=by)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert ListFact.objects.count() == (4 if way == "two units" else 2)
    assert HospitalList.objects.count() == (1 if way == "same key" else 4)
    assert ListEntry.objects.filter(is_on_list=True).count() == 2

"""A letter that came back holds letters to that address, and a dead number texts to that number, until it changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from cohort.actions.amendments import amend
from cohort.actions.contact_problems import letter_returned, number_reached, number_undeliverable
from cohort.amending import Detail
from cohort.models import ListEntry, Patient
from cohort.queries.amendments import fingerprint
from cohort.queries.holds import hold_reason
from cohort.rules import Audience, Channel
from tests.cohort.factories import NOW, Cast

pytestmark = pytest.mark.django_db

LETTER, SMS = Channel.LETTER, Channel.SMS
LATER = NOW + timedelta(days=20)


@pytest.fixture(autouse=True)
def everybody_is_reviewed(cast: Cast) -> None:
    ListEntry.objects.update(review_state="CONFIRMED", reviewed_at=NOW, reviewed_by=cast.gp.user)


def _past() -> Any:
    return timezone.now() - timedelta(minutes=1)


def hold(patient: Patient, channel: Channel) -> str:
    return Patient.objects.annotate(hold=hold_reason(channel, NOW.date(), Audience.LISTED)).get(pk=patient.pk).hold


def mend(cast: Cast, patient: Patient, detail: Detail, **value: Any) -> None:
    patient.refresh_from_db()
    amend(patient_id=patient.pk, changes={detail: value}, by=cast.gp, at=NOW, seen=fingerprint(patient))


def mend_address(cast: Cast, patient: Patient, *lines: str, postcode: str = "SM1 1AA") -> None:
    value = {"address_lines": list(lines), "postcode": postcode, "no_fixed_abode": False, "uprn": ""}
    mend(cast, patient, Detail.ADDRESS, **value)


def test_a_returned_letter_holds_letters_and_not_texts(cast: Cast) -> None:
    assert letter_returned(patient_ids=[cast.amina.pk], at=LATER) == 1
    assert (hold(cast.amina, LETTER), hold(cast.amina, SMS)) == ("LETTER_RETURNED", "")
    assert hold(cast.bob, LETTER) == ""
    cast.amina.refresh_from_db()
    assert cast.amina.returned_address == "AMINA KHAN\n1 MILL LANE\nSUTTON\nSM1 1AA"
    assert cast.amina.returned_at == LATER


def test_an_undeliverable_number_holds_texts_and_not_letters(cast: Cast) -> None:
    assert number_undeliverable(patient_ids=[cast.amina.pk, cast.bob.pk], at=LATER) == 2
    assert (hold(cast.amina, LETTER), hold(cast.amina, SMS)) == ("", "NUMBER_UNDELIVERABLE")
    assert hold(cast.charlie, SMS) == ""
    cast.bob.refresh_from_db()
    assert (cast.bob.undeliverable_mobile, cast.bob.undeliverable_at) == ("07700900123", LATER)


def test_a_corrected_address_frees_by_itself(cast: Cast) -> None:
    letter_returned(patient_ids=[cast.amina.pk], at=LATER)
    mend_address(cast, cast.amina, "1a Mill Lane", "Sutton")
    assert hold(cast.amina, LETTER) == ""


def test_an_address_that_differs_in_case_and_spaces_alone_is_the_same(cast: Cast) -> None:
    letter_returned(patient_ids=[cast.amina.pk], at=LATER)
    mend_address(cast, cast.amina, "1  MILL lane", "", "Sutton", postcode="sm1 1aa")
    assert hold(cast.amina, LETTER) == "LETTER_RETURNED"


def test_a_corrected_number_frees_by_itself(cast: Cast) -> None:
    number_undeliverable(patient_ids=[cast.amina.pk], at=LATER)
    mend(cast, cast.amina, Detail.MOBILE, mobile="07700900456")
    assert hold(cast.amina, SMS) == ""


@pytest.mark.parametrize("same", ["07700 900123", "+447700900123", "+44 7700 900-123"])
def test_a_number_written_in_another_way_is_the_same(cast: Cast, same: str) -> None:
    number_undeliverable(patient_ids=[cast.amina.pk], at=LATER)
    Patient.objects.filter(pk=cast.amina.pk).update(mobile=same)
    assert hold(cast.amina, SMS) == "NUMBER_UNDELIVERABLE"


def reached(patient: Patient, *, known_at: Any = LATER, sent_at: Any = LATER) -> int:
    return number_reached(sent_at={patient.pk: sent_at}, known_at={patient.pk: known_at})


def test_a_text_that_arrives_later_frees_the_number_and_the_note_stays_in_the_history(cast: Cast) -> None:
    number_undeliverable(patient_ids=[cast.amina.pk, cast.bob.pk], at=LATER)
    assert reached(cast.amina, known_at=LATER - timedelta(seconds=1)) == 0
    assert hold(cast.amina, SMS) == "NUMBER_UNDELIVERABLE"
    assert reached(cast.amina) == 1
    assert (hold(cast.amina, SMS), hold(cast.bob, SMS)) == ("", "NUMBER_UNDELIVERABLE")
    event = apps.get_model("cohort", "PatientEvent")
    kept = event.objects.filter(pgh_obj=cast.amina).order_by("pgh_id").last()
    assert (kept.undeliverable_mobile, kept.undeliverable_at) == ("07700900123", LATER)
    assert reached(cast.amina) == 0


def test_a_text_to_the_number_before_does_not_free_the_present_one(cast: Cast) -> None:
    sent_at = _past()
    mend(cast, cast.amina, Detail.MOBILE, mobile="07700900456")
    number_undeliverable(patient_ids=[cast.amina.pk], at=LATER)
    assert reached(cast.amina, sent_at=sent_at) == 0
    assert hold(cast.amina, SMS) == "NUMBER_UNDELIVERABLE"


def test_what_came_back_from_an_address_they_have_left_does_not_hold_the_new_one(cast: Cast) -> None:
    sent_at = {cast.amina.pk: _past()}
    mend_address(cast, cast.amina, "7 Harbour Road", "Poole")
    assert letter_returned(patient_ids=[cast.amina.pk, cast.bob.pk], at=LATER, sent_at=sent_at) == 2
    assert hold(cast.amina, LETTER) == ""
    assert hold(cast.bob, LETTER) == "LETTER_RETURNED"
    mend_address(cast, cast.amina, "1 Mill Lane", "Sutton")
    assert hold(cast.amina, LETTER) == "LETTER_RETURNED"


def test_of_several_moves_the_first_since_it_was_made_says_where_it_went(cast: Cast) -> None:
    sent_at = {cast.amina.pk: _past()}
    mend_address(cast, cast.amina, "7 Harbour Road", "Poole")
    mend_address(cast, cast.amina, "2 Dock Street", "Hull")
    assert letter_returned(patient_ids=[cast.amina.pk], at=LATER, sent_at=sent_at) == 1
    cast.amina.refresh_from_db()
    assert cast.amina.returned_address == "AMINA KHAN\n1 MILL LANE\nSUTTON\nSM1 1AA"


def test_news_of_an_old_address_does_not_free_the_present_one(cast: Cast) -> None:
    sent_at = {cast.amina.pk: _past()}
    mend_address(cast, cast.amina, "7 Harbour Road", "Poole")
    letter_returned(patient_ids=[cast.amina.pk], at=LATER)
    assert letter_returned(patient_ids=[cast.amina.pk], at=LATER + timedelta(days=1), sent_at=sent_at) == 0
    assert hold(cast.amina, LETTER) == "LETTER_RETURNED"


def test_nobody_and_people_without_a_number_are_harmless(cast: Cast) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(mobile="")
    assert letter_returned(patient_ids=[], at=LATER) == 0
    assert number_undeliverable(patient_ids=[cast.amina.pk], at=LATER) == 0
    assert hold(cast.amina, SMS) == "NO_USABLE_NUMBER"

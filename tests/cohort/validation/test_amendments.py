"""What a practice mends of a person: it holds at once, stands against extracts, and is taken back."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from cohort.actions.additions import Grounds, add_person
from cohort.actions.amendments import (
    AmendmentEnded,
    DeathRegistered,
    DetailsChanged,
    amend,
    withdraw_amendment,
)
from cohort.actions.decisions import confirm, remove
from cohort.actions.demographics import update_people
from cohort.amending import Detail
from cohort.models import Amendment, ListEntry, Patient
from cohort.queries.amendments import fingerprint
from cohort.queries.extracts import PATIENT_FIELDS
from cohort.queries.holds import hold_reason
from cohort.queries.review import version
from cohort.rules import Audience, Channel, RemovalReason
from tests.cohort.factories import NOW, Cast
from tests.cohort.validation.conftest import HUGO, HUGO_BORN
from tests.cohort.validation.pages import SignIn, person_url, read
from tests.cohort.validation.test_races import at_once

pytestmark = pytest.mark.django_db
NEXT_WEEK = date(2020, 3, 21)
CHANGED = {
    Detail.MOBILE: {"mobile": "07700900999"},
    Detail.ADDRESS: {
        "address_lines": ["9 New Road", 'The "Barn", Sutton'],
        "postcode": "SM2 2BB",
        "no_fixed_abode": False,
        "uprn": "",
    },
    Detail.UNSAFE_CHANNELS: {"unsafe_channels": ["SMS"]},
    Detail.DEATH: {"death_status": "INFORMAL", "death_date": "2020-03-19"},
    Detail.LANGUAGE: {"language": "pl"},
    Detail.FORMATS: {"formats_needed": ["BRAILLE"]},
}


def mend(cast: Cast, changes: Any = None, patient: Patient | None = None) -> Patient:
    patient = patient or cast.amina
    patient.refresh_from_db()
    return amend(patient_id=patient.pk, changes=changes or CHANGED, by=cast.staff, at=NOW, seen=fingerprint(patient))


def extract_comes(as_at: date = NEXT_WEEK, **says: Any) -> None:
    """Takes in everybody's details as they were before any amendment, but for what the extract says of Amina."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS landing_people")
        cursor.execute(
            "CREATE TEMPORARY TABLE landing_people ON COMMIT DROP AS SELECT p.nhs_number, o.code AS practice_code,"
            f" {', '.join(f'p.{name}' for name in PATIENT_FIELDS)} FROM cohort_patient p"
            " JOIN accounts_organisation o ON o.id = p.practice_id"
        )
        before = {
            "mobile": "07700900123",
            "email": "",
            "address_lines": ["1 Mill Lane", "Sutton"],
            "postcode": "SM1 1AA",
            "unsafe_channels": [],
            "death_status": "",
            "death_date": None,
        }
        for name, value in (before | says).items():
            kind = "::varchar[]" if isinstance(value, list) else ""
            cursor.execute(
                f"UPDATE landing_people SET {name} = %s{kind} WHERE nhs_number IN"
                " (SELECT nhs_number FROM cohort_patient WHERE given_name = 'Amina')",
                [value],
            )
        update_people(cursor, as_at=as_at, at=NOW)


def standing(patient: Patient) -> set[str]:
    return set(Amendment.objects.filter(patient=patient, ended_at=None).values_list("detail", flat=True))


def hold_of(patient: Patient, channel: Channel) -> str:
    return str(Patient.objects.annotate(hold=hold_reason(channel, NOW.date(), Audience.LISTED)).get(pk=patient.pk).hold)


def test_what_is_mended_holds_at_once_and_stands_against_an_extract_that_says_the_same(cast: Cast) -> None:
    confirm(entry_id=cast.amina.pk, by=cast.gp, at=NOW, seen=version(ListEntry.objects.get(pk=cast.amina.pk)))
    assert hold_of(cast.amina, Channel.SMS) == ""
    mend(cast, {Detail.UNSAFE_CHANNELS: CHANGED[Detail.UNSAFE_CHANNELS]})
    assert (hold_of(cast.amina, Channel.SMS), hold_of(cast.amina, Channel.LETTER)) == ("UNSAFE_CHANNEL", "")
    mend(cast)
    extract_comes()
    patient = Patient.objects.get(pk=cast.amina.pk)
    assert (patient.as_at, patient.mobile, patient.postcode) == (NEXT_WEEK, "07700900999", "SM2 2BB")
    assert patient.address_lines == ["9 New Road", 'The "Barn", Sutton']
    assert (patient.death_status, patient.death_date) == ("INFORMAL", date(2020, 3, 19))
    assert (patient.language, patient.formats_needed) == ("pl", ["BRAILLE"])
    assert standing(patient) == {detail.value for detail in CHANGED}
    assert hold_of(patient, Channel.LETTER) == "REPORTED_DEAD"
    assert Patient.objects.get(pk=cast.bob.pk).mobile == "07700900123"


def test_an_extract_with_something_new_ends_the_amendment_of_that_detail_alone(cast: Cast) -> None:
    mend(cast)
    extract_comes(mobile="07700900555", unsafe_channels=["LETTER"], death_status="FORMAL", death_date=date(2020, 3, 18))
    patient = Patient.objects.get(pk=cast.amina.pk)
    assert (patient.mobile, patient.postcode) == ("07700900555", "SM2 2BB")
    assert (patient.death_status, patient.death_date) == ("FORMAL", date(2020, 3, 18))
    assert patient.unsafe_channels == ["LETTER", "SMS"]
    assert standing(patient) == {"ADDRESS", "UNSAFE_CHANNELS", "LANGUAGE", "FORMATS"}
    ended = Amendment.objects.get(patient=patient, detail="MOBILE")
    assert (ended.ended_as, ended.ended_at, ended.ended_by) == ("EXTRACT", NOW, None)
    # Taken back, a safety detail is what the extract says by now.
    unsafe = Amendment.objects.get(patient=patient, detail="UNSAFE_CHANNELS")
    withdraw_amendment(patient_id=patient.pk, amendment_id=unsafe.pk, by=cast.gp, at=NOW)
    patient.refresh_from_db()
    assert patient.unsafe_channels == ["LETTER"]


def decide(cast: Cast, review_state: str = "CONFIRMED") -> None:
    entry = ListEntry.objects.get(pk=cast.amina.pk)
    if review_state == "CONFIRMED":
        confirm(entry_id=entry.pk, by=cast.gp, at=NOW, seen=version(entry))
    elif review_state == "REMOVED":
        remove(
            entry_id=entry.pk,
            reason=RemovalReason.LOW_RISK,
            detail="",
            is_patient_told=False,
            by=cast.gp,
            at=NOW,
            seen=version(entry),
        )


def asked_again() -> dict[str, str]:
    rows = ListEntry.objects.exclude(recheck="").values_list("patient__given_name", "recheck")
    return dict(rows)


REPORTED, FORMAL = ({"death_status": status, "death_date": None} for status in ("INFORMAL", "FORMAL"))
RING, UNSAFE = {"safe_contact_instruction": "Ring first"}, {"unsafe_channels": ["SMS"]}
BOTH_UNSAFE = [{"unsafe_channels": channels} for channels in (["LETTER", "SMS"], ["SMS", "LETTER"])]


@pytest.mark.parametrize(
    ("was", "state", "says", "is_asked"),
    [
        ({}, "CONFIRMED", {}, False),
        ({}, "CONFIRMED", {"mobile": "07700900555"}, False),
        ({}, "CONFIRMED", RING, True),
        ({}, "CONFIRMED", UNSAFE, True),
        ({}, "CONFIRMED", {"is_restricted": True}, True),
        ({}, "CONFIRMED", REPORTED, True),
        ({}, "CONFIRMED", FORMAL, True),
        # What was said against contact is gone: contact would begin.
        (RING, "CONFIRMED", {"safe_contact_instruction": ""}, True),
        (UNSAFE, "CONFIRMED", {"unsafe_channels": []}, True),
        ({"is_restricted": True}, "CONFIRMED", {"is_restricted": False}, True),
        (REPORTED, "CONFIRMED", {"death_status": ""}, True),
        # No news.
        (REPORTED, "CONFIRMED", FORMAL, False),
        (BOTH_UNSAFE[0], "CONFIRMED", BOTH_UNSAFE[1], False),
        # Whoever was taken off is written to about that alone, and not at all once dead.
        ({}, "REMOVED", RING, True),
        ({}, "REMOVED", REPORTED, False),
        (FORMAL, "REMOVED", {"death_status": ""}, True),
        # Nobody has looked yet.
        ({}, "TO_REVIEW", UNSAFE, False),
    ],
)
def test_who_is_contacted_otherwise_since_they_were_decided_comes_back(
    cast: Cast, was: dict[str, Any], state: str, says: dict[str, Any], is_asked: bool
) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(**was)
    decide(cast, state)
    extract_comes(**(was | says))
    assert asked_again() == ({"Amina": "DETAILS_CHANGED"} if is_asked else {})
    ListEntry.objects.update(recheck="", recheck_at=None)
    extract_comes(**(was | says))
    assert asked_again() == {}


def test_a_new_instruction_against_the_practices_word_brings_somebody_decided_back(cast: Cast, sign_in: SignIn) -> None:
    decide(cast)
    mend(
        cast,
        {
            Detail.SAFE_CONTACT: {"safe_contact_instruction": "Ring at noon."},
            Detail.UNSAFE_CHANNELS: {"unsafe_channels": ["SMS"]},
        },
    )
    extract_comes()
    assert asked_again() == {}
    extract_comes(safe_contact_instruction="Never ring.", unsafe_channels=["SMS"])
    assert asked_again() == {"Amina": "DETAILS_CHANGED"}
    patient = Patient.objects.get(pk=cast.amina.pk)
    assert patient.safe_contact_instruction == "Ring at noon. Never ring."
    page = read(sign_in(cast.gp).get(person_url(cast, cast.amina)))
    assert "Whether or how to contact them has changed" in page
    assert "How to contact them safely: Ring at noon." in page
    assert "The extract says Never ring." in page
    # Looked at, it is no news next week; mended anew, it is the practice's word alone.
    entry = ListEntry.objects.get(pk=patient.pk)
    confirm(entry_id=entry.pk, by=cast.gp, at=NOW, seen=version(entry))
    mend(cast, {Detail.SAFE_CONTACT: {"safe_contact_instruction": "Write only."}})
    extract_comes(safe_contact_instruction="Never ring.", unsafe_channels=["SMS"])
    assert asked_again() == {}
    assert Patient.objects.get(pk=patient.pk).safe_contact_instruction == "Write only."


def test_a_warning_that_was_overruled_and_let_go_of_counts_when_it_comes_again(cast: Cast) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(unsafe_channels=["SMS"])
    decide(cast)
    mend(cast, {Detail.UNSAFE_CHANNELS: {"unsafe_channels": []}})
    extract_comes(unsafe_channels=["SMS"])
    assert (hold_of(cast.amina, Channel.SMS), asked_again()) == ("", {})
    extract_comes(unsafe_channels=[])
    assert (hold_of(cast.amina, Channel.SMS), asked_again()) == ("", {})
    extract_comes(unsafe_channels=["SMS"])
    assert (hold_of(cast.amina, Channel.SMS), asked_again()) == ("UNSAFE_CHANNEL", {"Amina": "DETAILS_CHANGED"})


def test_details_of_an_older_extract_ask_nobody_again(cast: Cast) -> None:
    decide(cast)
    extract_comes(as_at=date(2020, 3, 1), unsafe_channels=["SMS"])
    assert asked_again() == {}


def test_an_older_extract_ends_nothing(cast: Cast) -> None:
    mend(cast)
    extract_comes(as_at=date(2020, 3, 1), mobile="07700900555")
    assert "MOBILE" in standing(cast.amina)
    assert Patient.objects.get(pk=cast.amina.pk).mobile == "07700900999"


def test_an_amendment_is_replaced_by_the_next_and_ended_by_what_the_extract_says(cast: Cast) -> None:
    mend(cast, {Detail.MOBILE: {"mobile": "07700900001"}})
    mend(cast, {Detail.MOBILE: {"mobile": "07700900002"}})
    first, second = Amendment.objects.order_by("pk")
    assert (first.ended_as, first.ended_by_id, second.ended_at) == ("REPLACED", cast.staff.user_id, None)
    assert second.extract_says == {"mobile": "07700900123"}
    mend(cast, {Detail.MOBILE: {"mobile": "07700900123"}})
    assert standing(cast.amina) == set()
    second.refresh_from_db()
    assert second.ended_as == "WITHDRAWN"
    with pytest.raises(AmendmentEnded):
        withdraw_amendment(patient_id=cast.amina.pk, amendment_id=second.pk, by=cast.gp, at=NOW)


def test_what_no_extract_has_goes_back_to_nothing(cast: Cast) -> None:
    mend(cast, {Detail.LANGUAGE: {"language": "pl"}})
    row = Amendment.objects.get()
    assert row.extract_says is None
    withdraw_amendment(patient_id=cast.amina.pk, amendment_id=row.pk, by=cast.gp, at=NOW)
    assert Patient.objects.get(pk=cast.amina.pk).language == ""


def test_details_that_have_changed_since_the_page_are_not_written_over(cast: Cast) -> None:
    seen = fingerprint(Patient.objects.get(pk=cast.amina.pk))
    mend(cast, {Detail.LANGUAGE: {"language": "pl"}})
    with pytest.raises(DetailsChanged):
        amend(patient_id=cast.amina.pk, changes=CHANGED, by=cast.gp, at=NOW, seen=seen)
    assert standing(cast.amina) == {"LANGUAGE"}


def test_a_registered_death_is_not_mended_here(cast: Cast) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(death_status="FORMAL")
    with pytest.raises(DeathRegistered):
        mend(cast, {Detail.DEATH: {"death_status": "", "death_date": None}})


def test_somebody_added_later_keeps_what_was_mended(cast: Cast, register: Callable[..., None]) -> None:
    register(cast.practice)
    entry = add_person(nhs_number=HUGO, birth_date=HUGO_BORN, grounds=Grounds("Known"), by=cast.gp, at=NOW)
    mend(cast, {Detail.MOBILE: {"mobile": "07700900999"}}, entry.patient)
    ListEntry.objects.filter(pk=entry.pk).update(practice_list=cast.other_list)
    add_person(nhs_number=HUGO, birth_date=HUGO_BORN, grounds=Grounds("Known"), by=cast.gp, at=NOW)
    assert Patient.objects.get(pk=entry.pk).mobile == "07700900999"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", range(3))
def test_of_an_extract_and_an_amendment_at_once_neither_is_lost(cast: Cast, _again: int) -> None:
    seen = fingerprint(Patient.objects.get(pk=cast.amina.pk))
    results = at_once(
        lambda: extract_comes(landline="01632960009"),
        lambda: amend(
            patient_id=cast.amina.pk,
            changes={Detail.EMAIL: {"email": "amina@example.com"}},
            by=cast.gp,
            at=NOW,
            seen=seen,
        ),
    )
    patient = Patient.objects.get(pk=cast.amina.pk)
    assert patient.landline == "01632960009"
    is_mended = not isinstance(results[1], DetailsChanged)
    assert isinstance(results[1], Patient | DetailsChanged)
    assert (patient.email == "amina@example.com", standing(patient) == {"EMAIL"}) == (is_mended, is_mended)


def form_of(cast: Cast, **typed: Any) -> dict[str, Any]:
    patient = Patient.objects.get(pk=cast.amina.pk)
    return {
        "seen": fingerprint(patient),
        "address_line_1": "1 Mill Lane",
        "address_line_2": "Sutton",
        "postcode": "SM1 1AA",
        "mobile": "07700900123",
        **typed,
    }


def amend_url(cast: Cast, patient: Patient) -> str:
    return reverse("cohort:amend", args=[cast.practice_list.pk, patient.pk])


def test_the_page_saves_what_was_changed_and_shows_what_the_extract_says(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.staff)
    others = {"language": "pl", "formats": ["BRAILLE"], "moved_away": "SCT", "postcode": "sm11aa"}
    typed = form_of(cast, mobile="07700 900 999", **others)
    page = read(client.post(amend_url(cast, cast.amina), typed, follow=True))
    assert "Saved: Mobile, Formats needed, Language, Moved away." in page
    assert standing(cast.amina) == {"MOBILE", "MOVED_AWAY", "FORMATS", "LANGUAGE"}
    assert "Mobile: 07700900999. Sam Hill, Mill Lane Surgery" in page
    assert "The extract says 07700900123" in page
    assert "Language Polish" in page
    row = Amendment.objects.get(detail="MOBILE")
    url = reverse("cohort:withdraw_amendment", args=[cast.practice_list.pk, cast.amina.pk, row.pk])
    assert "Undone: Mobile is as it was in the extract." in read(client.post(url, follow=True))
    assert "Not undone" in read(client.post(url, follow=True))
    assert Patient.objects.get(pk=cast.amina.pk).mobile == "07700900123"
    again = client.post(amend_url(cast, cast.amina), form_of(cast, **others), follow=True)
    assert "You changed nothing." in read(again)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"address_line_2": "@Sutton"}, "Address line 2 must not begin with @"),
        ({"address_line_1": "", "address_line_2": ""}, "Enter the first line of the address"),
        ({"address_line_1": "No fixed abode"}, "choose “No fixed abode”"),
        ({"postcode": "SM1"}, "Enter a full UK postcode, such as SM1 1AA"),
        ({"mobile": "01632 960001"}, "Mobile must be a UK mobile number"),
        ({"mobile": "unknown"}, "Mobile must be a UK mobile number"),
        ({"landline": "123"}, "Landline must be a UK phone number"),
        ({"email": "amina"}, "Email must be like name@example.com"),
        ({"language": "xx"}, "not one of the available choices"),
        ({"safe_contact": "x" * 301}, "How to contact them safely must be 300 characters or fewer"),
        ({"death_date_day": "1", "death_date_month": "3", "death_date_year": "2020"}, "Tick that they have died"),
        ({"has_died": "on", "death_date_day": "1"}, "Date of death must include a month and year"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    cast: Cast, sign_in: SignIn, typed: dict[str, str], said: str
) -> None:
    response = sign_in(cast.gp).post(amend_url(cast, cast.amina), form_of(cast, **typed))
    assert response.status_code == 400
    assert said in read(response)
    assert standing(cast.amina) == set()


def test_a_page_that_is_out_of_date_saves_nothing(cast: Cast, sign_in: SignIn) -> None:
    typed = form_of(cast, mobile="07700900999")
    mend(cast, {Detail.LANGUAGE: {"language": "pl"}})
    response = sign_in(cast.gp).post(amend_url(cast, cast.amina), typed)
    assert response.status_code == 409
    assert "Their details have changed since you opened this page" in read(response)
    assert standing(cast.amina) == {"LANGUAGE"}


def test_a_restricted_address_is_neither_shown_nor_changed(cast: Cast, sign_in: SignIn) -> None:
    mend(cast, {Detail.MOBILE: {"mobile": "07700900999"}})
    Patient.objects.filter(pk=cast.amina.pk).update(is_restricted=True)
    client = sign_in(cast.gp)
    for url in (amend_url(cast, cast.amina), person_url(cast, cast.amina)):
        body = client.get(url).content.decode()
        assert not [word for word in ("1 Mill Lane", "07700900999", "07700900123") if word in body]
    client.post(amend_url(cast, cast.amina), form_of(cast, mobile="07700900111", language="pl"))
    assert standing(cast.amina) == {"MOBILE", "LANGUAGE"}
    assert Patient.objects.get(pk=cast.amina.pk).mobile == "07700900999"


def test_what_is_anothers_practices_is_not_there(cast: Cast, sign_in: SignIn) -> None:
    mend(cast, {Detail.MOBILE: {"mobile": "07700900999"}})
    row = Amendment.objects.get()
    client = sign_in(cast.other_gp)
    for list_id in (cast.practice_list.pk, cast.other_list.pk):
        assert client.get(reverse("cohort:amend", args=[list_id, cast.amina.pk])).status_code == 404
        for patient in (cast.amina, cast.charlie):
            url = reverse("cohort:withdraw_amendment", args=[list_id, patient.pk, row.pk])
            assert client.post(url).status_code == 404
    with pytest.raises(ListEntry.DoesNotExist):
        amend(patient_id=cast.charlie.pk, changes=CHANGED, by=cast.gp, at=NOW, seen="")
    assert standing(cast.amina) == {"MOBILE"}

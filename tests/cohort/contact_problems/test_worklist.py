"""A practice's worklist of contact problems: who is on it, what it says, and who leaves it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from cohort.actions import contact_problems as actions
from cohort.actions.amendments import amend
from cohort.amending import Detail
from cohort.models import ListEntry, Patient
from cohort.queries.amendments import fingerprint
from cohort.queries.contact_problems import PROBLEMS, contact_problems, counts, how_many, person
from cohort.rules import HoldReason
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from tests.cohort.factories import NOW, Cast, ListEntryFactory, MembershipFactory
from tests.cohort.validation.pages import SignIn, read

pytestmark = pytest.mark.django_db
URL = "/contact-problems/"
BAD_ADDRESS: dict[str, Any] = {"address_lines": ["(rear)"], "postcode": "SM1"}


def put(patient: Patient, **details: Any) -> None:
    Patient.objects.filter(pk=patient.pk).update(**details)


def names(cast: Cast, problem: str = "") -> list[str]:
    return [row.given_name for row in contact_problems(cast.gp, problem)]


def test_a_practice_whose_people_can_all_be_reached_has_none(cast: Cast, sign_in: SignIn) -> None:
    assert (names(cast), counts(cast.gp), how_many(cast.gp)) == ([], {}, 0)
    assert "There are none" in read(sign_in(cast.gp).get(URL))
    assert not ReadLog.objects.filter(what="cohort:contact_problems").exists()


@pytest.mark.parametrize(
    ("details", "problems"),
    [
        (BAD_ADDRESS, ["NO_USABLE_ADDRESS"]),
        ({"no_fixed_abode": True}, ["NO_FIXED_ABODE"]),
        ({"mobile": "020 7946 0123"}, ["NO_USABLE_NUMBER"]),
        (BAD_ADDRESS | {"mobile": "1"}, ["NO_USABLE_ADDRESS", "NO_USABLE_NUMBER"]),
        ({"mobile": ""}, []),
        ({"mobile": "", "preferred_channel": "SMS"}, ["NO_USABLE_NUMBER"]),
        (BAD_ADDRESS | {"unsafe_channels": ["LETTER"]}, []),
        ({"mobile": "1", "unsafe_channels": ["SMS"]}, []),
        *[
            (BAD_ADDRESS | not_at_all, [])
            for not_at_all in (
                {"death_status": "INFORMAL"},
                {"is_restricted": True},
                {"is_invalid": True},
                {"moved_away_code": "CGA"},
                {"asked_not_to_be_contacted": True},
            )
        ],
    ],
)
def test_who_has_which_problem(cast: Cast, details: dict[str, Any], problems: list[str]) -> None:
    put(cast.amina, **details)
    assert [list(person(row).problems) for row in contact_problems(cast.gp)] == ([problems] if problems else [])
    assert counts(cast.gp) == {HoldReason(each): 1 for each in problems}
    for each in PROBLEMS:
        assert names(cast, each) == (["Amina"] if each in problems else [])


def test_a_failed_address_and_number_are_told_with_their_days(cast: Cast, sign_in: SignIn) -> None:
    actions.letter_returned(patient_ids=[cast.amina.pk], at=NOW)
    actions.number_undeliverable(patient_ids=[cast.bob.pk], at=NOW + timedelta(days=3))
    words = read(sign_in(cast.gp).get(URL))
    assert "A letter came back on 20 March 2020 from 1 Mill Lane, Sutton, SM1 1AA." in words
    assert "Texts do not reach 07700900123 (since 23 March 2020)." in words
    log = ReadLog.objects.get(what="cohort:contact_problems")
    assert set(log.patient_ids) == {cast.amina.pk, cast.bob.pk}


def test_every_fault_of_an_address_is_told(cast: Cast, sign_in: SignIn) -> None:
    put(cast.amina, **BAD_ADDRESS)
    words = read(sign_in(cast.gp).get(URL))
    assert "The line “(REAR)” begins with (, which printers refuse." in words
    assert "The last line, “SM1”, is not a full UK postcode." in words
    assert "Addresses that cannot be printed (1)" in words


def test_whoever_is_corrected_leaves(cast: Cast) -> None:
    put(cast.amina, **BAD_ADDRESS)
    cast.amina.refresh_from_db()
    mended = {"address_lines": ["1 Mill Lane"], "postcode": "SM1 1AA", "no_fixed_abode": False, "uprn": ""}
    amend(patient_id=cast.amina.pk, changes={Detail.ADDRESS: mended}, by=cast.gp, at=NOW, seen=fingerprint(cast.amina))
    assert names(cast) == []


def test_nobody_off_the_list_or_of_another_practice_is_shown(cast: Cast) -> None:
    for patient in (cast.amina, cast.bob, cast.charlie):
        put(patient, **BAD_ADDRESS)
    ListEntry.objects.filter(pk=cast.bob.pk).update(is_on_list=False)
    assert names(cast) == ["Amina"]
    put(cast.amina, practice=cast.other_practice)  # registered there now, and not yet on its list
    assert names(cast) == []
    assert [row.given_name for row in contact_problems(cast.other_gp)] == ["Charlie"]


def test_the_practice_says_that_an_address_is_right(cast: Cast, sign_in: SignIn) -> None:
    actions.letter_returned(patient_ids=[cast.amina.pk], at=NOW)
    client = sign_in(cast.staff)
    url = reverse("cohort:still_right", args=[cast.amina.pk, "letter"])
    answer = client.post(url, {"seen": "2020-01-01T00:00:00+00:00"}, follow=True)
    assert "Not saved" in read(answer)
    assert names(cast) == ["Amina"]
    answer = client.post(url, {"seen": NOW.isoformat()}, follow=True)
    assert "The address of Amina Khan will be used again." in read(answer)
    assert names(cast) == []


def test_the_practice_says_that_a_number_is_right(cast: Cast, sign_in: SignIn) -> None:
    actions.number_undeliverable(patient_ids=[cast.amina.pk], at=NOW)
    url = reverse("cohort:still_right", args=[cast.amina.pk, "text"])
    sign_in(cast.gp).post(url, {"seen": NOW.isoformat()})
    assert names(cast) == []


def test_another_practices_people_are_not_there_to_be_spoken_for(cast: Cast, sign_in: SignIn) -> None:
    actions.letter_returned(patient_ids=[cast.charlie.pk], at=NOW)
    seen = {"seen": NOW.isoformat()}
    client = sign_in(cast.gp)
    assert client.post(reverse("cohort:still_right", args=[cast.charlie.pk, "letter"]), seen).status_code == 404
    assert client.post(reverse("cohort:still_right", args=[uuid4(), "letter"]), seen).status_code == 404
    assert client.post(reverse("cohort:still_right", args=[cast.charlie.pk, "pigeon"]), seen).status_code == 404
    with pytest.raises(NotAllowed):
        actions.address_is_right(patient_id=cast.charlie.pk, by=MembershipFactory(role="COORDINATOR"), seen="")


def test_many_people_come_on_pages(cast: Cast, sign_in: SignIn) -> None:
    for _ in range(51):
        ListEntryFactory(practice_list=cast.practice_list, patient__no_fixed_abode=True)
    client = sign_in(cast.gp)
    assert "51 people" in read(client.get(URL, {"problem": "NO_FIXED_ABODE"}))
    assert read(client.get(URL, {"problem": "NO_FIXED_ABODE", "page": 2})).count("No fixed abode.") == 1
    assert "Nobody has this problem" in read(client.get(URL, {"problem": "NONSENSE"}))


def test_only_practices_see_the_page(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(MembershipFactory(organisation=cast.practice, role="COORDINATOR")).get(URL).status_code == 403

"""Adding somebody, and signing a list off."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from cohort.models import ListEntry, ListFact, Patient
from cohort.queries.review import version
from shielding.audit.models import ReadLog
from tests.cohort.factories import (
    Cast,
    MembershipFactory,
)
from tests.cohort.validation.conftest import HUGO
from tests.cohort.validation.pages import (
    HUGO_ADDED,
    HUGO_TYPED,
    REMOVAL,
    SignIn,
    decide,
    entry_of,
    list_url,
    person_url,
    read,
    seen_on,
)

pytestmark = pytest.mark.django_db


def test_signing_off_shows_who_is_left(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    url = reverse("cohort:submit", args=[cast.practice_list.pk])
    page = client.get(url)
    assert "Still to review" in read(page)
    assert "Amina Khan Bob Marsh" in read(page)
    assert "Now sign off" not in read(page)
    assert "Not signed off: 2 people are still to review." in read(client.post(url))


def test_a_gp_signs_off_and_is_told_whom_nobody_has_told(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    decide(client, cast, cast.amina)
    decide(client, cast, cast.bob, **{**REMOVAL, "is_patient_told": "no"})
    url = reverse("cohort:submit", args=[cast.practice_list.pk])
    page = read(client.get(url))
    assert "Removed, and not told yet" in page
    assert "Bob Marsh" in page
    assert "The list is signed off. Thank you." in read(client.post(url, follow=True))
    assert "had been signed off already" in read(client.post(url))
    assert "Everybody has been reviewed, and the list is signed off." in read(client.get(list_url(cast)))


def test_staff_are_told_to_ask_a_gp(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.staff)
    decide(client, cast, cast.amina)
    decide(client, cast, cast.bob)
    url = reverse("cohort:submit", args=[cast.practice_list.pk])
    assert "Ask a GP at your practice to sign in and sign the list off" in read(client.get(url))
    assert client.post(url).status_code == 403
    sign_in(cast.gp).post(url)
    page = read(sign_in(cast.staff).get(person_url(cast, cast.amina)))
    assert "The list is signed off. Ask a GP" in page
    assert "Remove from the list" not in page
    undone = sign_in(cast.gp).post(
        reverse("cohort:undo", args=[cast.practice_list.pk, cast.amina.pk]),
        {"seen": version(entry_of(cast.amina))},
        follow=True,
    )
    assert "Not undone: the list has been signed off." in read(undone)


@pytest.mark.parametrize(
    "typed",
    [
        HUGO,
        f" {HUGO[:3]} {HUGO[3:6]} {HUGO[6:]} ",
        f"{HUGO[:3]}-{HUGO[3:6]}-{HUGO[6:]}",
        f"{HUGO[:3]}\N{EN DASH}{HUGO[3:6]}\N{NO-BREAK SPACE}{HUGO[6:]}",
        "\N{ZERO WIDTH SPACE}" + HUGO,
    ],
)
def test_a_person_is_added_however_the_number_is_spaced(
    cast: Cast, sign_in: SignIn, register: Callable[..., None], typed: str
) -> None:
    register(cast.practice)
    client = sign_in(cast.staff)
    found = read(client.post(reverse("cohort:add"), {"nhs_number": typed, **HUGO_TYPED}))
    assert "Is this who you mean? Name Hugo Nowak" in found
    assert "3 Mill Lane Sutton SM1 1AA" in found
    assert not Patient.objects.filter(nhs_number=HUGO).exists()
    page = client.post(reverse("cohort:add"), HUGO_ADDED, follow=True)
    words = read(page)
    assert "Hugo Nowak: added" in words
    assert "No search has flagged them. Mill Lane Surgery said: Takes a hospital-only medicine" in words
    assert HUGO not in page.request["PATH_INFO"] + page.request["QUERY_STRING"]
    assert "Added (1)" in read(client.get(list_url(cast)))
    undone = client.post(
        reverse("cohort:undo", args=[cast.practice_list.pk, Patient.objects.get(nhs_number=HUGO).pk]),
        {"seen": seen_on(page)},
        follow=True,
    )
    assert "Undone: Hugo Nowak is not on the list." in read(undone)
    assert "They were added by mistake" in read(undone)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"nhs_number": ""}, "Enter an NHS number"),
        ({"nhs_number": "999 12"}, "NHS number must be 10 numbers long: this one has 5"),
        ({"nhs_number": "999 123 456O"}, "NHS number must be numbers only"),
        ({"nhs_number": "\N{ARABIC-INDIC DIGIT NINE}" * 10}, "NHS number must be numbers only"),
        ({"nhs_number": f"{HUGO[:9]}{(int(HUGO[9]) + 1) % 10}"}, "one may be wrong or two may have changed places"),
        ({"birth_date_day": "31", "birth_date_month": "2"}, "Date of birth must be a real date"),
        ({"birth_date_year": "2999"}, "Date of birth must be"),
        ({"birth_date_day": "", "birth_date_month": "", "birth_date_year": ""}, "Enter date of birth"),
    ],
)
def test_what_is_wrong_with_an_addition_is_said_plainly(
    cast: Cast, sign_in: SignIn, register: Callable[..., None], data: dict[str, str], said: str
) -> None:
    register(cast.practice)
    response = sign_in(cast.gp).post(reverse("cohort:add"), {"nhs_number": HUGO, **HUGO_TYPED, **data})
    assert "There is a problem" in read(response)
    assert said in read(response)
    assert not Patient.objects.filter(nhs_number=HUGO).exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"reason": " "}, "Enter why they are at risk"),
        ({"reason": "x" * 301}, "Why they are at risk must be 300 characters or fewer"),
        ({"tier": ""}, "Select how high their risk is"),
        ({"disease_group": "Gout"}, "not one of the available choices"),
        ({"evidence": "x" * 301}, "Evidence must be 300 characters or fewer"),
        ({"evidence_date_day": "1"}, "Date of the evidence must include a month and year"),
        ({"birth_date": "1970"}, "Enter date of birth"),
        ({"birth_date": "1970-09-01"}, "Nobody with this NHS number and date of birth"),
    ],
)
def test_what_is_wrong_with_the_grounds_is_said_plainly(
    cast: Cast, sign_in: SignIn, register: Callable[..., None], data: dict[str, str], said: str
) -> None:
    register(cast.practice)
    response = sign_in(cast.gp).post(reverse("cohort:add"), {**HUGO_ADDED, **data})
    assert response.status_code == 400
    assert said in read(response)
    assert not Patient.objects.filter(nhs_number=HUGO).exists()


def test_the_grounds_of_an_addition_are_on_the_persons_page(
    cast: Cast, sign_in: SignIn, register: Callable[..., None]
) -> None:
    register(cast.practice)
    grounds = {"disease_group": "Transplants (solid)", "evidence": "Letter from the renal clinic"}
    day = {"evidence_date_day": "3", "evidence_date_month": "2", "evidence_date_year": "2020"}
    page = read(sign_in(cast.gp).post(reverse("cohort:add"), {**HUGO_ADDED, **grounds, **day}, follow=True))
    assert "Transplants (solid) Takes a hospital-only medicine Evidence: Letter from the renal clinic" in page
    assert "3 February 2020" in page
    assert "Dr Grace Okafor, Mill Lane Surgery" in page


def test_the_vulnerable_are_recorded_off_the_list_and_taken_back(
    cast: Cast, sign_in: SignIn, register: Callable[..., None]
) -> None:
    register(cast.practice)
    client = sign_in(cast.staff)
    page = read(client.post(reverse("cohort:add"), {**HUGO_ADDED, "tier": "VULNERABLE"}, follow=True))
    assert "Saved: Hugo Nowak is recorded as vulnerable. They are not on the list." in page
    assert "Recorded as vulnerable (1)" in page
    assert not ListEntry.objects.filter(patient__nhs_number=HUGO).exists()
    again = read(client.post(reverse("cohort:add"), {**HUGO_ADDED, "tier": "VULNERABLE"}))
    assert "recorded as vulnerable already" in again
    fact = ListFact.objects.get(patient__nhs_number=HUGO)
    assert (fact.source, fact.request) == ("GP", "REMOVE")
    url = reverse("cohort:take_back_vulnerable", args=[fact.pk])
    assert sign_in(cast.other_gp).post(url).status_code == 404
    page = read(sign_in(cast.staff).post(url, follow=True))
    assert "Undone: Hugo Nowak is no longer recorded as vulnerable." in page
    assert "Recorded as vulnerable (" not in page


def typed_for(patient: Patient) -> dict[str, str]:
    born = patient.birth_date
    return {
        **HUGO_TYPED,
        "nhs_number": patient.nhs_number,
        "birth_date_day": f"{born.day}",
        "birth_date_month": f"{born.month}",
        "birth_date_year": f"{born.year}",
    }


def test_another_practices_person_and_nobody_at_all_give_the_same_answer(
    cast: Cast, sign_in: SignIn, register: Callable[..., None]
) -> None:
    client = sign_in(cast.gp)
    register(cast.other_practice, nhs_number=cast.charlie.nhs_number, birth_date=cast.charlie.birth_date)
    elsewhere = read(client.post(reverse("cohort:add"), typed_for(cast.charlie)))
    nowhere = read(client.post(reverse("cohort:add"), {"nhs_number": HUGO, **HUGO_TYPED}))
    assert "Nobody with this NHS number and date of birth is registered at your practice" in nowhere
    assert elsewhere == nowhere


def test_adding_somebody_who_is_listed_leads_to_them(
    cast: Cast, sign_in: SignIn, register: Callable[..., None]
) -> None:
    register(cast.practice, nhs_number=cast.amina.nhs_number, birth_date=cast.amina.birth_date)
    response = sign_in(cast.gp).post(reverse("cohort:add"), typed_for(cast.amina))
    assert response.status_code == 400
    assert "Amina Khan is on your list already: to review." in read(response)
    assert person_url(cast, cast.amina) in response.content.decode()
    assert ReadLog.objects.get(what="cohort:add").patient_ids == [cast.amina.pk]


def test_the_dead_are_not_added_and_a_practice_without_a_list_adds_nobody(
    cast: Cast, sign_in: SignIn, register: Callable[..., None]
) -> None:
    register(cast.practice, death_status="FORMAL")
    added = sign_in(cast.gp).post(reverse("cohort:add"), {"nhs_number": HUGO, **HUGO_TYPED})
    assert "has been registered, so they cannot be added" in read(added)
    new = MembershipFactory()
    added = sign_in(new).post(reverse("cohort:add"), {"nhs_number": HUGO, **HUGO_TYPED})
    assert "Your practice has no list yet" in read(added)

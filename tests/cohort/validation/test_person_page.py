"""One person with the evidence, and the decision."""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from cohort.actions.decisions import confirm, remove
from cohort.actions.facts import recompute
from cohort.models import Flag, ListFact, Patient
from cohort.queries.review import version
from cohort.rules import RemovalReason
from tests.cohort.factories import (
    NOW,
    Cast,
    EvidenceFactory,
    FlagFactory,
    ListEntryFactory,
    PracticeListFactory,
    SearchRunFactory,
)
from tests.cohort.validation.pages import REMOVAL, SignIn, decide, entry_of, list_url, person_url, read, seen_on

pytestmark = pytest.mark.django_db


def test_a_person_is_shown_with_reasons_evidence_and_details(cast: Cast, sign_in: SignIn) -> None:
    page = read(sign_in(cast.staff).get(person_url(cast, cast.amina)))
    for said in [
        "1 of 2 to review Amina Khan",
        "Born 14 February 1961",
        "Transplants (solid)",
        "Has a record of transplants (solid).",
        "A solid organ transplant, ever",
        "3 May 2014",
        "Transplant of kidney",
        "SNOMED CT 70536003",
        "GP record",
        "Code list: Solid transplant version 1",
        "version 1. Found since the search of 14 March 2020",
        "1 Mill Lane Sutton SM1 1AA",
        "07700900123",
    ]:
        assert said in page


def test_only_what_a_search_still_finds_is_told(cast: Cast, sign_in: SignIn) -> None:
    later = PracticeListFactory(practice=cast.practice, run__search_date=date(2020, 4, 1)).run
    Flag.objects.filter(patient=cast.amina).update(ended_in=later)
    flag = FlagFactory(run=later, patient=cast.amina, criterion_version__criterion__slug="solid-transplant")
    EvidenceFactory(flag=flag, term="", detail="Age 59", system="", code="", event_date=None, source="")
    page = read(sign_in(cast.gp).get(person_url(cast, cast.amina)))
    assert "Found since the search of 1 April 2020" in page
    assert "search of 14 March 2020" not in page
    assert "Age 59" in page


def test_somebody_no_longer_found_is_said_to_be_so_and_can_be_put_on_the_list(cast: Cast, sign_in: SignIn) -> None:
    later = SearchRunFactory(search_date=date(2020, 4, 1))
    Flag.objects.filter(patient=cast.amina).update(ended_in=later)
    said = ListFact.objects.get(patient=cast.amina)
    ListFact.objects.create(patient=cast.amina, source="ALGORITHM", run=later, at=NOW, withdraws=said)
    recompute(patient_ids=[cast.amina.pk], at=NOW)
    client = sign_in(cast.staff)
    page = read(client.get(person_url(cast, cast.amina)))
    assert "The search of 1 April 2020 no longer does" in page
    assert "Transplants (solid)" not in page
    assert "Remove from the list" not in page
    assert "No longer found (1)" in read(client.get(list_url(cast)))
    assert "Khan, Amina" in read(client.get(list_url(cast) + "?tab=no-longer-found"))
    decide(client, cast, cast.amina)
    entry = entry_of(cast.amina)
    assert (entry.review_state, entry.is_on_list) == ("CONFIRMED", True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"safe_contact_instruction": "Ring at noon only."}, "How to contact them safely Ring at noon only."),
        ({"unsafe_channels": ["LETTER", "SMS"]}, "Do not send letters. Do not send texts."),
        ({"death_status": "FORMAL", "death_date": date(2020, 3, 1)}, "says that they died on 1 March 2020."),
        ({"death_status": "INFORMAL"}, "They have been reported dead, but the death is not registered"),
        ({"moved_away_code": "DEA"}, "they have left the practice (code DEA)"),
        ({"no_fixed_abode": True}, "no fixed abode, so no letter can reach them"),
        ({"is_restricted": True}, "their address and numbers are not shown here"),
        ({"is_invalid": True}, "Their record is marked invalid"),
        ({"asked_not_to_be_contacted": True}, "They asked not to be contacted"),
    ],
)
def test_what_must_be_known_before_contact_is_shown(
    cast: Cast, sign_in: SignIn, fields: dict[str, Any], said: str
) -> None:
    Patient.objects.filter(pk=cast.amina.pk).update(**fields)
    page = read(sign_in(cast.gp).get(person_url(cast, cast.amina)))
    assert said in page
    assert ("1 Mill Lane" in page) is ("is_restricted" not in fields)


def test_confirming_goes_to_the_next_person_with_a_banner_to_undo(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.staff)
    response = decide(client, cast, cast.amina)
    assert response["Location"] == f"{person_url(cast, cast.bob)}?decided={cast.amina.pk}"
    page = client.get(response["Location"])
    assert "Amina Khan: confirmed Undo the decision about Amina Khan" in read(page)
    assert "1 of 1 to review Bob Marsh" in read(page)
    undone = client.post(
        reverse("cohort:undo", args=[cast.practice_list.pk, cast.amina.pk]), {"seen": seen_on(page)}, follow=True
    )
    assert "Undone: Amina Khan is back among the people to review." in read(undone)
    assert entry_of(cast.amina).review_state == "TO_REVIEW"


def test_the_banner_is_not_shown_for_what_somebody_else_decided(cast: Cast, sign_in: SignIn) -> None:
    confirm(entry_id=cast.amina.pk, by=cast.staff, at=NOW, seen=version(entry_of(cast.amina)))
    client = sign_in(cast.gp)
    for other in (cast.amina.pk, cast.charlie.pk, "nonsense"):
        assert "Undo the decision" not in read(client.get(f"{person_url(cast, cast.bob)}?decided={other}"))


def test_after_the_last_person_the_list_says_what_is_next(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    decide(client, cast, cast.amina)
    response = decide(client, cast, cast.bob, **REMOVAL)
    assert response["Location"] == list_url(cast, decided=str(cast.bob.pk))
    page = read(client.get(response["Location"]))
    assert "Bob Marsh: removed (they have the condition but are not at high risk)" in page
    assert "Everybody has been reviewed. The list can be signed off." in page


def test_the_filter_goes_along_to_the_next_person(cast: Cast, sign_in: SignIn) -> None:
    zara = ListEntryFactory(practice_list=cast.practice_list, patient__family_name="Khan", patient__given_name="Zara")
    client = sign_in(cast.gp)
    client.post(list_url(cast), {"name": "khan"})
    assert "of 2 to review with “khan” in their name" in read(client.get(person_url(cast, cast.amina)))
    response = decide(client, cast, cast.amina)
    assert response["Location"] == f"{person_url(cast, zara.patient)}?decided={cast.amina.pk}"


def test_after_the_last_person_found_the_list_shows_everybody(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    client.post(list_url(cast), {"name": "khan"})
    response = decide(client, cast, cast.amina)
    assert response["Location"] == list_url(cast, decided=str(cast.amina.pk))
    assert "Marsh, Bob" in read(client.get(response["Location"]))


def test_skipping_goes_on_and_comes_round_again(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    for one, other in ((cast.amina, cast.bob), (cast.bob, cast.amina)):
        page = client.get(person_url(cast, one)).content.decode()
        assert f'href="{person_url(cast, other)}?back={one.pk}" data-key="s j">Skip' in page
        back = client.get(f"{person_url(cast, other)}?back={one.pk}").content.decode()
        assert f'href="{person_url(cast, one)}" data-key="k">Back' in back


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"reason": ""}, "Select why you are removing them"),
        ({"reason": "OTHER"}, "Enter the reason"),
        ({"reason": "OTHER", "detail": "x" * 201}, "Detail must be 200 characters or fewer"),
        ({"is_patient_told": ""}, "Select whether a clinician has told them"),
        ({"reason": "ADDED_BY_MISTAKE"}, "not one of the available choices"),
    ],
)
def test_a_removal_without_what_it_needs_says_so(cast: Cast, sign_in: SignIn, data: dict[str, str], said: str) -> None:
    response = decide(sign_in(cast.gp), cast, cast.bob, **{**REMOVAL, **data})
    assert "There is a problem" in read(response)
    assert said in read(response)
    assert 'id="remove" open' in response.content.decode()
    assert entry_of(cast.bob).review_state == "TO_REVIEW"


def test_of_somebody_who_died_it_is_not_asked_whether_they_were_told(cast: Cast, sign_in: SignIn) -> None:
    decide(sign_in(cast.gp), cast, cast.bob, decision="remove", reason="DIED")
    assert (entry_of(cast.bob).removal_reason, entry_of(cast.bob).is_patient_told) == ("DIED", False)


def test_a_decision_on_an_old_page_shows_who_decided_what_and_when(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    page = client.get(person_url(cast, cast.bob))
    remove(
        entry_id=cast.bob.pk,
        reason=RemovalReason.MOVED_AWAY,
        detail="",
        is_patient_told=True,
        by=cast.staff,
        at=NOW,
        seen=version(entry_of(cast.bob)),
    )
    response = client.post(person_url(cast, cast.bob), {"decision": "confirm", "seen": seen_on(page)})
    assert response.status_code == 409
    words = read(response)
    assert "Your decision was not saved" in words
    assert "Sam Hill decided about this person on 20 March 2020 at 7:00pm" in words
    assert "removed, they have moved away or left the practice" in words
    assert entry_of(cast.bob).review_state == "REMOVED"
    client.post(person_url(cast, cast.bob), {"decision": "confirm", "seen": seen_on(response)})
    assert entry_of(cast.bob).review_state == "CONFIRMED"


def test_a_decided_person_shows_the_decision_and_can_be_decided_anew(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    decide(client, cast, cast.bob, **REMOVAL)
    page = client.get(person_url(cast, cast.bob))
    assert "They have been told by Dr Grace Okafor on" in read(page)
    assert "took them off the list" in read(page)
    response = decide(client, cast, cast.bob, then="stay")
    assert response["Location"].startswith(person_url(cast, cast.bob))
    assert entry_of(cast.bob).is_on_list


def test_a_form_without_a_token_or_decision_changes_nothing(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.gp)
    assert client.post(person_url(cast, cast.bob), {"decision": "confirm"}).status_code == 409
    assert client.post(person_url(cast, cast.bob), {}).status_code == 200
    assert entry_of(cast.bob).review_state == "TO_REVIEW"

"""A coordinator's pages: the caseload and one person, in each state, and nobody else's people."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from coordinators import queries
from coordinators.models import CheckIn, Need, Referral
from coordinators.rules import CheckInOutcome, needs_another_way
from shielding.accounts.models import Membership
from shielding.audit.models import ReadLog
from tests.addresses import addresses_with
from tests.cohort.factories import NOW, CriterionFactory, FlagFactory, MembershipFactory
from tests.coordinators.factories import (
    AssignmentFactory,
    CheckInFactory,
    Team,
    form_token,
    refer,
    validated,
)
from tests.coordinators.test_rules import TRIES

SignIn = Callable[[Membership], Any]
CASELOAD = "/caseload/"


def person_url(team: Team) -> str:
    return reverse("coordinators:person", args=[team.amina.pk])


def tries(team: Team, *oldest_first: str) -> None:
    for days, outcome in zip(range(len(oldest_first), 0, -1), oldest_first, strict=True):
        CheckInFactory(patient=team.amina, by=team.lead, outcome=outcome, at=NOW - timedelta(days=days))


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_a_coordinator_sees_their_own_people_only(team: Team, sign_in: SignIn) -> None:
    page = text(sign_in(team.lead).get(CASELOAD))

    assert "Amina Khan" in page
    assert "Charlie" not in page
    assert "Bob" not in page


def test_the_caseload_shows_how_to_call_safely_where_one_could_call(team: Team, sign_in: SignIn) -> None:
    page = text(sign_in(team.lead).get(CASELOAD))

    assert 'href="tel:07700900123"' in page
    assert "First: Ask for Amina by name. Say it is the library." in page


@pytest.mark.parametrize("outcomes", [tries_ for tries_, _ in TRIES])
def test_the_caseload_flags_whom_the_rule_flags(team: Team, outcomes: list[CheckInOutcome]) -> None:
    tries(team, *reversed(outcomes))

    row = queries.person_for(team.lead, team.amina.pk)

    assert row is not None
    assert row.needs_another_way is needs_another_way(outcomes)  # type: ignore[attr-defined]


def test_who_is_due_comes_first(team: Team) -> None:
    def person(name: str, last: timedelta | None = None, outcome: str = "COMPLETED", **patient: Any) -> None:
        [made] = validated(team.practice, given_name=name, **patient)
        AssignmentFactory(patient=made, coordinator=team.lead)
        if last:
            CheckInFactory(patient=made, by=team.lead, at=NOW - last, outcome=outcome)

    CheckInFactory(patient=team.amina, by=team.lead, at=NOW - timedelta(days=2))
    person("Yesterday", timedelta(days=1))
    person("Refused", timedelta(days=9), "REFUSED")
    person("Dead", death_status="INFORMAL")
    person("Never")
    person("Last week", timedelta(days=7))

    order = [row.patient.given_name for row in queries.caseload(team.lead)]

    assert order == ["Never", "Last week", "Amina", "Yesterday", "Dead", "Refused"]


@pytest.mark.parametrize(
    ("query", "is_found"), [("kha", True), ("Amina Khan", True), ("khan x", False), ("mina", False)]
)
def test_the_caseload_is_searched_by_name(team: Team, sign_in: SignIn, query: str, is_found: bool) -> None:
    client = sign_in(team.lead)

    response = client.post(CASELOAD, {"name": query, "show": "NEW"})

    assert (response.status_code, response["Location"]) == (302, f"{CASELOAD}?show=NEW")
    page = text(client.get(response["Location"]))
    assert ("Amina Khan</a>" in page) is is_found
    assert f"Only people with a name that begins with “{query}”: {int(is_found)} found." in page


def test_the_caseload_stays_filtered_until_everybody_is_asked_for(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.lead)
    client.post(CASELOAD, {"name": "nobody"})
    assert "Amina Khan" not in text(client.get(CASELOAD))

    client.post(CASELOAD, {"name": " "})

    page = text(client.get(CASELOAD))
    assert "Amina Khan" in page
    assert "Show everybody" not in page
    assert "name filter" not in str(dict(client.session))


def test_the_caseload_is_not_filtered_after_signing_out_and_in(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.lead)
    client.post(CASELOAD, {"name": "nobody"})
    client.post(reverse("account_logout"))

    assert "Amina Khan" in text(sign_in(team.lead).get(CASELOAD))


def test_a_name_typed_under_one_membership_is_not_used_under_another(team: Team, sign_in: SignIn) -> None:
    other = MembershipFactory(user=team.lead.user, role="COORDINATOR")
    client = sign_in(team.lead)
    choose = reverse("choose_organisation")
    client.post(choose, {"membership": str(other.pk)})
    client.post(CASELOAD, {"name": "nobody"})
    assert "“nobody”" in text(client.get(CASELOAD))

    client.post(choose, {"membership": str(team.lead.pk)})

    assert "“nobody”" not in text(client.get(CASELOAD))


@pytest.mark.parametrize("typed", ["{number}", "999 000", "x" * 101, "\0"])
def test_what_is_no_name_is_told_and_not_kept(team: Team, sign_in: SignIn, typed: str) -> None:
    typed = typed.format(number=team.amina.nhs_number)
    client = sign_in(team.lead)
    client.post(CASELOAD, {"name": "ami"})

    response = client.post(CASELOAD, {"name": typed})

    assert response["Location"] == CASELOAD
    assert typed not in str(dict(client.session))
    page = text(client.get(CASELOAD))
    assert "nhsuk-notification-banner" in page
    assert "“ami”" in page


@pytest.mark.parametrize("name", ["ami", "nobody"])
def test_no_address_on_the_caseload_has_a_name_in_it(team: Team, sign_in: SignIn, name: str) -> None:
    for patient in validated(team.practice, 60, given_name="Amina"):
        AssignmentFactory(patient=patient, coordinator=team.lead)
    client = sign_in(team.lead)
    names = (name, "Amina", "Khan")
    assert not addresses_with(client.post(CASELOAD, {"name": name, "show": "NEW"}), *names)

    for query in ({}, {"show": "NEW"}, {"page": 2}, {"show": "ANOTHER_WAY"}):
        assert not addresses_with(client.get(CASELOAD, query), *names)
    assert ("page=2" in text(client.get(CASELOAD))) is (name == "ami")


def test_parts_of_the_caseload_are_counted_and_shown(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.lead)
    assert "Never contacted (1)" in text(client.get(CASELOAD))

    tries(team, "NO_ANSWER", "VOICEMAIL", "NO_ANSWER")

    page = text(client.get(CASELOAD, {"show": "ANOTHER_WAY"}))
    assert "Try another way (1)" in page
    assert "Amina Khan" in page
    assert "Amina Khan" not in text(client.get(CASELOAD, {"show": "NEW"}))


def test_the_caseload_has_pages_of_fifty_and_the_log_says_who_was_on_each(team: Team, sign_in: SignIn) -> None:
    for patient in validated(team.practice, 60):
        AssignmentFactory(patient=patient, coordinator=team.lead)
    client = sign_in(team.lead)

    text(client.get(CASELOAD))
    text(client.get(CASELOAD, {"page": 2}))

    first, second = ReadLog.objects.order_by("pk")
    assert (len(first.patient_ids), len(second.patient_ids)) == (50, 11)
    assert not set(first.patient_ids) & set(second.patient_ids)
    assert (first.what, first.user) == ("coordinators:caseload", team.lead.user)


def test_a_page_of_the_caseload_takes_the_same_few_queries_however_many_people(
    team: Team, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(team.lead)
    client.get(CASELOAD)
    for patient in validated(team.practice, 30):
        AssignmentFactory(patient=patient, coordinator=team.lead)
        CheckInFactory(patient=patient, by=team.lead)

    with django_assert_max_num_queries(8):
        client.get(CASELOAD)


def test_a_page_of_a_person_takes_the_same_few_queries_however_long_the_history(
    team: Team, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(team.lead)
    for _ in range(10):
        refer(team.amina, team.staff, team.lead)

    with django_assert_max_num_queries(12):
        text(client.get(person_url(team)))


def test_an_empty_caseload_says_what_will_happen(team: Team, sign_in: SignIn) -> None:
    lead = MembershipFactory(organisation=team.practice, role="COORDINATOR")

    assert "Nobody has been given to you yet" in text(sign_in(lead).get(CASELOAD))
    assert not ReadLog.objects.exists()


@pytest.mark.parametrize("who", ["staff", "gp"])
@pytest.mark.parametrize("page", ["caseload", "person"])
def test_other_roles_have_no_caseload(team: Team, sign_in: SignIn, who: str, page: str) -> None:
    other = team.staff if who == "staff" else MembershipFactory(organisation=team.practice)
    url = CASELOAD if page == "caseload" else person_url(team)

    assert sign_in(other).get(url).status_code == 403


def test_another_coordinators_person_is_not_there(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.lead)

    for patient in (team.charlie, team.bob):
        url = reverse("coordinators:person", args=[patient.pk])
        assert client.get(url).status_code == 404
        assert client.post(url, {"outcome": "COMPLETED", "token": form_token()}).status_code == 404
    assert not CheckIn.objects.exists()
    assert not ReadLog.objects.exists()


def test_nobody_signed_out_sees_anybody(team: Team, client: Any) -> None:
    assert client.get(CASELOAD).status_code == 302
    assert client.get(person_url(team)).status_code == 302


def test_a_person_shows_who_they_are_and_why_they_are_on_the_list(team: Team, sign_in: SignIn) -> None:
    FlagFactory(patient=team.amina, criterion_version__criterion=CriterionFactory(title="Solid transplant"))
    page = text(sign_in(team.lead).get(person_url(team)))

    assert "Amina Khan" in page
    assert "NHS number 999" in page
    assert 'href="tel:07700900123"' in page
    assert 'href="tel:02079460001"' in page
    assert "1 Mill Lane, Sutton, SM1 1AA" in page
    assert "Solid transplant" in page
    assert "Ask for Amina by name. Say it is the library." in page
    assert ReadLog.objects.get().patient_ids == [team.amina.pk]
    assert ReadLog.objects.get().what == "coordinators:person"


def test_a_persons_nhs_number_is_in_no_address(team: Team, sign_in: SignIn) -> None:
    assert team.amina.nhs_number not in person_url(team)


def test_a_person_shows_what_was_said_and_what_the_council_did(team: Team, sign_in: SignIn) -> None:
    refer(team.amina, team.staff, team.lead, state="CLOSED", what_was_done="Parcel on Tuesdays", settled_at=NOW,
          settled_by=team.staff)  # fmt: skip
    refer(team.amina, team.staff, team.lead, kind="MONEY", state="REJECTED", rejection_reason="DECLINED",
          settled_at=NOW, settled_by=team.staff)  # fmt: skip
    refer(team.amina, None, team.lead, kind="HOUSING")
    CheckInFactory(patient=team.amina, by=team.lead, note="Sounds cheerful", at=NOW)

    page = text(sign_in(team.lead).get(person_url(team)))

    for words in (
        "Parcel on Tuesdays",
        "Does not want help",
        "No council known for their postcode yet",
        "Sounds cheerful",
        "By Nia Rees",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("asked", "is_said"), [([False], True), ([False, None], True), ([False, True, None], False), ([None], False)]
)
def test_that_it_was_not_safe_to_talk_is_said_until_it_is(
    team: Team, sign_in: SignIn, asked: list[bool | None], is_said: bool
) -> None:
    for minutes, answer in enumerate(asked):
        CheckInFactory(patient=team.amina, by=team.lead, is_safe_to_talk=answer, at=NOW + timedelta(minutes=minutes))

    assert ("it was not safe for them to talk" in text(sign_in(team.lead).get(person_url(team)))) is is_said


def test_after_three_tries_the_page_asks_for_something_else(team: Team, sign_in: SignIn) -> None:
    tries(team, "NO_ANSWER", "NO_ANSWER", "WRONG_NUMBER")

    assert "ask the practice for a home visit" in text(sign_in(team.lead).get(person_url(team)))


def test_a_need_already_with_a_council_is_said_beside_its_box(team: Team, sign_in: SignIn) -> None:
    refer(team.amina, team.staff, team.lead)

    assert "Sutton has been asked already, on 20 March 2020" in text(sign_in(team.lead).get(person_url(team)))


def test_a_restricted_persons_address_is_not_shown(team: Team, sign_in: SignIn) -> None:
    team.amina.is_restricted = True
    team.amina.save()

    page = text(sign_in(team.lead).get(person_url(team)))

    assert "Mill Lane, Sutton" not in page
    assert "no council is told" in page


@pytest.mark.parametrize(("status", "has_form"), [("FORMAL", False), ("INFORMAL", True)])
def test_a_death_is_said_before_anybody_phones(team: Team, sign_in: SignIn, status: str, has_form: bool) -> None:
    team.amina.death_status = status
    team.amina.save()

    page = text(sign_in(team.lead).get(person_url(team)))

    assert "do not make contact" in page
    assert ("Log a check-in" in page) is has_form
    assert ("tel:" in page) is has_form


def test_a_check_in_is_logged_with_its_needs(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.lead)
    sent = {
        "token": form_token(),
        "outcome": "COMPLETED",
        "is_safe_to_talk": "YES",
        "needs": ["FOOD", "MEDICINES"],
        "detail_FOOD": "Halal",
        "note": "Well in herself",
    }

    response = client.post(person_url(team), sent)

    assert response.status_code == 302
    check_in = CheckIn.objects.get()
    assert (check_in.outcome, check_in.is_safe_to_talk, check_in.note) == ("COMPLETED", True, "Well in herself")
    assert str(check_in.pk) == sent["token"]
    assert set(Need.objects.values_list("kind", "detail")) == {("FOOD", "Halal"), ("MEDICINES", "")}
    assert "Check-in logged. Referred to Sutton." in text(client.get(response.url))


def test_a_double_click_logs_once(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.lead)
    sent = {"token": form_token(), "outcome": "COMPLETED", "needs": ["FOOD"]}

    assert [client.post(person_url(team), sent).status_code for _ in range(2)] == [302, 302]

    assert (CheckIn.objects.count(), Need.objects.count(), Referral.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "Select what happened"),
        ({"outcome": "NO_ANSWER", "needs": ["FOOD"]}, "Nobody answered, so clear what they need"),
        ({"outcome": "VOICEMAIL", "is_safe_to_talk": "YES"}, "Nobody answered, so clear what they need"),
        ({"outcome": "COMPLETED", "detail_FOOD": "Halal"}, "Select “Food”, or clear what you wrote about it"),
        ({"outcome": "COMPLETED", "needs": ["FOOD"], "detail_FOOD": "x" * 301}, "at most 300"),
        ({"outcome": "GONE"}, "not one of the available choices"),
    ],
)
def test_a_form_that_cannot_be_logged_says_why_and_keeps_what_was_typed(
    team: Team, sign_in: SignIn, sent: dict[str, Any], says: str
) -> None:
    token = form_token()
    page = text(sign_in(team.lead).post(person_url(team), {"token": token, "note": "Typed already", **sent}))

    assert says in page
    assert "There is a problem" in page
    assert "<title>Error: " in page.replace("<title> ", "<title>")
    assert "Typed already" in page
    assert token in page
    assert not CheckIn.objects.exists()


def test_a_form_of_another_check_in_is_refused(team: Team, sign_in: SignIn) -> None:
    [other] = validated(team.practice)
    AssignmentFactory(patient=other, coordinator=team.lead)
    used = CheckInFactory(id=uuid4(), patient=other, by=team.lead)

    page = text(sign_in(team.lead).post(person_url(team), {"token": str(used.pk), "outcome": "COMPLETED"}))

    assert "This form was used for another check-in" in page
    assert CheckIn.objects.count() == 1

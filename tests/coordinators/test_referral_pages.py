"""The pages of council staff, in each state, and the file they download."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from cohort.spreadsheets import read_csv
from coordinators.models import Referral
from coordinators.web.download import COLUMNS
from shielding.accounts.models import Membership
from shielding.audit.models import ReadLog
from tests.cohort.factories import NOW, EvidenceFactory, FlagFactory, MembershipFactory
from tests.coordinators.factories import Team, refer, validated

SignIn = Callable[[Membership], Any]
REFERRALS = "/referrals/"
DOWNLOAD = "/referrals/download/"


def url(referral: Referral) -> str:
    return reverse("coordinators:referral", args=[referral.pk])


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.fixture
def referral(team: Team) -> Referral:
    return refer(team.amina, team.staff, team.lead)


def test_a_council_sees_what_it_needs_and_nothing_else(team: Team, referral: Referral, sign_in: SignIn) -> None:
    EvidenceFactory(flag=FlagFactory(patient=team.amina))
    refer(team.charlie, team.other_staff, team.other_lead)
    client = sign_in(team.staff)

    for page in (text(client.get(REFERRALS)), text(client.get(url(referral)))):
        for words in ("Amina Khan", "Food", "Vegetarian", "Ask for Amina by name", "tel:07700900123", "SM1 1AA"):
            assert words in page
        for words in ("Charlie", "ransplant", "70536003", team.amina.nhs_number, "999 ", "Born"):
            assert words not in page


@pytest.mark.parametrize(
    ("state", "fields", "says"),
    [
        ("waiting", {}, "1 Mill Lane, Sutton, SM1 1AA"),
        ("accepted", {"state": "ACCEPTED"}, "1 Mill Lane, Sutton, SM1 1AA"),
        ("closed", {"state": "CLOSED", "what_was_done": "Parcel", "settled_at": NOW}, "Parcel"),
        ("rejected", {"state": "REJECTED", "rejection_reason": "DECLINED", "settled_at": NOW}, "Does not want help"),
    ],
)
def test_referrals_are_shown_by_state(
    team: Team, sign_in: SignIn, state: str, fields: dict[str, Any], says: str
) -> None:
    if "settled_at" in fields:
        fields = {**fields, "settled_by": team.staff}
    made = refer(team.amina, team.staff, team.lead, **fields)
    client = sign_in(team.staff)

    page = text(client.get(REFERRALS, {"state": state}))

    assert f"{state.capitalize()} (1)" in page
    assert says in page
    assert ("Mill Lane, Sutton" in page) is (state in {"waiting", "accepted"})
    assert says in text(client.get(url(made)))
    others = {"waiting", "accepted", "closed", "rejected"} - {state}
    assert all("Amina" not in text(client.get(REFERRALS, {"state": other})) for other in others)


@pytest.mark.parametrize("state", ["", "nonsense", "' OR 1=1"])
def test_an_unknown_state_shows_what_is_waiting(team: Team, referral: Referral, sign_in: SignIn, state: str) -> None:
    assert "Amina Khan" in text(sign_in(team.staff).get(REFERRALS, {"state": state}))


def test_no_referrals_says_so(team: Team, sign_in: SignIn) -> None:
    page = text(sign_in(team.staff).get(REFERRALS))

    assert "Nothing is waiting" in page
    assert "Download" not in page
    assert not ReadLog.objects.exists()


def test_each_page_is_in_the_read_log(team: Team, referral: Referral, sign_in: SignIn) -> None:
    client = sign_in(team.staff)

    client.get(REFERRALS)
    client.get(url(referral))
    client.post(DOWNLOAD)

    assert list(ReadLog.objects.order_by("pk").values_list("what", "patient_ids", "organisation", "role")) == [
        (what, [team.amina.pk], team.staff.organisation_id, "LA_STAFF")
        for what in ("coordinators:referrals", "coordinators:referral", "coordinators:download")
    ]


def test_a_page_takes_the_same_few_queries_however_many_referrals(
    team: Team, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for patient in validated(team.practice, 60):
        refer(patient, team.staff, team.lead)
    client = sign_in(team.staff)

    with django_assert_max_num_queries(9):
        page = text(client.get(REFERRALS))

    assert page.count('scope="row"') == 50
    assert len(ReadLog.objects.get().patient_ids) == 50


def test_another_councils_referral_is_not_found(team: Team, sign_in: SignIn) -> None:
    other = refer(team.charlie, team.other_staff, team.other_lead)
    client = sign_in(team.staff)

    assert client.get(url(other)).status_code == 404
    for sent in ({"do": "accept"}, {"do": "close", "what_was_done": "x"}, {"do": "reject", "reason": "DECLINED"}):
        assert client.post(url(other), sent).status_code == 404
    other.refresh_from_db()
    assert other.state == "WAITING"
    assert not ReadLog.objects.exists()


@pytest.mark.parametrize("page", ["list", "one", "download"])
def test_other_roles_see_no_referrals(team: Team, referral: Referral, sign_in: SignIn, page: str) -> None:
    for member in (team.lead, MembershipFactory(organisation=team.practice)):
        client = sign_in(member)
        response = {
            "list": lambda: client.get(REFERRALS),  # noqa: B023 - called at once
            "one": lambda: client.get(url(referral)),  # noqa: B023
            "download": lambda: client.post(DOWNLOAD),  # noqa: B023
        }[page]()
        assert response.status_code == 403


def test_restricted_people_are_on_no_page(team: Team, referral: Referral, sign_in: SignIn) -> None:
    team.amina.is_restricted = True
    team.amina.save()
    client = sign_in(team.staff)

    assert "Amina" not in text(client.get(REFERRALS))
    assert client.get(url(referral)).status_code == 404
    assert read_csv(client.post(DOWNLOAD).content) == []


@pytest.mark.parametrize(("status", "is_told_where"), [("FORMAL", False), ("INFORMAL", True)])
def test_nobody_knocks_on_the_door_of_the_dead(
    team: Team, referral: Referral, sign_in: SignIn, status: str, is_told_where: bool
) -> None:
    team.amina.death_status = status
    team.amina.save()
    client = sign_in(team.staff)

    listed, one = text(client.get(REFERRALS)), text(client.get(url(referral)))
    assert "Do not phone, write or visit" in listed
    assert "tel:" not in listed
    assert "SM1 1AA" not in listed
    assert "Do not phone, write or visit" in one
    assert ("SM1 1AA" in one) is is_told_where
    [row] = read_csv(client.post(DOWNLOAD).content)
    assert "Do not phone, write or visit" in row["do_not_contact"]
    assert bool(row["mobile"]) is bool(row["address_line_1"]) is is_told_where


def test_a_referral_is_accepted_and_closed_in_the_browser(team: Team, referral: Referral, sign_in: SignIn) -> None:
    client = sign_in(team.staff)

    accepted = text(client.post(url(referral), {"do": "accept"}, follow=True))
    closed = text(client.post(url(referral), {"do": "close", "what_was_done": "Parcel on Tuesdays"}, follow=True))

    assert "Referral accepted" in accepted
    assert "Close this referral" in accepted
    assert "Referral closed" in closed
    assert "Parcel on Tuesdays" in closed
    assert "Reject this referral" not in closed


def test_a_referral_is_rejected_in_the_browser(team: Team, referral: Referral, sign_in: SignIn) -> None:
    page = text(sign_in(team.staff).post(url(referral), {"do": "reject", "reason": "MOVED_AWAY"}, follow=True))

    assert "Referral rejected" in page
    assert "Has moved away" in page


def test_too_late_an_answer_changes_nothing_and_says_so(team: Team, referral: Referral, sign_in: SignIn) -> None:
    client = sign_in(team.staff)
    client.post(url(referral), {"do": "reject", "reason": "MOVED_AWAY"})

    page = text(client.post(url(referral), {"do": "accept"}, follow=True))

    assert "Nothing was changed: the referral is rejected" in page


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"do": "close"}, "Enter what was done"),
        ({"do": "close", "what_was_done": "x" * 301}, "at most 300"),
        ({"do": "reject"}, "Select why you cannot help"),
    ],
)
def test_an_answer_without_words_says_what_is_missing(
    team: Team, sign_in: SignIn, sent: dict[str, str], says: str
) -> None:
    made = refer(team.amina, team.staff, team.lead, state="ACCEPTED")

    page = text(sign_in(team.staff).post(url(made), sent))

    assert says in page
    assert "There is a problem" in page
    made.refresh_from_db()
    assert made.state == "ACCEPTED"


def test_a_button_that_is_not_there_does_nothing(team: Team, referral: Referral, sign_in: SignIn) -> None:
    assert sign_in(team.staff).post(url(referral), {"do": "delete"}).status_code == 200
    referral.refresh_from_db()
    assert referral.state == "WAITING"


def test_a_download_is_a_csv_file_nobody_keeps_a_copy_of(team: Team, referral: Referral, sign_in: SignIn) -> None:
    response = sign_in(team.staff).post(DOWNLOAD)

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="referrals-sutton-20')
    assert "no-store" in response["Cache-Control"]
    assert sign_in(team.staff).get(DOWNLOAD).status_code == 405


def test_a_download_has_each_open_referral_with_its_columns(team: Team, sign_in: SignIn) -> None:
    team.amina.address_lines = ["Flat 1", "The Mill", "12-14", "Mill Lane", "Sutton", "Surrey"]
    team.amina.unsafe_channels = ["SMS"]
    team.amina.save()
    made = refer(team.amina, team.staff, team.lead, detail="=HYPERLINK(1)")

    content = sign_in(team.staff).post(DOWNLOAD).content
    [row] = read_csv(content)

    assert tuple(row) == COLUMNS
    assert row == {
        "referral_id": str(made.pk),
        "state": "WAITING",
        "made_date": "2020-03-20",
        "nhs_number": team.amina.nhs_number,
        "given_name": "Amina",
        "family_name": "Khan",
        "birth_date": "1950-06-01",
        "do_not_contact": "",
        "how_to_contact_safely": "Do not send this person texts. Ask for Amina by name. Say it is the library.",
        "need": "Food",
        "detail": "=HYPERLINK(1)",
        "address_line_1": "Flat 1",
        "address_line_2": "The Mill",
        "address_line_3": "12-14",
        "address_line_4": "Mill Lane",
        "address_line_5": "Sutton, Surrey",
        "postcode": "SM1 1AA",
        "uprn": "100000000001",
        "mobile": "07700900123",
        "landline": "02079460001",
        "email": "amina@example.test",
        "gp_practice": "Mill Lane Surgery",
        "gp_practice_phone": "01632 960001",
    }
    for marked in (b'"\'=HYPERLINK(1)"', b'"\'07700900123"', b'"\'1950-06-01"', b'"\'12-14"', b'"\'100000000001"'):
        assert marked in content

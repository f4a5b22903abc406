"""A unit's pages: a list is checked, then sent; who is meant is decided; each row says what became of it."""

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.actions.hospitals import lists as actions
from cohort.matching import RowState
from cohort.models import HospitalList, HospitalRow, ListEntry, ListFact
from shielding.audit.models import ReadLog
from tests.addresses import addresses_with
from tests.cohort.factories import NOW
from tests.cohort.hospitals.scene import AMINA, BOB, STRANGER, Scene, entry_of, make_scene
from tests.cohort.hospitals.test_reading_lists import as_csv

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db: None, settings: Any) -> Scene:
    return make_scene(settings)


@pytest.fixture
def client(scene: Scene) -> Client:
    made = Client()
    made.force_login(scene.staff.user)
    return made


def upload(client: Client, content: bytes, name: str = "list.csv") -> Any:
    return client.post(reverse("cohort:hospital_lists"), {"file": SimpleUploadedFile(name, content)})


def body(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_list_is_looked_at_before_it_is_sent(scene: Scene, client: Client) -> None:
    bad = scene.row(BOB, birth_date="1961-02-30", reason="=1+1")
    unknown = scene.row(STRANGER, given_name="Nobody", family_name="Atall", birth_date="1990-01-01")
    answer = upload(client, as_csv(scene.row(), bad, unknown, scene.row(BOB, birth_date="1961-02-15")))
    made = HospitalList.objects.get()
    address = reverse("cohort:hospital_list", args=[made.pk])
    assert answer.url == address
    page = client.get(address)
    for text in ("Nothing has been changed yet", "1 found", "1 to decide", "1 not found", "1 could not be read"):
        assert text in body(page)
    assert "is not a day of the calendar" in body(page)
    assert not ListEntry.objects.exists()
    mended = client.get(reverse("cohort:hospital_errors", args=[made.pk]))
    assert b"'=1+1" in mended.content
    assert "is sent" in body(client.post(address, {"act": "send"}, follow=True))
    assert entry_of(AMINA).is_on_list
    page = client.get(f"{address}?tab=taken")
    assert "On the list" in body(page)
    assert not addresses_with(page, "Amina", "Khan", AMINA)
    assert ReadLog.objects.filter(what="cohort:hospital_list", patient_ids__contains=[entry_of(AMINA).pk]).exists()


def test_a_list_can_be_discarded(scene: Scene, client: Client) -> None:
    upload(client, as_csv(scene.row()))
    made = HospitalList.objects.get()
    answer = client.post(reverse("cohort:hospital_list", args=[made.pk]), {"act": "discard"}, follow=True)
    assert "Nothing was changed" in body(answer)
    assert not HospitalList.objects.exists()


def test_a_list_of_wrong_rows_alone_offers_nothing_to_send(scene: Scene, client: Client) -> None:
    upload(client, as_csv(scene.row(action="?")))
    page = body(client.get(reverse("cohort:hospital_list", args=[HospitalList.objects.get().pk])))
    assert "No row can be used" in page
    assert "Send the list" not in page


def doubtful_row(scene: Scene) -> HospitalRow:
    return scene.only_row(scene.send(scene.row(birth_date="1961-02-15")))


def test_who_is_meant_is_decided_side_by_side(scene: Scene, client: Client) -> None:
    row = doubtful_row(scene)
    address = reverse("cohort:hospital_row", args=[row.pk])
    page = client.get(address)
    for text in ("15 February 1961", "14 February 1961", "Person 1", "None of these", "1 to decide"):
        assert text in body(page)
    assert not addresses_with(page, "Amina", "Khan", AMINA)
    assert client.post(address, {}).status_code == 422
    assert client.post(address, {"who": "7"}).status_code == 422
    answer = client.post(address, {"who": "0"}, follow=True)
    assert "Your request counts from now on" in body(answer)
    assert entry_of(AMINA).is_on_list
    assert "nobody to decide about" in body(client.get(reverse("cohort:hospital_to_decide")))


def test_none_of_these_says_what_to_do(scene: Scene, client: Client) -> None:
    row = doubtful_row(scene)
    answer = client.post(reverse("cohort:hospital_row", args=[row.pk]), {"who": "none"}, follow=True)
    assert "Nothing was changed" in body(answer)
    assert HospitalRow.objects.get().state == RowState.NOT_THEM


def test_of_two_colleagues_the_second_is_told(scene: Scene, client: Client) -> None:
    row = doubtful_row(scene)
    address = reverse("cohort:hospital_row", args=[row.pk])
    client.get(address)
    actions.decide_row(row_id=row.pk, nhs_number=None, by=scene.staff, at=NOW)
    answer = client.post(address, {"who": "0"}, follow=True)
    assert answer.status_code == 422
    assert not ListFact.objects.exists()


def test_a_request_is_taken_back_with_a_reason(scene: Scene, client: Client) -> None:
    row = scene.only_row(scene.send(scene.row()))
    address = reverse("cohort:hospital_row", args=[row.pk])
    assert client.post(address, {"reason": ""}).status_code == 422
    assert "Your request is taken back" in body(client.post(address, {"reason": "Wrong patient"}, follow=True))
    assert not entry_of(AMINA).is_on_list
    assert "had been taken back already" in body(client.post(address, {"reason": "Again"}, follow=True))


def test_what_other_units_and_roles_sent_does_not_exist(scene: Scene) -> None:
    row = doubtful_row(scene)
    for who, status in ((scene.other_staff, 404), (scene.gp, 403)):
        client = Client()
        client.force_login(who.user)
        for name, part in (
            ("hospital_list", row.hospital_list_id),
            ("hospital_row", row.pk),
            ("hospital_errors", row.hospital_list_id),
        ):
            assert client.get(reverse(f"cohort:{name}", args=[part])).status_code == status
        assert client.post(reverse("cohort:hospital_row", args=[row.pk]), {"who": "0"}).status_code == status
        listing = client.get(reverse("cohort:hospital_to_decide"))
        assert listing.status_code == (200 if status == 404 else 403)
        assert "Khan" not in body(listing)
    assert not ListFact.objects.exists()


def test_the_templates_are_downloaded(client: Client) -> None:
    for kind, begins in (("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf")):
        answer = client.get(reverse("cohort:hospital_template", args=[kind]))
        assert answer.content.startswith(begins)
    assert client.get(reverse("cohort:hospital_template", args=["exe"])).status_code == 404


def test_reading_a_list_takes_as_many_queries_however_long(
    scene: Scene, client: Client, django_assert_max_num_queries: Any
) -> None:
    made = scene.send(
        scene.row(), scene.row(BOB), *(scene.row(STRANGER, birth_date=f"1990-01-{day:02}") for day in range(1, 29))
    )
    for tab in ("taken", "not-found"):
        with django_assert_max_num_queries(16):
            client.get(reverse("cohort:hospital_list", args=[made.pk]), {"tab": tab})


CONTENT = st.one_of(
    st.binary(max_size=200), st.text(max_size=200).map(lambda text: as_csv({}, {}) + text.encode("utf-8", "replace"))
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENT, name=st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a"]))
def test_no_file_is_a_server_error(client: Client, content: bytes, name: str) -> None:
    answer = upload(client, content, name)
    assert answer.status_code in {302, 422}


def test_said_by_hospitals_is_shown_in_words(scene: Scene) -> None:
    from django.template.loader import render_to_string

    from cohort.queries.hospitals import said_by_hospitals

    row = scene.only_row(scene.send(scene.row(hospital_medicine="eculizumab")))
    actions.withdraw_row(row_id=row.pk, reason="Wrong", by=scene.staff, at=NOW)
    shown = " ".join(
        render_to_string(
            "cohort/hospitals/said.html",
            {"said": said_by_hospitals(scene.gp, entry_of(AMINA).pk), "patient_id": entry_of(AMINA).pk},
        ).split()
    )
    assert "St Anselm&#39;s Renal Unit</strong> (dialysis unit) asked on" in shown
    assert "eculizumab" in shown
    assert "has taken this back" in shown
    assert date(2020, 3, 20).strftime("%-d %B %Y") in shown

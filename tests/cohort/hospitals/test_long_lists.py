"""Lists too long for a page to wait for: taken at once, checked and sent by a worker, whole or not at all."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cohort.actions.hospitals import lists, tokens
from cohort.models import HospitalList, HospitalRow, ListEntry, ListFact
from cohort.queries import matching
from cohort.spreadsheets import write_csv
from cohort.tasks import carry_on_list, resume_hospital_lists
from shielding.accounts.models import Role
from tests.accounts.people import member
from tests.cohort.hospitals.scene import AMINA, BOB, STRANGER, Scene, entry_of, make_scene
from tests.cohort.hospitals.test_api import schema
from tests.cohort.validation.pages import read

pytestmark = pytest.mark.django_db
LISTS = "/api/v1/lists/"


@pytest.fixture
def scene(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Scene:
    cache.clear()
    monkeypatch.setattr(lists, "AT_ONCE", 1)
    return make_scene(settings)


def rows_of(scene: Scene) -> list[dict[str, Any]]:
    """Returns four rows: two good, one that asks the opposite of the first without its number, one unreadable."""
    return [
        scene.row(),
        scene.row(BOB),
        scene.row("", given_name="Amina", action="remove"),
        scene.row(STRANGER, birth_date="1961-02-30"),
    ]


class Computer:
    """A unit's computer that calls the API."""

    def __init__(self, scene: Scene) -> None:
        self.secret = tokens.make_token(
            unit=scene.unit, name="Renal", days=9, by=member(Role.ADMINISTRATOR), at=timezone.now()
        )[1]

    def call(self, method: str, address: str, body: Any = None, key: str = "list-of-friday") -> Any:
        """Returns the answer."""
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key}
        if method == "get":
            return Client().get(address, headers=headers)
        return Client().post(address, json.dumps(body), content_type="application/json", headers=headers)


def test_a_long_list_by_the_api_is_taken_at_once_and_counts_once_a_worker_has_sent_it(scene: Scene) -> None:
    computer = Computer(scene)
    body = {"rows": rows_of(scene)}
    answer = computer.call("post", LISTS, body)
    assert answer.status_code == 202, answer.content
    taken = answer.json()
    assert taken["status"] == "SENDING"
    assert taken["counts"] == {"rows": 0, "taken": 0, "to_decide": 0, "not_found": 0, "wrong": 1}
    assert taken["errors"] == [{"row": 4, "column": "birth_date", "reason": "is not a day of the calendar."}]
    assert not ListEntry.objects.exists()
    address = f"{LISTS}{taken['id']}/"
    assert computer.call("get", address).json() == taken
    assert computer.call("get", f"{address}rows/").json()["results"] == []
    again = computer.call("post", LISTS, body)
    assert (again.status_code, again.json()) == (200, taken)
    assert computer.call("post", LISTS, {"rows": [scene.row()]}).status_code == 409

    carry_on_list(taken["id"])
    sent = computer.call("get", address).json()
    assert sent["failure"] == taken["failure"] == ""
    assert (sent["status"], sent["sent_at"]) == ("SENT", taken["sent_at"])
    assert sent["counts"] == {"rows": 2, "taken": 2, "to_decide": 0, "not_found": 0, "wrong": 2}
    assert [(error["row"], error["column"]) for error in sent["errors"]] == [(3, "action"), (4, "birth_date")]
    assert entry_of(AMINA).is_on_list
    assert [row["outcome"] for row in computer.call("get", f"{address}rows/").json()["results"]] == ["ON_LIST"] * 2
    # Done, it is done: neither another worker nor the same list again does anything.
    carry_on_list(taken["id"])
    resume_hospital_lists()
    assert computer.call("post", LISTS, body).json() == sent
    assert (ListFact.objects.count(), HospitalRow.objects.count()) == (2, 2)
    computer.call("post", LISTS, body, key="list-of-monday")
    resume_hospital_lists()
    assert (ListFact.objects.count(), HospitalRow.objects.count()) == (2, 4)


def test_the_api_says_that_it_answers_so(scene: Scene) -> None:
    answers = schema()["paths"][LISTS]["post"]["responses"]
    assert answers["202"]["content"] == answers["201"]["content"]


def upload(client: Client, scene: Scene) -> str:
    rows = rows_of(scene)
    file = SimpleUploadedFile("list.csv", write_csv(rows, list(rows[0])))
    answer = client.post(reverse("cohort:hospital_lists"), {"file": file})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.url)


def test_a_long_list_that_is_uploaded_is_checked_and_sent_while_its_page_says_so(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.staff.user)
    url = upload(client, scene)
    page = read(client.get(url))
    assert "The list is being checked" in page
    assert "Nothing is changed before you send it" in page
    assert "birth_date" in page
    assert "Being checked" in read(client.get(reverse("cohort:hospital_lists")))
    # Nobody can send what nobody has seen.
    assert "The list is being checked" in read(client.post(url, {"act": "send"}, follow=True))

    resume_hospital_lists()
    page = read(client.get(url))
    assert "Nothing has been changed yet" in page
    assert "2 found" in page
    assert not ListEntry.objects.exists()

    page = read(client.post(url, {"act": "send"}, follow=True))
    assert "The list is being sent" in page
    assert "The list is sent" not in page
    assert not ListEntry.objects.exists()
    assert client.post(url, {"act": "discard"}).status_code == 404

    resume_hospital_lists()
    assert "Counted (2)" in read(client.get(url))
    assert entry_of(AMINA).is_on_list
    assert entry_of(AMINA).reviewed_by == scene.staff.user


def test_a_list_that_is_being_checked_can_be_discarded(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.staff.user)
    url = upload(client, scene)
    client.post(url, {"act": "discard"})
    resume_hospital_lists()
    carry_on_list(url.rstrip("/").rsplit("/", 1)[-1])
    assert not HospitalList.objects.exists()


def test_a_match_reads_the_extracts_once_for_a_whole_list(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    verdicts = matching.verdicts
    monkeypatch.setattr(lists, "verdicts", lambda rows: asked.append(len(rows)) or verdicts(rows))
    Computer(scene).call("post", LISTS, {"rows": rows_of(scene)})
    assert asked == []
    resume_hospital_lists()
    assert asked == [3]

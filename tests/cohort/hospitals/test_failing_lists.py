"""A long list that no worker can check or send comes to an end that its unit sees, and can be sent again as it is."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cohort.actions.hospitals import lists
from cohort.hospital_lists import check_rows
from cohort.long_lists import LATE, LIST_TRANSITIONS, PAUSE, TRIES, ListState, may_try
from cohort.models import HospitalList, HospitalRow, ListFact
from cohort.tasks import carry_on_list, resume_hospital_lists
from tests.cohort.factories import NOW
from tests.cohort.hospitals.scene import AMINA, BOB, TODAY, Scene, entry_of, make_scene
from tests.cohort.hospitals.test_long_lists import LISTS, Computer, rows_of
from tests.cohort.validation.pages import read

#: A worker that says that it is amid its work, and waits there to be killed.
WORKER = """
import sys, time, uuid
import django
django.setup()
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pathlib import Path
connection.settings_dict["NAME"], settings.EXTRACT_STORE = sys.argv[1], Path(sys.argv[2])
from cohort.actions.hospitals import lists, standing

def wait(*args, **given):
    print("here", flush=True)
    time.sleep(600)

standing.recompute = wait
lists.carry_on(list_id=uuid.UUID(sys.argv[3]), at=timezone.now())
"""


@pytest.fixture
def scene(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Scene:
    cache.clear()
    monkeypatch.setattr(lists, "AT_ONCE", 1)
    return make_scene(settings)


def long_list(scene: Scene, *, is_sent: bool, at: datetime = NOW) -> HospitalList:
    """Returns a list of Amina and Bob that a worker is to check or, once that is done, to send."""
    good = check_rows([(2, scene.row()), (3, scene.row(BOB))], today=TODAY)
    made = lists.check_list(read=good, sha256="0" * 64, by=scene.staff, at=at)
    if is_sent:
        lists.carry_on(list_id=made.pk, at=at)
        lists.send_list(list_id=made.pk, by=scene.staff, at=at)
    made.refresh_from_db()
    return made


def break_all(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Has every try to check or to send a list end in an error."""

    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("cohort.actions.hospitals.lists.verdicts", fail)
    monkeypatch.setattr("cohort.actions.hospitals.standing.recompute", fail)


def try_in_vain(made: HospitalList, monkeypatch: pytest.MonkeyPatch, error: Exception, *, times: int = TRIES) -> None:
    with monkeypatch.context() as broken:
        break_all(broken, error)
        for number in range(times):
            lists.carry_on(list_id=made.pk, at=NOW + number * PAUSE)
    made.refresh_from_db()


@pytest.mark.parametrize(
    ("tries", "ago", "expected"),
    [
        (0, None, True),
        (0, timedelta(0), True),
        (1, timedelta(0), False),
        (1, PAUSE - timedelta(seconds=1), False),
        (1, PAUSE, True),
        (TRIES, PAUSE, True),
    ],
)
def test_a_list_is_tried_at_once_and_then_after_a_pause(tries: int, ago: timedelta | None, expected: bool) -> None:
    assert may_try(tries=tries, tried_at=None if ago is None else NOW - ago, at=NOW) is expected


def test_the_page_says_that_a_list_is_late_only_after_the_last_try() -> None:
    assert LATE > TRIES * PAUSE


def test_a_worker_that_fails_leaves_a_list_whole_for_the_next_try(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    computer = Computer(scene)
    computer.call("post", LISTS, {"rows": rows_of(scene)})
    with monkeypatch.context() as broken:
        break_all(broken, RuntimeError(AMINA))
        resume_hospital_lists()
    assert "RuntimeError" in caplog.text
    assert AMINA not in caplog.text
    assert (HospitalRow.objects.count(), ListFact.objects.count()) == (0, 0)
    made = HospitalList.objects.get()
    assert (made.state, made.tries) == ("SENDING", 1)
    resume_hospital_lists()
    made.refresh_from_db()
    assert (made.state, made.tries) == ("SENDING", 1), "it was tried a moment ago"
    lists.carry_on(list_id=made.pk, at=timezone.now() + PAUSE)
    made.refresh_from_db()
    assert (made.state, made.waiting, made.failure) == ("SENT", [], "")
    assert entry_of(BOB).is_on_list


@pytest.mark.parametrize("is_sent", [False, True])
@pytest.mark.parametrize(
    ("error", "failure", "words"),
    [
        (RuntimeError(AMINA), "FAULT", "Our service has a fault."),
        (duckdb.IOException(AMINA), "NO_RECORDS", "The records in which we look people up could not be read."),
        (FileNotFoundError(AMINA), "NO_RECORDS", "The records in which we look people up could not be read."),
    ],
)
def test_a_list_that_fails_each_time_says_so_and_goes_on_when_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, is_sent: bool, error: Exception, failure: str, words: str
) -> None:
    made = long_list(scene, is_sent=is_sent)
    was = made.state
    try_in_vain(made, monkeypatch, error, times=TRIES - 1)
    assert (made.state, made.tries) == (was, TRIES - 1)
    client = Client()
    client.force_login(scene.staff.user)
    url = reverse("cohort:hospital_list", args=[made.pk])
    assert f"this is try {TRIES - 1} of {TRIES}" in read(client.get(url))

    try_in_vain(made, monkeypatch, error)
    assert (made.state, made.failure) == ("FAILED", failure)
    assert not ListFact.objects.exists()
    checked, check = ("sent", "Send") if is_sent else ("checked", "Check")
    page = read(client.get(url))
    assert f"The list could not be {checked}" in page
    assert f"We tried {TRIES} times" in page
    assert words in page
    assert "Nothing in this list counts" in page
    assert f"{check} it again" in page
    assert str(made.pk)[:8] in page
    assert "The people on it" not in page
    everything = read(client.get(reverse("cohort:hospital_lists")))
    assert "1 list failed" in everything
    # It is not taken up by itself, nor sent by a page that was opened before.
    resume_hospital_lists()
    client.post(url, {"act": "send"})
    made.refresh_from_db()
    assert made.state == "FAILED"

    page = read(client.post(url, {"act": "again"}, follow=True))
    assert f"The list is being {checked}" in page
    assert "this is try" not in page
    resume_hospital_lists()
    made.refresh_from_db()
    assert (made.state, made.failure) == ("SENT" if is_sent else "CHECKED", "")
    assert ListFact.objects.count() == (2 if is_sent else 0)
    assert HospitalRow.objects.count() == 2
    assert "failed" not in read(client.get(reverse("cohort:hospital_lists")))
    if is_sent:
        assert made.sent_at is not None
        assert made.sent_at > NOW + LATE, "its requests count from when it was sent again"


def test_a_list_that_failed_goes_again_in_the_name_of_whoever_asks(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = long_list(scene, is_sent=True)
    try_in_vain(made, monkeypatch, RuntimeError())
    with pytest.raises(HospitalList.DoesNotExist):
        lists.try_again(list_id=made.pk, by=scene.other_staff, at=NOW)
    later = NOW + timedelta(hours=1)
    again = lists.try_again(list_id=made.pk, by=scene.staff, at=later)
    assert (again.state, again.sent_at, again.tries) == ("SENDING", later, 0)
    assert lists.try_again(list_id=made.pk, by=scene.staff, at=later + LATE).sent_at == later, "it goes already"
    lists.carry_on(list_id=made.pk, at=later)
    assert set(ListFact.objects.values_list("at", "by")) == {(later, scene.staff.user_id)}


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_list_that_failed_can_be_discarded(scene: Scene, monkeypatch: pytest.MonkeyPatch, is_sent: bool) -> None:
    made = long_list(scene, is_sent=is_sent)
    try_in_vain(made, monkeypatch, RuntimeError())
    lists.discard_list(list_id=made.pk, by=scene.staff)
    assert not HospitalList.objects.exists()


@pytest.mark.parametrize(("is_sent", "left"), [(False, 0), (True, 1)])
def test_a_list_that_failed_to_be_sent_is_kept_until_somebody_decides(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, is_sent: bool, left: int
) -> None:
    made = long_list(scene, is_sent=is_sent)
    try_in_vain(made, monkeypatch, RuntimeError())
    other = long_list(scene, is_sent=False, at=NOW + 3 * lists.KEPT)
    assert HospitalList.objects.exclude(pk=other.pk).count() == left


def test_a_computer_learns_that_its_list_failed_and_sends_it_again_under_its_key(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer, body = Computer(scene), {"rows": rows_of(scene)}
    taken = computer.call("post", LISTS, body).json()
    try_in_vain(HospitalList.objects.get(), monkeypatch, RuntimeError())
    address = f"{LISTS}{taken['id']}/"
    failed = computer.call("get", address).json()
    assert (failed["status"], failed["failure"]) == ("FAILED", "Our service has a fault.")
    assert failed["counts"] == taken["counts"]
    assert failed["errors"] == taken["errors"]
    assert computer.call("get", LISTS).json()["results"][0]["status"] == "FAILED"
    assert computer.call("get", f"{address}rows/").json()["results"] == []
    assert computer.call("post", LISTS, {"rows": [scene.row()]}).status_code == 409

    again = computer.call("post", LISTS, body)
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["status"], again.json()["failure"]) == (taken["id"], "SENDING", "")
    assert computer.call("post", LISTS, body).status_code == 200
    carry_on_list(taken["id"])
    sent = computer.call("get", address).json()
    assert (sent["status"], sent["counts"]["taken"], sent["failure"]) == ("SENT", 2, "")


def test_a_computer_does_not_see_an_uploaded_list_that_could_not_be_checked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = long_list(scene, is_sent=False)
    try_in_vain(made, monkeypatch, RuntimeError())
    computer = Computer(scene)
    assert computer.call("get", LISTS).json()["results"] == []
    assert computer.call("get", f"{LISTS}{made.pk}/").status_code == 404


def test_the_page_of_a_list_that_nobody_takes_up_says_whom_to_ask(scene: Scene) -> None:
    made = long_list(scene, is_sent=False, at=timezone.now() - LATE + timedelta(minutes=1))
    client = Client()
    client.force_login(scene.staff.user)
    url = reverse("cohort:hospital_list", args=[made.pk])
    assert "longer than it should" not in read(client.get(url))
    HospitalList.objects.update(checked_at=timezone.now() - LATE - timedelta(minutes=1))
    page = read(client.get(url))
    assert "This takes longer than it should" in page
    assert "ask those who run Shielding" in page


def test_a_page_that_waits_renews_itself_until_the_list_is_done(scene: Scene) -> None:
    made = long_list(scene, is_sent=False)
    client = Client()
    client.force_login(scene.staff.user)
    url = reverse("cohort:hospital_list", args=[made.pk])
    page = client.get(url).content.decode()
    assert 'data-live="10"' in page
    assert 'data-state="WAITING"' in page
    assert "shielding/live.js" in page
    assert "See whether it is done" in page
    resume_hospital_lists()
    # Without the same part in it the script would not see that the list has moved on.
    done = client.get(url).content.decode()
    assert 'id="how-far" data-state="CHECKED"' in done
    assert "data-live=" not in done


@pytest.mark.parametrize("state", [*ListState])
def test_the_database_refuses_every_other_move_of_a_list(scene: Scene, state: ListState) -> None:
    made = long_list(scene, is_sent=state in {ListState.SENDING, ListState.SENT})
    if state == ListState.CHECKED or state == ListState.SENT:
        lists.carry_on(list_id=made.pk, at=NOW + PAUSE)
    if state == ListState.FAILED:
        HospitalList.objects.update(state=state, failure="FAULT")
    its = HospitalList.objects.filter(pk=made.pk, state=state)
    for other in {*ListState} - {state} - LIST_TRANSITIONS[state]:
        with pytest.raises(Error, match=r"Invalid transition|Cannot update"), transaction.atomic():
            its.update(state=other)
    assert its.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_sent", [False, True])
def test_nobody_waits_for_a_worker_that_has_a_list(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, is_sent: bool
) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 1)
    scene = make_scene(settings)
    made = long_list(scene, is_sent=is_sent, at=timezone.now())
    HospitalList.objects.update(idempotency_key="list-of-friday")
    client = Client()
    client.force_login(scene.staff.user)
    url = reverse("cohort:hospital_list", args=[made.pk])
    again: Any = {
        "read": check_rows([(2, scene.row()), (3, scene.row(BOB))], today=TODAY),
        "sha256": made.sha256,
        "idempotency_key": "list-of-friday",
    }
    worker: Any = connection.copy()
    worker.set_autocommit(False)
    try:
        with worker.cursor() as cursor:
            cursor.execute("SELECT 1 FROM cohort_hospitallist WHERE id = %s FOR UPDATE", [made.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        assert lists.send_list(list_id=made.pk, by=scene.staff, at=NOW).state == made.state
        assert lists.try_again(list_id=made.pk, by=scene.staff, at=NOW).state == made.state
        assert lists.submit_list(**again, by=scene.staff, at=NOW) == (made, False)
        lists.carry_on(list_id=made.pk, at=NOW)
        page = client.post(url, {"act": "discard"}, follow=True)
        assert (page.status_code, "Discard it once that is done" in read(page)) == (
            (404, False) if is_sent else (200, True)
        )
    finally:
        worker.close()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")
    made.refresh_from_db()
    assert made.tries == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_last", [False, True])
def test_a_list_whose_worker_is_killed_goes_again_or_fails_and_never_half(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, is_last: bool
) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 1)
    made = long_list(make_scene(settings), is_sent=True)
    HospitalList.objects.update(tries=TRIES - 1 if is_last else 0)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], str(settings.EXTRACT_STORE), str(made.pk)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "shielding.settings"},
    )
    assert worker.stdout is not None
    said = worker.stdout.readline()
    # While one worker has it no other does, however long that takes, and it has not failed.
    lists.carry_on(list_id=made.pk, at=timezone.now() + LATE)
    made.refresh_from_db()
    alive = (made.state, made.tries)
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)
    worker.stdout.close()
    assert said == "here\n"
    assert alive == ("SENDING", TRIES if is_last else 1)
    assert not ListFact.objects.exists()

    for _ in range(100):  # until PostgreSQL has seen that the worker is gone
        lists.carry_on(list_id=made.pk, at=timezone.now() + PAUSE)
        made.refresh_from_db()
        if made.state != "SENDING":
            break
        time.sleep(0.1)
    if is_last:
        assert (made.state, made.failure) == ("FAILED", "STOPPED")
        assert not ListFact.objects.exists()
        lists.try_again(list_id=made.pk, by=lists._whose(made), at=timezone.now())
        resume_hospital_lists()
        made.refresh_from_db()
    assert made.state == "SENT"
    assert ListFact.objects.count() == 2

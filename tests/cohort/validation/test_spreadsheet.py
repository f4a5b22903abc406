"""Deciding a list in a spreadsheet: down, back, looked at, done once, undone."""

import csv
import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cohort.actions.bulk import undo_together
from cohort.actions.decisions import confirm
from cohort.actions.facts import record_fact
from cohort.actions.spreadsheet import NothingToDecide, decide_from_sheet
from cohort.decision_sheets import COLUMNS, WANTED, Decisions, understand
from cohort.models import BulkReceipt, ListEntry, ListFact, Patient, PracticeList, RemovalTold, ReviewQuery
from cohort.queries.review import version
from cohort.queries.spreadsheet import MostlyOthers, Outcome, WhoToDownload, download_rows, people_to_download, plan
from cohort.rules import FactSource, Request
from cohort.sheets import csv_lines, read_sheet, write_xlsx
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from tests.cohort.factories import NOW, Cast, ListEntryFactory, MembershipFactory, fill_list
from tests.cohort.validation.pages import SignIn, entry_of, read

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
NAMES = [column.name for column in COLUMNS]
REMOVED = {
    "Decision": "remove",
    "Reason": "Another reason",
    "Detail": "=Coded in error, says Zoë",
    "Patient told": "yes",
    "Told by": "Dr Ng",
}


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, settings: Any) -> Path:
    settings.RUN_FOLDER = str(tmp_path)
    return tmp_path / "practice-sheets"


def rows_of(cast: Cast, said: dict[Patient, dict[str, str]] | None = None) -> list[dict[str, str]]:
    """Returns the rows that the practice downloads, with what it writes about each person."""
    people = people_to_download(cast.gp, cast.practice_list.pk, WhoToDownload.EVERYBODY)
    written = {person.nhs_number: words for person, words in (said or {}).items()}
    rows = [dict(zip(NAMES, row, strict=True)) for row in download_rows(cast.gp, people)]
    return [row | written.get(row["NHS number"], {}) for row in rows]


def as_file(rows: list[dict[str, str]], kind: str = "csv") -> bytes:
    columns = [*COLUMNS]
    cells = [[row[name] for name in NAMES] for row in rows]
    return (
        b"".join(csv_lines(columns, cells))
        if kind == "csv"
        else write_xlsx(columns, cells, title="List", notes=[], keep=3)
    )


def decisions(rows: list[dict[str, str]], kind: str = "csv") -> Decisions:
    return understand(read_sheet(as_file(rows, kind), WANTED))


def decide(cast: Cast, rows: list[dict[str, str]], **other: Any) -> BulkReceipt:
    return decide_from_sheet(
        **{"list_id": cast.practice_list.pk, "read": decisions(rows), "by": cast.gp, "at": NOW, **other}
    )


def post_file(client: Client, cast: Cast, content: bytes, name: str = "list.csv") -> Any:
    url = reverse("cohort:spreadsheet", args=[cast.practice_list.pk])
    return client.post(url, {"file": SimpleUploadedFile(name, content)}, follow=True)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_a_file_says_is_what_one_by_one_would_have_written(cast: Cast, kind: str) -> None:
    rows = rows_of(cast, {cast.amina: {"Decision": "Confirm"}, cast.bob: REMOVED})
    receipt = decide(cast, rows, read=decisions(rows, kind))
    assert (receipt.confirmed, receipt.removed, receipt.changed, receipt.refused) == (
        [cast.amina.pk], [cast.bob.pk], [], {},
    )  # fmt: skip
    amina, bob = entry_of(cast.amina), entry_of(cast.bob)
    assert (amina.review_state, amina.is_on_list, amina.because.source, amina.reviewed_by) == (
        "CONFIRMED", True, "GP", cast.gp.user,
    )  # fmt: skip
    assert (bob.review_state, bob.is_on_list, bob.removal_reason, bob.removal_detail, bob.is_patient_told) == (
        "REMOVED", False, "OTHER", "=Coded in error, says Zoë", True,
    )  # fmt: skip
    assert (bob.because.source, bob.because.request, bob.because.reason) == ("GP", "REMOVE", bob.removal_detail)
    told = RemovalTold.objects.get()
    assert (told.fact, told.told_by, told.recorded_by) == (bob.because, "Dr Ng", cast.gp.user)
    assert bob.changed_at == NOW


def test_the_same_file_again_changes_nothing(cast: Cast) -> None:
    rows = rows_of(cast, {cast.amina: {"Decision": "confirm"}, cast.bob: REMOVED})
    decide(cast, rows)
    facts = ListFact.objects.count()
    with pytest.raises(NothingToDecide) as nothing:
        decide(cast, rows, at=LATER)
    assert nothing.value.plan.count(Outcome.SO_ALREADY) == 2
    assert (ListFact.objects.count(), BulkReceipt.objects.count()) == (facts, 1)


def test_whoever_was_decided_since_the_download_is_not_overwritten(cast: Cast) -> None:
    rows = rows_of(cast, {cast.amina: REMOVED, cast.bob: {"Decision": "confirm"}})
    confirm(entry_id=cast.amina.pk, by=cast.staff, at=NOW, seen=version(entry_of(cast.amina)))
    receipt = decide(cast, rows, at=LATER)
    assert receipt.refused == {str(cast.amina.pk): "DECIDED_SINCE"}
    assert entry_of(cast.amina).review_state == "CONFIRMED"
    assert entry_of(cast.bob).review_state == "CONFIRMED"


def test_open_questions_and_the_dead_are_left_alone_but_the_dead_can_be_removed(cast: Cast) -> None:
    dead = ListEntryFactory(practice_list=cast.practice_list).patient
    ReviewQuery.objects.create(
        patient=cast.bob, practice=cast.practice, question="Still so?", asked_at=NOW, asked_by=cast.staff.user
    )
    Patient.objects.filter(pk__in=[dead.pk, cast.amina.pk]).update(death_status="INFORMAL")
    died = {"Decision": "remove", "Reason": "They have died"}
    receipt = decide(cast, rows_of(cast, {cast.amina: {"Decision": "confirm"}, cast.bob: REMOVED, dead: died}))
    assert receipt.removed == [dead.pk]
    assert receipt.refused == {str(cast.amina.pk): "DIED", str(cast.bob.pk): "QUESTION_OPEN"}
    assert (entry_of(dead).removal_reason, entry_of(dead).is_patient_told) == ("DIED", False)


def test_a_decision_can_be_changed_but_an_undo_leaves_it(cast: Cast) -> None:
    decide(cast, rows_of(cast, {cast.amina: {"Decision": "confirm"}}))
    receipt = decide(cast, rows_of(cast, {cast.amina: REMOVED, cast.bob: REMOVED}), at=LATER)
    assert receipt.changed == [cast.amina.pk]
    undone = undo_together(receipt_id=receipt.pk, by=cast.gp, at=LATER)
    assert undone.kept == [cast.amina.pk]
    assert entry_of(cast.amina).review_state == "REMOVED"
    bob = entry_of(cast.bob)
    assert (bob.review_state, bob.is_on_list, bob.removal_reason, bob.because.source) == (
        "TO_REVIEW", True, "", "ALGORITHM",
    )  # fmt: skip


def test_a_removed_person_can_be_confirmed_and_one_added_stays_added(cast: Cast) -> None:
    decide(cast, rows_of(cast, {cast.amina: REMOVED}))
    ListEntry.objects.filter(pk=cast.bob.pk).update(
        is_flagged=False, review_state="ADDED", reviewed_at=NOW, reviewed_by=cast.gp.user
    )
    confirmed = {"Decision": "confirm"}
    receipt = decide(cast, rows_of(cast, {cast.amina: confirmed, cast.bob: REMOVED}), at=LATER)
    assert (receipt.confirmed, receipt.removed) == ([cast.amina.pk], [cast.bob.pk])
    amina = entry_of(cast.amina)
    assert (amina.review_state, amina.removal_reason, amina.is_patient_told, amina.is_on_list) == (
        "CONFIRMED", "", None, True,
    )  # fmt: skip
    decide(cast, rows_of(cast, {cast.bob: confirmed}), at=LATER + timedelta(hours=1))
    assert entry_of(cast.bob).review_state == "ADDED"


def test_a_later_request_of_a_hospital_still_decides(cast: Cast) -> None:
    record_fact(patient_id=cast.bob.pk, source=FactSource.HOSPITAL, request=Request.ADD, reason="Ours", at=LATER)
    decide(cast, rows_of(cast, {cast.bob: REMOVED}))
    bob = entry_of(cast.bob)
    assert (bob.review_state, bob.is_on_list, bob.because.source) == ("REMOVED", True, "HOSPITAL")


def test_a_file_of_mostly_other_people_is_refused_whole(cast: Cast) -> None:
    rows = rows_of(cast, {cast.amina: {"Decision": "confirm"}})[:1]
    strangers = [rows[0] | {"NHS number": "9999000002"}, rows[0] | {"NHS number": cast.charlie.nhs_number}]
    with pytest.raises(MostlyOthers) as refused:
        decide(cast, rows + strangers)
    assert not str(refused.value)
    assert entry_of(cast.amina).review_state == "TO_REVIEW"


def test_only_the_practice_may_and_after_signing_off_only_a_gp(cast: Cast) -> None:
    rows = rows_of(cast, {cast.amina: {"Decision": "confirm"}})
    with pytest.raises(PracticeList.DoesNotExist):
        decide(cast, rows, by=cast.other_gp)
    with pytest.raises(NotAllowed):
        decide(cast, rows, by=MembershipFactory(organisation=cast.practice, role="COORDINATOR"))
    PracticeList.objects.filter(pk=cast.practice_list.pk).update(submitted_at=NOW, submitted_by=cast.gp.user)
    with pytest.raises(NotAllowed):
        decide(cast, rows, by=cast.staff)
    assert decide(cast, rows).confirmed == [cast.amina.pk]


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"NHS number": "9.99E+09"}, "A, NHS number", "has shortened the number"),
        ({"NHS number": "9991234"}, "A, NHS number", "Must be 10 numbers long; this has 7"),
        ({"NHS number": "9999000002"}, "A, NHS number", "Nobody of this number is on your list"),
        ({"Birth date": "1961-02-15"}, "D, Birth date", "rows may be mixed up"),
        ({"Birth date": "22326"}, "D, Birth date", "Not a date"),
        ({"Decision": "yes"}, "L, Decision", "Write confirm, remove or leave"),
        ({"Decision": "remove", "Patient told": "no"}, "M, Reason", "A removal needs a reason"),
        ({"Decision": "remove", "Reason": "They moved", "Patient told": "no"}, "M, Reason", "Choose one of the list"),
        ({**REMOVED, "Detail": ""}, "N, Detail", "Write what the other reason is"),
        ({**REMOVED, "Detail": "x" * 201}, "N, Detail", "Longer than 200"),
        ({**REMOVED, "Detail": "a\x00b"}, "N, Detail", "a character that is not text"),
        ({**REMOVED, "Patient told": ""}, "O, Patient told", "Write yes if a clinician"),
        ({**REMOVED, "Patient told": "perhaps"}, "O, Patient told", "Write yes or no"),
        ({"Reason": "They have died"}, "M, Reason", "Only a removal has a reason"),
        ({"Version": ""}, "K, Version", "Copy the row again"),
    ],
)
def test_a_row_with_a_problem_is_told_by_row_column_and_what_to_do(
    cast: Cast, sign_in: SignIn, change: dict[str, str], column: str, says: str
) -> None:
    rows = rows_of(cast, {cast.amina: {"Decision": "confirm"} | change, cast.bob: {"Decision": "confirm"}})
    number = next(n for n, row in enumerate(rows, start=2) if row["Family name"] == "Khan")
    client = sign_in(cast.gp)
    page = post_file(client, cast, as_file(rows, "xlsx"), "list.xlsx")
    words = read(page)
    assert f"Row {number} Column {column} What to do" in words
    assert says in words
    assert "1 person would be confirmed" in words
    mend = client.get(page.redirect_chain[-1][0] + "rows-to-mend.csv")
    again = list(csv.DictReader(io.StringIO(b"".join(mend).decode("utf-8-sig"))))  # type: ignore[arg-type]
    assert [row["Family name"] for row in again] == ["Khan"]
    assert says in again[0]["What is wrong"]


def test_two_rows_that_differ_about_one_person_are_both_refused(cast: Cast) -> None:
    rows = rows_of(cast, {cast.amina: {"Decision": "confirm"}, cast.bob: {"Decision": "confirm"}})
    (differing,) = (n for n, row in enumerate(rows, start=2) if row["Family name"] == "Khan")
    read = decisions([*rows, *(row | {"Decision": "leave"} for row in rows if row["Family name"] == "Khan"), rows[1]])
    assert [(problem.number, problem.column) for problem in read.problems] == [
        (differing, "Decision"),
        (4, "Decision"),
    ]
    assert [row.nhs_number for row in read.rows] == [cast.bob.nhs_number]


@pytest.mark.parametrize(
    "shown",
    ["14/02/1961", "14.02.1961", "02/14/1961", "14-Feb-61", "14 February 1961", "14/02/61", "1961-02-14 00:00:00"],
)
def test_a_birth_date_as_a_spreadsheet_shows_it_is_theirs(cast: Cast, shown: str) -> None:
    receipt = decide(cast, rows_of(cast, {cast.amina: {"Decision": "confirm", "Birth date": shown}}))
    assert receipt.confirmed == [cast.amina.pk]


def test_letters_of_an_uncertain_encoding_are_asked_for_again(cast: Cast) -> None:
    def saved(detail: str) -> Decisions:
        rows = rows_of(cast, {cast.bob: {**REMOVED, "Detail": detail}})
        return understand(read_sheet(as_file(rows).decode("utf-8-sig").encode("cp1252"), WANTED))

    assert saved("Zoë’s £5 – done").problems == []  # noqa: RUF001
    (problem,) = saved("MatŽriel").problems  # what a Mac's é is read as
    assert (problem.column, problem.letter) == ("Detail", "N")
    assert "cannot be read for certain" in problem.what


def test_the_path_on_the_pages_and_what_is_logged(cast: Cast, sign_in: SignIn, run_folder: Path) -> None:
    client = sign_in(cast.gp)
    Patient.objects.filter(pk=cast.bob.pk).update(is_restricted=True, address_lines=["9 Hidden Street"])
    url = reverse("cohort:spreadsheet_download", args=[cast.practice_list.pk, "everybody", "csv"])
    answer = client.get(url)
    content = b"".join(answer)  # type: ignore[arg-type]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == 'attachment; filename="list-2020-03-14-everybody.csv"'
    assert set(ReadLog.objects.get(what="cohort:spreadsheet_download").patient_ids) == {cast.amina.pk, cast.bob.pk}
    assert b"Hidden Street" not in content
    rows = [
        row | ({"Decision": "confirm"} if row["Family name"] == "Khan" else REMOVED)
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    ]
    page = post_file(client, cast, as_file(rows, "xlsx"))
    words = read(page)
    assert "Nothing has been changed yet" in words
    assert "Confirm 1 and remove 1" in words
    assert "Another reason: =Coded in error, says Zoë" in words
    assert set(ReadLog.objects.get(what="cohort:spreadsheet_preview").patient_ids) == {cast.amina.pk, cast.bob.pk}
    assert entry_of(cast.amina).review_state == "TO_REVIEW"
    (kept,) = run_folder.iterdir()
    assert (kept.stat().st_mode & 0o777, run_folder.stat().st_mode & 0o777) == (0o600, 0o700)
    preview = page.redirect_chain[-1][0]
    colleague = Client()
    colleague.force_login(cast.staff.user)
    assert "no longer here" in read(colleague.get(preview, follow=True))
    receipt = client.post(preview, {"do": "commit"}, follow=True)
    words = read(receipt)
    assert "1 person confirmed, 1 removed together" in words
    assert list(run_folder.iterdir()) == []
    assert "no longer here" in read(client.get(preview, follow=True))
    undo = reverse("cohort:undo_receipt", args=[cast.practice_list.pk, BulkReceipt.objects.get().pk])
    assert "Undone: 2 people are to be reviewed." in read(client.post(undo, follow=True))


def test_a_file_can_be_discarded_and_old_ones_are_swept(cast: Cast, sign_in: SignIn, run_folder: Path) -> None:
    client = sign_in(cast.gp)
    preview = post_file(client, cast, as_file(rows_of(cast))).redirect_chain[-1][0]
    (kept,) = run_folder.iterdir()
    old = time.time() - 25 * 60 * 60
    os.utime(kept, (old, old))
    second = post_file(client, cast, as_file(rows_of(cast))).redirect_chain[-1][0]
    assert not kept.exists()
    assert preview != second
    assert "the file is gone" in read(client.post(second, {"do": "discard"}, follow=True))
    assert list(run_folder.iterdir()) == []


def test_a_file_of_other_people_is_refused_on_the_page_without_their_names(
    cast: Cast, sign_in: SignIn, run_folder: Path
) -> None:
    others = people_to_download(cast.other_gp, cast.other_list.pk, WhoToDownload.EVERYBODY)
    cells = list(download_rows(cast.other_gp, others))
    page = post_file(sign_in(cast.gp), cast, b"".join(csv_lines(COLUMNS, cells)))
    assert page.status_code == 422
    words = read(page)
    assert "Most of the people in this file are not on your lists" in words
    assert "Stone" not in words
    assert not run_folder.exists()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe\x00", b"\x81"])
def test_a_file_of_no_use_is_told_and_never_breaks_the_page(cast: Cast, sign_in: SignIn, content: bytes) -> None:
    page = post_file(sign_in(cast.gp), cast, content)
    assert page.status_code == 422
    assert "There is a problem" in read(page)


def test_the_pages_of_others_do_not_exist(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.other_gp)
    args = [cast.practice_list.pk]
    assert client.get(reverse("cohort:spreadsheet", args=args)).status_code == 404
    assert client.get(reverse("cohort:spreadsheet_download", args=[*args, "everybody", "csv"])).status_code == 404
    assert client.get(reverse("cohort:spreadsheet_download", args=[*args, "everybody", "csv"])).status_code == 404
    own = sign_in(cast.gp)
    assert own.get(reverse("cohort:spreadsheet_download", args=[*args, "nobody", "csv"])).status_code == 404


def test_many_take_as_many_statements_as_few(cast: Cast) -> None:
    def statements(do: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            do()
        return len(captured)

    two = decisions(rows_of(cast, {cast.amina: {"Decision": "confirm"}, cast.bob: REMOVED}))
    few = statements(lambda: decide(cast, [], read=two))
    fill_list(cast.practice_list, 60)
    to_review = [row for row in rows_of(cast) if row["Decided now"] == "To review"]
    rows = [row | (REMOVED if n % 2 else {"Decision": "confirm"}) for n, row in enumerate(to_review)]
    read = decisions(rows)
    assert statements(lambda: decide(cast, [], read=read)) == few
    assert plan(cast.gp, cast.practice_list.pk, decisions(rows)).count(Outcome.SO_ALREADY) == 60

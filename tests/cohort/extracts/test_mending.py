"""Rejected rows are downloaded, mended and sent again: all of it becomes the newest extract, or nothing changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.utils import timezone

from cohort.actions import mending
from cohort.actions.extracts import LoadReport
from cohort.actions.mending import NotMendable, add_mended_rows, read_rejected, send_mended_rows
from cohort.extracts import changes
from cohort.models import Extract, MendedRows
from cohort.queries.extracts import extract_folder, newest_extracts, rejected_files
from cohort.tasks import resume_mending
from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from tests.cohort.extracts.conftest import AMINA, BOB, CHARLIE, EVENTS, PEOPLE, leftovers, write
from tests.cohort.factories import MembershipFactory, OrganisationFactory, PatientFactory, invented_nhs_number

Load = Callable[..., LoadReport]
BAD_BOB = PEOPLE[1] | {"sex": "X"}
BAD_DINA = PEOPLE[0] | {"nhs_number": invented_nhs_number(4), "birth_date": "22325"}


@pytest.fixture
def operator(db: None) -> Membership:
    centre = OrganisationFactory(code="CENTRE", kind=Organisation.Kind.CENTRE)
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR)


@pytest.fixture
def report(load: Load, tmp_path: Path) -> LoadReport:
    """Amina and Charlie are accepted; Bob (line 3), Dina (line 5) and an event (line 3) are not."""
    tables = {"patients": [PEOPLE[0], BAD_BOB, PEOPLE[2], BAD_DINA], "events": [EVENTS[0], EVENTS[1] | {"code": ""}]}
    return load(write(tmp_path / "in", tables))


def given_back(report: LoadReport, operator: Membership, name: str = "patients.csv") -> str:
    content = b"".join(read_rejected(extract=report.extract, name=name, by=operator, at=timezone.now()))
    return content.decode()


def send(extract: Extract, operator: Membership, text: str, name: str = "patients.csv") -> MendedRows:
    job = send_mended_rows(extract=extract, name=name, content=[text.encode()], by=operator, at=timezone.now())
    add_mended_rows(mended_id=job.pk, now=timezone.now)
    job.refresh_from_db()
    return job


def people(extract: Extract) -> list[str]:
    found = duckdb.execute("SELECT person FROM read_parquet(?)", [f"{extract_folder(extract)}/patients-*.parquet"])
    return [str(person) for (person,) in found.fetchall()]


@pytest.mark.parametrize("shards", [1, 4])
def test_mended_rows_join_the_good_rows_in_a_new_extract(
    load: Load, tmp_path: Path, operator: Membership, settings: Any, shards: int
) -> None:
    settings.EXTRACT_SHARDS = shards
    report = load(
        write(
            tmp_path / "in",
            {"patients": [PEOPLE[0], BAD_BOB, PEOPLE[2], BAD_DINA], "events": [*EVENTS, EVENTS[1] | {"code": ""}]},
        )
    )
    before = report.extract
    job = send(before, operator, given_back(report, operator).replace("X", "M"))
    assert (job.state, job.problems) == ("ADDED", [])
    after = job.result
    assert after is not None
    assert newest_extracts() == [after]
    assert (after.supplier, after.as_at, after.changed_since) == (before.supplier, before.as_at, before)
    assert sorted(people(after)) == sorted([AMINA, BOB, CHARLIE])
    assert (after.accepted_rows, after.rejected_rows) == ({"patients": 3, "events": 2}, {"patients": 1, "events": 1})
    changed = duckdb.execute("FROM read_parquet(?)", [str(extract_folder(after) / changes.CHANGED)]).fetchall()
    assert changed == [(int(BOB),)]
    # Dina's row is bad still, and can be downloaded and mended from the new extract; so can the event.
    left = rejected_files(after)
    assert [path.name for path in left] == ["events.csv", "patients.csv"]
    assert left[1].read_text().splitlines()[1].startswith('5,birth_date,"is a bare number')
    again = send(after, operator, left[1].read_text().replace("22325", "1961-02-14"))
    assert again.result is not None
    assert again.result.rejected_rows == {"patients": 0, "events": 1}
    assert [path.name for path in rejected_files(again.result)] == ["events.csv"]
    assert leftovers(settings) == sorted(each.folder for each in Extract.objects.all())


def test_rows_that_are_not_sent_back_stay_rejected(report: LoadReport, operator: Membership) -> None:
    lines = given_back(report, operator).replace("X", "M").splitlines(keepends=True)
    job = send(report.extract, operator, "".join(lines[:2]))
    assert job.result is not None
    assert job.result.rejected_rows["patients"] == 1
    assert [(f["file"], f["accepted"], f["rejected"]) for f in job.result.files] == [
        ("patients.csv", 3, 1),
        ("events.csv", 1, 1),
    ]


def test_mended_records_are_added_in_order(report: LoadReport, operator: Membership, settings: Any) -> None:
    text = given_back(report, operator, "events.csv").replace('"SNOMED",""', '"SNOMED","195967001"')
    job = send(report.extract, operator, text, "events.csv")
    assert job.result is not None, job.problems
    found = duckdb.execute(
        "SELECT code, person FROM read_parquet(?)", [f"{extract_folder(job.result)}/records-*.parquet"]
    ).fetchall()
    assert found == [("195967001", int(BOB)), ("70536003", int(AMINA))]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "is already accepted with the same details"),
        ({"address_line_1": "2 Mill Lane"}, "is already accepted with other details: that row stays"),
    ],
)
def test_a_mended_row_of_somebody_accepted_is_told_and_the_accepted_row_stays(
    load: Load, tmp_path: Path, operator: Membership, settings: Any, change: dict[str, str], told: str
) -> None:
    twin = PEOPLE[0] | change | {"nhs_number": "1"}
    report = load(write(tmp_path / "in", {"patients": [PEOPLE[0], twin, BAD_BOB]}))
    text = given_back(report, operator).replace('"1",', f'"{AMINA}",').replace('"X"', '"M"')
    job = send(report.extract, operator, text)
    assert job.result is not None, job.problems
    rows = duckdb.execute(
        "SELECT person, address_lines FROM read_parquet(?)", [f"{extract_folder(job.result)}/patients-*.parquet"]
    ).fetchall()
    assert rows == [(int(AMINA), ["1 Mill Lane"]), (int(BOB), ["Flat 2, 3 High Street"])]
    assert told in rejected_files(job.result)[0].read_text()


def test_of_two_mended_rows_that_clash_neither_is_used(load: Load, tmp_path: Path, operator: Membership) -> None:
    rows = [PEOPLE[0], BAD_BOB, BAD_BOB | {"given_name": "Rob"}, PEOPLE[2] | {"sex": "X"}]
    report = load(write(tmp_path / "in", {"patients": rows}))
    job = send(report.extract, operator, given_back(report, operator).replace('"X"', '"M"'))
    assert job.result is not None, job.problems
    assert people(job.result) == [AMINA, CHARLIE]
    told = rejected_files(job.result)[0].read_text()
    assert "3,nhs_number,is also on line 4 of" in told or "3,nhs_number,is also on line 4 with other details" in told


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


REFUSED = [
    pytest.param(lambda text: text, "None of the 2 rows can be used.", id="nothing mended"),
    pytest.param(swap("line,", "row,"), "first columns must be line, column, reason", id="another first column"),
    pytest.param(swap('"sex"', '"gender"'), "columns are not those of the file", id="another column"),
    pytest.param(swap("\r\n3,", "\r\n2,"), "Line 2 of the file you sent", id="a row that was accepted"),
    pytest.param(swap("\r\n5,", "\r\n3,"), "The row that begins with line 3 is there twice.", id="a row twice"),
    pytest.param(swap("\r\n3,", "\r\n,"), "Line 2 of the file you sent", id="no line"),
    pytest.param(lambda text: "", "first line is empty", id="an empty file"),
    pytest.param(lambda text: text + '"x', "cannot be read as CSV", id="not CSV"),
]


@pytest.mark.parametrize(("change", "told"), REFUSED)
def test_a_file_that_is_not_the_one_given_back_is_refused_and_nothing_changes(
    report: LoadReport, operator: Membership, settings: Any, change: Callable[[str], str], told: str
) -> None:
    text = given_back(report, operator).replace('"line"', "line").replace('"3"', "3").replace('"5"', "5")
    job = send(report.extract, operator, change(text))
    assert job.state == "REFUSED"
    assert any(told in problem for problem in job.problems), job.problems
    assert BOB not in str(job.problems)
    assert leftovers(settings) == [report.extract.folder]
    assert newest_extracts() == [report.extract]


def test_what_a_spreadsheet_would_change_comes_back_as_it_was(
    load: Load, tmp_path: Path, operator: Membership, settings: Any
) -> None:
    rows = [PEOPLE[0], BAD_BOB | {"address_line_1": "=1+1", "given_name": "'Bo"}]
    report = load(write(tmp_path / "in", {"patients": rows}))
    text = given_back(report, operator)
    assert '"\'=1+1"' in text
    assert f'"\'{rows[1]["nhs_number"]}"' in text
    job = send(report.extract, operator, text.replace('"X"', '"M"'))
    assert job.result is not None, job.problems
    found = duckdb.execute(
        "SELECT given_name, address_lines FROM read_parquet(?) WHERE person = ?",
        [f"{extract_folder(job.result)}/patients-*.parquet", int(BOB)],
    ).fetchone()
    assert found == ("'Bo", ["=1+1"])


def test_only_the_newest_extract_is_mended(
    report: LoadReport, load: Load, tmp_path: Path, operator: Membership
) -> None:
    text = given_back(report, operator)
    load(write(tmp_path / "newer", {"patients": PEOPLE}), at=timezone.now())
    with pytest.raises(NotMendable, match="newer extract"):
        send(report.extract, operator, text)


def test_one_file_is_added_at_a_time(report: LoadReport, operator: Membership, settings: Any) -> None:
    text = given_back(report, operator)
    send_mended_rows(
        extract=report.extract, name="patients.csv", content=[text.encode()], by=operator, at=timezone.now()
    )
    with pytest.raises(NotMendable, match="being added now"):
        send(report.extract, operator, text)
    assert MendedRows.objects.count() == 1


def test_a_worker_that_dies_leaves_the_job_to_the_next(
    report: LoadReport, operator: Membership, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = given_back(report, operator).replace("X", "M")

    def die(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mending, "record", die)
        with pytest.raises(KeyboardInterrupt):
            send(report.extract, operator, text)
    assert newest_extracts() == [report.extract]
    resume_mending()
    job = MendedRows.objects.get()
    assert job.state == "ADDED"
    assert leftovers(settings) == sorted(each.folder for each in Extract.objects.all())


def test_a_download_is_logged_with_the_patients_in_it(
    report: LoadReport, operator: Membership, cast_practice: Organisation
) -> None:
    bob = PatientFactory(nhs_number=BOB, practice=cast_practice)
    given_back(report, operator)
    log = ReadLog.objects.get()
    assert (log.what, log.patient_ids, log.user) == ("cohort:rejected_rows", [bob.pk], operator.user)


@pytest.fixture
def cast_practice(db: None) -> Organisation:
    return OrganisationFactory(code="Z90009")


def test_nobody_but_an_operator_gets_or_sends_rejected_rows(report: LoadReport, cast_practice: Organisation) -> None:
    gp = MembershipFactory(organisation=cast_practice, role=Role.GP)
    with pytest.raises(NotAllowed):
        read_rejected(extract=report.extract, name="patients.csv", by=gp, at=timezone.now())
    with pytest.raises(NotAllowed):
        send_mended_rows(extract=report.extract, name="patients.csv", content=[], by=gp, at=timezone.now())
    assert not ReadLog.objects.exists()
    assert not MendedRows.objects.exists()

"""An extract is loaded whole or not at all, once, and every row is accounted for."""

import gzip
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cohort.actions import extracts
from cohort.actions.extracts import ExtractRefused, LoadReport
from cohort.models import Extract, Patient
from cohort.queries.extracts import (
    newest_extracts,
    patients_paths,
    records_paths,
    registered_person,
    stale_extracts,
)
from shielding.accounts.models import Organisation
from tests.cohort.extracts.conftest import (
    ADMISSIONS,
    AMINA,
    AS_AT,
    AT,
    BOB,
    CHARLIE,
    EVENTS,
    MEDICATIONS,
    PEOPLE,
    TABLES,
    as_csv,
    leftovers,
    rejected,
    stored,
    write,
)

Load = Callable[..., LoadReport]


def test_good_rows_land_in_the_store_in_its_shape(load: Load, tmp_path: Path, settings: Any) -> None:
    report = load(write(tmp_path / "in", TABLES))
    assert report.is_new
    assert {t.table: (t.accepted, t.rejected) for t in report.tables} == {
        "patients": (3, 0),
        "events": (2, 0),
        "medications": (1, 0),
        "admissions": (2, 0),
    }
    people = stored(report, settings, "patients")
    assert [row[0] for row in people] == [int(n) for n in (AMINA, BOB, CHARLIE)]
    assert people[0][1:8] == ("Amina", "Khan", date(1961, 2, 14), "F", "Z90001", ["1 Mill Lane"], "SM1 1AA")
    assert people[0][8:] == ("", False, "", "", "", "", None, False, False, "", False, [], "")
    records = stored(report, settings, "records")
    assert [(r[1], r[2], r[4], r[6], r[5]) for r in records] == [
        ("DMD", "325521000", "MEDICINES", None, ""),
        ("ICD-10", "B208", "HOSPITAL", None, "E1"),
        ("OPCS-4", "Y012", "HOSPITAL", None, "E1"),
        ("SNOMED", "195967001", "GP", 2.5, ""),
        ("SNOMED", "70536003", "GP", None, ""),
    ]
    extract = Extract.objects.get()
    assert extract.accepted_rows == {"patients": 3, "events": 2, "medications": 1, "admissions": 2}
    assert leftovers(settings) == [extract.folder]


def test_every_optional_column_is_stored(load: Load, tmp_path: Path, settings: Any) -> None:
    person = PEOPLE[0] | {
        "address_line_3": " Sutton ",
        "uprn": "000012345678",
        "no_fixed_abode": "TRUE",
        "mobile": "07700 900123",
        "death_status": "FORMAL",
        "death_date": "2020-03-01",
        "is_restricted": "1",
        "asked_not_to_be_contacted": "no",
        "unsafe_channels": "SMS LETTER",
        "safe_contact_instruction": "Ring first",
    }
    report = load(write(tmp_path / "in", {"patients": [person]}))
    row = stored(report, settings, "patients")[0]
    assert row[6:] == (
        ["1 Mill Lane", "Sutton"],
        "SM1 1AA",
        "000012345678",
        True,
        "07700 900123",
        "",
        "",
        "FORMAL",
        date(2020, 3, 1),
        True,
        False,
        "",
        False,
        ["LETTER", "SMS"],
        "Ring first",
    )


@pytest.mark.parametrize("kind", ["gz", "parquet"])
def test_each_format_gives_the_same_store(load: Load, tmp_path: Path, settings: Any, kind: str) -> None:
    plain = load(write(tmp_path / "csv", TABLES))
    other = load(write(tmp_path / kind, TABLES, kind=kind), supplier="other")
    assert plain.extract.accepted_rows == other.extract.accepted_rows
    for name in ("patients", "records"):
        assert stored(plain, settings, name) == stored(other, settings, name) != []


def test_the_same_folder_again_is_a_no_op_that_says_so(load: Load, tmp_path: Path, capsys: Any) -> None:
    folder = write(tmp_path / "in", {"patients": [*PEOPLE, PEOPLE[0] | {"nhs_number": "1"}]})
    first, second = load(folder), load(folder)
    assert (second.is_new, second.extract, second.tables) == (False, first.extract, first.tables)
    call_command("load_extract", folder, supplier="gp-systems", as_at=AS_AT)
    assert "Nothing to do" in capsys.readouterr().out
    assert load(folder, supplier="another").is_new


def test_a_table_may_come_in_several_files(load: Load, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"patients-north": PEOPLE[:2], "patients-south": [*PEOPLE[2:], PEOPLE[0]]})
    report = load(folder)
    assert [(t.accepted, t.rejected, t.rejected_files) for t in report.tables] == [(3, 1, ("patients-south.csv",))]
    assert "line 2 of patients-north.csv" in rejected(report, "patients-south")[0]["reason"]


def test_mended_rows_can_be_sent_again_as_they_were_given_back(load: Load, tmp_path: Path) -> None:
    people = [person | {"extra": "kept"} for person in (PEOPLE[2] | {"sex": "X"}, *PEOPLE[:2])]
    folder = write(tmp_path / "in", {"patients": people})
    report = load(folder)
    given_back = (report.rejected_folder / "patients.csv").read_text(encoding="utf-8")
    assert given_back.startswith("line,column,reason,nhs_number,")
    assert given_back.count("\n") == 2
    assert ",kept\n" in given_back
    (folder / "patients-mended.csv").write_text(given_back.replace(",X,", ",M,"), encoding="utf-8")
    again = load(folder)
    assert [(t.accepted, t.rejected) for t in again.tables] == [(3, 1)]
    unmended = tmp_path / "unmended"
    unmended.mkdir()
    (unmended / "patients.csv").write_text(given_back, encoding="utf-8")
    third = load(unmended, supplier="other")
    assert (third.rejected_folder / "patients.csv").read_text(encoding="utf-8") == given_back


def test_too_many_bad_rows_refuse_the_whole_and_say_what_was_most_wrong(
    load: Load, tmp_path: Path, settings: Any
) -> None:
    rows = [EVENTS[0] | {"date": "43905"}, EVENTS[0] | {"date": "43906"}, EVENTS[0] | {"code": ""}, *EVENTS]
    folder = write(tmp_path / "in", {"patients": PEOPLE, "events": rows})
    with pytest.raises(ExtractRefused) as refused:
        load(folder, reject_above=0.1)
    message = str(refused.value)
    assert "events: 3 of 5 rows are bad, more than the 10 % allowed." in message
    assert "date is a bare number, as Excel keeps dates" in message
    assert "(2 rows, first at events.csv line 2)" in message
    assert AMINA not in message
    assert (leftovers(settings), Extract.objects.count()) == ([], 0)
    assert load(folder, reject_above=0.6).is_new


def refused_files() -> list[Any]:
    good = as_csv(PEOPLE)
    packed = gzip.compress(as_csv(PEOPLE * 1000))
    return [
        pytest.param("patients.csv.gz", packed[: len(packed) // 2], "damaged or cut short", id="truncated gzip"),
        pytest.param("patients.csv.gz", packed[:-4], "damaged or cut short", id="gzip without its end"),
        pytest.param("patients.csv.gz", good, "damaged or cut short", id="not gzip"),
        pytest.param("patients.csv", b"", "first line is empty", id="empty file"),
        pytest.param("patients.csv", good.decode().encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param("patients.csv", good.replace(b",", b";"), "no commas", id="semicolons"),
        pytest.param("patients.csv", good.replace(b"\n", b"\r"), "bare carriage return", id="bare CR"),
        pytest.param("patients.csv", good.replace(b"birth_date", b"dob", 1), "missing: birth_date.", id="no column"),
        pytest.param("patients.csv", good.replace(b"sex,", b"sex,sex,", 1), "column there twice: sex", id="twice"),
        pytest.param("patients.csv", good.replace(b"given_name", b"given\xe9", 1), "not UTF-8", id="header"),
        pytest.param("patients.parquet", b"PAR1 no", "not Parquet", id="not Parquet"),
        pytest.param("people.csv", good, "no table in", id="no table"),
    ]


@pytest.mark.parametrize(("name", "content", "reason"), refused_files())
def test_a_file_that_cannot_be_used_refuses_the_whole(
    load: Load, tmp_path: Path, settings: Any, name: str, content: bytes, reason: str
) -> None:
    folder = write(tmp_path / "in", {"events": EVENTS} if name != "people.csv" else {})
    (folder / name).write_bytes(content)
    with pytest.raises(ExtractRefused) as refused:
        load(folder)
    assert reason in str(refused.value)
    assert (leftovers(settings), Extract.objects.count()) == ([], 0)


def test_one_bad_line_in_a_large_file_is_told_and_all_others_go_on(load: Load, tmp_path: Path) -> None:
    lines = as_csv(EVENTS * 150_000).splitlines()
    lines[234_567] = lines[234_567].replace(b"2019-01-31", b"2190-01-31")
    lines[234_567] = lines[234_567].replace(b"2014-05-03", b"2190-05-03")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "events.csv.gz").write_bytes(gzip.compress(b"\n".join(lines), 1))
    report = load(folder)
    assert [(t.accepted, t.rejected) for t in report.tables] == [(299_999, 1)]
    (row,) = rejected(report, "events")
    assert (row["line"], row["column"]) == ("234568", "date")
    assert row["reason"] == "is in the year 2190, after the extract date 2020-03-20"


def test_latin_1_rejects_the_rows_it_spoils_and_refuses_a_file_full_of_them(load: Load, tmp_path: Path) -> None:
    people = [PEOPLE[0] | {"family_name": "Kh\u00e0n"}, *PEOPLE[1:]]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "patients.csv").write_bytes(as_csv(people).decode().encode("latin-1"))
    (row,) = rejected(load(folder), "patients")
    assert (row["line"], row["column"]) == ("2", "family_name")
    assert row["reason"].startswith("is not UTF-8 (byte 0xE0")
    with pytest.raises(ExtractRefused, match="family_name is not UTF-8"):
        load(folder, supplier="other", reject_above=0.1)


def test_a_table_there_twice_is_refused(load: Load, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"patients": PEOPLE})
    write(folder, {"patients": PEOPLE}, kind="gz")
    with pytest.raises(ExtractRefused, match="more than once"):
        load(folder)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"as_at": date(2020, 3, 22)}, "in the future"),
        ({"supplier": "GP Systems"}, "small letters"),
        ({"mapping": "hl7v2"}, "There is no mapping"),
    ],
)
def test_nonsense_arguments_are_refused(load: Load, tmp_path: Path, options: dict, reason: str) -> None:
    with pytest.raises(ExtractRefused, match=reason):
        load(write(tmp_path / "in", {"patients": PEOPLE}), **options)


def test_unknown_columns_and_files_are_told_and_ignored(load: Load, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"patients": [person | {"shoe_size": "9"} for person in PEOPLE]})
    (folder / "notes.txt").write_text("hello")
    assert load(folder).notes == (
        "Ignored files that are no table: notes.txt.",
        "patients.csv: ignored unknown column shoe_size.",
    )


def test_a_crash_between_renaming_and_row_leaves_no_half(
    load: Load, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "in", TABLES)

    def die(*args: Any) -> None:
        raise SystemExit(1)

    with monkeypatch.context() as patch:
        patch.setattr(extracts, "record", die)
        with pytest.raises(SystemExit):
            load(folder)
    assert (len(leftovers(settings)), Extract.objects.count()) == (1, 0)
    assert newest_extracts() == []
    assert load(folder).is_new
    assert leftovers(settings) == [Extract.objects.get().folder]


def test_a_crash_while_loading_is_cleaned_up_but_nothing_else_is(
    load: Load, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = settings.EXTRACT_STORE / "5f2b6cf6-93ab-4f2c-8a9f-3f6a1d5f6f00"  # finished, of another database
    kept.mkdir(parents=True)

    def die(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(extracts, "load_files", die)
        patch.setattr(extracts.store, "discard", lambda *args: None)  # a killed process tidies nothing
        with pytest.raises(KeyboardInterrupt):
            load(write(tmp_path / "in", TABLES))
    assert len(leftovers(settings)) == 2
    report = load(tmp_path / "in")
    assert leftovers(settings) == sorted([kept.name, report.extract.folder])


@pytest.mark.django_db(transaction=True)
def test_a_load_under_way_is_not_cleaned_up_by_another(
    load: Load, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from django.db import connection

    first, second = write(tmp_path / "a", TABLES), write(tmp_path / "b", {"patients": PEOPLE})
    real = extracts.load_files

    def and_meanwhile(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(extracts, "load_files", real)

        def other() -> None:
            load(second, supplier="hospital")
            connection.close()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return real(*args, **options)

    monkeypatch.setattr(extracts, "load_files", and_meanwhile)
    assert load(first).is_new
    assert leftovers(settings) == sorted(Extract.objects.values_list("folder", flat=True))
    assert not list(settings.EXTRACT_STORE.glob("*/.unfinished"))


def test_two_loads_of_the_same_files_make_one_extract(
    load: Load, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "in", TABLES)
    real = extracts.load_files

    def and_meanwhile(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(extracts, "load_files", real)
        monkeypatch.setattr(extracts, "_clean", lambda target: None)
        load(folder)
        monkeypatch.undo()
        return real(*args, **options)

    settings_store = settings.EXTRACT_STORE
    monkeypatch.setattr(extracts, "load_files", and_meanwhile)
    report = load(folder)
    assert not report.is_new
    assert [path.name for path in settings_store.iterdir()] == [Extract.objects.get().folder]


def test_files_gone_from_the_store_are_said_to_be_gone(load: Load, tmp_path: Path, settings: Any) -> None:
    folder = write(tmp_path / "in", TABLES)
    shutil.rmtree(settings.EXTRACT_STORE / load(folder).extract.folder)
    with pytest.raises(ExtractRefused, match="gone from the extract store"):
        load(folder)


def test_a_much_smaller_extract_is_pointed_out(load: Load, tmp_path: Path) -> None:
    load(write(tmp_path / "a", TABLES))
    notes = load(write(tmp_path / "b", {"patients": PEOPLE[:1]})).notes
    assert notes[0].startswith("patients: 1 rows, where the extract before had 3.")
    assert notes[1].startswith("admissions: not in this extract")


def test_the_command_prints_a_table_and_says_where_the_rejected_rows_are(
    practices: None, tmp_path: Path, capsys: Any
) -> None:
    folder = write(tmp_path / "in", {"patients": [*PEOPLE, PEOPLE[0] | {"nhs_number": "1"}], "events": EVENTS})
    call_command("load_extract", folder, supplier="gp-systems", as_at=AS_AT, reject_above=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Loaded gp-systems as at 2020-03-20."
    assert [line.split()[:3] for line in lines[1:4]] == [
        ["table", "accepted", "rejected"],
        ["patients", "3", "1"],
        ["events", "2", "0"],
    ]
    assert lines[2].endswith("/rejected/patients.csv")
    assert Path(lines[2].split()[-1]).exists()
    with pytest.raises(CommandError, match="Nothing was loaded"):
        call_command("load_extract", tmp_path / "absent", supplier="gp-systems", as_at=AS_AT)


def test_newest_is_by_as_at_then_by_loading_for_each_supplier(load: Load, tmp_path: Path) -> None:
    old = load(write(tmp_path / "a", {"patients": PEOPLE}), as_at=date(2020, 3, 1))
    new = load(write(tmp_path / "b", {"patients": PEOPLE[:2], "events": EVENTS}), as_at=date(2020, 3, 8))
    hospital = load(write(tmp_path / "c", {"admissions": ADMISSIONS}), supplier="hospital")
    late = load(write(tmp_path / "d", {"medications": MEDICATIONS}), as_at=date(2020, 3, 2))
    newest = newest_extracts()
    assert newest == [hospital.extract, new.extract]
    assert [path.parent.name for path in patients_paths(newest)] == [new.extract.folder]
    assert [path.parent.name for path in records_paths(newest)] == [hospital.extract.folder, new.extract.folder]
    assert stale_extracts([*newest, old.extract, late.extract], on=date(2020, 3, 22)) == [
        old.extract,
        late.extract,
    ]
    assert new.extract.loaded_at == AT


def test_a_practice_finds_its_own_registered_person_and_nobody_elses(load: Load, tmp_path: Path) -> None:
    load(write(tmp_path / "a", {"patients": PEOPLE}))
    own, other = (Organisation.objects.get(code=code) for code in ("Z90001", "Z90002"))
    found = registered_person(
        nhs_number=f"{AMINA[:3]} {AMINA[3:6]} {AMINA[6:]}", birth_date=date(1961, 2, 14), practice=own
    )
    assert found is not None
    patient = Patient.objects.create(**found)
    patient.full_clean()
    assert (patient.nhs_number, patient.given_name, patient.as_at) == (AMINA, "Amina", AS_AT)
    for number, born, practice in (
        (CHARLIE, date(1955, 7, 30), own),
        (AMINA, date(1961, 2, 15), own),
        (AMINA, date(1961, 2, 14), other),
        ("9990000000", date(1961, 2, 14), own),
        ("amina", date(1961, 2, 14), own),
    ):
        assert registered_person(nhs_number=number, birth_date=born, practice=practice) is None


def test_somebody_who_moved_is_found_where_the_newest_extract_has_them(load: Load, tmp_path: Path) -> None:
    load(write(tmp_path / "a", {"patients": PEOPLE}), as_at=date(2020, 3, 1))
    load(write(tmp_path / "b", {"patients": [PEOPLE[0] | {"practice_code": "Z90002"}]}))
    own, other = (Organisation.objects.get(code=code) for code in ("Z90001", "Z90002"))
    assert registered_person(nhs_number=AMINA, birth_date=date(1961, 2, 14), practice=own) is None
    assert registered_person(nhs_number=AMINA, birth_date=date(1961, 2, 14), practice=other) is not None

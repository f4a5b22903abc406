"""Every bad row is rejected with its line, column and reason; every good row goes on."""

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import nhs_number
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cohort.actions.extracts import LoadReport
from cohort.extracts import reading
from cohort.extracts.checks import nhs_number_problem
from cohort.extracts.loading import load as load_files
from cohort.extracts.reading import Source, find_files
from tests.cohort.extracts.conftest import (
    ADMISSIONS,
    AMINA,
    AS_AT,
    BOB,
    CHARLIE,
    EVENTS,
    PEOPLE,
    as_csv,
    rejected,
    stored,
    write,
)

Load = Callable[..., LoadReport]

PATIENT_CASES = [
    ({"nhs_number": ""}, "nhs_number", "is missing"),
    ({"nhs_number": AMINA[:9]}, "nhs_number", "is not 10 digits"),
    ({"nhs_number": AMINA.replace("0", "O")}, "nhs_number", "is not 10 digits"),
    ({"nhs_number": "-" + AMINA[:9]}, "nhs_number", "is not 10 digits"),
    ({"nhs_number": "999000e003"}, "nhs_number", "is not 10 digits"),
    ({"nhs_number": AMINA[:9] + str((int(AMINA[9]) + 1) % 10)}, "nhs_number", "fails its check digit"),
    ({"given_name": " "}, "given_name", "is missing"),
    ({"family_name": "x" * 101}, "family_name", "is longer than 100 characters"),
    ({"birth_date": ""}, "birth_date", "is missing"),
    ({"birth_date": "43905"}, "birth_date", "is a bare number, as Excel keeps dates (a serial number)"),
    ({"birth_date": "43905.5"}, "birth_date", "is a bare number, as Excel keeps dates (a serial number)"),
    ({"birth_date": "19610214"}, "birth_date", "is written YYYYMMDD"),
    ({"birth_date": "14/02/1961"}, "birth_date", "is not a date written YYYY-MM-DD"),
    ({"birth_date": "1961-2-14"}, "birth_date", "is not a date written YYYY-MM-DD"),
    ({"birth_date": "infinity"}, "birth_date", "is not a date written YYYY-MM-DD"),
    ({"birth_date": "1961-02-30"}, "birth_date", "is not a day of the calendar"),
    ({"birth_date": "1899-12-31"}, "birth_date", "is before 1900"),
    ({"birth_date": "2190-02-14"}, "birth_date", "is in the year 2190, after the extract date 2020-03-20"),
    ({"birth_date": "2020-03-21"}, "birth_date", "is after the extract date 2020-03-20"),
    ({"sex": ""}, "sex", "is missing"),
    ({"sex": "female"}, "sex", "is not one of F, M, O, U"),
    ({"practice_code": ""}, "practice_code", "is missing"),
    ({"practice_code": "Z99999"}, "practice_code", "is not a practice we know"),
    ({"practice_code": "Z90003"}, "practice_code", "is a practice that closed on 2020-03-01"),
    ({"address_line_1": "x" * 101}, "address_line_1", "is longer than 100 characters"),
    ({"postcode": "SM1 1AAAA"}, "postcode", "is longer than 8 characters"),
    ({"uprn": "1.00E+11"}, "uprn", "is not digits only"),
    ({"uprn": "1" * 13}, "uprn", "is longer than 12 characters"),
    ({"no_fixed_abode": "maybe"}, "no_fixed_abode", "is not true or false"),
    ({"mobile": "1" * 21}, "mobile", "is longer than 20 characters"),
    ({"death_status": "DEAD"}, "death_status", "is not empty, INFORMAL or FORMAL"),
    ({"death_date": "2020-01-01"}, "death_date", "is given without a death_status"),
    ({"death_status": "FORMAL", "death_date": "1960-01-01"}, "death_date", "is before the birth date"),
    ({"unsafe_channels": "SMS,LETTER"}, "unsafe_channels", "is not made of LETTER and SMS"),
    ({"moved_away_code": "ABCDE"}, "moved_away_code", "is longer than 4 characters"),
    ({"safe_contact_instruction": "x" * 301}, "safe_contact_instruction", "is longer than 300 characters"),
    ({"sex": "X", "birth_date": ""}, "birth_date; sex", "is missing; is not one of F, M, O, U"),
]


def test_each_bad_patient_is_rejected_with_line_column_and_reason(load: Load, tmp_path: Path, settings: Any) -> None:
    names = [*PEOPLE[0], *(name for change, _, _ in PATIENT_CASES for name in change if name not in PEOPLE[0])]
    rows = [{name: ({**PEOPLE[0], **change}).get(name, "") for name in names} for change, _, _ in PATIENT_CASES]
    report = load(write(tmp_path / "in", {"patients": [*rows, {name: PEOPLE[1].get(name, "") for name in names}]}))
    told = rejected(report, "patients")
    assert len(told) == len(PATIENT_CASES)
    for number, (row, told_row, (_, column, reason)) in enumerate(zip(rows, told, PATIENT_CASES, strict=True)):
        assert (told_row["line"], told_row["column"]) == (str(number + 2), column)
        assert told_row["reason"].startswith(reason)
        assert {name: told_row[name] for name in names} == row
    assert [row[0] for row in stored(report, settings, "patients")] == [int(BOB)]


EVENT_CASES = [
    ({"nhs_number": "123"}, "nhs_number", "is not 10 digits"),
    ({"date": "2020-03-21"}, "date", "is after the extract date"),
    ({"system": "SNOMED-CT"}, "system", "is not one of SNOMED, DMD"),
    ({"system": ""}, "system", "is missing"),
    ({"code": ""}, "code", "is missing"),
    ({"code": "1.30056E+15"}, "code", "is not 6 to 18 digits"),
    ({"code": "705 36003"}, "code", "has a space in it"),
    ({"system": "BNF", "code": "x" * 21}, "code", "is longer than 20 characters"),
    ({"value": "high"}, "value", "is not a number"),
    ({"value": "nan"}, "value", "is not a number"),
]


def test_each_bad_event_is_rejected_with_line_column_and_reason(load: Load, tmp_path: Path) -> None:
    rows = [EVENTS[0] | change for change, _, _ in EVENT_CASES]
    report = load(write(tmp_path / "in", {"events": [*rows, *EVENTS]}))
    told = rejected(report, "events")
    assert [(row["line"], row["column"]) for row in told] == [
        (str(number + 2), column) for number, (_, column, _) in enumerate(EVENT_CASES)
    ]
    assert all(row["reason"].startswith(case[2]) for row, case in zip(told, EVENT_CASES, strict=True))


def test_a_practice_that_closes_after_the_extract_is_known(load: Load, tmp_path: Path) -> None:
    report = load(write(tmp_path / "in", {"patients": [PEOPLE[0] | {"practice_code": "z90004 "}]}))
    assert report.tables[0].accepted == 1


def test_an_episode_that_is_too_long_is_rejected(load: Load, tmp_path: Path) -> None:
    report = load(write(tmp_path / "in", {"admissions": [ADMISSIONS[0] | {"episode": "x" * 65}]}))
    assert rejected(report, "admissions")[0]["column"] == "episode"


HEADER = ",".join(PEOPLE[0]).encode()
A, B, C = (line for line in as_csv(PEOPLE).splitlines()[1:])
LINE_CASES = [
    pytest.param(b"\n".join([HEADER, A, b"a,b", B]), [(3, "", "has 2 fields where")], 2, id="too few fields"),
    pytest.param(b"\n".join([HEADER, A + b",x", B]), [(2, "", "has 9 fields where")], 1, id="too many fields"),
    pytest.param(
        b"\n".join([HEADER, A, b"", b"", B, b"x"]), [(6, "", "has 1 fields")], 2, id="empty lines are no rows"
    ),
    pytest.param(
        b"\r\n".join([HEADER, A.replace(b"1 Mill Lane", b'"1\r\nMill\r\nLane"'), b"x", B]),
        [(5, "", "has 1 fields")],
        2,
        id="quoted line ends are counted",
    ),
    pytest.param(
        b"\n".join([HEADER, A.replace(b"Khan", b"Kh\xe9n"), B, C.replace(b"Quay", b"Qu\xff")]),
        [(2, "family_name", "is not UTF-8 (byte 0xE9"), (4, "address_line_1", "is not UTF-8 (byte 0xFF")],
        1,
        id="not UTF-8",
    ),
    pytest.param(
        b"\n".join([HEADER, A.replace(b"Khan", "Kh\ufffdn".encode()), B]),
        [(2, "family_name", "has \ufffd, left where")],
        1,
        id="damaged before it was sent",
    ),
    pytest.param(
        b"\n".join([HEADER, A.replace(b"Khan", b"Kh\0n"), B]),
        [(2, "family_name", "has a control character (0x00)")],
        1,
        id="NUL",
    ),
    pytest.param(
        b"\n".join([HEADER, A.replace(b",F,", b',"F,'), B, C]),
        [(2, "", "opens a quote that is not closed")],
        2,
        id="a quote never closed",
    ),
    pytest.param(
        b"\n".join([HEADER, A.replace(b"Khan", b"Kh\ran"), B]),
        [(2, "", "has a carriage return in the middle")],
        1,
        id="carriage return in the middle",
    ),
    pytest.param(
        b"\n".join([HEADER, A, A, B.replace(b"Bob", b"Bobby"), B, C]),
        [
            (3, "nhs_number", "is also on line 2 with the same details: that row is used"),
            (4, "nhs_number", "is also on line 5 with other details: neither row is used"),
            (5, "nhs_number", "is also on line 4 with other details: neither row is used"),
        ],
        2,
        id="one NHS number twice",
    ),
    pytest.param(b"\xef\xbb\xbf" + b"\n".join([HEADER, A, B]) + b"\n\n", [], 2, id="byte-order mark"),
    pytest.param(HEADER, [], 0, id="no rows"),
]


@pytest.mark.parametrize("piece_bytes", [16, 1 << 18])
@pytest.mark.parametrize(("content", "expected", "accepted"), LINE_CASES)
def test_bad_lines_are_told_by_their_real_line_and_good_ones_go_on(
    load: Load,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    expected: list[tuple[int, str, str]],
    accepted: int,
    piece_bytes: int,
) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", piece_bytes)
    monkeypatch.setattr(reading, "BLOCK_BYTES", piece_bytes * 4)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "patients.csv").write_bytes(content)
    report = load(folder)
    told = rejected(report, "patients") if expected else []
    assert [(int(row["line"]), row["column"]) for row in told] == [(line, column) for line, column, _ in expected]
    assert all(row["reason"].startswith(case[2]) for row, case in zip(told, expected, strict=True))
    assert report.tables[0].accepted == accepted


def test_an_unclosed_quote_loses_no_later_row(load: Load, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    rows = as_csv(EVENTS * 200).splitlines()
    rows[7] = rows[7].replace(b",SNOMED", b',"SNOMED')
    (folder / "events.csv").write_bytes(b"\n".join(rows))
    report = load(folder)
    assert [row["line"] for row in rejected(report, "events")] == ["8"]
    assert report.tables[0].accepted == 399


IDENTIFIERS = st.one_of(st.integers(0, 999_999_999), st.integers(10_000_000, 311_299_999)).map(lambda n: f"{n:09d}")
CHI_IDENTIFIERS = st.builds(lambda born, n: f"{born:%d%m%y}{n:03d}", st.dates(), st.integers(0, 999))


@given(
    st.one_of(
        st.text("0123456789 ", max_size=13),
        st.integers(0, 10**18).map(str),
        st.builds(str.__add__, IDENTIFIERS, st.sampled_from("0123456789")),
        st.one_of(IDENTIFIERS, CHI_IDENTIFIERS).map(lambda n: n + str(nhs_number.calculate_checksum(n))[-1]),
        st.text("0123456789eE+-._", min_size=10, max_size=10),
        st.text(max_size=12),
    )
)
@example("180405458391")  # right but for its length
@hypothesis_settings(max_examples=300, deadline=None)
def test_nhs_numbers_are_judged_as_the_library_judges_them(text: str) -> None:
    bare = text.replace(" ", "")
    problem = nhs_number_problem("t", "n")
    query = f"SELECT {problem} FROM (SELECT $1 AS t, TRY_CAST($1 AS BIGINT) AS n)"
    if "\0" in bare:
        return
    is_good = duckdb.execute(query, [bare]).fetchone() == (None,)
    shape = len(bare) == 10 and bare.isascii() and bare.isdigit()
    assert is_good == (shape and nhs_number.is_valid(bare))


@given(
    pieces=st.lists(
        st.sampled_from([b"a", b",", b'"', b"\n", b"\r", b"\r\n", b"\xff", "é".encode(), b"\0"]), max_size=40
    ),
    piece_bytes=st.integers(2, 64),
)
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_rows_and_lines_are_those_of_the_plain_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], piece_bytes: int
) -> None:
    """The quick way and the row-by-row way must read the same, wherever a block happens to end."""
    header = ",".join(PEOPLE[0]).encode()
    path = tmp_path / "patients.csv"
    path.write_bytes(header + b"\n" + b"".join(pieces))

    def read(block: int, *, quick: bool) -> list[Any]:
        with monkeypatch.context() as patch:
            patch.setattr(reading, "BLOCK_BYTES", block)
            patch.setattr(reading, "PIECE_BYTES", block)
            if not quick:
                patch.setattr(reading._CsvParser, "_quickly", lambda self, data: None)
            source = Source(find_files(tmp_path)[0][0])
            parser = reading._CsvParser(["x", "y"], 2, 0)
            patch.setattr(reading, "_CsvParser", lambda *args: parser)
            batches = list(source.batches())
        rows = [tuple(row.values()) for batch in batches for row in batch.rows.to_pylist()]
        bad = [(line.line, line.column, line.reason, line.fields) for batch in batches for line in batch.bad]
        return [rows, bad]

    assert read(piece_bytes, quick=True) == read(1 << 20, quick=False) == read(1 << 20, quick=True)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["2014-05-03", "1999-12-31"]).map(lambda day: (True, f"{AMINA},{day},SNOMED,70536003,")),
            st.just((True, f'{BOB},2014-05-03,ICD-10,"B20.8",1.5')),
            st.sampled_from(
                [
                    f"{CHARLIE},2190-01-01,SNOMED,70536003,",
                    f"{CHARLIE},43905,SNOMED,70536003,",
                    "9990000001,2014-05-03,SNOMED,70536003,",
                    f"{CHARLIE},2014-05-03,LOINC,8302-2,1",
                    f"{CHARLIE},2014-05-03",
                    f'{CHARLIE},2014-05-03,SNOMED,"70536\n003",',
                    f"{CHARLIE},2014-05-03,SNOMED,70536003,\x01",
                ]
            ).map(lambda row: (False, row)),
        ),
        max_size=30,
    )
)
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accepted_and_rejected_are_the_rows_sent_and_no_bad_row_is_accepted(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[bool, str]]
) -> None:
    folder = tmp_path_factory.mktemp("in")
    content = "\n".join(["nhs_number,date,system,code,value", *(row for _, row in rows)]) + "\n"
    (folder / "events.csv").write_text(content, newline="")
    loaded = load_files(
        find_files(folder)[0],
        made=folder / "made",
        scratch=folder,
        as_at=AS_AT,
        practices=[("Z90001", None)],
        reject_above=1,
        memory_limit="1GB",
    )
    (count,) = loaded.counts
    good = sum(is_good for is_good, _ in rows)
    assert (count.accepted, count.rejected) == (good, len(rows) - good)
    if good:
        people = duckdb.execute(f"SELECT person FROM '{folder}/made/records-000-of-001.parquet'").fetchall()
        assert len(people) == good
        assert (int(CHARLIE),) not in people
    if good < len(rows):
        told = list(csv.reader(io.StringIO((folder / "made/rejected/events.csv").read_text(), newline="")))[1:]
        starts, line = [], 2
        for is_good, row in rows:
            if not is_good:
                starts.append(str(line))
            line += row.count("\n") + 1
        assert [row[0] for row in told] == starts


def test_parquet_columns_of_other_types_are_read_as_text(load: Load, tmp_path: Path, settings: Any) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    duckdb.execute(
        f"COPY (SELECT {AMINA} AS nhs_number, 'Amina' AS given_name, 'Khan' AS family_name,"
        " TIMESTAMP '1961-02-14' AS birth_date, 'F' AS sex, 'Z90001' AS practice_code, '1 Mill Lane' AS address_line_1,"
        " NULL::VARCHAR AS postcode, true AS no_fixed_abode, ['SMS', 'LETTER'] AS unsafe_channels"
        f" UNION ALL SELECT {BOB}, 'Bo' || chr(1), 'Marsh', TIMESTAMP '1948-11-02 10:00', 'M', 'Z90001',"
        " '', '', false, []"
        f") TO '{folder}/patients.parquet'"
    )
    report = load(folder)
    (amina,) = stored(report, settings, "patients")
    assert (amina[3], amina[6], amina[7], amina[9], amina[19]) == (
        date(1961, 2, 14),
        ["1 Mill Lane"],
        "",
        True,
        ["LETTER", "SMS"],
    )
    (bob,) = rejected(report, "patients")
    assert (bob["line"], bob["column"], bob["reason"]) == ("2", "given_name", "has a control character (0x01)")
    assert bob["birth_date"].startswith("1948-11-02 10:00")

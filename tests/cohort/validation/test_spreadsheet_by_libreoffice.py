"""The practice's list, decided in LibreOffice Calc: downloaded, typed into, saved by it, and read back exactly."""

import csv
import io

import pytest

from cohort.actions.spreadsheet import decide_from_sheet
from cohort.decision_sheets import COLUMNS, KEPT_IN_SIGHT, NOTES, WANTED, understand
from cohort.models import Patient, RemovalTold
from cohort.queries.spreadsheet import WhoToDownload, download_rows, people_to_download
from cohort.sheets import UnreadableSheet, csv_lines, read_sheet, write_xlsx
from cohort.spreadsheets import MARK
from tests.cohort.factories import NOW, Cast
from tests.cohort.validation.pages import entry_of
from tests.libreoffice import Calc, calc

__all__ = ["calc"]
pytestmark = pytest.mark.django_db
NAMES = [column.name for column in COLUMNS]


def downloaded(cast: Cast, kind: str) -> bytes:
    """Returns the list as the practice downloads it, with names and numbers that spreadsheets like to change."""
    Patient.objects.filter(pk=cast.amina.pk).update(
        family_name="=1+1", given_name="Zoë", address_lines=["1-2", "0042"], mobile="07700900123"
    )
    Patient.objects.filter(pk=cast.bob.pk).update(family_name="+Müller", given_name="3 March", address_lines=["1E5"])
    people = people_to_download(cast.gp, cast.practice_list.pk, WhoToDownload.EVERYBODY)
    rows = list(download_rows(cast.gp, people))
    if kind == ".csv":
        return b"".join(csv_lines(COLUMNS, rows))
    return write_xlsx(COLUMNS, rows, title="List", notes=NOTES, keep=KEPT_IN_SIGHT)


def cell(content: bytes, patient: Patient, column: str) -> str:
    """Returns where a spreadsheet shows this column of this person."""
    sheet = read_sheet(content, WANTED)
    line = next(line for line in sheet.lines if line.cells["NHS number"].replace(" ", "") == patient.nhs_number)
    return f"{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[NAMES.index(column)]}{line.number}"


def who_is_in(content: bytes) -> list[list[str]]:
    """Returns what tells people apart, row by row; the mark of our CSV stays on in a workbook that is made of it."""
    told_apart = ("NHS number", "Family name", "Given name", "Birth date", "Version")
    return [[line.cells[name].removeprefix(MARK) for name in told_apart] for line in read_sheet(content, WANTED).lines]


@pytest.mark.parametrize("save_as", [".csv", ".xlsx"])
@pytest.mark.parametrize("kind", [".csv", ".xlsx"])
def test_a_list_decided_in_calc_is_read_back_exactly(cast: Cast, calc: Calc, kind: str, save_as: str) -> None:
    content = downloaded(cast, kind)
    typed = {
        cell(content, cast.amina, "Decision"): "confirm",
        cell(content, cast.bob, "Decision"): "Remove",
        cell(content, cast.bob, "Reason"): "Another reason",
        cell(content, cast.bob, "Detail"): "Coded in error, says Zoë",
        cell(content, cast.bob, "Patient told"): "yes",
        cell(content, cast.bob, "Told by"): "Dr Ng",
    }
    saved = calc(content, kind, typed, save_as)
    assert saved != content
    before, after = who_is_in(content), who_is_in(saved)
    assert after == before
    read = understand(read_sheet(saved, WANTED))
    assert read.problems == []
    receipt = decide_from_sheet(list_id=cast.practice_list.pk, read=read, by=cast.gp, at=NOW)
    assert (receipt.confirmed, receipt.removed, receipt.refused) == ([cast.amina.pk], [cast.bob.pk], {})
    bob = entry_of(cast.bob)
    assert (bob.removal_reason, bob.removal_detail, bob.is_patient_told) == ("OTHER", "Coded in error, says Zoë", True)
    assert RemovalTold.objects.get().told_by == "Dr Ng"


@pytest.mark.parametrize("kind", [".csv", ".xlsx"])
def test_what_calc_makes_of_a_number_and_a_date_typed_over_is_understood(cast: Cast, calc: Calc, kind: str) -> None:
    content = downloaded(cast, kind)
    born = cast.amina.birth_date
    typed = {
        cell(content, cast.amina, "NHS number"): cast.amina.nhs_number,
        cell(content, cast.amina, "Birth date"): f"{born:%Y-%m-%d}",
        cell(content, cast.amina, "Decision"): "confirm",
    }
    read = understand(read_sheet(calc(content, kind, typed, ".xlsx"), WANTED))
    assert read.problems == []
    (row,) = [row for row in read.rows if row.nhs_number == cast.amina.nhs_number]
    assert born in row.born


def test_a_formula_typed_as_a_name_is_never_run(cast: Cast, calc: Calc) -> None:
    saved = calc(downloaded(cast, ".csv"), ".csv", {}, ".csv")
    names = [row[1] for row in csv.reader(io.StringIO(saved.decode()))]
    assert not {"2", "=1+1"} & set(names)


def test_an_opendocument_sheet_is_refused_with_what_to_do(cast: Cast, calc: Calc) -> None:
    with pytest.raises(UnreadableSheet, match=r"OpenDocument sheet\. Save it as an Excel workbook"):
        read_sheet(calc(downloaded(cast, ".xlsx"), ".xlsx", {}, ".ods"), WANTED)

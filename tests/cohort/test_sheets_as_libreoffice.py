"""Workbooks in the shape that LibreOffice Calc writes, made by hand: NOT saved by LibreOffice.

No LibreOffice could be had where these tests were written: the machine has none, and from its WebAssembly build on
npm (@matbee/libreoffice-converter 2.7.2) nothing came that told anything. Replace this by files that a real one has
saved. What is known of its shape: all texts in a shared table, with `xml:space` and Windows line ends; a cell typed
over with a date is a number in a date format; a number is a number; empty styled cells follow to the end of the row.
"""

import io
import zipfile

from cohort.decision_sheets import WANTED, Choice, understand
from cohort.rules import RemovalReason
from cohort.sheets import read_sheet

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
_LETTERS = "ABCDEFGH"
_PLAIN = 'fontId="0" fillId="0" borderId="0"'


def in_the_shape_of_libreoffice(cells: list[list[str | int]]) -> bytes:
    """Returns a workbook: texts in the shared table, whole numbers as numbers, those below 100,000 as dates."""
    texts = [text for row in cells for text in row if isinstance(text, str) and text]
    rows = ""
    for number, row in enumerate(cells, start=1):
        line = ""
        for letter, value in zip(_LETTERS, row, strict=True):
            at = f'r="{letter}{number}"'
            if isinstance(value, int):
                line += f'<c {at} s="{1 if value < 100_000 else 0}" t="n"><v>{value}</v></c>'
            elif value:
                line += f'<c {at} s="0" t="s"><v>{texts.index(value)}</v></c>'
            else:
                line += f'<c {at} s="0"/>'
        rows += f'<row r="{number}" customFormat="false" ht="12.8" hidden="false">{line}</row>'
    strings = "".join(f'<si><t xml:space="preserve">{text}</t></si>' for text in texts)
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELS}">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId2" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId3" Type="{_DOCUMENT}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>'
        '<sheet name="List" sheetId="1" state="visible" r:id="rId2"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        f'<borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" {_PLAIN}/></cellStyleXfs>'
        f'<cellXfs count="2"><xf numFmtId="49" {_PLAIN} xfId="0"/><xf numFmtId="14" {_PLAIN} xfId="0"/></cellXfs>'
        "</styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}" count="{len(texts)}">{strings}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in parts.items():
            archive.writestr(name, _HEAD + xml)
    return made.getvalue()


def test_what_calc_makes_of_numbers_and_dates_is_understood() -> None:
    content = in_the_shape_of_libreoffice(
        [
            [*WANTED],
            [9991000003, 22326, "vabcdefghijkl", "confirm", "", "", "", ""],  # 14 February 1961, as a date
            ["9991000011", "1948-11-02", "vmnop", "remove", "Another reason", "'tis so, says Zoë", "no", ""],
            ["", "", "", "", "", "", "", ""],
        ]
    )
    read = understand(read_sheet(content, WANTED))
    assert read.problems == []
    first, second = read.rows
    assert (first.nhs_number, [str(day) for day in first.born]) == ("9991000003", ["1961-02-14"])
    assert (second.choice, second.reason, second.detail) == (Choice.REMOVE, RemovalReason.OTHER, "tis so, says Zoë")

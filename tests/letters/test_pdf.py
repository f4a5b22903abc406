"""The made PDF: what it says, where the address is, and that it is the same for the same content."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pypdf import PdfReader

from letters import contents
from letters.actions.templates import SHIPPED
from letters.models import Template, TemplateVersion
from letters.pdf import LetterContent, LetterNotMade, make_pdf
from letters.wording import Block

AT = datetime(2020, 3, 20, 10, 0, tzinfo=UTC)
MM = 72 / 25.4
A4 = (210 * MM, 297 * MM)
WINDOW = (24.6, 39.5, 24.6 + 95.4, 39.5 + 26.8)  # left, top, right, bottom, mm


def content(**changes: Any) -> LetterContent:
    plain = LetterContent(
        title="Important advice",
        date="20 March 2020",
        address=("Amina Khan", "1 Mill Lane", "Sutton", "SM1 1AA"),
        sender=("Mill Lane Surgery", "12 Mill Lane", "01632 960001"),
        blocks=(Block("paragraph", "Dear Amina Khan,"),),
    )
    return replace(plain, **changes)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def words(pdf: bytes, page: int = 0) -> list[tuple[str, float, float, float]]:
    """Returns each run of text with its left edge, baseline from the top and font size, in mm, mm and pt."""
    found: list[tuple[str, float, float, float]] = []

    def see(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        if text.strip():
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            found.append((text.strip(), x / MM, (A4[1] - y) / MM, size))

    read(pdf).pages[page].extract_text(visitor_text=see)
    return found


def shipped_letter(**person: Any) -> LetterContent:
    source = tomllib.loads((SHIPPED / "first-advice-letter.toml").read_text(encoding="utf-8"))
    version = TemplateVersion(template=Template(), number=1, subject=source["subject"], body=source["body"])
    patient = contents.invented_patient()
    for name, value in person.items():
        setattr(patient, name, value)
    return contents.letter(version, patient, contents.INVENTED_ADDRESS, dated=AT)


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(pdf).pages).split())


def test_the_shipped_letter_says_what_it_should_on_two_pages_for_those_of_working_age() -> None:
    pdf = make_pdf(shipped_letter(), made_at=AT)
    assert len(read(pdf).pages) == 2
    for part in ("Dear Amina Khan,", "Mill Lane Surgery on 01632 960001", "20 March 2020", "NHS 111", "Page 1 of 2"):
        assert part in text_of(pdf)
    employer = " ".join(read(pdf).pages[1].extract_text().split())
    assert "For your employer" in employer
    assert "Amina Khan has been advised" in employer


def test_others_have_no_employer_page() -> None:
    pdf = make_pdf(shipped_letter(birth_date=date(1940, 1, 1)), made_at=AT)
    assert len(read(pdf).pages) == 1
    assert "employer" not in text_of(pdf)
    assert "Page" not in text_of(pdf)


def test_it_is_a4_tagged_with_title_and_language_and_only_our_font() -> None:
    reader = read(make_pdf(shipped_letter(), made_at=AT))
    root: Any = reader.trailer["/Root"]
    assert tuple(map(float, reader.pages[0].mediabox[2:])) == pytest.approx(A4, abs=0.1)
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert reader.metadata
    assert reader.metadata.title == "Important advice to keep you safe"
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert "NotoSans" in descendant["/BaseFont"]
            descriptor = descendant["/FontDescriptor"].get_object()
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


ADDRESSES = [
    ("Amina Khan", "1 Mill Lane", "SM1 1AA"),
    ("Amina Khan", "Flat 2", "Rose Cottage", "1 Mill Lane", "Cheam", "Sutton", "SM1 1AA"),
    ("W" * 28, "Flat 2", "Rose Cottage", "1 Mill Lane", "Cheam", "Sutton", "SM1 1AA"),
    ("Amina Khan", "The Very Long Named Sheltered Housing Association Building", "1 Mill Lane", "SM1 1AA"),
    ("Amina Khan", "Apartment 12, The Very Long Named Sheltered Housing Association Building of Cheam", "SM1 1AA"),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_whole_address_and_nothing_else_is_in_the_window(address: tuple[str, ...]) -> None:
    pdf = make_pdf(content(address=address), made_at=AT)
    left, top, right, bottom = WINDOW
    clear = 5  # nothing else within 5 mm of the window
    inside, near = [], []
    for text, x, baseline, size in words(pdf):
        if left - 0.1 <= x < right and top <= baseline <= bottom:
            inside.append((text, size))
        elif x < right + clear and top - clear <= baseline <= bottom + clear:
            near.append(text)
    assert " ".join(" ".join(text for text, _ in inside).split()) == " ".join(address)
    assert near == []
    assert min(size for _, size in inside) >= 8


def test_the_body_begins_below_95_mm_at_12_points_within_the_margins() -> None:
    runs = words(make_pdf(shipped_letter(), made_at=AT))
    body = [run for run in runs if run[2] > 95]
    assert {text for text, _, _, _ in runs if 70 < _first(runs, text) < 95} == set()
    assert min(x for _, x, _, _ in body) >= 14.9
    assert {round(size) for text, _, baseline, size in body if baseline < 270 and len(text) > 40} == {12}


def _first(runs: list[tuple[str, float, float, float]], text: str) -> float:
    return next(run[2] for run in runs if run[0] == text)


def test_the_same_content_makes_the_same_bytes_in_another_process_too() -> None:
    mine = make_pdf(shipped_letter(), made_at=AT)
    assert make_pdf(shipped_letter(), made_at=AT) == mine
    script = (
        "import django, hashlib; django.setup();"
        "from tests.letters.test_pdf import AT, make_pdf, shipped_letter;"
        "print(hashlib.sha256(make_pdf(shipped_letter(), made_at=AT)).hexdigest())"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shielding.settings"}
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert other.stdout.strip() == hashlib.sha256(mine).hexdigest()


# What our font can print, the markup characters of typst often among it.
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x17E, categories=("L", "N", "P", "S"))
NAMES = st.text(st.one_of(st.sampled_from("#$*_[]<>@`\\/=-+~\"'{}()&"), PRINTABLE), min_size=1, max_size=20)


@given(NAMES)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_name_comes_out_as_it_is_written(name: str) -> None:
    pdf = make_pdf(
        content(address=(name, "1 Mill Lane", "SM1 1AA"), blocks=(Block("paragraph", f"Dear {name},"),)), made_at=AT
    )
    squeezed = "".join(text_of(pdf).split())
    assert f"Dear{name}," in squeezed
    assert squeezed.count(name) >= 2
    assert len(read(pdf).pages) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"address": ("x" * 100, "1 Mill Lane", "SM1 1AA")}, "does not fit the window"),
        ({"address": ("Long name " * 9, "Long line " * 10, *["Long line " * 10] * 4, "SM1 1AA")}, "does not fit"),
        ({"blocks": (Block("page"),) * 10}, "more than 10 pages"),
        ({"blocks": (Block("paragraph", "李"),)}, "cannot be printed in our font"),
        ({"blocks": (Block("paragraph", "\x01"),)}, "cannot be printed in our font"),
    ],
)
def test_what_cannot_be_made_is_refused_without_quoting_it(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(LetterNotMade, match=reason) as refused:
        make_pdf(content(**changes), made_at=AT)
    assert "Long" not in str(refused.value)
    assert json.dumps(str(refused.value)).isascii()

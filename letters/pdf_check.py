"""Looks at a letter as it was made: geometry, sizes, fonts, tags (domain, section 7). Not at what was meant."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
from pypdfium2 import raw

from letters.pdf import LetterContent
from letters.pdf_pages import ALONE
from letters.rules import Format

#: Millimetres from the left and the top.
WINDOW = (24.6, 39.5, 24.6 + 95.4, 39.5 + 26.8)
#: Nothing but the address comes so near to the window: the letter moves about in its envelope.
CLEAR_MM = 5
PAGE_MM = (210, 297)
MARGIN_MM = 15
BODY_TOP_MM = 95
SENDER_LEFT_MM = 130
MOST_PAGES = 10
SMALLEST_PT = {Format.STANDARD: 12}
SMALLEST_PT_OF_LARGE_PRINT = 16
#: What rounding may take from any of these.
_SLACK = 0.1
#: How far a letter such as J may reach out to the left of where it stands.
_OVERHANG_MM = 1
_MM = 25.4 / 72
#: PDFium tells these otherwise than they are: brackets in words read from the right, and hyphens that end a line.
_NOT_COMPARED = "()[]{}<>«»-\u00ad\u2010\x02"


@dataclass(frozen=True)
class Run:
    """Some characters on one line: their edges in mm from the left and the top of the page, and their size in pt."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    size: float
    is_embedded: bool

    def meets(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Returns whether any of it is in this rectangle."""
        return self.left < right and self.right > left and self.top < bottom and self.bottom > top


def letter_problems(pdf: bytes, content: LetterContent) -> list[str]:
    """Returns what is wrong with a made letter, fit to show and with no part of it; empty where all is well."""
    with ALONE, pdfium.PdfDocument(pdf) as document:
        return list(dict.fromkeys([*_of_document(document, content), *_of_pages(document, content)]))


def _of_document(document: pdfium.PdfDocument, content: LetterContent) -> Iterator[str]:
    if len(document) > MOST_PAGES:
        yield f"The letter has more than {MOST_PAGES} pages."
    if not raw.FPDFCatalog_IsTagged(document):
        yield "The PDF is not tagged, so it cannot be read aloud."
    if document.get_metadata_value("Title") != content.title:
        yield "The PDF's title is not the letter's heading."
    if _language(document).split("-")[0] != content.language.split("-")[0]:
        yield "The PDF does not say its language."
    for number in range(len(document)):
        if any(
            abs(has * _MM - wanted) > 1 for has, wanted in zip(document.get_page_size(number), PAGE_MM, strict=True)
        ):
            yield "A page is not A4."


def _language(document: pdfium.PdfDocument) -> str:
    length = raw.FPDFCatalog_GetLanguage(document, None, 0)
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFCatalog_GetLanguage(document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw.decode("utf-16-le").rstrip("\0")


def _of_pages(document: pdfium.PdfDocument, content: LetterContent) -> Iterator[str]:
    runs = [run for number in range(len(document)) for run in _runs(document[number], number)]
    smallest = SMALLEST_PT.get(content.format, SMALLEST_PT_OF_LARGE_PRINT)
    left, top, right, bottom = WINDOW
    near = (left - CLEAR_MM, top - CLEAR_MM, right + CLEAR_MM, bottom + CLEAR_MM)
    if _in_window(document[0]) != _squeezed("".join(content.address)):
        yield "The window does not show the address, the whole address and nothing else."
    for run in runs:
        on_first = run.page == 0
        if not run.is_embedded:
            yield "A font is not in the PDF."
        if run.left < MARGIN_MM - _OVERHANG_MM or run.right > PAGE_MM[0] - MARGIN_MM + _SLACK:
            yield f"Something is in the left or right margin of {MARGIN_MM} mm."
        if run.top < 0 or run.bottom > PAGE_MM[1]:
            yield "Something is beyond the edge of the page."
        if on_first and run.meets(*near):
            if (
                run.left < left - _OVERHANG_MM
                or run.top < top - _SLACK
                or run.right > right
                or run.bottom > bottom + _SLACK
            ):
                yield f"Something is partly in the window, or nearer to it than {CLEAR_MM} mm."
            continue
        if on_first and run.top < BODY_TOP_MM and run.left < SENDER_LEFT_MM - _OVERHANG_MM:
            yield f"The body begins above {BODY_TOP_MM} mm."
        if run.size < smallest - _SLACK:
            yield f"Something is smaller than {smallest} pt."


def _in_window(page: pdfium.PdfPage) -> str:
    """Returns the characters in the window, line by line and each from the left, without white space.

    PDFium gives the words of a page that is read from the right the other way round, wherever they are.
    """
    left, top, right, bottom = WINDOW
    height, words = page.get_height(), page.get_textpage()
    x, y = ctypes.c_double(), ctypes.c_double()
    found = []
    for place in range(words.count_chars()):
        raw.FPDFText_GetCharOrigin(words, place, x, y)
        across, down = x.value * _MM, (height - y.value) * _MM
        if left - _SLACK <= across <= right and top <= down <= bottom:
            found.append((round(down), across, chr(raw.FPDFText_GetUnicode(words, place))))
    return _squeezed("".join(character for _, _, character in sorted(found)))


def _squeezed(text: str) -> str:
    return "".join(character for character in text if not character.isspace() and character not in _NOT_COMPARED)


def _runs(page: pdfium.PdfPage, number: int) -> Iterator[Run]:
    height = page.get_height()
    for text in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):
        left, bottom, right, top = text.get_bounds()
        if left == right:  # spaces, and the marks that isolate what is read the other way
            continue
        size = ctypes.c_float()
        raw.FPDFTextObj_GetFontSize(text, size)
        yield Run(
            page=number,
            left=left * _MM,
            top=(height - top) * _MM,
            right=right * _MM,
            bottom=(height - bottom) * _MM,
            size=size.value * abs(text.get_matrix().d),
            is_embedded=bool(raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(text))),
        )

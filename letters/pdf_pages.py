"""Which pages of a PDF are whose letter, and one letter's pages taken out of it to be read."""

import io
import threading
from dataclasses import dataclass

import pypdfium2 as pdfium

#: PDFium may be used by one thread at a time.
ALONE = threading.Lock()


@dataclass(frozen=True)
class Pages:
    """One letter: the pages `first` to `last`, from 1, of a PDF that it may share with others; it has `of` pages."""

    pdf: bytes
    first: int = 1
    last: int = 1
    of: int = 1

    @property
    def is_alone(self) -> bool:
        """Says whether the PDF is this letter's alone."""
        return (self.first, self.last) == (1, self.of)


def letters_in(pdf: bytes, count: int) -> list[Pages]:
    """Returns the letters of a PDF that was made of so many, in their order. Raises ValueError where they are not."""
    with ALONE, pdfium.PdfDocument(pdf) as document:
        of = len(document)
        # One of its own has a bookmark for each heading, one of several for each letter.
        begins = [each.get_dest().get_index() + 1 for each in document.get_toc()] if count > 1 else [1]
    if len(begins) != count:
        raise ValueError(f"{len(begins)} letters have a bookmark, and not {count}.")
    ends = [*(begin - 1 for begin in begins[1:]), of]
    return [Pages(pdf, first, last, of) for first, last in zip(begins, ends, strict=True)]


def taken_out(letter: Pages) -> bytes:
    """Returns a PDF of one letter's pages alone, as they are. Its tags are lost where others shared the PDF."""
    if letter.is_alone:
        return letter.pdf
    with ALONE, pdfium.PdfDocument(letter.pdf) as document, pdfium.PdfDocument.new() as own:
        own.import_pages(document, list(range(letter.first - 1, letter.last)))
        made = io.BytesIO()
        own.save(made)
    return made.getvalue()

"""Makes one letter's PDF with typst: tagged (PDF/UA-1), fonts embedded, the same bytes for the same content.

One compile makes one letter, by a compiler that each thread keeps: see docs/letters.md for the figures
behind that.
"""

import json
import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import cast

import typst
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from letters.wording import Block

_TEMPLATE = (Path(__file__).parent / "typst" / "letter.typ").read_bytes()
_FONT_FOLDERS = ("400Regular", "700Bold")
_local = threading.local()


class LetterNotMade(Exception):
    """The letter cannot be made from this content; the message says why, and holds no part of it."""


@dataclass(frozen=True)
class LetterContent:
    """What one letter says. `sender` is the practice: its name, then the lines below it."""

    title: str
    date: str
    address: tuple[str, ...]
    sender: tuple[str, ...]
    blocks: tuple[Block, ...]
    language: str = "en"


def make_pdf(content: LetterContent, *, made_at: datetime) -> bytes:
    """Returns the PDF. `made_at` is the creation date it carries. Raises LetterNotMade."""
    try:
        made = _compiler().compile(
            input=_files(content),  # type: ignore[type-var]  # its stubs leave out several files
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=int(made_at.timestamp()),
        )
    except typst.TypstError as error:
        raise LetterNotMade(_why(error)) from None
    return cast(bytes, made)


def _files(content: LetterContent) -> dict[str, bytes]:
    # As a file, not in `sys_inputs`: with other inputs typst builds and hashes its whole library anew, 3 ms a letter.
    return {"main.typ": _TEMPLATE, "letter.json": json.dumps(asdict(content)).encode()}


def _compiler() -> typst.Compiler:
    if not hasattr(_local, "compiler"):
        _local.compiler = typst.Compiler(b"", font_paths=_fonts(), ignore_system_fonts=True)
    return _local.compiler


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    folder = settings.NODE_MODULES / "@expo-google-fonts" / "noto-sans"
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[folder / name for name in _FONT_FOLDERS],
    )
    if fonts.families() != ["Noto Sans"]:  # else every letter would fail, one by one
        raise ImproperlyConfigured(f"Noto Sans is not in {folder}: run `make setup`.")
    return fonts


def _why(error: typst.TypstError) -> str:
    """Returns the reason without the text that typst quotes from the letter."""
    for sign, reason in {
        "does not fit the window": "The address does not fit the window.",
        "more than 10 pages": "The letter has more than 10 pages.",
        "could not be displayed": "A character cannot be printed in our font.",
    }.items():
        if sign in error.message:
            return reason
    return "The letter could not be set."

"""Makes letters' PDFs with typst: tagged (PDF/UA-1), fonts embedded, the same bytes for the same content.

One compile makes one PDF, of one letter or of many, by a compiler that each thread keeps: see ADR 16.
"""

import json
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import typst
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from letters.rules import Format
from letters.wording import Block

#: What typst is given: a file in this folder it parses once, one that comes with the letter each time.
FOLDER = Path(__file__).parent / "typst"
_MAIN = b'#include "letter.typ"'
#: The fonts of `letter.typ`, each with the package it comes in. What none of them has, no letter can say.
_FONTS = {
    "Noto Nastaliq Urdu": "noto-nastaliq-urdu",
    "Noto Sans": "noto-sans",
    "Noto Sans Arabic": "noto-sans-arabic",
    "Noto Sans Bengali": "noto-sans-bengali",
    "Noto Sans Gujarati": "noto-sans-gujarati",
    "Noto Sans Gurmukhi": "noto-sans-gurmukhi",
    "Noto Sans Tamil": "noto-sans-tamil",
}
_WEIGHTS = ("400Regular", "700Bold")
#: What stands between two lines, in em: scripts with much above or below their line need more.
_LEADING, _LEADING_OF_OTHER_SCRIPTS, _LEADING_OF_NASTALIQ = 0.6, 0.8, 1.3
_local = threading.local()


class LetterNotMade(Exception):
    """A letter cannot be made from this content; the message says why, and holds no part of it."""


@dataclass(frozen=True)
class Part:
    """The whole letter in one language (BCP 47)."""

    title: str
    blocks: tuple[Block, ...]
    language: str = "en"

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Which way it is read: as its title is."""
        return direction(self.title)


@dataclass(frozen=True)
class LetterContent:
    """What one letter says. `sender` is the practice: its name, then the lines below it.

    Every format but the standard one is set in large print; the supplier makes the rest of it from that. `also` is
    the same letter in other languages, each on a page of its own.
    """

    title: str
    date: str
    address: tuple[str, ...]
    sender: tuple[str, ...]
    blocks: tuple[Block, ...]
    language: str = "en"
    format: Format = Format.STANDARD
    also: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """The letter in each of its languages, the person's own first."""
        return (Part(self.title, self.blocks, self.language), *self.also)


def direction(text: str) -> Literal["ltr", "rtl"]:
    """Returns which way a text is read, by most of its letters."""
    sorts = [unicodedata.bidirectional(character) for character in text]
    return "rtl" if sorts.count("R") + sorts.count("AL") > sorts.count("L") else "ltr"


def make_pdf(content: LetterContent, *, made_at: datetime) -> bytes:
    """Returns one letter's PDF. `made_at` is the creation date it carries. Raises LetterNotMade."""
    return make_joint_pdf([content], made_at=made_at)


def make_joint_pdf(contents: Sequence[LetterContent], *, made_at: datetime) -> bytes:
    """Returns one PDF of some letters in their order, all of one format and language, each on pages of its own.

    `pdf_pages.letters_in` finds them in it. Raises LetterNotMade where any of them cannot be made.
    """
    if len({(each.format, each.language) for each in contents}) != 1:
        raise ValueError("Letters of one PDF are of one format and language.")
    try:
        made = _compiler().compile(
            input=_files(contents),  # type: ignore[type-var]  # its stubs leave out several files
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=int(made_at.timestamp()),
        )
    except typst.TypstError as error:
        raise LetterNotMade(_why(error)) from None
    return cast(bytes, made)


def _files(contents: Sequence[LetterContent]) -> dict[str, bytes]:
    # As a file, not in `sys_inputs`: with other inputs typst builds and hashes its whole library anew, 3 ms a letter.
    return {"main.typ": _MAIN, "letters.json": json.dumps([_for_template(each) for each in contents]).encode()}


def _for_template(content: LetterContent) -> dict[str, Any]:
    """Returns a letter as `letter.typ` reads it."""
    return {
        "date": content.date,
        "address": content.address,
        "sender": content.sender,
        "format": content.format,
        "parts": [_part(part) for part in content.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    if part.language == "ur":
        leading = _LEADING_OF_NASTALIQ
    else:
        is_latin = unicodedata.name(part.title[0], "").startswith(("LATIN", "DIGIT"))
        leading = _LEADING if is_latin else _LEADING_OF_OTHER_SCRIPTS
    return {
        "title": part.title,
        "blocks": [vars(block) for block in part.blocks],
        "language": part.language,
        "direction": part.direction,
        "leading": leading,
    }


def _compiler() -> typst.Compiler:
    if not hasattr(_local, "compiler"):
        _local.compiler = typst.Compiler(b"", root=FOLDER, font_paths=_fonts(), ignore_system_fonts=True)
    return _local.compiler


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    folder = settings.NODE_MODULES / "@expo-google-fonts"
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[folder / package / weight for package in _FONTS.values() for weight in _WEIGHTS],
    )
    if missing := sorted(set(_FONTS) - set(fonts.families())):  # else every letter would fail, one by one
        raise ImproperlyConfigured(f"Not in {folder}: {', '.join(missing)}. Run `make setup`.")
    return fonts


def _why(error: typst.TypstError) -> str:
    """Returns the reason without the text that typst quotes from the letter."""
    for sign, reason in {
        "does not fit the window": "The address does not fit the window.",
        "more than 10 pages": "The letter has more than 10 pages.",
        "not on the first page": "The sender's address leaves no room for the heading on the first page.",
        "could not be displayed": "A character cannot be printed in our font.",
    }.items():
        if sign in error.message:
            return reason
    return "The letter could not be set."

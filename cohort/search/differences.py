"""What differs between two criteria in plain English, line by line. Pure."""

from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple


class Change(StrEnum):
    """What became of a line."""

    SAME = "SAME"
    REMOVED = "REMOVED"
    ADDED = "ADDED"


class Line(NamedTuple):
    """One line, without the spaces that set it in: `depth` says how far."""

    change: Change
    text: str
    depth: int


def differences(before: str, after: str) -> list[Line]:
    """Returns the lines of both texts, each once, in order; a changed line is the old one removed, the new added."""
    old, new = ([line for line in text.splitlines() if line.strip()] for text in (before, after))
    found: list[Line] = []
    for _, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if old[a:b] == new[c:d]:
            found += [_line(Change.SAME, text) for text in old[a:b]]
        else:
            found += [_line(Change.REMOVED, text) for text in old[a:b]]
            found += [_line(Change.ADDED, text) for text in new[c:d]]
    return found


def lines_of(text: str) -> list[Line]:
    """Returns the lines of one text."""
    return [_line(Change.SAME, line) for line in text.splitlines() if line.strip()]


def _line(change: Change, text: str) -> Line:
    stripped = text.lstrip(" ")
    return Line(change, stripped.removeprefix("- "), (len(text) - len(stripped)) // 2)

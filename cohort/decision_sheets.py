"""What a practice decides about the people of its list in a spreadsheet: the columns, and how they are understood.

Pure: no Django, no clock, no I/O. `cohort.sheets` writes and reads the file; here each row is either
understood or has each of its problems told, with what to do.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from nhs_number.validate import is_valid

from cohort.rules import RemovalReason
from cohort.sheets import MOST_COLUMNS, Column, Line, Sheet
from cohort.spreadsheets import MARK

NHS_NUMBER, BORN, VERSION = "NHS number", "Birth date", "Version"
DECISION, REASON, DETAIL, TOLD, TOLD_BY = "Decision", "Reason", "Detail", "Patient told", "Told by"
#: A column of ours on the rows that are given back to be mended; it is read over.
WRONG = "What is wrong"
#: What must be in a file that comes back; it may have any other columns.
WANTED = (NHS_NUMBER, BORN, VERSION, DECISION, REASON, DETAIL, TOLD, TOLD_BY)
LONGEST_DETAIL = 200
LONGEST_NAME = 100
#: Of these nobody is told; of the last nobody is asked for in a spreadsheet.
_NOT_TOLD = frozenset({RemovalReason.DIED, RemovalReason.ADDED_BY_MISTAKE})

REASONS = {
    RemovalReason.CONDITION_NOT_PRESENT: "They do not have the condition",
    RemovalReason.CONDITION_RESOLVED: "They had the condition but no longer do",
    RemovalReason.LOW_RISK: "They have the condition but are not at high risk",
    RemovalReason.MOVED_AWAY: "They have moved away or left the practice",
    RemovalReason.DIED: "They have died",
    RemovalReason.OTHER: "Another reason",
}


class Choice(StrEnum):
    """What is decided about somebody. An empty cell says LEAVE."""

    CONFIRM = "confirm"
    REMOVE = "remove"
    LEAVE = "leave"


COLUMNS = (
    Column(NHS_NUMBER, 14),
    Column("Family name", 18),
    Column("Given name", 16),
    Column(BORN, 12),
    Column("Address", 30),
    Column("Phones", 16),
    Column("How to contact safely", 20),
    Column("Why they are here", 40),
    Column("Evidence", 40),
    Column("Decided now", 30),
    Column(VERSION, 12),
    Column(DECISION, 12, tuple(Choice), is_to_fill_in=True),
    Column(REASON, 30, tuple(REASONS.values()), is_to_fill_in=True),
    Column(DETAIL, 30, is_to_fill_in=True),
    Column(TOLD, 12, ("yes", "no"), is_to_fill_in=True),
    Column(TOLD_BY, 20, is_to_fill_in=True),
)
#: Those that stay in sight when one scrolls: who it is.
KEPT_IN_SIGHT = 3
NOTES = (
    "Fill in the yellow columns only. Nothing is saved until you send the file back and agree to what it would do.",
    "Decision: confirm keeps somebody on the list, remove takes them off it. Leave it empty, or write leave,"
    " and nothing is changed.",
    "Reason: needed for a removal. Choose one of the list.",
    f"Detail: needed if you choose “Another reason”. {LONGEST_DETAIL} characters at most.",
    "Patient told: needed for a removal, unless they have died. Write yes only if a clinician has talked it over"
    " with them: people are not written to about a removal before that.",
    "Told by: the clinician's name. Left empty, it is you who sends the file.",
    "Version: leave it as it is. It shows whether somebody has decided since you downloaded the file;"
    " nobody's decision is overwritten unseen.",
    "You may sort, filter, hide columns, and take out rows. Sort whole rows, never one column.",
    "Save as .xlsx. CSV works too: best as “CSV UTF-8”.",
    "This file holds personal health information. Keep it where your practice keeps patients' records,"
    " and delete it once it is sent back.",
)


@dataclass(frozen=True)
class Row:
    """A row that could be understood. `nhs_number` has ten digits; `born` are the days its birth date may mean."""

    number: int
    nhs_number: str
    born: frozenset[date]
    version: str
    choice: Choice
    reason: RemovalReason | None = None
    detail: str = ""
    is_told: bool = False
    told_by: str = ""


@dataclass(frozen=True)
class Problem:
    """What is wrong in a row: its number, the column's name and letter ("" for the whole row), and what to do."""

    number: int
    column: str
    letter: str
    what: str


@dataclass
class Decisions:
    """A file as understood. `cells` are all rows as they came, `rejected` those with problems."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rejected: dict[int, Mapping[str, str]] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def reject(self, number: int, problems: Iterable[tuple[str, str]]) -> None:
        """Takes a row out for these problems: (column, what to do)."""
        self.rejected[number] = self.cells[number]
        self.problems += [Problem(number, name, self.letters.get(name, ""), what) for name, what in problems]


def token(version: str) -> str:
    """Returns what stands in the file for an entry's version: short, and nothing that a spreadsheet changes."""
    return "v" + "".join(chr(ord("a") + byte % 26) for byte in hashlib.sha256(version.encode()).digest()[:12])


def understand(sheet: Sheet) -> Decisions:
    """Returns what the rows of a file say. Two rows for one person that say different things are both refused."""
    read = Decisions(letters=sheet.letters, cells={line.number: line.cells for line in sheet.lines})
    for line in sheet.lines:
        row, problems = _row(line, is_unicode=sheet.is_unicode)
        if row is None:
            read.reject(line.number, problems)
        else:
            read.rows.append(row)
    _refuse_contradictions(read)
    return read


def mended(read: Decisions) -> tuple[list[str], list[list[str]]]:
    """Returns the columns and the rows of a file with the rows in error alone, to be mended and sent again."""
    names = list(dict.fromkeys(name for cells in read.rejected.values() for name in cells if name and name != WRONG))
    names = names[: MOST_COLUMNS - 1]
    wrong: dict[int, list[str]] = {}
    for problem in read.problems:
        wrong.setdefault(problem.number, []).append(f"{problem.column}: {problem.what}".removeprefix(": "))
    rows = [
        [*(cells.get(name, "") for name in names), " ".join(wrong[number])]
        for number, cells in sorted(read.rejected.items())
    ]
    return [*names, WRONG], rows


def days(text: str) -> frozenset[date]:
    """Returns the days that a birth date may mean, however a spreadsheet shows it; none where it is no date.

    A date such as 03/04/61 may mean four: whoever asks knows the person's, and looks whether it is one of them.
    """
    text = " ".join(text.split()).casefold()
    if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t ]00:00(?::00)?(?:\.0+)?)?", text, re.A):
        return _days(found[1], found[2], found[3])
    if found := re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?: 00:00(?::00)?)?", text, re.A):
        return _days(found[3], found[2], found[1]) | _days(found[3], found[1], found[2])
    if found := re.fullmatch(r"(\d{1,2})[- /.]?([a-z]{3,9})[- /.,]*(\d{4}|\d{2})", text, re.A):
        months = [place for place, name in enumerate(_MONTHS, 1) if name.startswith(found[2])]
        return _days(found[3], str(months[0]), found[1]) if len(months) == 1 else frozenset()
    return frozenset()


_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905


def _days(year: str, month: str, day: str) -> frozenset[date]:
    years = [int(year)] if len(year) == 4 else [1900 + int(year), 2000 + int(year)]
    found = set()
    for each in years:
        try:
            found.add(date(each, int(month), int(day)))
        except ValueError:
            continue
    return frozenset(found)


def nhs_number(text: str) -> tuple[str, str]:
    """Returns ten digits, and what is wrong ("" for nothing)."""
    digits = "".join(c for c in text if not c.isspace() and unicodedata.category(c) not in {"Pd", "Cf"})
    digits = re.sub(r"[.,]0+$", "", digits)
    if not digits:
        return "", "Empty. Copy the row again from the file you downloaded."
    if re.fullmatch(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+", digits):
        return "", "The spreadsheet has shortened the number. Format the column as text and type it again."
    if not (digits.isascii() and digits.isdigit()):
        return "", "Must be numbers only, such as 999 123 4567."
    if len(digits) == 9 and is_valid(digits.zfill(10)):
        digits = digits.zfill(10)
    if len(digits) != 10:
        return "", f"Must be 10 numbers long; this has {len(digits)}."
    if not is_valid(digits):
        return "", "Not an NHS number: one of the numbers is wrong. Copy it again from the file you downloaded."
    return digits, ""


def _row(line: Line, *, is_unicode: bool) -> tuple[Row | None, list[tuple[str, str]]]:
    said = {name: _tidy(line.cells[name]) for name in WANTED}
    problems: list[tuple[str, str]] = []
    if line.is_too_long:
        problems.append(("", "There are more cells than columns, so some may have moved. Copy the row again."))
    number, wrong = nhs_number(said[NHS_NUMBER])
    problems += [(NHS_NUMBER, wrong)] if wrong else []
    try:
        choice = Choice(said[DECISION].casefold()) if said[DECISION] else Choice.LEAVE
    except ValueError:
        choice = Choice.LEAVE
        problems.append((DECISION, "Write confirm, remove or leave."))
    born = days(said[BORN])
    reason, is_told = None, False
    if choice is not Choice.LEAVE:
        if not born:
            problems.append((BORN, "Not a date. Copy it again from the file you downloaded."))
        if not said[VERSION]:
            problems.append((VERSION, "Empty. Copy the row again from the file you downloaded."))
    if choice is Choice.REMOVE:
        reason, is_told, wrongs = _removal(said, line.cells, is_unicode=is_unicode)
        problems += wrongs
    elif choice is Choice.CONFIRM and said[REASON]:
        problems.append((REASON, "Only a removal has a reason. Empty this cell, or write remove as the decision."))
    if problems:
        return None, problems
    return (
        Row(
            number=line.number,
            nhs_number=number,
            born=born,
            version=said[VERSION],
            choice=choice,
            reason=reason,
            detail=said[DETAIL] if choice is Choice.REMOVE else "",
            is_told=is_told,
            told_by=said[TOLD_BY] if is_told else "",
        ),
        [],
    )


def _removal(
    said: Mapping[str, str], cells: Mapping[str, str], *, is_unicode: bool
) -> tuple[RemovalReason | None, bool, list[tuple[str, str]]]:
    problems: list[tuple[str, str]] = []
    reason = next((each for each, words in REASONS.items() if words.casefold() == said[REASON].casefold()), None)
    if reason is None:
        what = "Choose one of the list" if said[REASON] else "A removal needs a reason. Choose one of the list"
        problems.append((REASON, f"{what}: “{'”, “'.join(REASONS.values())}”."))
    if reason is RemovalReason.OTHER and not said[DETAIL]:
        problems.append((DETAIL, "Write what the other reason is."))
    told = said[TOLD].casefold()
    if told not in {"", "yes", "no", "y", "n"}:
        problems.append((TOLD, "Write yes or no."))
    elif not told and reason not in _NOT_TOLD:
        problems.append((TOLD, "Write yes if a clinician has talked it over with them, otherwise no."))
    for name, longest in ((DETAIL, LONGEST_DETAIL), (TOLD_BY, LONGEST_NAME)):
        if len(said[name]) > longest:
            problems.append((name, f"Longer than {longest} characters. Make it shorter."))
        if not _is_text(cells[name]):
            problems.append((name, "Has a character that is not text. Type it again."))
        elif not is_unicode and not _is_certain(said[name]):
            problems.append(
                (name, "Has letters that cannot be read for certain. Save as .xlsx or as “CSV UTF-8” and send that.")
            )
    return reason, told in {"yes", "y"}, problems


def _refuse_contradictions(read: Decisions) -> None:
    rows: dict[str, list[Row]] = {}
    for row in read.rows:
        rows.setdefault(row.nhs_number, []).append(row)
    for said in rows.values():
        if len({_says(row) for row in said}) > 1:
            numbers = ", ".join(str(row.number) for row in said)
            what = f"Rows {numbers} are about one person and differ. Leave in the one that is right."
            for row in said:
                read.reject(row.number, [(DECISION, what)])
    kept = [said[0] for said in rows.values() if said[0].number not in read.rejected]
    read.rows = sorted(kept, key=lambda row: row.number)
    read.problems.sort(key=lambda problem: problem.number)


def _says(row: Row) -> Sequence[object]:
    return (row.born, row.version, row.choice, row.reason, row.detail, row.is_told, row.told_by)


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.removeprefix(MARK).split()))


def _is_text(text: str) -> bool:
    """Says whether there is nothing that a database or a page cannot hold."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Cn"} for c in text if c not in "\t\r\n")


#: Letters and signs of English text in Windows-1252: with others, it is likelier a Mac's file, or another country's.
_USUAL = frozenset("£€‘’“”–—…°½¼áàâäçéèêëíìîïñóòôöúùûüÁÀÂÄÇÉÈÊËÍÌÎÏÑÓÔÖÚÙÛÜ")  # noqa: RUF001


def _is_certain(text: str) -> bool:
    return all(c.isascii() or c in _USUAL for c in text)

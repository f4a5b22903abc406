"""Details of a person that their practice mends: which there are, and how long its word stands.

Pure: no Django, no clock, no I/O. Values are mappings of columns of Patient, as JSON keeps them (dates as text).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Values = Mapping[str, Any]


class Detail(StrEnum):
    """What is mended as one: an address is never half the practice's and half the extract's."""

    ADDRESS = "ADDRESS"
    MOBILE = "MOBILE"
    LANDLINE = "LANDLINE"
    EMAIL = "EMAIL"
    MOVED_AWAY = "MOVED_AWAY"
    DEATH = "DEATH"
    ASKED_NOT = "ASKED_NOT"
    UNSAFE_CHANNELS = "UNSAFE_CHANNELS"
    SAFE_CONTACT = "SAFE_CONTACT"
    FORMATS = "FORMATS"
    LANGUAGE = "LANGUAGE"
    PREFERRED_CHANNEL = "PREFERRED_CHANNEL"

    @property
    def label(self) -> str:
        """Returns what people call it."""
        return _LABELS[self]

    @property
    def columns(self) -> tuple[str, ...]:
        """Returns the columns of Patient that it holds."""
        return _COLUMNS[self]

    @property
    def is_in_extracts(self) -> bool:
        """Says whether extracts have it at all."""
        return self not in ONLY_OURS


_LABELS = {
    Detail.ADDRESS: "Address",
    Detail.MOBILE: "Mobile",
    Detail.LANDLINE: "Landline",
    Detail.EMAIL: "Email",
    Detail.MOVED_AWAY: "Moved away",
    Detail.DEATH: "Death",
    Detail.ASKED_NOT: "Asked not to be contacted",
    Detail.UNSAFE_CHANNELS: "Not safe to use",
    Detail.SAFE_CONTACT: "How to contact them safely",
    Detail.FORMATS: "Formats needed",
    Detail.LANGUAGE: "Language",
    Detail.PREFERRED_CHANNEL: "Preferred way to be contacted",
}
_COLUMNS = {
    Detail.ADDRESS: ("address_lines", "postcode", "no_fixed_abode", "uprn"),
    Detail.MOBILE: ("mobile",),
    Detail.LANDLINE: ("landline",),
    Detail.EMAIL: ("email",),
    Detail.MOVED_AWAY: ("moved_away_code",),
    Detail.DEATH: ("death_status", "death_date"),
    Detail.ASKED_NOT: ("asked_not_to_be_contacted",),
    Detail.UNSAFE_CHANNELS: ("unsafe_channels",),
    Detail.SAFE_CONTACT: ("safe_contact_instruction",),
    Detail.FORMATS: ("formats_needed",),
    Detail.LANGUAGE: ("language",),
    Detail.PREFERRED_CHANNEL: ("preferred_channel",),
}
#: No extract has these, so that only the practice changes them.
ONLY_OURS = frozenset({Detail.FORMATS, Detail.LANGUAGE, Detail.PREFERRED_CHANNEL})


class EndedBy(StrEnum):
    """What ended an amendment: the practice took it back or mended the same detail anew, or an extract knew better."""

    WITHDRAWN = "WITHDRAWN"
    REPLACED = "REPLACED"
    EXTRACT = "EXTRACT"


class Format(StrEnum):
    """How somebody needs what is written to them (domain, section 7)."""

    LARGE_PRINT = "LARGE_PRINT"
    EASY_READ = "EASY_READ"
    BRAILLE = "BRAILLE"
    AUDIO = "AUDIO"


class PreferredChannel(StrEnum):
    """How somebody likes best to be contacted."""

    LETTER = "LETTER"
    SMS = "SMS"
    PHONE = "PHONE"
    EMAIL = "EMAIL"


@dataclass(frozen=True)
class Held:
    """What is held of a detail once an extract has come, and whether the amendment stands.

    `is_news`: the extract has come to say, of how to contact them safely or whether at all, what is neither what
    it said before nor the practice's word. Somebody is to look at the person again.
    """

    stands: bool
    value: Values
    is_news: bool = False


def standing(detail: Detail, *, value: Values, said: Values, says: Values, now: Values) -> Held:
    """Returns what an extract that says `now` leaves of an amendment to `value`.

    `said` is what the practice has overruled (see `overruled`), `says` what the extract before this one said.

    The practice's word stands until the extract has something new, since what the practice mended was what
    the extract said then. Safety asks for more: the practice's word stands until the practice takes it
    back, and what the extract newly says against contact, or of how to contact, counts as well: which of two
    instructions is the safer, nobody can tell from here. A death that is newly registered ends any other
    word about it, and so does a new report of a death which the practice had not heard of.
    """
    if detail is Detail.SAFE_CONTACT:
        instruction = value["safe_contact_instruction"]
        if now not in (said, value):
            instruction = _both(instruction, now["safe_contact_instruction"])
        return Held(True, {"safe_contact_instruction": instruction}, now not in (says, value))
    if detail not in _WARNINGS:
        stands = _told(now) == _told(said)
        return Held(stands, value if stands else now)
    ours, before, newest = (_warnings(detail, each) for each in (value, says, now))
    is_news = bool((newest - before - ours) | ((before - newest) & ours))
    if detail is Detail.DEATH:
        is_overturned = bool(newest - ours) and now != said
        stands = not (is_overturned or now["death_status"] == "FORMAL")
        return Held(stands, value if stands else now, is_news or is_overturned)
    warnings = ours | (newest - _warnings(detail, said))
    if detail is Detail.ASKED_NOT:
        return Held(True, {"asked_not_to_be_contacted": bool(warnings)}, is_news)
    return Held(True, {"unsafe_channels": sorted(warnings)}, is_news)


def overruled(detail: Detail, *, value: Values, said: Values, now: Values) -> Values:
    """Returns what the practice overrules still, of what it overruled before (`said`), once an extract says `now`.

    A warning that extracts have let go of is overruled no more: said again, it is new.
    """
    if detail is Detail.UNSAFE_CHANNELS:
        return {"unsafe_channels": sorted({*said["unsafe_channels"]} & {*now["unsafe_channels"]})}
    has_let_go = now == value or not any(now.values())
    return now if detail in {Detail.ASKED_NOT, Detail.DEATH, Detail.SAFE_CONTACT} and has_let_go else said


_WARNINGS = frozenset({Detail.UNSAFE_CHANNELS, Detail.ASKED_NOT, Detail.DEATH})


def _warnings(detail: Detail, values: Values) -> frozenset[str]:
    """Returns what a detail says against contact: the channels, or the one thing that it can say."""
    if detail is Detail.UNSAFE_CHANNELS:
        return frozenset(values["unsafe_channels"])
    column = "death_status" if detail is Detail.DEATH else "asked_not_to_be_contacted"
    return frozenset({column} if values[column] else ())


#: What the column holds, in characters.
LONGEST_INSTRUCTION = 300
#: Instead of two instructions that do not fit together: half of one could be worse than none.
ASK_THE_PRACTICE = "Ask their GP practice before any contact: it holds two instructions that differ."


def _both(ours: str, theirs: str) -> str:
    """Returns two instructions as one text, for both are to be kept."""
    if not (ours and theirs):
        return ours or theirs
    stop = "" if ours.endswith((".", "!", "?")) else "."
    both = f"{ours}{stop} {theirs}"
    return both if len(both) <= LONGEST_INSTRUCTION else ASK_THE_PRACTICE


def _told(values: Values) -> Values:
    """Returns what tells one address from another: a number newly given to the same house does not."""
    return {name: value for name, value in values.items() if name != "uprn"}


#: An address is 3 to 7 lines with the name and the postcode; no line begins with one of these (domain, section 7).
FORBIDDEN_STARTS = '@()=[]"\\/,<>~'
#: A UK postcode in capitals with its one space, as BS 7666 has it; `cohort.queries.holds` matches the same.
_POSTCODE = re.compile(
    r"(GIR 0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9][0-9ABEHMNPRV-Y]?|[0-9][A-HJKPS-UW]) [0-9][ABD-HJLNP-UW-Z]{2})"
)
_BFPO = re.compile(r"BFPO ?(C/O ?)?[0-9]{1,4}")
_NO_ADDRESS = re.compile(r"N\.?F\.?A\.?|.*NO FIXED (ABODE|ADDRESS).*")


def address_problems(lines: Sequence[str], postcode: str) -> list[tuple[str, str]]:
    """Returns what is wrong with an address: pairs of the field (`address_line_1`, `postcode`) and what to do.

    `lines` are the lines as typed, empty ones included; the postcode in capitals with its space. An
    address that passes is no hold, `cohort.queries.holds` being the judge; the name is its first line.
    """
    problems = []
    for number, line in enumerate(lines, start=1):
        if line and line[0] in FORBIDDEN_STARTS:
            problems.append((f"address_line_{number}", f"Address line {number} must not begin with {line[0]}"))
        elif _NO_ADDRESS.fullmatch(line.upper()):
            problems.append((f"address_line_{number}", "For somebody without an address choose “No fixed abode”"))
    if not any(lines):
        problems.append(("address_line_1", "Enter the first line of the address"))
    written = [line for line in lines if line]
    is_forces = bool(written) and not postcode and _BFPO.fullmatch(written[-1].upper()) is not None
    if is_forces and len(written) == 1:
        problems.append(("address_line_1", "Enter a line before the BFPO number"))
    elif not is_forces and not _POSTCODE.fullmatch(postcode):
        problems.append(("postcode", "Enter a full UK postcode, such as SM1 1AA" if postcode else "Enter a postcode"))
    elif postcode == "ZZ99 3VZ":
        problems.append(("postcode", "For somebody without an address choose “No fixed abode”"))
    return problems

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
    """What is held of a detail once an extract has come, and whether the amendment stands."""

    stands: bool
    value: Values


def standing(detail: Detail, *, value: Values, said: Values, now: Values) -> Held:
    """Returns what an extract that says `now` leaves of an amendment to `value`, made when extracts said `said`.

    The practice's word stands until the extract has something new, since what the practice mended was what
    the extract said then. Safety asks for more: the practice's word stands until the practice takes it
    back, and what the extract newly says against contact counts as well. A death that is newly registered
    ends any other word about it, and so does a new report of a death which the practice had not heard of.
    """
    if detail is Detail.UNSAFE_CHANNELS:
        newly = set(now["unsafe_channels"]) - set(said["unsafe_channels"])
        return Held(True, {"unsafe_channels": sorted({*value["unsafe_channels"], *newly})})
    if detail is Detail.ASKED_NOT:
        newly_asked = now["asked_not_to_be_contacted"] and not said["asked_not_to_be_contacted"]
        return Held(True, {"asked_not_to_be_contacted": value["asked_not_to_be_contacted"] or newly_asked})
    if detail is Detail.SAFE_CONTACT:
        is_emptied = not value["safe_contact_instruction"] and now != said
        return Held(True, now if is_emptied else value)
    if detail is Detail.DEATH:
        is_registered = now["death_status"] == "FORMAL"
        is_news = value["death_status"] == "" and now["death_status"] != "" and now != said
        stands = not (is_registered or is_news)
    else:
        stands = _told(now) == _told(said)
    return Held(stands, value if stands else now)


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

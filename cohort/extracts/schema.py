"""The shape of what a supplier sends: tables, columns, and what each column must hold.

`docs/extract.md` says the same in prose for suppliers.
"""

from dataclasses import dataclass
from enum import StrEnum

from cohort.models import Patient


class Kind(StrEnum):
    """What a column holds, which decides how it is checked and stored."""

    NHS_NUMBER = "NHS_NUMBER"
    DATE = "DATE"
    SEX = "SEX"
    PRACTICE = "PRACTICE"
    TEXT = "TEXT"
    POSTCODE = "POSTCODE"
    DIGITS = "DIGITS"
    BOOLEAN = "BOOLEAN"
    DEATH_STATUS = "DEATH_STATUS"
    CHANNELS = "CHANNELS"
    SYSTEM = "SYSTEM"
    CODE = "CODE"
    NUMBER = "NUMBER"


@dataclass(frozen=True)
class Column:
    """One column: `in_header` must be in the file, `filled` must have a value in every row."""

    name: str
    kind: Kind
    in_header: bool = False
    filled: bool = False
    longest: int | None = None


@dataclass(frozen=True)
class Table:
    """One table; `source` is what its rows are called in records.parquet (empty for patients)."""

    name: str
    source: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """Returns the column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


SYSTEMS = ("SNOMED", "DMD", "BNF", "ICD-10", "OPCS-4", "CTV3", "READ2")
#: Systems whose codes are SNOMED identifiers: 6 to 18 digits.
NUMERIC_SYSTEMS = ("SNOMED", "DMD")
#: Systems whose codes are stored without dots and in capitals, so that C43.7 and c437 are C437.
UNDOTTED_SYSTEMS = ("ICD-10", "OPCS-4")
SEXES = tuple(Patient.Sex.values)
DEATH_STATUSES = tuple(status for status in Patient.DeathStatus.values if status)
CHANNELS = ("LETTER", "SMS")
ADDRESS_LINES = tuple(f"address_line_{number}" for number in range(1, 6))
LONGEST_CODE = 20
LONGEST_EPISODE = 64


def _longest(name: str) -> int | None:
    length: int | None = getattr(Patient._meta.get_field(name), "max_length")  # noqa: B009
    return length


def _text(name: str, *, kind: Kind = Kind.TEXT, filled: bool = False) -> Column:
    return Column(name, kind, in_header=filled, filled=filled, longest=_longest(name))


_ADDRESS_LENGTH = Patient._meta.get_field("address_lines").base_field.max_length
_NHS_NUMBER = Column("nhs_number", Kind.NHS_NUMBER, in_header=True, filled=True)
_RECORD = (
    _NHS_NUMBER,
    Column("date", Kind.DATE, in_header=True, filled=True),
    Column("system", Kind.SYSTEM, in_header=True, filled=True),
    Column("code", Kind.CODE, in_header=True, filled=True, longest=LONGEST_CODE),
)

PATIENTS = Table(
    "patients",
    "",
    (
        _NHS_NUMBER,
        _text("given_name", filled=True),
        _text("family_name", filled=True),
        Column("birth_date", Kind.DATE, in_header=True, filled=True),
        Column("sex", Kind.SEX, in_header=True, filled=True),
        Column("practice_code", Kind.PRACTICE, in_header=True, filled=True),
        # Nobody is turned away for want of an address: that is a hold for the practice to solve.
        *(
            Column(line, Kind.TEXT, in_header=line == "address_line_1", longest=_ADDRESS_LENGTH)
            for line in ADDRESS_LINES
        ),
        Column("postcode", Kind.POSTCODE, in_header=True, longest=_longest("postcode")),
        _text("uprn", kind=Kind.DIGITS),
        Column("no_fixed_abode", Kind.BOOLEAN),
        _text("mobile"),
        _text("landline"),
        _text("email"),
        Column("death_status", Kind.DEATH_STATUS),
        Column("death_date", Kind.DATE),
        Column("is_restricted", Kind.BOOLEAN),
        Column("is_invalid", Kind.BOOLEAN),
        _text("moved_away_code"),
        Column("asked_not_to_be_contacted", Kind.BOOLEAN),
        Column("unsafe_channels", Kind.CHANNELS),
        _text("safe_contact_instruction"),
    ),
)
EVENTS = Table("events", "GP", (*_RECORD, Column("value", Kind.NUMBER)))
MEDICATIONS = Table("medications", "MEDICINES", _RECORD)
ADMISSIONS = Table(
    "admissions", "HOSPITAL", (*_RECORD, Column("episode", Kind.TEXT, in_header=True, longest=LONGEST_EPISODE))
)
TABLES = (PATIENTS, EVENTS, MEDICATIONS, ADMISSIONS)

#: The columns put before the supplier's own in a file of rejected rows, and ignored when it comes back.
REJECTED_COLUMNS = ("line", "column", "reason")
#: The columns a mapping adds to say where each of its rows came from; they come back with rejected rows.
ORIGIN_COLUMNS = ("source_file", "source_line")

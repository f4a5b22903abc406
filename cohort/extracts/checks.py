"""The checks, as SQL over a batch of text columns: every row is either good or has its problems named.

A problem is SQL that gives the reason as text where the value is bad and NULL where it is good. It
must never give NULL for a bad value, so reasons are put together with concat, which skips NULL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cohort.extracts.schema import (
    ADDRESS_LINES,
    CHANNELS,
    DEATH_STATUSES,
    NUMERIC_SYSTEMS,
    PATIENTS,
    SEXES,
    SYSTEMS,
    UNDOTTED_SYSTEMS,
    Column,
    Kind,
    Table,
)

EARLIEST = date(1900, 1, 1)
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0", "")

#: The practices of the country, for `sql_of_checks` to join: code, and the day each closed or NULL.
PRACTICES_TABLE = "practices (code VARCHAR PRIMARY KEY, closed_date DATE)"
PATIENTS_TABLE = (
    "person BIGINT, given_name VARCHAR, family_name VARCHAR, birth_date DATE, sex VARCHAR, practice_code VARCHAR,"
    " address_lines VARCHAR[], postcode VARCHAR, uprn VARCHAR, no_fixed_abode BOOLEAN, mobile VARCHAR,"
    " landline VARCHAR, email VARCHAR, death_status VARCHAR, death_date DATE, is_restricted BOOLEAN,"
    " is_invalid BOOLEAN, moved_away_code VARCHAR, asked_not_to_be_contacted BOOLEAN, unsafe_channels VARCHAR[],"
    " safe_contact_instruction VARCHAR"
)
RECORDS_TABLE = "person BIGINT, system VARCHAR, code VARCHAR, date DATE, source VARCHAR, episode VARCHAR, value DOUBLE"


def names(table: str) -> str:
    """Returns the names of the columns of PATIENTS_TABLE or RECORDS_TABLE, separated by commas."""
    return ", ".join(definition.split()[0] for definition in table.split(", "))


@dataclass(frozen=True)
class Checks:
    """Two queries over a view `batch`: the good rows as they are stored, and the bad with their problems.

    `accepted` gives `line` and the stored columns; `rejected` gives `line`, `columns` and `reasons`
    (joined by `; `) and `fields` (the row as it was sent).
    """

    accepted: str
    rejected: str


def checks(table: Table, header: list[str], *, as_at: date) -> Checks:
    """Returns the checks of a file of that table with those columns, in that order.

    Columns the table does not have are carried through to the rejected rows and otherwise ignored.
    """
    place = {name: index for index, name in enumerate(header)}
    text = {c.name: _text(c.kind, f"c{place[c.name]}") if c.name in place else "''" for c in table.columns}
    trimmed = ", ".join(f"{sql} AS t_{name}" for name, sql in text.items())
    fields = ", ".join(f"c{index}" for index in range(len(header)))
    values = ", ".join(f"{_value(column)} AS v_{column.name}" for column in table.columns)
    problems = ", ".join(f"{_problem(column, table, as_at)} AS p_{column.name}" for column in table.columns)
    practices = "LEFT JOIN practices ON code = upper(trimmed.t_practice_code)" if table is PATIENTS else ""
    checked = (
        f"FROM (SELECT *, {problems} FROM (SELECT *, {values} FROM (SELECT line, {fields}, {trimmed} FROM batch)"
        f" AS trimmed {practices}))"
    )
    good = " AND ".join(f"p_{column.name} IS NULL" for column in table.columns)
    columns = ", ".join(f"CASE WHEN p_{c.name} IS NOT NULL THEN '{c.name}' END" for c in table.columns)
    reasons = ", ".join(f"p_{column.name}" for column in table.columns)
    return Checks(
        accepted=f"SELECT line, {_stored(table)} {checked} WHERE {good}",
        rejected=f"SELECT line, concat_ws('; ', {columns}) AS columns, concat_ws('; ', {reasons}) AS reasons,"
        f" [{fields}] AS fields {checked} WHERE NOT ({good})",
    )


def weighted_sum(number: str) -> str:
    """Returns SQL for a number that is a multiple of 11 exactly where an NHS number's check digit is right.

    The check digit makes the sum of the ten digits, weighted 10 down to 1, a multiple of 11 (NHS Data
    Dictionary, NHS NUMBER). Digit i from the right is n // 10^i - 10 * (n // 10^(i+1)), so that sum is
    that of (1 - 9i) * (n // 10^i), and 1 - 9i is 2i + 1 modulo 11: no digit need be taken apart.
    """
    weights = {i: (2 * i + 1) % 11 for i in range(10)}
    return " + ".join(f"{weight} * ({number} // {10**i})" for i, weight in weights.items() if weight)


def nhs_number_problem(text: str, number: str) -> str:
    """Returns the problem of an NHS number: `text` without spaces, `number` the same as a BIGINT or NULL.

    Scottish numbers (CHI, 010000 0000 to 311299 9999) begin with the date of birth as DDMMYY.
    """
    born = f"concat('20', {text}[5:6], '-', {text}[3:4], '-', {text}[1:2])"
    # Without lpad where there is nothing to pad: it costs as much as all the rest.
    spelled = f"CASE WHEN {number} >= 1000000000 THEN {number}::VARCHAR ELSE lpad({number}::VARCHAR, 10, '0') END"
    return (
        f"CASE WHEN {text} = '' THEN 'is missing'"
        f" WHEN {number} IS NULL OR {number} NOT BETWEEN 0 AND 9999999999 OR {spelled} <> {text}"
        " THEN 'is not 10 digits'"
        f" WHEN ({weighted_sum(number)}) % 11 <> 0 THEN 'fails its check digit'"
        f" WHEN {number} BETWEEN 100000000 AND 3112999999 AND TRY_CAST({born} AS DATE) IS NULL"
        " THEN 'is of the Scottish range but does not begin with a date (DDMMYY)' END"
    )


def date_problem(text: str, day: str, *, as_at: date, filled: bool) -> str:
    """Returns the problem of a date: `text` as sent, `day` the same as a DATE or NULL."""
    missing = "'is missing'" if filled else "NULL"
    return (
        f"CASE WHEN {text} = '' THEN {missing}"
        f" WHEN length({text}) = 10 AND {day} IS NOT NULL AND {day}::VARCHAR = {text} THEN CASE"
        f" WHEN {day} < DATE '{EARLIEST}' THEN 'is before 1900'"
        f" WHEN year({day}) > {as_at.year + 1} THEN"
        f" concat('is in the year ', year({day}), ', after the extract date {as_at}')"
        f" WHEN {day} > DATE '{as_at}' THEN 'is after the extract date {as_at}' END"
        f" WHEN regexp_full_match({text}, '[0-9]{{4,6}}([.][0-9]+)?') THEN"
        " 'is a bare number, as Excel keeps dates (a serial number); write YYYY-MM-DD'"
        f" WHEN regexp_full_match({text}, '[0-9]{{8}}') THEN 'is written YYYYMMDD; write YYYY-MM-DD'"
        f" WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN 'is not a day of the calendar'"
        " ELSE 'is not a date written YYYY-MM-DD' END"
    )


def _text(kind: Kind, column: str) -> str:
    """Returns SQL for the column without the spaces that carry no meaning."""
    if kind is Kind.NHS_NUMBER:
        return f"CASE WHEN contains({column}, ' ') THEN replace({column}, ' ', '') ELSE {column} END"
    if kind in {Kind.TEXT, Kind.POSTCODE, Kind.CHANNELS}:
        spaced = " OR ".join(f"contains({column}, {mark})" for mark in ("' '", "chr(9)", "chr(10)", "chr(13)"))
        return f"CASE WHEN {spaced} THEN trim(regexp_replace({column}, '\\s+', ' ', 'g')) ELSE {column} END"
    return f"CASE WHEN contains({column}, ' ') THEN trim({column}) ELSE {column} END"


def _value(column: Column) -> str:
    """Returns SQL for what is stored, from the trimmed text; NULL or nonsense where the text is bad."""
    text = f"t_{column.name}"
    match column.kind:
        case Kind.NHS_NUMBER:
            return f"TRY_CAST({text} AS BIGINT)"
        case Kind.DATE:
            return f"TRY_CAST({text} AS DATE)"
        case Kind.NUMBER:
            return f"TRY_CAST({text} AS DOUBLE)"
        case Kind.PRACTICE:
            return f"upper({text})"
        case Kind.BOOLEAN:
            return f"lower({text}) IN {_TRUE}"
        case Kind.CHANNELS:
            return f"list_sort(list_distinct(list_filter(string_split(upper({text}), ' '), lambda x: x <> '')))"
        case Kind.CODE:
            undotted = f"upper(replace({text}, '.', ''))"
            return f"CASE WHEN t_system IN {UNDOTTED_SYSTEMS} THEN {undotted} ELSE {text} END"
        case Kind.POSTCODE:
            bare = f"replace(upper({text}), ' ', '')"
            return (
                f"CASE WHEN regexp_full_match({bare}, 'BFPO[0-9]{{1,4}}') THEN 'BFPO ' || substr({bare}, 5)"
                f" WHEN regexp_full_match({bare}, '[A-Z]{{1,2}}[0-9][A-Z0-9]?[0-9][A-Z]{{2}}')"
                f" THEN {bare}[:-4] || ' ' || {bare}[-3:] ELSE upper({text}) END"
            )
        case _:
            return text


def _problem(column: Column, table: Table, as_at: date) -> str:
    text, value = f"t_{column.name}", f"v_{column.name}"
    cases: list[tuple[str, str]] = []
    match column.kind:
        case Kind.NHS_NUMBER:
            return nhs_number_problem(text, value)
        case Kind.DATE:
            problem = date_problem(text, value, as_at=as_at, filled=column.filled)
            return _death_date_problem(problem) if column.name == "death_date" else problem
        case Kind.SEX:
            cases = [(f"{text} NOT IN {SEXES}", "'is not one of F, M, O, U'")]
        case Kind.DEATH_STATUS:
            cases = [(f"{text} NOT IN {('', *DEATH_STATUSES)}", "'is not empty, INFORMAL or FORMAL'")]
        case Kind.SYSTEM:
            cases = [(f"{text} NOT IN {SYSTEMS}", f"'is not one of {', '.join(SYSTEMS)}'")]
        case Kind.BOOLEAN:
            cases = [(f"lower({text}) NOT IN {(*_TRUE, *_FALSE)}", "'is not true or false'")]
        case Kind.CHANNELS:
            cases = [(f"NOT list_has_all({list(CHANNELS)}, {value})", f"'is not made of {' and '.join(CHANNELS)}'")]
        case Kind.NUMBER:
            cases = [
                (f"{text} <> '' AND ({value} IS NULL OR NOT isfinite({value}))", "'is not a number'"),
            ]
        case Kind.PRACTICE:
            cases = [
                ("code IS NULL", "'is not a practice we know'"),
                (f"closed_date <= DATE '{as_at}'", "concat('is a practice that closed on ', closed_date)"),
            ]
        case Kind.DIGITS:
            cases = [(f"{text} <> '' AND NOT regexp_full_match({text}, '[0-9]+')", "'is not digits only'")]
        case Kind.CODE:
            cases = [
                (f"contains({text}, ' ')", "'has a space in it'"),
                (
                    f"t_system IN {NUMERIC_SYSTEMS} AND (length({text}) NOT BETWEEN 6 AND 18"
                    f" OR coalesce(TRY_CAST({text} AS BIGINT)::VARCHAR, '') <> {text} OR starts_with({text}, '-'))",
                    "'is not 6 to 18 digits, as codes of its system are; did a spreadsheet round it?'",
                ),
            ]
    if column.longest:
        stored = value if column.kind in {Kind.POSTCODE, Kind.CODE} else text
        cases.append((f"length({stored}) > {column.longest}", f"'is longer than {column.longest} characters'"))
    if column.filled:
        cases.insert(0, (f"{text} = ''", "'is missing'"))
    if not cases:
        return "NULL"
    return "CASE " + " ".join(f"WHEN {when} THEN {then}" for when, then in cases) + " END"


def _death_date_problem(problem: str) -> str:
    return (
        f"coalesce({problem}, CASE WHEN v_death_date IS NOT NULL AND t_death_status = ''"
        " THEN 'is given without a death_status'"
        " WHEN v_death_date < v_birth_date THEN 'is before the birth date' END)"
    )


def _stored(table: Table) -> str:
    """Returns the select list of PATIENTS_TABLE or RECORDS_TABLE."""
    if table is not PATIENTS:
        stored: Mapping[str, str] = {
            "person": "v_nhs_number",
            "system": "v_system",
            "code": "v_code",
            "date": "v_date",
            "source": f"'{table.source}'",
            "episode": "v_episode" if table.column("episode") else "''",
            "value": "v_value" if table.column("value") else "NULL::DOUBLE",
        }
    else:
        lines = ", ".join(f"v_{line}" for line in ADDRESS_LINES)
        stored = {name: f"v_{name}" for name in names(PATIENTS_TABLE).split(", ")} | {
            "person": "v_nhs_number",
            "address_lines": f"list_filter([{lines}], lambda x: x <> '')",
        }
    return ", ".join(f"{sql} AS {name}" for name, sql in stored.items())

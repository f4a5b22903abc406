"""The patients table of the GP extract: names, addresses and circumstances of the table `person`."""

from pathlib import Path

import duckdb

from shielding.demo import names
from shielding.demo.cast import CAST, FIRST_NUMBER
from shielding.demo.dice import Dice, list_of, literal
from shielding.demo.people import numbered_sql
from shielding.demo.places import HOUSES_OF_A_UNIT, Places, postcode, postcode_sql
from shielding.demo.plans import IS_PLAIN

COLUMNS = [
    "nhs_number",
    "given_name",
    "family_name",
    "birth_date",
    "sex",
    "practice_code",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "address_line_4",
    "address_line_5",
    "postcode",
    "uprn",
    "no_fixed_abode",
    "mobile",
    "landline",
    "email",
    "death_status",
    "death_date",
    "is_restricted",
    "is_invalid",
    "moved_away_code",
    "asked_not_to_be_contacted",
    "unsafe_channels",
    "safe_contact_instruction",
]
NO_FIXED_ABODE_POSTCODE = "ZZ99 3VZ"  # the pseudo-postcode that real systems record
#: PDS reasons for removal: to Scotland, to Northern Ireland, embarked, gone away.
MOVED_AWAY_CODES = ("SCT", "NIT", "EMB", "CGA")
_PREFIXES = ("Ó-", "Ní-", "Nic-", "ap-")


def _families() -> list[str]:
    words = [word for _, family, _, _ in names.ORIGINS for word in family.split()]
    return [word.replace("-", " ", 1) if word.startswith(_PREFIXES) else word for word in words]


def _given() -> list[str]:
    return [word for _, _, women, men in names.ORIGINS for word in (women + " " + men).split()]


def _origin_sql(value: str) -> str:
    whens, upper = [], 0.0
    for index, (share, *_) in enumerate(names.ORIGINS):
        upper += share
        whens.append(f"WHEN {value} < {upper:.6f} THEN {index}")
    return f"CASE {' '.join(whens)} ELSE 0 END"


def _regular_sql(dice: Dice, chosen: str = "true") -> str:
    """Returns SQL for everybody but the cast, each column under its own name, empty ones NULL."""
    own = f"CASE WHEN {dice.share('own name')} < 0.12 THEN 2 * n + 1 ELSE 2 * house END"
    away = f"{dice.share('neighbour', 'house')} < 0.05"
    housed = (
        f"SELECT person.*, code, {own} AS name_key, {dice.share('address trouble')} AS trouble, "
        f"{dice.share('no fixed abode')} < 0.001 AS homeless, "
        f"CASE WHEN {away} THEN next_sector ELSE sector END AS at_sector, "
        f"CASE WHEN {away} THEN next_town ELSE town END AS at_town, CASE WHEN {away} "
        f"THEN {dice.below('unit', 'next_units', 'house')} ELSE (house - house_first) // {HOUSES_OF_A_UNIT} END "
        f"AS lived_unit, "
        f"1 + CASE WHEN {away} THEN 40 + house % 60 ELSE (house - house_first) % {HOUSES_OF_A_UNIT} END AS door, "
        f"CASE WHEN trouble >= 0.0016 AND trouble < 0.002 THEN units ELSE lived_unit END AS at_unit, "
        f"at_sector * 400 + at_unit AS street_key FROM person JOIN practice ON practice.number = person.practice "
        f"WHERE house >= 0 AND {chosen}"
    )
    street = f"{dice.one_of('street', names.STREET_STARTS, 'street_key')} || ' ' || " + dice.one_of(
        "kind of street", names.STREET_ENDS, "street_key"
    )
    named = (
        f"SELECT *, {_origin_sql(dice.share('origin', 'name_key'))} AS origin, "
        f"{dice.share('long name', 'name_key')} AS long, door || ' ' || {street} AS street, "
        f"CASE WHEN {dice.share('locality', 'street_key')} < 0.2 THEN "
        f"{dice.one_of('which locality', names.LOCALITIES, 'street_key')} END AS locality, "
        f"{postcode_sql('at_sector', 'at_unit')} AS at_postcode, "
        f"CASE WHEN {dice.share('flat', 'house')} < 0.1 THEN 'Flat ' || (1 + house % 12) || ', ' || street "
        f"ELSE street END AS first_line, CASE sex WHEN 'F' THEN 0 WHEN 'M' THEN 1 ELSE n % 2 END AS of_sex "
        f"FROM ({housed})"
    )
    family = f"{list_of(_families())}[1 + origin * 20 + {{}}]"
    second = dice.below("second family name", 20, "name_key")
    single = family.format(dice.below("family name", 20, "name_key"))
    unsafe = dice.share("unsafe")
    columns = {
        "nhs_number": "nhs::VARCHAR",
        "given_name": f"{list_of(_given())}[1 + origin * 40 + of_sex * 20 + {dice.below('given name', 20)}]",
        "family_name": f"CASE WHEN long < 0.001 "
        f"THEN {dice.one_of('long family name', names.LONG_FAMILY_NAMES, 'name_key')} "
        f"WHEN long < 0.03 THEN {single} || '-' || {family.format(second)} ELSE {single} END",
        "birth_date": "birth_date",
        "sex": "sex",
        "practice_code": "code",
        "address_line_1": "CASE WHEN homeless OR trouble < 0.0004 THEN NULL WHEN trouble < 0.0008 THEN '(c/o) ' || "
        "first_line ELSE first_line END",
        "address_line_2": "CASE WHEN NOT homeless AND trouble >= 0.0004 THEN coalesce(locality, at_town) END",
        "address_line_3": "CASE WHEN NOT homeless AND trouble >= 0.0004 AND locality IS NOT NULL THEN at_town END",
        "address_line_4": "NULL::VARCHAR",
        "address_line_5": "NULL::VARCHAR",
        "postcode": f"CASE WHEN homeless THEN '{NO_FIXED_ABODE_POSTCODE}' WHEN trouble < 0.0004 THEN NULL "
        f"WHEN trouble >= 0.0008 AND trouble < 0.0012 THEN NULL WHEN trouble >= 0.0012 AND trouble < 0.0016 "
        f"THEN replace(at_postcode, ' ', '')[:4] ELSE at_postcode END",
        "uprn": "CASE WHEN NOT homeless AND trouble >= 0.002 THEN '9999' || lpad(house::VARCHAR, 8, '0') END",
        "no_fixed_abode": "homeless",
        "mobile": f"CASE WHEN {dice.share('mobile')} < 0.75 THEN '07700 900' || "
        f"lpad(({dice.below('mobile number', 1000)})::VARCHAR, 3, '0') END",
        "landline": f"CASE WHEN NOT homeless AND {dice.share('landline', 'house')} < 0.6 THEN '01632 960' || "
        f"lpad(({dice.below('landline number', 1000, 'house')})::VARCHAR, 3, '0') END",
        "email": f"CASE WHEN {dice.share('email')} < 0.4 THEN 'person' || n || '@example.org' END",
        "death_status": "CASE death WHEN 1 THEN 'FORMAL' WHEN 2 THEN 'INFORMAL' END",
        "death_date": "death_date",
        "is_restricted": f"{dice.share('restricted')} < 0.002",
        "is_invalid": f"{dice.share('invalid')} < 0.0003",
        "moved_away_code": f"CASE WHEN {dice.share('moved away')} < 0.003 "
        f"THEN {dice.one_of('where to', MOVED_AWAY_CODES)} END",
        "asked_not_to_be_contacted": f"{dice.share('asked')} < 0.001",
        "unsafe_channels": f"CASE WHEN {unsafe} < 0.001 THEN 'LETTER' WHEN {unsafe} < 0.002 THEN 'SMS' "
        f"WHEN {unsafe} < 0.003 THEN 'LETTER SMS' END",
        "safe_contact_instruction": f"CASE WHEN {unsafe} < 0.003 THEN "
        f"{dice.one_of('instruction', names.SAFE_CONTACT_INSTRUCTIONS)} END",
    }
    return f"SELECT {', '.join(f'{columns[name]} AS {name}' for name in COLUMNS)} FROM ({named})"


def cast_address(places: Places, number: int) -> tuple[str, str, str]:
    """Returns one of the cast's street, town and postcode: in the streets of their own practice."""
    practice = places.practices[CAST[number].practice]
    town = places.councils[practice.council].town
    return f"{number + 1} {names.STREET_STARTS[number]} Lane", town, postcode(practice.sector, 0)


def _cast_sql(places: Places) -> str:
    def text(value: str) -> str:
        return literal(value) if value else "NULL"

    rows = []
    for number, role in enumerate(CAST):
        street, town, code = cast_address(places, number)
        if role.no_fixed_abode:
            street, town, code = "", "", NO_FIXED_ABODE_POSTCODE
        uprn = "" if role.no_fixed_abode else f"9998{number:08}"
        rows.append(
            f"SELECT nhs::VARCHAR, {text(role.given_name)}, {text(role.family_name)}, birth_date, sex, "
            f"{text(places.practices[role.practice].code)}, {text(street)}, {text(town)}, NULL, NULL, NULL, "
            f"{text(code)}, {text(uprn)}, {role.no_fixed_abode}, {text(role.mobile)}, NULL, NULL, "
            f"CASE death WHEN 1 THEN 'FORMAL' END, death_date, {role.is_restricted}, false, NULL, false, "
            f"{text(role.unsafe_channels)}, {text(role.safe_contact_instruction)} FROM person WHERE n = {number}"
        )
    return " UNION ALL ".join(rows)


#: What is wrong with each kind of patient row that a loader must refuse, in turn.
DIRT = ("check digit", "date to come", "closed practice", "duplicate", "spreadsheet date")


def write_patients(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    people: int,
    places: Places,
    dice: Dice,
    dirt: float,
    copy: str,
) -> int:
    """Writes the table to `path` with the COPY options `copy`, rows to refuse at its end, and returns their number.

    A spreadsheet date cannot be said in Parquet, whose dates are dates.
    """
    kinds = DIRT if path.suffix == ".csv" else DIRT[:-1]
    regular = _regular_sql(dice)
    chosen = f"{IS_PLAIN} AND {dice.share('dirty patient', 'person.n')} < {dirt}"
    connection.execute(
        "CREATE OR REPLACE TABLE dirty AS SELECT *, row_number() OVER (ORDER BY nhs_number) - 1 AS place "
        f"FROM ({_regular_sql(dice, chosen)})"
    )
    count = connection.execute("SELECT count(*) FROM dirty").fetchall()[0][0]
    #: Rows to refuse are strangers', with numbers nobody has, but for duplicates.
    strangers = numbered_sql(f"SELECT i AS place, {FIRST_NUMBER + people} + i AS n FROM range({count}) AS t(i)")
    mended = {
        "nhs_number": "CASE kind WHEN 0 THEN nhs_number[:9] || (nhs_number[10]::INTEGER + 1) % 10 "
        "WHEN 3 THEN nhs_number ELSE nhs::VARCHAR END",
        "birth_date": "CASE kind WHEN 1 THEN DATE '2190-01-01' ELSE birth_date END",
        "practice_code": f"CASE kind WHEN 2 THEN '{places.closed_practice_code}' ELSE practice_code END",
    }
    if path.suffix == ".csv":
        mended["birth_date"] = (
            "CASE kind WHEN 1 THEN '2190-01-01' WHEN 4 THEN (birth_date - DATE '1899-12-30')::VARCHAR "
            "ELSE birth_date::VARCHAR END"
        )
    columns = ", ".join(f"{mended.get(name, name)} AS {name}" for name in COLUMNS)
    connection.execute(
        f"COPY (SELECT {', '.join(COLUMNS)} FROM ({_cast_sql(places)}) AS t({', '.join(COLUMNS)}) "
        f"UNION ALL ({regular}) "
        f"UNION ALL (SELECT {columns} FROM (SELECT *, place % {len(kinds)} AS kind FROM dirty JOIN ({strangers}) "
        f"USING (place) ORDER BY place))) TO '{path}' {copy}"
    )
    return int(count)

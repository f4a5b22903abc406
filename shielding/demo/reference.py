"""The reference files of the invented country, in the shapes of the published ones."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import duckdb

from shielding.demo import names
from shielding.demo.dice import list_of
from shielding.demo.places import AREA_LETTERS, SECTORS_OF_AN_AREA, UNIT_LETTERS, Places, postcode, postcode_sql

NSPL_COLUMNS = [
    "pcd",
    "pcd2",
    "pcds",
    "dointr",
    "doterm",
    "usertype",
    "oseast1m",
    "osnrth1m",
    "osgrdind",
    "oa11",
    "cty",
    "ced",
    "laua",
    "ward",
    "hlthau",
    "nhser",
    "ctry",
    "rgn",
    "pcon",
    "eer",
    "teclec",
    "ttwa",
    "pct",
    "itl",
    "park",
    "lsoa11",
    "msoa11",
    "wz11",
    "ccg",
    "bua11",
    "buasd11",
    "ru11ind",
    "oac11",
    "lat",
    "long",
    "lep1",
    "lep2",
    "pfa",
    "imd",
    "calncv",
    "stp",
]


def _write(path: Path, rows: Iterable[Sequence[object]], *, encoding: str = "utf-8", **style: object) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, **{"lineterminator": "\n", **style}).writerows(rows)  # type: ignore[arg-type]


def _network_code(number: int) -> str:
    """Returns a PCN code in the two longest runs that the real ones leave free."""
    return f"U{22507 + number}" if number < 850 else f"U{41042 + number - 850}"


def _system_code(number: int) -> str:
    return f"Q{9 - number // 20}{UNIT_LETTERS[number % 20]}"


def write_organisations(folder: Path, country: Places, as_at: date) -> None:
    """Writes `epraccur.csv` (27 columns, no header) and `practice_map.csv` (practice to PCN to ICS)."""
    made = f"{as_at:%d%b%Y}"
    practices, mapped = [], []
    for practice in country.practices:
        town, at = country.councils[practice.council].town, postcode(practice.sector, 0)
        system, network = _system_code(practice.system), practice.network
        row = [practice.code, practice.name, "Y99", system, "THE SURGERY", "STATION ROAD", town.upper(), "", "", at]
        row += [
            "19740401",
            "",
            "A",
            "B",
            "99A",
            "20130401",
            "",
            practice.phone,
            "",
            "",
            "",
            "0",
            "",
            "99A",
            "",
            "4",
            "",
        ]
        practices.append(row)
        system_name = f"{country.councils[practice.system].town} and District"
        mapped.append(
            [
                *("GP_PRAC_PAT_LIST", made, practice.code, practice.name, at, _network_code(network)),
                *(f"{names.TOWN_STARTS[network % 20].upper()} {1 + network // 20} PCN", "E38000999", "99A"),
                *(f"NHS {system_name} CCG", f"E54000{900 + practice.system}", system, system_name),
                *("E40000099", "Y99", "Invented Country"),
            ]
        )
    closed = list(practices[0])
    closed[0:2], closed[11:13], closed[16] = (
        [country.closed_practice_code, "OLD WHARF SURGERY"],
        ["20171031", "C"],
        "20171031",
    )
    prison = list(practices[0])
    prison[0:2], prison[25] = [f"A{int(country.closed_practice_code[1:]) + 1}", "HMP HEXELGATE HEALTHCARE"], "10"
    _write(folder / "epraccur.csv", [*practices, closed, prison], quoting=csv.QUOTE_ALL)
    header = (
        "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,PCN_CODE,PCN_NAME,ONS_CCG_CODE,CCG_CODE,"
        "CCG_NAME,ONS_STP_CODE,STP_CODE,STP_NAME,ONS_COMM_REGION_CODE,COMM_REGION_CODE,COMM_REGION_NAME"
    )
    _write(folder / "practice_map.csv", [header.split(","), *mapped])


def write_councils(folder: Path, country: Places) -> None:
    """Writes `local_authorities.csv`, `contacts.csv` (latin-1), `lrf.csv` and `la_to_lrf.csv`."""
    header = "id,gss,snac,local_custodian_code,tier_id,parent_local_authority_id,slug,country_name,homepage_url,name"
    links: list[Sequence[object]] = [header.split(",")]
    contacts: list[Sequence[object]] = [
        [
            "Name",
            "Home page URL",
            "Contact page URL",
            "SNAC Code",
            "Address Line 1",
            "Address Line 2",
            "Town",
            "City",
            "County",
            "Postcode",
            "Telephone Number 1 Description",
            "Telephone Number 1",
            "Telephone Number 2 Description",
            "Telephone Number 2",
            "Telephone Number 3 Description",
            "Telephone Number 3",
            "Fax",
            "Main Contact Email",
            "Opening Hours",
        ]
    ]
    sectors = {practice.council: practice.sector for practice in reversed(country.practices)}
    for council in country.councils:
        slug, site = council.town.lower(), f"https://www.{council.town.lower()}.example/"
        parent = "" if council.county is None else council.county + 1
        links.append(
            [
                *(council.number + 1, council.gss, council.snac, 9700 + council.number, council.tier, parent, slug),
                *("England", site, council.name),
            ]
        )
        at = postcode(sectors[council.number], 1) if council.number in sectors else ""
        contacts.append(
            [
                *(council.name, site, f"{site}contact", council.snac, "Château House", "Market Place"),
                *(council.town, "", "", at, "Main switchboard", council.phone, "", "", "", "", ""),
                *(f"help@{slug}.example", ""),
            ]
        )
    _write(folder / "local_authorities.csv", links)
    _write(folder / "contacts.csv", contacts, encoding="latin-1", lineterminator="\r\n")
    forums = [
        [f"forum-{number + 1}", f"Forum {number + 1}", f"E48000{701 + number}"] for number in range(country.forums)
    ]
    for number, row in enumerate(forums):
        lead = next((council for council in country.councils if council.forum == number), country.councils[0])
        row[0:2] = [lead.town.lower(), "London" if lead.gss.startswith("E09") else f"{lead.town}shire"]
    _write(folder / "lrf.csv", [["local-resilience-forum", "name", "statistical-geography"], *forums])
    pairs = [[council.gss, forums[council.forum][2]] for council in country.home_councils]
    _write(folder / "la_to_lrf.csv", [["la-statistical-geography", "lrf-statistical-geography"], *pairs])


def write_postcodes(connection: duckdb.DuckDBPyConnection, path: Path, country: Places) -> None:
    """Writes `postcodes.csv` in NSPL's 41 columns: live postcodes, and after each practice's two terminated ones.

    A council without a practice has one postcode; the last row has no geography, as a few real ones.
    """
    gss = list_of([council.gss for council in country.councils])
    county = list_of(
        ["" if council.county is None else country.councils[council.county].gss for council in country.councils]
    )
    lived_in = {practice.council for practice in country.practices}
    empty = [council.number for council in country.home_councils if council.number not in lived_in]
    start = (len(AREA_LETTERS) - 1) * SECTORS_OF_AN_AREA + 900
    streets = "SELECT number, council, sector, units, unnest(range(units + 2)) AS unit FROM practice"
    for index, council in enumerate(empty):
        streets += f" UNION ALL SELECT 1000000 + {index}, {council}, {start + index}, 1, 0"
    values = {
        "pcd": "rpad(split_part(code, ' ', 1), 4, ' ') || split_part(code, ' ', 2)",
        "pcd2": "rpad(split_part(code, ' ', 1), 5, ' ') || split_part(code, ' ', 2)",
        "pcds": "code",
        "dointr": "'199806'",
        "doterm": "CASE WHEN unit >= units THEN '201006' END",
        "usertype": "'0'",
        "cty": f"coalesce(nullif({county}[1 + council], ''), 'E99999999')",
        "laua": f"{gss}[1 + council]",
        "ctry": "'E92000001'",
    }
    nowhere = {"pcd": "'ZY999ZZ'", "pcd2": "'ZY99 9ZZ'", "pcds": "'ZY99 9ZZ'", "dointr": "'199806'", "usertype": "'0'"}
    columns = ", ".join(f'{values.get(name, "NULL")} AS "{name}"' for name in NSPL_COLUMNS)
    last = ", ".join(f'{nowhere.get(name, "NULL")} AS "{name}"' for name in NSPL_COLUMNS)
    connection.execute(
        f"COPY (SELECT {columns} FROM (SELECT *, {postcode_sql('sector', 'unit')} AS code FROM ({streets}) "
        f"ORDER BY number, unit) UNION ALL SELECT {last}) TO '{path}' (HEADER)"
    )

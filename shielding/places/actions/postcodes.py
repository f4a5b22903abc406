"""Loads postcodes from the ONS directories (NSPL, ONSPD) of any edition: millions of rows, by COPY."""

import csv
import io
import re
from collections.abc import Iterator

from django.db import connection, transaction

from shielding.places.models import LocalAuthority
from shielding.places.rules import normal_postcode, tier_of
from shielding.tables import Report, Table, WrongFile

#: Where the postcode is, the best spelling first.
_POSTCODE_COLUMNS = ("pcds", "postcode", "pcd", "pcd2", "pcd7", "pcd8")
#: Where the local authority is: ONS renames the column in each edition (oslaua, laua, lad25cd).
_AUTHORITY_COLUMN = re.compile(r"(os)?laua|lad\d\dcd")
_ROWS_PER_COPY = 50_000


def authority_column(table: Table, column: str = "") -> str:
    """Returns the column with the local authority: the one asked for, else the one that looks like it.

    Raises WrongFile if it is not there, or if several look like it.
    """
    if column:
        table.require([column], of="a file of postcodes with that column")
        return column
    found = [name for name in table.header if _AUTHORITY_COLUMN.fullmatch(name)]
    if len(found) != 1:
        what = f"several columns of local authorities ({', '.join(found)})" if found else "no column laua or ladNNcd"
        raise WrongFile(f"{table.name} has {what}: name the one to read with --column. {table.columns_in_words()}")
    return found[0]


def load_postcodes(*, table: Table, column: str = "") -> Report:
    """Loads the postcodes of one file in one transaction, and returns what became of it.

    Postcodes that are there already take the file's authority and dates. Rows with a postcode that
    is not one, without an authority, with a pseudo code, or with an authority that is not loaded
    are reported. Raises WrongFile if the columns are not there, or no authority is loaded at all.
    """
    authority = authority_column(table, column)
    postcode = next((name for name in _POSTCODE_COLUMNS if table.has([name])), "")
    if not postcode:
        raise WrongFile(f"{table.name} has no column {', '.join(_POSTCODE_COLUMNS)}. {table.columns_in_words()}")
    authorities = set(LocalAuthority.objects.values_list("gss_code", flat=True))
    if not authorities:
        raise WrongFile("There are no local authorities yet: load them before postcodes.")
    report = Report(table.name, f"postcodes by {authority}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE incoming"
            " (line int, postcode text, authority text, introduced date, terminated date) ON COMMIT DROP"
        )
        for block in _blocks(_rows(table, report, postcode, authority, authorities)):
            cursor.copy_expert("COPY incoming FROM STDIN (FORMAT csv)", block)
        cursor.execute("ANALYZE incoming")
        cursor.execute(
            "DELETE FROM incoming USING"
            " (SELECT postcode, min(line) AS line FROM incoming GROUP BY postcode HAVING count(*) > 1) AS first"
            " WHERE incoming.postcode = first.postcode AND incoming.line > first.line"
            " RETURNING incoming.line, first.line"
        )
        for line, first in cursor.fetchall():
            report.reject(line, postcode, f"the same postcode as in line {first}")
        cursor.execute(
            "WITH written AS ("
            "  INSERT INTO places_postcode AS old (postcode, local_authority_id, introduced_date, terminated_date)"
            "  SELECT postcode, authority, introduced, terminated FROM incoming"
            "  ON CONFLICT (postcode) DO UPDATE SET local_authority_id = excluded.local_authority_id,"
            "    introduced_date = excluded.introduced_date, terminated_date = excluded.terminated_date"
            "  WHERE (old.local_authority_id, old.introduced_date, old.terminated_date) IS DISTINCT FROM"
            "    (excluded.local_authority_id, excluded.introduced_date, excluded.terminated_date)"
            "  RETURNING xmax = 0 AS is_new)"
            " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new),"
            " (SELECT count(*) FROM incoming) FROM written"
        )
        new, changed, incoming = cursor.fetchone()
        cursor.execute("DROP TABLE incoming")  # ON COMMIT is too late inside a caller's transaction
    report.counts["postcodes new"], report.counts["postcodes changed"] = new, changed
    report.counts["postcodes the same"] = incoming - new - changed
    report.rejects.sort()
    return report


_Row = tuple[int, str, str, str, str]


def _rows(table: Table, report: Report, postcode: str, authority: str, authorities: set[str]) -> Iterator[_Row]:
    """Yields (line, postcode, authority, introduced, terminated) of the rows that can be used."""
    at = {name: place for place, name in enumerate(table.header)}
    postcode_at, authority_at = at[postcode], at[authority]
    introduced = next((name for name in ("dointr",) if name in at), "")
    terminated = next((name for name in ("doterm", "terminated") if name in at), "")
    introduced_at, terminated_at = at.get(introduced), at.get(terminated)
    months: dict[str, str | None] = {"": ""}
    for line, cells in table.cells(report):
        spelled = normal_postcode(cells[postcode_at])
        code = cells[authority_at]
        start = "" if introduced_at is None else cells[introduced_at]
        end = "" if terminated_at is None else cells[terminated_at]
        if start not in months:
            months[start] = _first_of_month(start)
        if end not in months:
            months[end] = _first_of_month(end)
        start_date, end_date = months[start], months[end]
        if spelled is None:
            report.reject(line, postcode, f"“{cells[postcode_at]}” is not a postcode")
        elif code not in authorities:
            report.reject(line, authority, _why_no_authority(code.strip()))
        elif start_date is None:
            report.reject(line, introduced, f"“{start}” is not a month YYYYMM")
        elif end_date is None and end == "terminated":
            report.counts["postcodes ended, nobody says when"] += 1
            yield line, spelled, code, start_date, ""
        elif end_date is None:
            report.reject(line, terminated, f"“{end}” is not a month YYYYMM")
        else:
            yield line, spelled, code, start_date, end_date


def _why_no_authority(code: str) -> str:
    if not code:
        return "empty: the file knows no local authority for it"
    if tier_of(code):
        return f"no local authority {code}: load a file of authorities that has it"
    return f"{code} is not the code of a local authority"


def _first_of_month(text: str) -> str | None:
    match = re.fullmatch(r"((?:19|20)\d\d)(0[1-9]|1[0-2])", text)
    return f"{match[1]}-{match[2]}-01" if match else None


def _blocks(rows: Iterator[_Row]) -> Iterator[io.StringIO]:
    """Yields the rows as CSV, many at a time, so that a directory of the whole country needs little memory."""
    block = io.StringIO()
    writer = csv.writer(block)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _ROWS_PER_COPY == 0:
            block.seek(0)
            yield block
            block = io.StringIO()
            writer = csv.writer(block)
    block.seek(0)
    yield block

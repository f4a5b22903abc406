"""`manage.py load_reference KIND FILE ...`: reference data from the files that publish it."""

import csv
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from cohort.actions.codelists import FileAlreadyUsed, load_code_list
from cohort.codelists import SYSTEMS, read_codes, shape_of
from shielding.accounts.actions import SHAPES, load_organisations, sync_local_authorities
from shielding.places.actions.authorities import load_local_authorities
from shielding.places.actions.postcodes import authority_column, load_postcodes
from shielding.tables import Reject, Report, Table, WrongFile, read_table

_SHOWN = 10


class Command(BaseCommand):
    help = "Loads organisations, local authorities, postcodes or a code list. See docs/reference-data.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
        organisations = kinds.add_parser("organisations", help="practices, PCNs and ICSs: epraccur, practice map")
        organisations.add_argument("files", nargs="+", type=Path, metavar="FILE")
        organisations.add_argument("--shape", choices=SHAPES, default="", help="instead of recognising it")
        authorities = kinds.add_parser("local-authorities", help="authorities, successors, resilience forums")
        authorities.add_argument("files", nargs="+", type=Path, metavar="FILE")
        postcodes = kinds.add_parser("postcodes", help="NSPL or ONSPD, .csv or .csv.gz")
        postcodes.add_argument("files", nargs="+", type=Path, metavar="FILE")
        postcodes.add_argument("--column", default="", help="with the local authority, such as lad25cd")
        codelist = kinds.add_parser("codelist", help="one file of codes, as a version of a code list")
        codelist.add_argument("files", nargs=1, type=Path, metavar="FILE")
        codelist.add_argument("--slug", required=True, help="the list's short name, such as solid-transplant")
        codelist.add_argument("--name", required=True, help="the list's name on screens")
        codelist.add_argument("--system", default="", help=f"of its codes, if the file does not say: {SYSTEMS}")
        codelist.add_argument("--code-column", default="", help="for a file of a shape that is not known")
        codelist.add_argument("--term-column", default="")
        codelist.add_argument("--system-column", default="")
        codelist.add_argument("--split-by", default="", metavar="COLUMN", help="one list for each value of it")
        codelist.add_argument("--origin", default="", help="publisher and version; the file name if not given")
        for kind in (organisations, authorities, postcodes, codelist):
            kind.add_argument("--rejects", type=Path, metavar="CSV", help="write the rows of no use to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        reports: list[Report] = []
        try:
            tables = [read_table(path) for path in options["files"]]
            if options["kind"] == "organisations":
                reports = load_organisations(tables=tables, shape=options["shape"])
            elif options["kind"] == "local-authorities":
                reports = [*load_local_authorities(tables=tables), sync_local_authorities(at=now)]
            elif options["kind"] == "postcodes":
                for table in tables:
                    authority_column(table, options["column"])
                for table in tables:
                    reports.append(load_postcodes(table=table, column=options["column"]))
                    self._show(reports[-1])
            else:
                reports = [Report(tables[0].name, "code list")]
                self._load_codelist(tables[0], options, reports[0], now)
        except (WrongFile, FileAlreadyUsed) as error:
            raise CommandError(str(error)) from error
        finally:
            if options["rejects"]:
                _write(options["rejects"], [reject for report in reports for reject in report.rejects])
        if options["kind"] != "postcodes":
            for report in reports:
                self._show(report)

    def _load_codelist(self, table: Table, options: dict[str, Any], report: Report, now: datetime) -> None:
        columns = {name: options[name] for name in ("system", "code_column", "term_column", "system_column")}
        split_by = options["split_by"]
        lists = read_codes(table, shape_of(table, **columns), report, split_by=split_by)
        report.rejects.sort()
        if not lists:
            self._show(report)
            raise WrongFile(f"{table.name} has no code that can be used.")
        slugs = {group: slugify(f"{options['slug']} {group}".replace("/", " ")) for group in lists}
        if len(set(slugs.values())) < len(slugs):
            raise WrongFile(f"{table.name} has values of {split_by} that differ in spelling only: {', '.join(lists)}.")
        done = []
        with transaction.atomic():  # the lists of one file, all or none
            for group, codes in lists.items():
                version = load_code_list(
                    slug=slugs[group],
                    name=f"{options['name']}: {group}" if group else options["name"],
                    rows=codes,
                    origin=options["origin"] or table.name,
                    sha256=table.sha256,
                    at=now,
                )
                what = f"version {version.number}" if version else "this file is its newest version: nothing to do"
                done.append(f"{slugs[group]}: {len(codes):,} codes, {what}.")
        self.stdout.write("\n".join(done))

    def _show(self, report: Report) -> None:
        counts = ", ".join(f"{words}: {number:,}" for words, number in report.counts.items() if number)
        self.stdout.write(self.style.SUCCESS(f"{report.file} ({report.shape})") + f": {counts or 'nothing new'}.")
        if report.rejects:
            self.stdout.write(f"  Rows of no use, or not wholly: {len(report.rejects):,}.")
        for reject in report.rejects[:_SHOWN]:
            where = f"line {reject.line}" + (f", column {reject.column}" if reject.column else "")
            self.stdout.write(f"  {reject.file}, {where}: {reject.reason}")
        if len(report.rejects) > _SHOWN:
            self.stdout.write(f"  and {len(report.rejects) - _SHOWN:,} more: --rejects FILE writes them all.")


def _write(path: Path, rejects: Sequence[Reject]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(Reject._fields)
        writer.writerows(rejects)

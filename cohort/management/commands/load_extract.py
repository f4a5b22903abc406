"""`manage.py load_extract`: a supplier's folder into the extract store (docs/extract.md)."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cohort.actions.extracts import ExtractRefused, LoadReport, load_extract
from cohort.extracts.mappings import MAPPINGS


class Command(BaseCommand):
    help = "Checks a folder of tables from a supplier and loads what is good into the extract store."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, help="with patients, events, medications, admissions as CSV or Parquet"
        )
        parser.add_argument("--supplier", required=True, help="a short name, such as gp-systems")
        parser.add_argument("--as-at", required=True, type=date.fromisoformat, help="the data's date, YYYY-MM-DD")
        parser.add_argument("--mapping", choices=sorted(MAPPINGS), help="the folder has another shape")
        parser.add_argument("--practice", default="", help="for a mapping: where people without a practice go")
        parser.add_argument(
            "--reject-above",
            type=_share,
            default=0.1,
            metavar="SHARE",
            help="refuse a table with a larger share of bad rows: 0.1 or 10%% (the default)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = load_extract(
                folder=options["folder"],
                supplier=options["supplier"],
                as_at=options["as_at"],
                at=timezone.now(),
                mapping=options["mapping"],
                practice_code=options["practice"],
                reject_above=options["reject_above"],
            )
        except ExtractRefused as refused:
            raise CommandError("Nothing was loaded.\n" + "\n".join(refused.problems)) from None
        self.stdout.write(_as_text(report))


def _share(text: str) -> float:
    """Reads 0.1 or 10% as a share between 0 and 1."""
    share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def _as_text(report: LoadReport) -> str:
    extract = report.extract
    lines = [
        f"Loaded {extract}."
        if report.is_new
        else f"Nothing to do: these files were loaded before, on {extract.loaded_at:%-d %B %Y}, as {extract}."
    ]
    rows = [("table", "accepted", "rejected", "rejected rows are in")]
    for table in report.tables:
        where = ", ".join(str(report.rejected_folder / name) for name in table.rejected_files)
        rows.append((table.table, f"{table.accepted:,}", f"{table.rejected:,}", where))
    lines += [f"{a:<12} {b:>14} {c:>10}  {d}".rstrip() for a, b, c, d in rows]
    return "\n".join([*lines, *report.notes])

"""`manage.py load_risk_list`: a population risk model's list of people (docs/risk-models.md)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cohort.actions.risk_models import RiskListRefused, load_risk_list
from cohort.extracts.risk_lists import LineError

_SHOWN = 20


class Command(BaseCommand):
    help = "Adds the people whom a population risk model flags, and withdraws those it no longer does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV: nhs_number, model, version, date, and flag or score")
        parser.add_argument("--threshold", type=float, help="of a list of scores: the lowest that counts")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        try:
            report = load_risk_list(file=file, threshold=options["threshold"], by=None, at=timezone.now())
        except RiskListRefused as refused:
            lines = [f"Nothing was changed. {refused}", *_as_text(refused.errors)]
            raise CommandError("\n".join(lines)) from None
        self.stdout.write(f"{'Loaded' if report.is_new else 'Loaded before, so nothing to do:'} {report.risk_list}")
        for name, number in vars(report.counts).items():
            self.stdout.write(f"{name.replace('_', ' '):<16} {number:>12,}")
        self.stdout.write("\n".join(_as_text(report.errors)))


def _as_text(errors: tuple[LineError, ...]) -> list[str]:
    lines = [f"line {error.line}: {error.column} {error.reason}" for error in errors[:_SHOWN]]
    return [*lines, f"and {len(errors) - _SHOWN:,} more"] if len(errors) > _SHOWN else lines

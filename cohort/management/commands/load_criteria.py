"""Loads the criteria set that comes with the product, or writes it in plain English."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cohort.actions.criteria import load_criteria_set, shipped_criteria
from cohort.search.english import plain_english


class Command(BaseCommand):
    help = "Loads the criteria set that comes with the product. Safe to run twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--describe", action="store_true", help="Write the set in plain English and load nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["describe"]:
            texts = [f"### {criterion.title}\n\n{plain_english(criterion)}\n" for criterion in shipped_criteria()]
            self.stdout.write("\n".join(texts))
            return
        made = load_criteria_set(at=timezone.now())
        for version in [*made.code_lists, *made.criteria]:
            self.stdout.write(f"Loaded: {version}")
        if not made.code_lists and not made.criteria:
            self.stdout.write("The criteria set is there already; nothing has changed.")

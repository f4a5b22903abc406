"""`ledger`: where everybody is, and whether it adds up."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shielding.ledger import ledger


class Command(BaseCommand):
    help = "Account for everybody. Exits 1 where the ledger does not add up, saying where."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        found = ledger()
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json()))
        else:
            for stage in found.stages:
                self.stdout.write(f"{stage.title}: {stage.total:,} {stage.unit}")
                for part in stage.parts:
                    self.stdout.write(f"    {part.count:>12,}  {part.label}")
        if found.differences:
            raise CommandError("The ledger does not add up.\n" + "\n".join(found.differences))

"""`write_docs`: writes the documents that are made from the code."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from shielding.documents import documents


class Command(BaseCommand):
    help = "Write docs/states.md and docs/roles.md from the code."

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in documents().items():
            (settings.BASE_DIR / path).write_text(text)
            self.stdout.write(f"Wrote {path}")

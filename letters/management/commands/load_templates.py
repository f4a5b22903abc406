"""`manage.py load_templates`: the letters and texts that come with the product."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from letters.actions.templates import load_templates


class Command(BaseCommand):
    help = "Loads the templates that come with the product; a changed one gets a new version."

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = load_templates(at=timezone.now())
        for version in (*loaded.new, *loaded.translations):
            self.stdout.write(f"new: {version}")
        for slug in loaded.unchanged:
            self.stdout.write(f"unchanged: {slug}")

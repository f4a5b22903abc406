"""What a worker needs before it can begin, loaded once: workers are forked from the process that has it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")

import django

django.setup()

from letters.actions import outbox  # noqa: E402 - after Django has its settings
from letters.transports.notify import client as notify  # noqa: E402
from letters.transports.print_supplier import client as printer  # noqa: E402

__all__ = ["notify", "outbox", "printer"]

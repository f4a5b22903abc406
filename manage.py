#!/usr/bin/env python
"""Django's command line; starts the embedded servers where no others are named."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Runs one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    from django.core.management import execute_from_command_line

    from shielding import embedded

    data = Path(os.environ.get("SHIELDING_DATA", Path(__file__).parent / ".data"))
    with embedded.servers(data):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

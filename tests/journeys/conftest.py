"""One running country for all journeys: `make demo` itself, on servers, ports and folders of its own."""

import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from shielding.demo.processes import ROOT, free_port
from tests.browser import PATIENCE, axe, browser

__all__ = ["axe", "browser"]

PEOPLE = 2_000
#: What points this test run at its own servers; the demo starts others.
SERVER_VARIABLES = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PYTHONWARNINGS"}
READY_SECONDS = 480
VIEWPORT = {"width": 1100, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the journeys, which one process runs (see `tests/conftest.py`): they take longest."""
    items.sort(key=lambda item: item.get_closest_marker("journey") is None)


@dataclass
class Country:
    """The running demo: its address, what it printed, and how to ask its command line."""

    address: str
    output: list[str]
    environment: dict[str, str]

    def email(self, role: str) -> str:
        """Returns the sign-in that the demo printed for a role."""
        return next(line.split()[-1] for line in self.output if line.strip().startswith(role))

    def manage(self, *arguments: str) -> str:
        """Runs `manage.py` against the running country and returns what it printed."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout


def wait_for(lines: "queue.Queue[str]", output: list[str], word: str, *, process: "subprocess.Popen[str]") -> str:
    """Returns the first printed line with `word`; fails with all that was printed where none comes in time."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            if process.poll() is not None:
                break
            continue
        output.append(line)
        if word in line:
            return line
    raise AssertionError(f"The demo did not say {word!r}:\n" + "".join(output))


@pytest.fixture(scope="session")
def country() -> Iterator[Country]:
    """A country of 2,000 people, loaded, searched, partly validated and served. Ctrl-C ends it afterwards."""
    # Not in pytest's own temporary folder: each run closes that to other users, and PostgreSQL is one.
    data = Path(tempfile.mkdtemp(prefix="shielding-country-"))
    environment = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    environment["SHIELDING_DATA"] = str(data)
    process = subprocess.Popen(
        [sys.executable, "-m", "shielding.demo", "--people", str(PEOPLE), "--port", str(free_port())],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True)
    reader.start()
    output: list[str] = []
    try:
        address = wait_for(lines, output, "Shielding is at", process=process).split()[-1]
        wait_for(lines, output, "Ctrl-C", process=process)
        yield Country(address, output, environment)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            reader.join(10)
            process.stdout.close()
            shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def sign_in(country: Country, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """A function that signs in as a role of the demo, in a window of its own, and returns the page."""
    contexts = []

    def _sign_in(role: str, *, javascript: bool = True) -> Page:
        context = browser.new_context(
            base_url=country.address, locale="en-GB", java_script_enabled=javascript, viewport=VIEWPORT
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/")
        page.get_by_label("E-mail address").fill(country.email(role))
        page.get_by_label("Password", exact=True).fill("shielding-demo-2020")
        page.get_by_role("button", name="Sign in").click()
        return page

    yield _sign_in
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are written: `docs/pictures/` if UPDATE_PICTURES is set, so that a test run changes no file."""
    folder = ROOT / "docs" / "pictures" if os.environ.get("UPDATE_PICTURES") else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder

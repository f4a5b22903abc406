"""`make demo HEADLESS=1`: the whole path without serving, twice, the second time reusing what is there."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shielding.demo.processes import ROOT
from tests.journeys.conftest import SERVER_VARIABLES

pytestmark = pytest.mark.journey


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="shielding-headless-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run(data: Path, *, people: int) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in SERVER_VARIABLES}
    return subprocess.run(
        [sys.executable, "-m", "shielding.demo", "--headless", "--people", str(people)],
        cwd=ROOT,
        env={**environment, "SHIELDING_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_last_line_is_a_ledger_that_adds_up_and_a_second_run_gives_the_same(data: Path) -> None:
    first = run(data, people=400)
    assert first.returncode == 0, first.stdout + first.stderr
    ledger = json.loads(first.stdout.splitlines()[-1])
    assert ledger["adds_up"]
    assert ledger["flagged"] == ledger["validated"] + ledger["waiting_for_validation"] > 0
    assert ledger["contacted"] > 0
    assert ledger["with_coordinator"] > 0
    assert ledger["referred"] > 0

    second = run(data, people=400)
    assert second.returncode == 0, second.stdout + second.stderr
    assert json.loads(second.stdout.splitlines()[-1]) == ledger

    other = run(data, people=500)
    assert other.returncode != 0
    assert "There is a country of 400 people here" in other.stderr

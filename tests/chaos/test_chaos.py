"""Everybody once, nobody who must not be, whatever is killed meanwhile. See docs/reliability.md."""

import json
import os
import subprocess
import sys

import pytest

from tests.chaos.world import ROOT

_MOST_SECONDS = 900


@pytest.mark.chaos
def test_nobody_is_lost_nobody_written_to_twice_and_nobody_on_hold_while_everything_is_killed() -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SHIELDING_DATA"}
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.chaos.run"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_MOST_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert not {name: count for name, count in figures["must_be_zero"].items() if count}, figures
    assert figures["workers_killed"] >= int(os.environ.get("CHAOS_KILLS", "50"))
    assert figures["letters"]["handed_over"] > 0
    assert figures["texts"]["handed_over"] > 0
    assert figures["holds_set_and_lifted"] > 0
    assert figures["ledger_samples"] > 3

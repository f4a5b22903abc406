"""Pytest plugin: embedded servers on paths of this run alone, up before Django's settings are read."""

import contextlib
import os
import tempfile
from pathlib import Path

import pytest

from shielding import embedded

_stack = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Starts the servers once, in the controlling process; xdist's workers inherit their addresses."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    data = Path(_stack.enter_context(tempfile.TemporaryDirectory(prefix="shielding-test-", ignore_cleanup_errors=True)))
    _stack.enter_context(embedded.servers(data, durable=False))


def pytest_unconfigure() -> None:
    """Stops what was started; the workers started nothing."""
    _stack.close()

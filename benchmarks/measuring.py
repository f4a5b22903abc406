"""Measuring one step in a process of its own (seconds, seconds of CPU, peak memory), and on what machine."""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent


class StepFailed(RuntimeError):
    """A step ended with an error, which is in the message."""


def measured(step: str, *, times: int = 1, **arguments: Any) -> dict[str, Any]:
    """Runs `benchmarks.steps.<step>` in new processes and returns the fastest run.

    That is what the step returned, and `seconds`, `cpu_seconds` and `peak_mib` of it. Arguments and
    results are whatever JSON can say.
    """
    runs = [run_step(step, **arguments) for _ in range(times)]
    return min(runs, key=lambda run: float(run["seconds"]))


def run_step(step: str, **arguments: Any) -> dict[str, Any]:
    """Runs a step once in a new process and returns what it returned. Raises StepFailed."""
    command = [sys.executable, "-m", "benchmarks.steps", step, json.dumps(arguments, default=str)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT, check=False, env=os.environ)
    if done.returncode:
        raise StepFailed(f"{step}: {done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def timed(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Returns what `work` returns with what it took. To be called once in a process: memory is the process's peak."""
    cpu, began = _cpu(), time.monotonic()
    found = work()
    return {"seconds": time.monotonic() - began, "cpu_seconds": _cpu() - cpu, "peak_mib": peak_mib()} | found


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    """Returns the most memory this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike ru_maxrss this does not begin with what the parent held.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


def machine() -> dict[str, Any]:
    """Returns what the figures were measured on: cores, memory, how busy it was, and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "load": os.getloadavg(),
        "python": platform.python_version(),
    }


def say(line: str) -> None:
    """Prints a line of the report at once, so that a run of hours can be watched."""
    print(line, flush=True)  # noqa: T201

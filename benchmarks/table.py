"""Prints `results.json` of a benchmark as the Markdown tables of docs/performance.md."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Prints the tables of the file named on the command line, or of the last benchmark."""
    default = Path(os.environ.get("BENCH_FOLDER", ".data/bench")) / "results.json"
    runs = json.loads((Path(sys.argv[1]) if len(sys.argv) > 1 else default).read_text())["runs"]
    lines = [
        *_table("seconds", [f"{run['people']:,} people" for run in runs], runs, "steps", _step),
        "",
        *_table("ratio", [f"{run['people']:,} people" for run in runs], runs, "ratios", _ratio),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _table(title: str, heads: list[str], runs: list[dict[str, Any]], part: str, said: Any) -> list[str]:
    names = list(dict.fromkeys(name for run in runs for name in run[part]))
    rows = [[name, *(said(run[part].get(name)) for run in runs)] for name in names]
    return [f"| {' | '.join(row)} |" for row in ([title, *heads], ["---"] * (len(heads) + 1), *rows)]


def _step(step: dict[str, Any] | None) -> str:
    if not step or not step["seconds"]:
        return ""
    memory = f", {step['peak_mib']:,.0f} MiB" if "peak_mib" in step else ""
    return f"{step['seconds']:,.2f}{memory}"


def _ratio(ratio: dict[str, Any] | None) -> str:
    if not ratio:
        return ""
    cpu = f" (CPU {ratio['cpu_seconds']:,.2f})" if "cpu_seconds" in ratio else ""
    return f"{ratio['seconds']:,.2f}{cpu}{'; ' * bool(ratio['wanted'])}{ratio['wanted']}"


if __name__ == "__main__":
    main()

"""Reading what the generator wrote."""

import csv
from datetime import date
from pathlib import Path

TODAY = date(2020, 4, 1)


def rows_of(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def near(count: int, expected: float) -> bool:
    """Returns whether a count is within five standard deviations of a Poisson's expectation."""
    return abs(count - expected) <= 5 * max(expected, 1) ** 0.5

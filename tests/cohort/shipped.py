"""The shipped code lists, read straight from their files."""

import csv
from pathlib import Path

from cohort.actions import criteria
from cohort.search.criteria import CodeSet

FOLDER = Path(criteria.__file__).parents[1] / "criteria_set" / "codelists"
LISTS = sorted(path.stem for path in FOLDER.glob("*.csv"))


def rows(slug: str) -> list[dict[str, str]]:
    """Returns the rows of a list: system, code, paired_code, term."""
    with (FOLDER / f"{slug}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shipped_code_sets() -> dict[str, CodeSet]:
    """Returns every shipped list as version 1."""
    return {
        slug: CodeSet(
            slug,
            1,
            frozenset((r["system"], r["code"]) for r in rows(slug) if not r["paired_code"]),
            frozenset((r["system"], r["code"], r["paired_code"]) for r in rows(slug) if r["paired_code"]),
        )
        for slug in LISTS
    }

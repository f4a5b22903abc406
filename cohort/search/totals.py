"""What a search found in all, from how many people have each profile: counts, groups, combinations, attrition."""

from pathlib import Path

import ibis
import numpy as np
import numpy.typing as npt

from cohort.search.compile import Program
from cohort.search.duck import Duck, path_list
from cohort.search.given import Given
from cohort.search.verdicts import Verdicts

OLDEST_BAND = 90
#: Tallies of people by profile, written by each shard: their names, and what they are counted by besides.
TALLIES: dict[str, tuple[str, ...]] = {
    "tally-profiles": (),
    "tally-practices": ("practice_code",),
    "tally-groups": ("age_band", "sex"),
}
_ATTRITION = ibis.schema(
    {"criterion": "string", "path": "string", "label": "string", "people": "int64", "remaining": "int64"}
)


def band(age: str) -> str:
    """Returns SQL for the band of an age: `5-9`, `90+`."""
    return (
        f"CASE WHEN {age} >= {OLDEST_BAND} THEN '{OLDEST_BAND}+'"
        f" ELSE concat({age} // 5 * 5, '-', {age} // 5 * 5 + 4) END"
    )


def write_totals(duck: Duck, program: Program, folder: Path, base: Path | None) -> dict[str, int]:
    """Adds up the shards' tallies in a folder, with those of the search before (`base`), and writes the totals.

    Returns the number of people who meet each criterion, by slug.
    """
    words = ", ".join(program.words)
    for name, keys in TALLIES.items():
        paths = sorted(folder.glob(f"{name}-*-of-*.parquet")) + ([base / f"{name}.parquet"] if base else [])
        columns = ", ".join([words, *keys])
        table = name.replace("-", "_")
        duck.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE {table} AS SELECT {columns}, sum(people)::BIGINT AS people"
            f" FROM read_parquet({path_list(map(str, paths))}) GROUP BY ALL HAVING sum(people) <> 0"
        )
        duck.write(folder / f"{name}.parquet", f"FROM {table} ORDER BY ALL")
    bits, people = duck.profiles(program, "FROM tally_profiles ORDER BY ALL")
    verdicts = duck.judge(program, bits)
    by_profile = f"JOIN verdicts USING ({words}) JOIN criteria USING (profile)"
    duck.write(
        folder / "counts.parquet",
        f"SELECT criterion, practice_code, sum(people)::BIGINT AS people FROM tally_practices {by_profile}"
        " GROUP BY ALL ORDER BY ALL",
    )
    duck.write(
        folder / "groups.parquet",
        f"SELECT criterion, age_band, sex, sum(people)::BIGINT AS people FROM tally_groups {by_profile}"
        " GROUP BY ALL ORDER BY ALL",
    )
    duck.write(
        folder / "combinations.parquet",
        f"SELECT criteria, sum(people)::BIGINT AS people FROM (SELECT {words}, any_value(people) AS people,"
        f" list(criterion ORDER BY number) AS criteria FROM tally_profiles {by_profile} GROUP BY {words})"
        " GROUP BY ALL ORDER BY people DESC, criteria",
    )
    _write_attrition(duck, verdicts, people, folder)
    return {criterion.slug: int(people[verdicts.met[:, n]].sum()) for n, criterion in enumerate(program.plan.criteria)}


def _write_attrition(duck: Duck, verdicts: Verdicts, people: npt.NDArray[np.int64], folder: Path) -> None:
    rows = [(each.criterion, each.path, each.label, each.people, each.remaining) for each in verdicts.attrition(people)]
    duck.give(Given("attrition", _ATTRITION, rows))
    duck.write(folder / "attrition.parquet", "FROM attrition")

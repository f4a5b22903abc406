"""What a search keeps for those that follow: the rows that bore on it, and since when each answer holds.

Beside the results of a shard stand, numbered by the incremental searches since the last full one,
`state-*` (everybody's details as criteria see them and bits; see `engine`), `details-*` (the whole rows of those
flagged: `people-*` under another name), `kept-*` (the rows of a program's table `held`, the ones that bear on a
measure) and `due-*` (person, window, date: their answer may change once that window begins after that date, or where
their age is evidence, for which the window is BIRTHDAY, on that date).

As days pass and no record comes, a measure can only turn from true to false, when the record that
holds it up leaves its window; evidence loses its oldest rows. So no answer changes before its date.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

from cohort.search.compile import Program
from cohort.search.criteria import Age, Leaf, RecordLeaf, Records, SameEpisode
from cohort.search.duck import Duck, path_list
from cohort.search.plan import Plan
from cohort.search.shards import Shard, have_people_in_common
from cohort.search.terms import CountedAs, Window
from cohort.search.verdicts import clause_order

NAMES = ("state", "details", "kept", "due")

BIRTHDAY = -1


@dataclass(frozen=True)
class Left:
    """A file that a search left for those that follow: of the so-manieth incremental one, or 0 of the full one."""

    path: Path
    generation: int


def left_by(results: Path, name: str, shard: Shard) -> list[Left]:
    """Returns the files of a name that searches left about people of a shard, the latest first."""
    found = []
    for path in results.glob(f"{name}-*-*-of-*.parquet"):
        generation, number, _, count = path.stem.removeprefix(f"{name}-").split("-")
        if have_people_in_common(int(number), int(count), shard.number, shard.count):
            found.append(Left(path, int(generation)))
    return sorted(found, key=lambda left: (-left.generation, left.path))


def windows(plan: Plan) -> dict[Window, list[int]]:
    """Returns the windows that move with the search date, each with its measures, in the order of these."""
    found: dict[Window, list[int]] = {}
    for number, leaf in enumerate(plan.measures):
        if isinstance(leaf, RecordLeaf) and isinstance(leaf.window, Window):
            found.setdefault(leaf.window, []).append(number)
    return found


def kept(plan: Plan) -> str:
    """Returns a query for the rows of `held` that searches which follow may need.

    Of a measure that one record makes true and that is nobody's evidence the newest row will do: as days
    pass it is the last to leave the window, and no older one is the latest of its kind.
    """
    shown = {plan.number_of(leaf, plan.asked[n]) for n in plan.high() for leaf in clause_order(plan.criteria[n].rule)}
    newest_does = set(plan.counted(None)) - set(plan.numbers(SameEpisode)) - shown
    listed = ", ".join(map(str, sorted(newest_does))) or "NULL"
    is_newest = f"coalesce(is_alone AND measure IN ({listed}), false)"
    return (
        f"SELECT person, date, source, episode, slot, bearing FROM held WHERE NOT {is_newest}"
        " UNION ALL SELECT person, max(date), '', '', slot, any_value(bearing) FROM held"
        f" WHERE {is_newest} GROUP BY person, measure, is_rival, slot"
    )


def due_dates(duck: Duck, program: Program) -> str:
    """Returns a query for `due`, from the tables of a program that has run.

    A measure that one record makes true ends with the latest that counts; one of so many records or
    dates with that many from the end. Of courses the earliest date is taken: too early for most, too late for none.
    """
    plan = program.plan
    how = {n: kind.value for kind in CountedAs for n in plan.counted(kind)}
    moving = [
        f"({measure}::SMALLINT, {n}::SMALLINT, '{how.get(measure, 'ONCE')}', {_at_least(plan.measures[measure])})"
        for n, measures in enumerate(windows(plan).values())
        for measure in measures
    ]
    if not moving:
        moving = ["(NULL::SMALLINT, NULL::SMALLINT, '', 0)"]
    ages = ", ".join(map(str, plan.numbers(Age))) or "NULL"
    return f"""
        WITH moving AS (FROM (VALUES {", ".join(moving)}) AS t (measure, "window", how, at_least)),
        dated AS (SELECT * FROM ({duck.sql(program.settled)}) JOIN moving USING (measure)),
        answers AS (
            SELECT person, "window", max(date) AS date FROM dated WHERE how = 'ONCE' GROUP BY ALL
            UNION ALL
            SELECT person, "window", list_reverse_sort(list(date))[at_least] FROM dated
            WHERE how = '{CountedAs.RECORDS.value}' GROUP BY person, measure, "window", at_least
            UNION ALL
            SELECT person, "window", list_reverse_sort(list(DISTINCT date))[at_least] FROM dated
            WHERE how = '{CountedAs.DISTINCT_DATES.value}' GROUP BY person, measure, "window", at_least
            UNION ALL
            SELECT person, "window", min(date) FROM dated
            WHERE how = '{CountedAs.COURSES.value}' GROUP BY person, measure, "window", at_least
            HAVING count(DISTINCT date) >= at_least
            UNION ALL
            SELECT person, "window", event_date FROM evidence
            JOIN clauses USING (criterion, place) JOIN moving USING (measure)
            UNION ALL
            SELECT person, {BIRTHDAY}, (birth_date + to_years(age + 1))::DATE FROM (
                SELECT DISTINCT person FROM evidence JOIN clauses USING (criterion, place) WHERE measure IN ({ages})
            ) JOIN people USING (person)
        )
        SELECT person, "window", min(date) AS date FROM answers WHERE date IS NOT NULL GROUP BY ALL"""


def _at_least(leaf: Leaf) -> int:
    return leaf.at_least.value if isinstance(leaf, Records) else 1


def due(plan: Plan, results: Path, shard: Shard) -> str:
    """Returns a query for people (`person`) for whom time alone may change something since the search `results`."""
    starts = [window.start(plan.search_date) for window in windows(plan)]
    is_due = [f"(\"window\" = {n} AND date < DATE '{start}')" for n, start in enumerate(starts)]
    is_due.append(f"(\"window\" = {BIRTHDAY} AND date <= DATE '{plan.search_date}')")
    return f"SELECT person FROM ({newest(results, 'due', shard, 'WHERE ' + ' OR '.join(is_due), 'person')})"


def recall(duck: Duck, results: Path, shard: Shard) -> None:
    """Adds to the table `held` what has stayed of those searched again: their rows of suppliers that sent nothing new.

    Looks at the tables that `movers.find` makes. Rows that have left their window since are left out.
    """
    kept = newest(results, "kept", shard, "SEMI JOIN searched USING (person)")
    duck.execute(
        f"INSERT INTO held BY NAME SELECT kept.*, measure, is_rival, is_alone, code_id FROM ({kept}) AS kept"
        " ANTI JOIN reread USING (person) ANTI JOIN changed USING (person, slot)"
        " JOIN bearings USING (bearing) WHERE date BETWEEN first AND last"
    )


def newest(results: Path, name: str, shard: Shard, picked: str, columns: str = "*") -> str:
    """Returns a query for what searches left of a shard: of each person what the last left that searched them.

    `picked` follows the FROM of each file's query.
    """
    states = left_by(results, "state", shard)
    parts = []
    for generation, files in itertools.groupby(left_by(results, name, shard), key=lambda left: left.generation):
        later = path_list(str(state.path) for state in states if state.generation > generation)
        hidden = f" ANTI JOIN (SELECT person FROM read_parquet({later})) USING (person)" if later != "[]" else ""
        own = path_list(str(file.path) for file in files)
        parts.append(f"SELECT * FROM (SELECT {columns} FROM read_parquet({own}) {picked}){hidden}")
    return " UNION ALL BY NAME ".join(parts)

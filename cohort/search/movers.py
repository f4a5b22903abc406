"""Who must be searched again, and their records: people whose rows or details changed, or for whom time has passed.

Time alone changes the answer for somebody of whom a record leaves a window, or who has had a birthday
that counts. Everybody else's answer, evidence included, is what it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cohort.search.criteria import Age
from cohort.search.duck import Duck, listed, path_list
from cohort.search.keeping import due, newest
from cohort.search.plan import Plan
from cohort.search.shards import Shard, changed_files
from cohort.search.terms import months_before
from cohort.search.totals import OLDEST_BAND


@dataclass(frozen=True)
class Change:
    """An extract that came in place of one that a search before had read.

    `folder` is the extract's, which holds `changed.parquet` (person), of whom rows differ from those in the
    extract called `before`, and may hold these people's rows, `changed-records-<k>-of-<n>.parquet` and
    `changed-patients-<k>-of-<n>.parquet`.
    """

    before: str
    folder: Path


@dataclass(frozen=True)
class Since:
    """The search to begin from: its `out`, its search date, and what has come since, of each supplier newest first.

    `latest` is a date after which its extracts had no record; None where that is not known.
    """

    results: Path
    search_date: date
    changes: Sequence[Change]
    latest: date | None = None


def slots_after(slots: Sequence[str], changes: Sequence[Change]) -> list[str]:
    """Returns the extracts by slot after changes, `slots` being those before: each in the slot of its supplier."""
    now = list(slots)
    for change in reversed(changes):
        now = [change.folder.name if name == change.before else name for name in now]
    return now


def find(duck: Duck, plan: Plan, shard: Shard, since: Since, slots: Sequence[str]) -> None:
    """Makes the table `searched` (person) of a shard, whoever must be searched again, and a program's view `records`.

    That has what is new about them; what has stayed is for `keeping.recall`, and their details for
    `details.find`, which look at the tables made here: `changed` (person, slot, change: whose rows of a supplier
    are new, and where they are) and `reread` (person: whose records are all read from the extracts).
    """
    own = f"person % {shard.count} = {shard.number}"
    files = [
        changed_files(change.folder, "records", slots.index(slot_of(change, since)), shard) for change in since.changes
    ]
    _table(duck, "changed", "person BIGINT, slot TINYINT, change SMALLINT", _changed(since, slots, own))
    unknown = [str(n) for n, each in enumerate(files) if not each]
    lost = f"SELECT DISTINCT person FROM changed WHERE change IN ({', '.join(unknown)})" if unknown else ""
    _table(duck, "reread", "person BIGINT", [each for each in (lost, _to_come(plan, shard, since)) if each])
    parts = ["SELECT person FROM changed", "SELECT person FROM reread"]
    if since.search_date < plan.search_date:
        parts += [due(plan, since.results, shard), _birthdays(plan, shard, since)]
    duck.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE searched AS SELECT DISTINCT person FROM ({' UNION ALL '.join(parts)})"
    )
    codes = [code for _, code in plan.codes]
    new = [
        f"FROM ({listed(each, shard, codes)}) SEMI JOIN (SELECT person FROM changed WHERE change = {n}) USING (person)"
        " ANTI JOIN reread USING (person)"
        for n, each in enumerate(files)
        if each
    ]
    if duck.execute("SELECT count(*) FROM reread").fetchone()[0]:
        new.append(f"FROM ({listed(shard.records, shard, codes)}) SEMI JOIN reread USING (person)")
    rows = " UNION ALL BY NAME ".join([listed([], shard, []), *new])
    # Kept: few rows are left of so few people, and a view would have DuckDB join everybody's with the codes first.
    duck.execute(f"CREATE OR REPLACE TEMPORARY TABLE new_records AS {rows}")
    duck.execute("CREATE OR REPLACE TEMPORARY VIEW records AS FROM new_records")


def slot_of(change: Change, since: Since) -> str:
    """Returns what is in the slot of a change's supplier: the last extract that came after it."""
    name = change.folder.name
    for later in reversed(since.changes):
        name = later.folder.name if later.before == name else name
    return name


def _changed(since: Since, slots: Sequence[str], own: str) -> Iterator[str]:
    """Yields queries for who changed in the rows of which slot, and the first change that has them."""
    parts = [
        f"SELECT person, {slots.index(slot_of(change, since))} AS slot, {n} AS change"
        f" FROM read_parquet({path_list([str(change.folder / 'changed.parquet')])}) WHERE {own}"
        for n, change in enumerate(since.changes)
    ]
    if parts:
        yield f"SELECT person, slot, min(change) AS change FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL"


def _table(duck: Duck, name: str, columns: str, queries: Iterable[str]) -> None:
    duck.execute(f"CREATE OR REPLACE TEMPORARY TABLE {name} ({columns})")
    for query in queries:
        duck.execute(f"INSERT INTO {name} {query}")


def _to_come(plan: Plan, shard: Shard, since: Since) -> str:
    """Returns a query for people with a record that was in the future before; none where there was none."""
    if since.search_date == plan.search_date or (since.latest is not None and since.latest <= since.search_date):
        return ""
    rows = listed(shard.records, shard, [code for _, code in plan.codes])
    return (
        f"SELECT DISTINCT person FROM ({rows})"
        f" WHERE date > DATE '{since.search_date}' AND date <= DATE '{plan.search_date}'"
    )


def _birthdays(plan: Plan, shard: Shard, since: Since) -> str:
    """Returns a query for people who came to an age that a criterion or a band of ages asks about.

    Who has another birth date than the search before knew has changed, and is not looked for here.
    """
    ages = set(range(5, OLDEST_BAND + 1, 5))
    for n in plan.numbers(Age):
        leaf = plan.measures[n]
        assert isinstance(leaf, Age)  # noqa: S101
        ages |= {limit.value for limit in (leaf.at_least, leaf.under) if limit}
    # As a criterion about age compares: whoever was born up to one of these days is of that age on the search date.
    # Told day by day, because DuckDB looks days up faster than it compares with many ranges.
    born = [(months_before(since.search_date, 12 * age), months_before(plan.search_date, 12 * age)) for age in ages]
    days = sorted({first + timedelta(n + 1) for first, last in born for n in range((last - first).days)})
    came = "birth_date IN (" + ", ".join(f"DATE '{day}'" for day in days) + ")" if days else "false"
    return f"SELECT person FROM ({newest(since.results, 'state', shard, f'WHERE {came}', 'person')})"

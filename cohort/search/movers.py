"""Who must be searched again: people whose records or details changed, or for whom time has passed.

Time alone changes the answer for somebody of whom a record leaves or enters a window, or who has had
a birthday that counts. Everybody else's answer, evidence included, is what it was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cohort.search.criteria import Age
from cohort.search.duck import Duck, first_of_each, path_list
from cohort.search.plan import Plan
from cohort.search.shards import Shard
from cohort.search.terms import months_before
from cohort.search.totals import OLDEST_BAND
from cohort.search.verdicts import clause_order

_OLDEST = 130


@dataclass(frozen=True)
class Since:
    """The search to begin from: its `out`, its search date, and who has changed since (files of `person`).

    `latest` is a date after which its extracts had no record; None where that is not known.
    """

    results: Path
    search_date: date
    changed: Sequence[Path]
    latest: date | None = None


def find(duck: Duck, plan: Plan, shard: Shard, since: Since) -> None:
    """Makes the table `searched` (person) of a shard: whoever must be searched again."""
    before = since.search_date
    parts = ["SELECT NULL::BIGINT AS person WHERE false"]
    if paths := [str(path) for path in since.changed]:
        parts.append(
            f"SELECT person FROM read_parquet({path_list(paths)}) WHERE person % {shard.count} = {shard.number}"
        )
    if before < plan.search_date:
        parts += [*_leaving(duck, plan, shard, before), *_birthdays(plan, shard, before)]
        if since.latest is None or since.latest > before:
            parts.append(_no_longer_to_come(duck, plan, shard, before))
    duck.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE searched AS SELECT DISTINCT person FROM ({' UNION ALL '.join(parts)})"
    )


def states(results: Path, shard: Shard) -> list[Path]:
    """Returns the files of a shard's people as former searches left them, the latest search first."""
    return sorted(results.glob(f"state-*-{shard.name}.parquet"), reverse=True)


def before(paths: Sequence[Path]) -> str:
    """Returns a query for the people `searched` as they were."""
    parts = []
    for n, path in enumerate(paths):
        later = " UNION ALL ".join(f"SELECT person FROM read_parquet({path_list([str(other)])})" for other in paths[:n])
        hidden = f" ANTI JOIN ({later}) USING (person)" if later else ""
        parts.append(f"SELECT * FROM read_parquet({path_list([str(path)])}) SEMI JOIN searched USING (person){hidden}")
    return f"SELECT * FROM ({' UNION ALL BY NAME '.join(parts)}) WHERE b0 IS NOT NULL"


def _leaving(duck: Duck, plan: Plan, shard: Shard, before: date) -> Iterable[str]:
    """Yields a query for people of whom a record leaves a window."""
    then = Plan(plan.asked, before)
    leaving = {
        (now.code, was.first, now.first)
        for was, now in zip(then.bearings, plan.bearings, strict=True)
        if was.first < now.first
    }
    if leaving:
        moves = ", ".join(f"('{system}', '{code}', DATE '{a}', DATE '{b}')" for (system, code), a, b in sorted(leaving))
        name = "leaving"
        duck.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE {name} AS FROM (VALUES {moves}) AS t (system, code, first, until)"
        )
        earliest, until = min(a for _, a, _ in leaving), max(b for _, _, b in leaving)
        duck.read(shard, (code for (_, code), _, _ in leaving))
        slice_ = (
            f"SELECT person, system, code, date FROM records WHERE date >= DATE '{earliest}' AND date < DATE '{until}'"
        )
        duck.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE left_behind AS SELECT DISTINCT person FROM ({slice_}) r JOIN {name} l"
            " USING (system, code) WHERE r.date >= l.first AND r.date < l.until"
        )
        yield "SELECT person FROM left_behind"


def _no_longer_to_come(duck: Duck, plan: Plan, shard: Shard, before: date) -> str:
    """Returns a query for people with a record that was in the future before."""
    duck.read(shard, (code for _, code in plan.codes))
    return f"SELECT person FROM records WHERE date > DATE '{before}' AND date <= DATE '{plan.search_date}'"


def _birthdays(plan: Plan, shard: Shard, before: date) -> Iterable[str]:
    """Yields a query for people who came to an age that a criterion or a band of ages asks about."""
    ages = set(range(5, OLDEST_BAND + 1, 5))
    for n in plan.numbers(Age):
        leaf = plan.measures[n]
        assert isinstance(leaf, Age)  # noqa: S101
        ages |= {limit.value for limit in (leaf.at_least, leaf.under) if limit}
    # Where an age is evidence, the evidence changes with every birthday.
    if any(isinstance(leaf, Age) for n in plan.high() for leaf in clause_order(plan.criteria[n].rule)):
        ages = set(range(_OLDEST))
    born = " OR ".join(
        f"(birth_date > DATE '{months_before(before, 12 * age)}'"
        f" AND birth_date <= DATE '{months_before(plan.search_date, 12 * age)}')"
        for age in sorted(ages)
    )
    yield f"SELECT person FROM ({first_of_each(shard.patients, shard, ('person', 'birth_date'))}) WHERE {born}"

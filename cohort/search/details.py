"""People's details in an incremental search, read from the extracts of as few people as can be.

Of whom no row of a supplier changed that has details, the search before knew them: those that criteria ask
about are in `state-*`, the whole row of whoever was flagged in `details-*`. The rest have theirs in what an
extract holds of whom it changed; only somebody newly flagged by time or by another supplier's records
is looked up among everybody's.
"""

from collections.abc import Sequence

from cohort.search.compile import PATIENTS
from cohort.search.duck import Duck, first_of_each, listed_people
from cohort.search.keeping import newest
from cohort.search.movers import Since, slot_of
from cohort.search.shards import Shard, changed_files


def find(duck: Duck, shard: Shard, since: Since, slots: Sequence[str]) -> None:
    """Makes the table `patients` of a program, of the people `searched`, from the tables that `movers.find` makes.

    Besides it makes `before` (those of them whom the search before knew, as they were) and `moved` (the
    whole rows of those whose details may be others, by the names of `moved_people`).
    """
    duck.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE before AS SELECT * FROM"
        f" ({newest(since.results, 'state', shard, 'SEMI JOIN searched USING (person)')}) WHERE b0 IS NOT NULL"
    )
    with_details = sorted({file.slot for file in shard.patients})
    asked = ", ".join(map(str, with_details)) or "NULL"
    duck.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE moved_people AS SELECT person, change FROM changed WHERE slot IN ({asked})"
    )
    duck.execute(f"CREATE OR REPLACE TEMPORARY TABLE moved AS {_moved(shard, since, slots, with_details)}")
    columns = ", ".join(PATIENTS)
    duck.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE known AS SELECT {columns} FROM moved"
        f" UNION ALL SELECT {columns} FROM before ANTI JOIN moved_people USING (person)"
    )
    duck.execute("CREATE OR REPLACE TEMPORARY VIEW patients AS FROM known")


def flagged(duck: Duck, shard: Shard, since: Since) -> str:
    """Returns a query for the whole rows of the people in the table `flags`, after `find`."""
    kept = newest(since.results, "details", shard, "SEMI JOIN flags USING (person)")
    duck.execute(
        "CREATE OR REPLACE TEMPORARY TABLE told AS SELECT * FROM moved SEMI JOIN flags USING (person)"
        f" UNION ALL BY NAME SELECT * FROM ({kept}) ANTI JOIN moved_people USING (person)"
    )
    new = duck.execute("SELECT DISTINCT person FROM flags ANTI JOIN told USING (person)").fetchall()
    if not new:
        return "SELECT * FROM told ORDER BY person"
    rest = listed_people(shard.patients, shard, [person for (person,) in new])
    return f"SELECT * FROM (SELECT * FROM told UNION ALL BY NAME {rest}) ORDER BY person"


def _moved(shard: Shard, since: Since, slots: Sequence[str], with_details: list[int]) -> str:
    """Returns a query for the rows of `moved_people` as they are now.

    They are in what the extracts hold of whom they changed, where one supplier has details; of several
    another's, of whom nothing changed there, may count before.
    """
    of_change = {
        n: changed_files(change.folder, "patients", slots.index(slot_of(change, since)), shard)
        for n, change in enumerate(since.changes)
    }
    wanted = [n for n, change in enumerate(since.changes) if slots.index(slot_of(change, since)) in with_details]
    if len(with_details) > 1 or not all(of_change[n] for n in wanted):
        return f"SELECT * FROM ({first_of_each(shard.patients, shard, ['*'])}) SEMI JOIN moved_people USING (person)"
    parts = [
        f"SELECT * FROM ({first_of_each(of_change[n], shard, ['*'])})"
        f" SEMI JOIN (SELECT person FROM moved_people WHERE change = {n}) USING (person)"
        for n in wanted
    ]
    return " UNION ALL BY NAME ".join(parts) or f"SELECT * FROM ({first_of_each(shard.patients, shard, ['*'])}) LIMIT 0"

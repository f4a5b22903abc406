"""Who differs between two extracts of one supplier: fingerprints of everybody's rows, compared.

A person's fingerprint is the sum, modulo 2^64, of a hash of each of their rows of every table. So the
order of rows does not count, while one row more of the same does. DuckDB may hash otherwise in another
version: then everybody counts as changed, which costs time and loses nothing.
"""

from pathlib import Path

import duckdb

from cohort.extracts import store
from cohort.extracts.checks import PATIENTS_TABLE, RECORDS_TABLE, names

FINGERPRINTS = "fingerprints"
CHANGED = "changed.parquet"
_ROW_GROUP = 122_880
_TABLES = {"patients": PATIENTS_TABLE, "records": RECORDS_TABLE}


def write_fingerprints(db: duckdb.DuckDBPyConnection, made: Path) -> None:
    """Writes `fingerprints-<k>-of-<n>.parquet` (person, fingerprint) beside the shards of an extract."""
    files = {table: store.shard_paths(made, table) for table in _TABLES}
    shards = max(map(len, files.values()))
    for shard in range(shards):
        rows = " UNION ALL ".join(
            # Hashed twice: one hash of several columns joins theirs in too simple a way to add up.
            f"SELECT person, hash(hash('{table}', {_details(table)})) AS part FROM {parquet([paths[shard]])}"
            for table, paths in files.items()
            if paths
        )
        select = (
            f"SELECT person, (sum(part) % {2**64})::UBIGINT AS fingerprint FROM ({rows}) GROUP BY person ORDER BY 1"
        )
        copy(db, select, made / store.shard_name(FINGERPRINTS, shard, shards), _ROW_GROUP)


def write_changed(db: duckdb.DuckDBPyConnection, made: Path, previous: Path) -> bool:
    """Writes `changed.parquet` (person): who is new, gone, or has other rows than in the extract `previous`.

    `changed-records-<k>-of-<n>.parquet` and `changed-patients-<k>-of-<n>.parquet` have the rows of these people, so
    that a search which needs theirs alone need not look through everybody's. The two extracts may have
    different numbers of shards. Returns False, and writes nothing, where the one before has no fingerprints.
    """
    before, after = store.shard_paths(previous, FINGERPRINTS), store.shard_paths(made, FINGERPRINTS)
    if not before:
        return False
    db.execute("CREATE OR REPLACE TABLE changed (person BIGINT)")
    shards = max(len(before), len(after), 1)
    for shard in range(shards):
        # Both numbers are powers of two: whoever is in this shard of the finer is in one shard of the coarser.
        own = f"WHERE person % {shards} = {shard}"
        old = f"SELECT * FROM {parquet([before[shard % len(before)]])} {own}"
        new = f"SELECT * FROM {parquet([after[shard % len(after)]])} {own}" if after else f"{old} AND false"
        db.execute(
            f"INSERT INTO changed SELECT person FROM ({new}) AS new FULL JOIN ({old}) AS old USING (person)"
            " WHERE new.fingerprint IS DISTINCT FROM old.fingerprint"
        )
    copy(db, "FROM changed ORDER BY person", made / CHANGED, _ROW_GROUP)
    _write_rows_of_changed(db, made)
    db.execute("DROP TABLE changed")
    return True


def _write_rows_of_changed(db: duckdb.DuckDBPyConnection, made: Path) -> None:
    for table, order in (("records", "system, code, person, date"), ("patients", "person")):
        paths = store.shard_paths(made, table)
        for shard, path in enumerate(paths):
            rows = f"SELECT {names(_TABLES[table])} FROM {parquet([path])} SEMI JOIN changed USING (person)"
            target = made / store.shard_name(f"changed-{table}", shard, len(paths))
            copy(db, f"{rows} ORDER BY {order}", target, _ROW_GROUP)
        if not paths:
            db.execute(f"CREATE OR REPLACE TABLE nothing ({_TABLES[table]})")
            copy(db, "FROM nothing", made / store.shard_name(f"changed-{table}", 0, 1), _ROW_GROUP)


def parquet(paths: list[Path]) -> str:
    """Returns SQL that reads Parquet files."""
    quoted = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{quoted}])"


def copy(db: duckdb.DuckDBPyConnection, select: str, path: Path, row_group: int) -> None:
    """Writes the rows of a query as Parquet, of version 2: numbers in order are kept by their differences."""
    target = str(path).replace("'", "''")
    db.execute(
        f"COPY ({select}) TO '{target}'"
        f" (FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, ROW_GROUP_SIZE {row_group})"
    )


def _details(table: str) -> str:
    return names(_TABLES[table]).removeprefix("person, ")

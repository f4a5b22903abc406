"""The tables of the database that `DATABASE_OWNER_URL` names, as their owner: filled fast, and fit to be measured."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2


@contextmanager
def owner() -> Iterator[Any]:
    """A cursor of the tables' owner, each statement a transaction of its own, with memory to sort many rows."""
    connection = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET work_mem = '512MB'; SET maintenance_work_mem = '1GB'")
            yield cursor
    finally:
        connection.close()


def analyze(like: str) -> None:
    """Vacuums the tables whose names are like this and renews their statistics, so that no run meets the autovacuum."""
    with owner() as cursor:
        for name in _tables(cursor, like):
            cursor.execute(f"VACUUM (ANALYZE) {name}")


@contextmanager
def indexed_at_the_end(like: str) -> Iterator[None]:
    """Takes away the indexes that no constraint of these tables needs until the block ends: sorting once is faster."""
    with owner() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index i"
            " WHERE indrelid = ANY(%s::regclass[])"
            " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
            [_tables(cursor, like)],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)


@contextmanager
def checked_at_the_end(like: str) -> Iterator[None]:
    """Takes away the foreign keys of these tables until the block ends: all rows at once are checked in a join."""
    with owner() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
            [_tables(cursor, like)],
        )
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        for table, name, definition in keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _tables(cursor: Any, like: str) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE %s", [like])
    return [name for (name,) in cursor.fetchall()]

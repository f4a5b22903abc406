"""Statements that PostgreSQL plans once a connection, where planning takes longer than what is done.

They live as long as the connection: a pooler between must pool sessions, not transactions.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from psycopg2.extensions import AsIs

#: By psycopg2's connection: the name there of each statement.
_names: "WeakKeyDictionary[Any, dict[str, str]]" = WeakKeyDictionary()


def argument(number: int) -> AsIs:
    """Returns what stands among a statement's parameters for one that is given each time; the first is 1."""
    return AsIs(f"${number}")


def statement(sql: str, parameters: Sequence[Any], types: Sequence[str]) -> str:
    """Returns a statement to `execute`: its parameters are part of it, its arguments are of these types."""
    with connection.cursor() as cursor:
        return f"({', '.join(types)}) AS {cursor.mogrify(sql, parameters).decode()}"


def execute(prepared: str, arguments: Sequence[Any]) -> Any:
    """Runs a statement with these arguments, and returns its first row."""
    with connection.cursor() as cursor:
        names = _names.setdefault(connection.connection, {})
        if prepared not in names:
            name = f"outbox_{len(names)}"
            cursor.execute(f"PREPARE {name} {prepared}")
            names[prepared] = name
        cursor.execute(f"EXECUTE {names[prepared]} ({', '.join(['%s'] * len(arguments))})", arguments)
        return cursor.fetchone()

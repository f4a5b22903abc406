"""Locks of batches: workers share one, a stop has it alone.

Advisory locks rather than locks of the row: a row that workers go on sharing is never free for a stop,
since PostgreSQL lets every newcomer share it; with these the stop is next in line.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from letters.models import Batch
from letters.rules import BatchState


def lock_to_work(batch_id: UUID) -> Batch:
    """Keeps a batch from being stopped or paused until the transaction ends; returns it as it is now."""
    _lock("pg_advisory_xact_lock_shared", batch_id)
    return Batch.objects.get(pk=batch_id)


def lock_for_state(batch_id: UUID) -> BatchState:
    """Locks as `lock_to_work` does, in one call of the server, and returns the state that the batch has now."""
    (state,) = lock_and_read(batch_id, "SELECT state FROM letters_batch WHERE id = %s", [batch_id])
    return BatchState(state)


def lock_and_read(batch_id: UUID, sql: str, parameters: Sequence[Any]) -> Any:
    """Locks as `lock_to_work` does, and returns the first row that a query has after that, or None."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared(%s); {sql}", [_key(batch_id), *parameters])
        return cursor.fetchone()


def lock_out_workers(batch_id: UUID) -> Batch:
    """Waits until no worker releases or hands over of a batch, and lets none begin until the transaction ends."""
    _lock("pg_advisory_xact_lock", batch_id)
    return Batch.objects.select_for_update().get(pk=batch_id)


def is_alone(at_what: str) -> bool:
    """Returns whether nobody else is at this, and keeps others from it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), 0)", [f"letters {at_what}"])
        return bool(cursor.fetchone()[0])


def wait_to_be_alone(at_what: str) -> None:
    """Waits until nobody else is at this, and keeps others from it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), 0)", [f"letters {at_what}"])


def _lock(function: str, batch_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_key(batch_id)])


def _key(batch_id: UUID) -> int:
    return int.from_bytes(batch_id.bytes[:8], signed=True)

"""Releases what was made: the hold check, the supplier's capacity and the move are one statement."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from cohort.models import Patient
from cohort.queries.holds import hold_reason_of
from cohort.rules import Audience, Channel
from letters.actions.locks import lock_for_state
from letters.actions.outbox.claiming import Claim
from letters.actions.outbox.making import Made
from letters.actions.outbox.prepared import argument, execute, statement
from letters.actions.suppliers import count_as_taken, is_limited, is_open, lock_room
from letters.models import Message
from letters.queries import uk_date
from letters.rules import BatchState, MessageState

# The holds are read and the messages moved in one snapshot. Materialised, so that each person's hold is
# worked out once and not for each column that depends on it. What the supplier has no room for today
# waits again. Locked as they are read, the messages are found by their id alone when they are moved.
_RELEASE = """
WITH checked AS MATERIALIZED ({checked}),
placed AS MATERIALIZED (
  SELECT id, as_at, held_by,
    CASE WHEN held_by <> '' THEN 'HELD'
      WHEN row_number() OVER (PARTITION BY held_by = '' ORDER BY queued_at, turn, id) <= %s THEN 'RELEASED'
      ELSE 'WAITING' END AS state
  FROM checked
),
moved AS (
  UPDATE letters_message message SET
    state = placed.state,
    hold_reason = placed.held_by,
    released_at = CASE placed.state WHEN 'RELEASED' THEN %s END,
    hand_over_key = CASE placed.state WHEN 'RELEASED' THEN %s::uuid END,
    supplier_id = CASE placed.state WHEN 'RELEASED' THEN %s END,
    holds_checked_at = %s,
    holds_checked_against = placed.as_at,
    lease_until = NULL
  FROM placed
  WHERE message.id = placed.id
  RETURNING message.state
)
SELECT count(*) FROM moved WHERE state = 'RELEASED'
"""


_ANY_TOKEN, _ANY_ID = -1, UUID(int=0)
#: Of what is given each time where one message is released: token, message, room, moment, key, supplier.
_TYPES = ("bigint", "uuid", "bigint", "timestamptz", "uuid", "bigint")


@dataclass(frozen=True)
class _Whom:
    """What decides which holds there are: the channel, the day, and whether people are on the list or off it."""

    channel: Channel
    on: date
    audience: Audience


@transaction.atomic
def release(*, claimed: Claim, made: Made, at: datetime) -> UUID | None:
    """Releases what was made, unless a hold stands, by one statement; returns the hand-over's id.

    A message changes only while this claim's token is on it. None when nothing was released: all were
    held, failed, stopped, or claimed by somebody else since. Where the batch is paused, or the supplier
    has closed or has no more room today, they wait again.
    """
    state = lock_for_state(claimed.batch.pk)
    fail_unmade(claimed, made)
    room = _room(claimed, state, at)
    if not room:
        return None
    key = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(*_release(_whom(claimed, at), claimed.token, None, room, at, key, claimed.supplier.pk))
        released = int(cursor.fetchone()[0])
    if released:
        count_as_taken(claimed.supplier, released, at=at)
    return key if released else None


def release_one(*, claimed: Claim, id_: UUID, state: BatchState, at: datetime) -> UUID | None:
    """Does as `release` for one message, in a transaction that has the batch's lock: it is in this state.

    Without a daily capacity, its supplier's day is for the caller to count, once a claim: workers would
    wait for each other to count each message.
    """
    room = _room(claimed, state, at)
    if not room:
        return None
    key = uuid.uuid4()
    (released,) = execute(_release_one(_whom(claimed, at)), (claimed.token, id_, room, at, key, claimed.supplier.pk))
    if released and is_limited(claimed.supplier):
        count_as_taken(claimed.supplier, 1, at=at)
    return key if released else None


def _whom(claimed: Claim, at: datetime) -> _Whom:
    return _Whom(claimed.channel, uk_date(at), Audience(claimed.batch.campaign.audience))


def _room(claimed: Claim, state: BatchState, at: datetime) -> int:
    """Returns how many more may be released at this moment; where none may, all of the claim waits again."""
    if (
        state == BatchState.RELEASED
        and is_open(claimed.supplier, at=at)
        and (room := lock_room(claimed.supplier, at=at))
    ):
        return room
    put_back(claimed)
    return 0


@lru_cache(maxsize=4)
def _release_one(whom: _Whom) -> str:
    """Returns the prepared statement that releases one message: planning it took twice as long as running it."""
    return statement(*_release(whom, *(argument(n) for n in range(1, len(_TYPES) + 1))), _TYPES)


def _release(whom: _Whom, token: Any, only: Any, room: Any, at: Any, key: Any, supplier: Any) -> tuple[str, list[Any]]:
    """Returns the SQL that releases a claim, or `only` one message of it, and its parameters."""
    checked, stand_ins = _checked(whom, one=only is not None)
    parameters = [token if each == _ANY_TOKEN else only if each == _ANY_ID else each for each in stand_ins]
    return _RELEASE.format(checked=checked), [*parameters, room, at, key, supplier, at]


# Kept, since Django takes longer to write this SQL than PostgreSQL to release one message by it.
@lru_cache(maxsize=8)
def _checked(whom: _Whom, *, one: bool) -> tuple[str, tuple[Any, ...]]:
    """Returns the SQL that checks the holds of a claim, or of one message of it, and its parameters.

    `_ANY_TOKEN` and `_ANY_ID` stand among them for the claim's token and the message's id.
    """
    ours = Message.objects.filter(state=MessageState.MAKING, lease_token=_ANY_TOKEN)
    # Asked of each message in turn: without fresh statistics PostgreSQL would join the whole table.
    return (
        (ours.filter(id=_ANY_ID) if one else ours)
        .select_for_update(no_key=True, of=("self",))
        .annotate(
            held_by=hold_reason_of("patient_id", whom.channel, whom.on, whom.audience),
            as_at=Subquery(Patient.objects.filter(pk=OuterRef("patient_id")).values("as_at")[:1]),
        )
        .values("id", "queued_at", "turn", "held_by", "as_at")
        .query.sql_with_params()
    )


def put_back(claimed: Claim) -> None:
    """Lets all of a claim that has not been released wait again."""
    Message.objects.filter(state=MessageState.MAKING, lease_token=claimed.token).update(
        state=MessageState.WAITING, lease_until=None
    )


def fail_unmade(claimed: Claim, made: Made) -> None:
    """Says of what could not be made why."""
    ours = Message.objects.filter(state=MessageState.MAKING, lease_token=claimed.token)
    for message_id, failure in made.failed.items():
        ours.filter(id=message_id).update(state=MessageState.FAILED, failure=failure[:300], lease_until=None)

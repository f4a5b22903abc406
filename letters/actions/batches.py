"""Plans, releases and stops batches, and puts failed messages back in the queue."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from cohort.rules import Channel
from letters.actions.locks import lock_out_workers
from letters.models import Batch, Campaign, Message
from letters.policies import check_can_send, check_can_write
from letters.queries import due, hospital_campaign, latest_template, uk_date
from letters.rules import BATCH_TRANSITIONS, BatchState, MessageState
from shielding.accounts.models import Membership, Organisation


class BatchError(Exception):
    """What was asked cannot be done with this batch; the message is fit to show."""


class NoTemplate(BatchError):
    """There are no words for this campaign and channel."""


class NobodyDue(BatchError):
    """Everybody on the list already has a message of this campaign and channel."""


class WrongState(BatchError):
    """The batch has moved on."""


class SamePerson(BatchError):
    """Whoever planned a batch cannot approve it."""


#: What stopping a batch stops. What is RELEASED is being handed over at this moment: whoever does it
#: looks at the batch again under its lock, and stops it where the supplier does not have it.
_CAN_STOP = (MessageState.WAITING, MessageState.MAKING, MessageState.HELD, MessageState.FAILED)

_INSERT = """
WITH due AS MATERIALIZED ({due})
INSERT INTO letters_message (id, batch_id, campaign_id, patient_id, channel, state, hold_reason, failure, queued_at,
  lease_token, holds_checked_at, holds_checked_against)
SELECT gen_random_uuid(), %s, %s, due.id, %s, CASE due.hold WHEN '' THEN 'WAITING' ELSE 'HELD' END, due.hold, '', %s,
  0, %s, due.as_at
FROM due
ON CONFLICT DO NOTHING
"""

_KEEP_ATTEMPTS = """
INSERT INTO letters_pastattempt
  (message_id, attempt, supplier_id, released_at, hand_over_id, provider_id, failure, ended_at)
SELECT id, attempt, supplier_id, released_at, hand_over_id, provider_id, failure, %s
FROM letters_message WHERE batch_id = %s AND state = 'FAILED'
"""


@transaction.atomic
def plan_batch(*, campaign: Campaign, channel: Channel, by: Membership, at: datetime) -> Batch:
    """Queues one message for everybody due, in one statement, and returns the batch; nothing goes yet.

    Everybody on the list, validated or to be contacted unreviewed because their practice is late, and
    without a message of this campaign and channel. Those who
    must not be contacted are queued as HELD with the reason, so that the ledger accounts for them.
    Raises NoTemplate, NobodyDue, NotAllowed.
    """
    check_can_send(by)
    return _queue(campaign, channel, by=by, at=at)


@transaction.atomic
def write_to_own_patients(*, by: Membership, at: datetime) -> Batch:
    """Queues and releases the letter of a hospital unit to its own patients, and returns the batch.

    They are those whom the unit has added, who are on the list and cleared for contact like anybody
    else, and have had no letter of any unit; holds are checked when it is queued and again when each
    letter is released. Raises NoTemplate, NobodyDue, NotAllowed.
    """
    check_can_write(by)
    campaign = hospital_campaign()
    if campaign is None:
        raise NoTemplate("There is no letter of hospital units yet. Ask the national team to load it.")
    batch = _queue(campaign, Channel.LETTER, by=by, at=at, unit=by.organisation)
    batch.state = BatchState.APPROVED
    batch.save(update_fields=["state"])
    batch.state, batch.released_at, batch.released_by = BatchState.RELEASED, at, by.user
    batch.save(update_fields=["state", "released_at", "released_by"])
    return batch


def _queue(
    campaign: Campaign, channel: Channel, *, by: Membership, at: datetime, unit: Organisation | None = None
) -> Batch:
    # One plan of a campaign at a time: the second sees what the first queued.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    version = latest_template(campaign, channel)
    if version is None:
        raise NoTemplate(f"There is no template called {campaign.slug}-{channel.value.lower()}. Load or add one first.")
    batch = Batch.objects.create(
        campaign=campaign,
        channel=channel.value,
        template_version=version,
        state=BatchState.PLANNED,
        planned_at=at,
        planned_by=by.user,
        unit=unit,
    )
    sql, parameters = due(campaign, channel, uk_date(at), unit).values("id", "as_at", "hold").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(due=sql), [*parameters, batch.pk, campaign.pk, channel.value, at, at])
        queued = cursor.rowcount
    if not queued:
        raise NobodyDue("Everybody who is on the list and validated already has one.")
    return batch


@transaction.atomic
def approve_batch(*, batch_id: UUID, by: Membership, at: datetime) -> Batch:
    """Lets a planned batch be released; not by its planner. Raises SamePerson, WrongState, NotAllowed."""
    check_can_send(by)
    batch = lock_out_workers(batch_id)
    _check_move(batch, BatchState.APPROVED, BatchState.PLANNED)
    if batch.planned_by_id == by.user_id:
        raise SamePerson("You planned this batch, so somebody else must approve it.")
    batch.state, batch.approved_at, batch.approved_by = BatchState.APPROVED, at, by.user
    batch.save(update_fields=["state", "approved_at", "approved_by"])
    return batch


@transaction.atomic
def release_batch(*, batch_id: UUID, by: Membership, at: datetime) -> Batch:
    """Lets workers make and send an approved batch. Raises WrongState, NotAllowed."""
    check_can_send(by)
    batch = lock_out_workers(batch_id)
    _check_move(batch, BatchState.RELEASED, BatchState.APPROVED)
    batch.state, batch.released_at, batch.released_by = BatchState.RELEASED, at, by.user
    batch.save(update_fields=["state", "released_at", "released_by"])
    return batch


@transaction.atomic
def stop_batch(*, batch_id: UUID, reason: str, by: Membership, at: datetime) -> Batch:
    """Stops everything of a batch that has not been handed over, for good. Raises WrongState, NotAllowed.

    Those people are due again: another batch of the same campaign may hold them.
    """
    check_can_send(by)
    if not reason.strip():
        raise BatchError("Say why you stop the batch.")
    batch = lock_out_workers(batch_id)
    _check_move(batch, BatchState.STOPPED, *BatchState)
    stopped = Message.objects.filter(batch=batch, state__in=_CAN_STOP).update(
        state=MessageState.STOPPED, hold_reason="", failure="", lease_until=None
    )
    if batch.state == BatchState.FINISHED and not stopped:
        raise WrongState("Everything in this batch has been handed over. There is nothing left to stop.")
    batch.state, batch.stopped_at, batch.stopped_by = BatchState.STOPPED, at, by.user
    batch.stop_reason = reason.strip()
    batch.save(update_fields=["state", "stopped_at", "stopped_by", "stop_reason"])
    return batch


@transaction.atomic
def retry_failed(*, batch_id: UUID, by: Membership, at: datetime) -> int:
    """Puts the failed messages of a released or finished batch back in the queue; returns how many.

    Each is another attempt, which suppliers know by another reference; what became of the last one is kept.
    """
    check_can_send(by)
    batch = lock_out_workers(batch_id)
    if batch.state not in (BatchState.RELEASED, BatchState.FINISHED):
        raise WrongState(f"This batch is {batch.get_state_display().lower()}, so nothing in it can be tried again.")
    failed = Message.objects.filter(batch=batch, state=MessageState.FAILED)
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_ATTEMPTS, [at, batch.pk])
    count = failed.update(
        state=MessageState.WAITING,
        attempt=F("attempt") + 1,
        failure="",
        queued_at=at,
        released_at=None,
        supplier=None,
        hand_over_key=None,
        hand_over=None,
        provider_id="",
        delivery="",
        delivery_at=None,
    )
    if count and batch.state == BatchState.FINISHED:
        batch.state = BatchState.RELEASED
        batch.save(update_fields=["state"])
    return count


def _check_move(batch: Batch, to: BatchState, *allowed_from: BatchState) -> None:
    state = BatchState(batch.state)
    if state not in allowed_from or to not in BATCH_TRANSITIONS[state]:
        raise WrongState(f"This batch is {batch.get_state_display().lower()}, so it cannot be {to.value.lower()}.")

"""Plans, approves, releases, pauses and resumes batches, and puts failed messages back in the queue."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import OuterRef, Q, Subquery

from cohort.rules import Channel
from letters.actions.batch_errors import BatchError, NobodyDue, NoTemplate, SamePerson, WrongState, check_move
from letters.actions.locks import lock_out_workers
from letters.actions.planning import queue
from letters.actions.stopping import Stopped, stop_batch, stop_part
from letters.models import Batch, Campaign, Message, PastAttempt, TemplateVersion
from letters.policies import check_can_send, check_can_write
from letters.queries import hospital_campaign, latest_template, reached_otherwise
from letters.rules import NOT_REACHED, BatchState, MessageState
from shielding.accounts.models import Membership, Organisation

__all__ = [
    "BatchError",
    "NoTemplate",
    "NobodyDue",
    "SamePerson",
    "Stopped",
    "WrongState",
    "approve_batch",
    "pause_batch",
    "plan_batch",
    "release_batch",
    "resume_batch",
    "retry_failed",
    "stop_batch",
    "stop_part",
    "write_to_own_patients",
]

_KEEP_ATTEMPTS = """
INSERT INTO letters_pastattempt
  (message_id, attempt, supplier_id, released_at, hand_over_id, provider_id, failure, ended_at)
SELECT id, attempt, supplier_id, released_at, hand_over_id, provider_id, failure, %s
FROM letters_message WHERE id = ANY(%s::uuid[])
ON CONFLICT (message_id, attempt) DO NOTHING
"""


@transaction.atomic
def plan_batch(
    *, campaign: Campaign, channel: Channel, by: Membership, at: datetime, fallback: Channel | None = None
) -> Batch:
    """Queues one message for everybody due, in one statement, and returns the batch; nothing goes yet.

    Everybody on the list, validated or to be contacted unreviewed because their practice is late; where
    the campaign is about those taken off it, everybody whom a clinician has told; and without a message of
    this campaign and channel. Those who must not be contacted are queued as HELD
    with the reason, so that the ledger accounts for them. Whom the channel cannot reach gets the
    `fallback`'s message instead: now, or once theirs has failed for good. Raises NoTemplate,
    NobodyDue, NotAllowed.
    """
    check_can_send(by)
    return _queue(campaign, channel, by=by, at=at, fallback=fallback)


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
    campaign: Campaign,
    channel: Channel,
    *,
    by: Membership,
    at: datetime,
    fallback: Channel | None = None,
    unit: Organisation | None = None,
) -> Batch:
    # One plan of a campaign at a time: the second sees what the first queued.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    batch = Batch.objects.create(
        campaign=campaign,
        channel=channel.value,
        template_version=_words(campaign, channel),
        fallback_channel=fallback.value if fallback else "",
        fallback_version=_words(campaign, fallback) if fallback else None,
        state=BatchState.PLANNED,
        planned_at=at,
        planned_by=by.user,
        unit=unit,
    )
    if not queue(batch, at=at):
        raise NobodyDue("Everybody whom it is for already has one.")
    return batch


def _words(campaign: Campaign, channel: Channel) -> TemplateVersion:
    version = latest_template(campaign, channel)
    if version is None:
        raise NoTemplate(f"There is no template called {campaign.slug}-{channel.value.lower()}. Load or add one first.")
    return version


@transaction.atomic
def approve_batch(*, batch_id: UUID, by: Membership, at: datetime) -> Batch:
    """Lets a planned batch be released; not by its planner. Raises SamePerson, WrongState, NotAllowed."""
    batch = _moved(batch_id, by, BatchState.PLANNED, BatchState.APPROVED)
    if batch.planned_by_id == by.user_id:
        raise SamePerson("You planned this batch, so somebody else must approve it.")
    batch.approved_at, batch.approved_by = at, by.user
    batch.save(update_fields=["state", "approved_at", "approved_by"])
    return batch


@transaction.atomic
def release_batch(*, batch_id: UUID, by: Membership, at: datetime) -> Batch:
    """Lets workers make and send an approved batch. Raises WrongState, NotAllowed."""
    batch = _moved(batch_id, by, BatchState.APPROVED, BatchState.RELEASED)
    batch.released_at, batch.released_by = at, by.user
    batch.save(update_fields=["state", "released_at", "released_by"])
    return batch


@transaction.atomic
def pause_batch(*, batch_id: UUID, by: Membership) -> Batch:
    """Lets nothing more of a batch go until it is resumed; returns once no worker is handing any of it over.

    Raises WrongState, NotAllowed.
    """
    batch = _moved(batch_id, by, BatchState.RELEASED, BatchState.PAUSED)
    batch.save(update_fields=["state"])
    return batch


@transaction.atomic
def resume_batch(*, batch_id: UUID, by: Membership) -> Batch:
    """Lets a paused batch go on. Raises WrongState, NotAllowed."""
    batch = _moved(batch_id, by, BatchState.PAUSED, BatchState.RELEASED)
    batch.save(update_fields=["state"])
    return batch


def _moved(batch_id: UUID, by: Membership, before: BatchState, after: BatchState) -> Batch:
    """Returns a batch in its next state, not saved yet, with no worker handing any of it over."""
    check_can_send(by)
    batch = lock_out_workers(batch_id)
    check_move(batch, after, before)
    batch.state = after
    return batch


@transaction.atomic
def retry_failed(*, batch_id: UUID, by: Membership, at: datetime) -> int:
    """Puts the failed messages of a released or finished batch back in the queue; returns how many.

    Each is another attempt, which suppliers know by another reference; what became of the last one is
    kept. Not those whose person the batch's other channel reaches, nor those of whom the supplier has
    said since that it has them after all.
    """
    check_can_send(by)
    batch = lock_out_workers(batch_id)
    if batch.state not in (BatchState.RELEASED, BatchState.PAUSED, BatchState.FINISHED):
        raise WrongState(f"This batch is {batch.get_state_display().lower()}, so nothing in it can be tried again.")
    may_try = Q(delivery="") | Q(delivery__in=list(NOT_REACHED))
    failed = Message.objects.filter(may_try, batch=batch, state=MessageState.FAILED)
    ids = list(failed.filter(~reached_otherwise()).select_for_update(no_key=True).values_list("id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_ATTEMPTS, [at, [str(id_) for id_ in ids]])
    # Not always the next: one that counts after all may have had others behind it (`receipts`).
    latest = PastAttempt.objects.filter(message=OuterRef("pk")).order_by("-attempt").values("attempt")[:1]
    count = failed.filter(id__in=ids).update(
        state=MessageState.WAITING,
        attempt=Subquery(latest) + 1,
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

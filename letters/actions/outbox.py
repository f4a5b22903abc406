"""Works the outbox: claim, make, release, hand over; and sweeps up after workers that died.

Each step is a transaction of its own, and a worker may die between any two:

    claim      WAITING -> MAKING, under a lease and a fencing token
    make       PDFs or texts, in memory
    release    MAKING -> RELEASED or HELD, by the hold check in the same statement; decides the
               hand-over's id
    hand over  writes the file under that id, RELEASED -> HANDED_OVER

What died before the release is put back when its lease runs out. What died after it is handed over
by whoever comes next, under the same id, so nobody is sent two.

Locks are taken in one order, the batch (shared) and then its messages, so nothing deadlocks with a stop.
"""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from cohort.models import Patient
from cohort.queries.holds import address_block, hold_reason_of
from cohort.rules import Channel
from letters import contents
from letters.contents import Text
from letters.models import Batch, HandOver, Message
from letters.pdf import LetterNotMade, make_pdf
from letters.queries import OPEN, uk_date
from letters.rules import TEXT_HOURS, BatchState, MessageState, may_text, read_reference, reference
from letters.transports import Item, Receipt
from letters.transports.errors import HandOverMismatch
from letters.transports.folder import Folder

logger = logging.getLogger(__name__)

#: Messages in one claim, which is one hand-over.
CHUNK = {Channel.LETTER: 50, Channel.SMS: 500}
LEASE_SECONDS = 300


# One statement: the holds are read and the messages moved in one snapshot. Materialised, so that each
# person's hold is worked out once and not for each column that depends on it.
_RELEASE = """
WITH checked AS MATERIALIZED ({checked})
UPDATE letters_message message SET
  state = CASE checked.held_by WHEN '' THEN 'RELEASED' ELSE 'HELD' END,
  hold_reason = checked.held_by,
  released_at = CASE checked.held_by WHEN '' THEN %s END,
  hand_over_key = CASE checked.held_by WHEN '' THEN %s END,
  holds_checked_at = %s,
  holds_checked_against = checked.as_at,
  lease_until = NULL
FROM checked
WHERE message.id = checked.id AND message.state = 'MAKING' AND message.lease_token = %s
RETURNING message.state
"""


@dataclass(frozen=True)
class Claim:
    """Messages one worker holds, all of one batch, by a token that no other claim has or had."""

    token: int
    batch: Batch
    message_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Made:
    """What one claim made: a PDF or a text by message id, and why the others could not be made."""

    files: Mapping[UUID, bytes | Text]
    failed: Mapping[UUID, str]


@dataclass(frozen=True)
class Swept:
    """What a sweep found: messages put back, holds that are gone or changed, batches finished or opened again."""

    put_back: int
    unheld: int
    finished: int
    reopened: int


def texts_may_go(at: datetime) -> bool:
    """Returns whether texts may go at this moment. `settings.TEXT_HOURS` overrides 08:00 to 20:00."""
    return may_text(timezone.localtime(at).time(), getattr(settings, "TEXT_HOURS", TEXT_HOURS))


def claim(
    *, at: datetime, limit: int | None = None, lease_seconds: int = LEASE_SECONDS, batch_id: UUID | None = None
) -> Claim | None:
    """Leases the oldest waiting messages of the oldest released batch; None when there is nothing to do.

    `limit` is by default the size of a hand-over of the batch's channel. No texts outside text hours.
    """
    waiting = Message.objects.filter(batch=OuterRef("pk"), state=MessageState.WAITING)
    batches = Batch.objects.filter(Exists(waiting), state=BatchState.RELEASED).order_by("released_at", "id")
    if batch_id:
        batches = batches.filter(pk=batch_id)
    if not texts_may_go(at):
        batches = batches.exclude(channel=Channel.SMS.value)
    for batch in batches.select_related("template_version", "unit"):
        with transaction.atomic():
            ids = list(
                Message.objects.select_for_update(skip_locked=True)
                .filter(batch=batch, state=MessageState.WAITING)
                .order_by("queued_at", "id")
                .values_list("id", flat=True)[: limit or CHUNK[Channel(batch.channel)]]
            )
            if ids:
                token = _next_token()
                Message.objects.filter(id__in=ids).update(
                    state=MessageState.MAKING, lease_token=token, lease_until=at + timedelta(seconds=lease_seconds)
                )
                return Claim(token, batch, tuple(ids))
    return None


def _next_token() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('letters_lease_token')")
        return int(cursor.fetchone()[0])


def make(batch: Batch, message_ids: tuple[UUID, ...]) -> Made:
    """Makes the letters or texts of some messages from people's details of this moment."""
    version = batch.template_version
    if batch.released_at is None:
        raise ValueError("A batch is made after it was released.")
    message_of = dict(Message.objects.filter(id__in=message_ids).values_list("patient_id", "id"))
    people = Patient.objects.filter(pk__in=message_of).select_related("practice").annotate(address=address_block())
    files: dict[UUID, bytes | Text] = {}
    failed: dict[UUID, str] = {}
    for patient in people:
        message_id = message_of[patient.pk]
        try:
            if batch.channel == Channel.LETTER:
                content = contents.letter(version, patient, patient.address, dated=batch.released_at, unit=batch.unit)
                files[message_id] = make_pdf(content, made_at=batch.released_at)
            else:
                files[message_id] = contents.text(version, patient, dated=batch.released_at)
        except (LetterNotMade, ValueError) as error:
            failed[message_id] = str(error)
    return Made(files, failed)


@transaction.atomic
def release(*, claimed: Claim, made: Made, at: datetime) -> UUID | None:
    """Releases what was made, unless a hold stands, by one statement; returns the hand-over's id.

    A message changes only while this claim's token is on it. None when nothing was released: all
    were held, failed, stopped, or claimed by somebody else since.
    """
    _lock_shared(claimed.batch.pk)
    ours = Message.objects.filter(state=MessageState.MAKING, lease_token=claimed.token)
    for message_id, failure in made.failed.items():
        ours.filter(id=message_id).update(state=MessageState.FAILED, failure=failure[:300], lease_until=None)
    if not made.files:
        return None
    checked, parameters = (
        ours.filter(id__in=list(made.files))
        .annotate(
            held_by=hold_reason_of("patient_id", Channel(claimed.batch.channel), uk_date(at)), as_at=_details_as_at()
        )
        .values("id", "held_by", "as_at")
        .query.sql_with_params()
    )
    key = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE.format(checked=checked), [*parameters, at, key, at, claimed.token])
        released = sum(1 for (state,) in cursor.fetchall() if state == MessageState.RELEASED)
    return key if released else None


def hand_over(*, key: UUID, at: datetime, made: Made | None = None) -> HandOver | None:
    """Gives the released messages of one hand-over to the supplier, or finishes what a dead worker began.

    `made` are the files where the caller still has them; they are made again otherwise. What the
    supplier already has under this id is not written again. In a stopped batch what it does not have
    is stopped. None when nothing of this id is waiting to be handed over, or all of it was stopped.
    Raises HandOverMismatch.
    """
    released = Message.objects.filter(hand_over_key=key, state=MessageState.RELEASED)
    batch_id = released.values_list("batch_id", flat=True).first()
    if batch_id is None:
        return None
    with transaction.atomic():
        batch = _lock_shared(batch_id)
        ids = set(released.select_for_update(no_key=True).values_list("id", flat=True))
        if not ids:
            return None
        receipt = Folder().find(key=key, batch_id=batch_id)
        if receipt is None:
            if batch.state == BatchState.STOPPED:
                released.update(state=MessageState.STOPPED)
                return None
            receipt = _write(batch, ids, key, made)
        if receipt is None:
            return None
        taken = {read_reference(each)[0] for each in receipt.references}
        if not taken <= ids:
            raise HandOverMismatch(f"Hand-over {key} of batch {batch_id}")
        handed_over = HandOver.objects.create(
            id=key,
            batch=batch,
            file_name=receipt.file_name,
            count=len(taken),
            sha256=receipt.sha256,
            at=at,
        )
        released.filter(id__in=taken).update(state=MessageState.HANDED_OVER, hand_over=handed_over)
        # An earlier try could not make these, and died before it could say so.
        released.update(state=MessageState.FAILED, failure="It could not be made when its hand-over was finished.")
        return handed_over


def _write(batch: Batch, ids: set[UUID], key: UUID, made: Made | None) -> Receipt | None:
    made = made or make(batch, tuple(ids))
    for message_id, failure in made.failed.items():
        Message.objects.filter(id=message_id, state=MessageState.RELEASED).update(
            state=MessageState.FAILED, failure=failure[:300]
        )
    attempts = dict(Message.objects.filter(id__in=ids).values_list("id", "attempt"))
    items = [Item(reference(id_, attempts[id_]), file) for id_, file in made.files.items() if id_ in ids]
    return Folder().hand_over(items, key=key, batch_id=batch.pk) if items else None


def make_and_hand_over(*, claimed: Claim, at: datetime) -> HandOver | None:
    """Takes one claim to its end. None when nothing was left to hand over (see `release`)."""
    made = make(claimed.batch, claimed.message_ids)
    key = release(claimed=claimed, made=made, at=at)
    return hand_over(key=key, at=at, made=made) if key else None


def finish_stranded(*, at: datetime, older_than_seconds: int = LEASE_SECONDS) -> int:
    """Finishes every hand-over that was decided longer ago than this; returns how many messages went.

    Texts wait for the hours in which they may go. One that does not match what the supplier has is
    logged and left for a person.
    """
    messages = Message.objects.filter(
        state=MessageState.RELEASED, released_at__lte=at - timedelta(seconds=older_than_seconds)
    )
    if not texts_may_go(at):
        messages = messages.exclude(channel=Channel.SMS.value)
    handed_over = 0
    for key in messages.order_by("hand_over_key").values_list("hand_over_key", flat=True).distinct():
        try:
            finished = hand_over(key=cast(UUID, key), at=at)
        except HandOverMismatch:
            logger.exception("A hand-over does not match what the supplier has")
            continue
        handed_over += finished.count if finished else 0
    return handed_over


def sweep(*, at: datetime) -> Swept:
    """Puts back what dead workers held, queues those whose hold is gone, and closes and opens batches."""
    with transaction.atomic():
        expired = Message.objects.filter(state=MessageState.MAKING, lease_until__lt=at)
        put_back = expired.filter(id__in=_lock_free(expired)).update(state=MessageState.WAITING, lease_until=None)
    return Swept(put_back, requeue_unheld(at=at), _finish_batches(), _reopen_batches())


def requeue_unheld(*, at: datetime) -> int:
    """Moves every held message whose hold is gone back to waiting, and renews the reason of the others.

    Returns how many wait again. Messages of stopped batches stay as they are.
    """
    waiting = 0
    for channel in Channel:
        with transaction.atomic():
            held = (
                Message.objects.filter(state=MessageState.HELD, channel=channel.value)
                .annotate(held_by=hold_reason_of("patient_id", channel, uk_date(at)))
                .exclude(hold_reason=F("held_by"))
            )
            ids = _lock_free(held)
            held = held.filter(id__in=ids)
            stamps = {"holds_checked_at": at, "holds_checked_against": _details_as_at()}
            waiting += held.filter(held_by="").update(state=MessageState.WAITING, hold_reason="", **stamps)
            held.update(hold_reason=F("held_by"), **stamps)
    return waiting


def _finish_batches() -> int:
    return (
        Batch.objects.filter(state=BatchState.RELEASED)
        .filter(~Exists(Message.objects.filter(batch=OuterRef("pk"), state__in=OPEN)))
        .update(state=BatchState.FINISHED)
    )


def _reopen_batches() -> int:
    waiting = Exists(Message.objects.filter(batch=OuterRef("pk"), state=MessageState.WAITING))
    return Batch.objects.filter(waiting, state=BatchState.FINISHED).update(state=BatchState.RELEASED)


def _lock_free(messages: QuerySet[Message]) -> list[UUID]:
    """Locks those nobody else has locked, and returns their ids."""
    return list(messages.select_for_update(skip_locked=True, of=("self",)).values_list("id", flat=True))


def _lock_shared(batch_id: UUID) -> Batch:
    """Locks a batch against being stopped, not against other workers."""
    return Batch.objects.raw("SELECT * FROM letters_batch WHERE id = %s FOR SHARE", [batch_id])[0]


def _details_as_at() -> Subquery:
    return Subquery(Patient.objects.filter(pk=OuterRef("patient_id")).values("as_at")[:1])

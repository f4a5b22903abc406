"""Everything that was sent to one person, or tried: letters, texts, calls, and what they were told.

A practice reads it of its own people, a coordinator of those they lead for. What was said at a check-in
stays with the coordinators.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone

from cohort.models import ListEntry, Patient, RemovalTold
from cohort.policies import check_can_see_lists
from cohort.queries.worklists import entries
from cohort.rules import Channel
from coordinators.models import CheckIn
from coordinators.policies import check_can_lead
from coordinators.queries import person_for
from letters.models import Message, PastAttempt, Receipt, Settlement
from letters.queries.people import HOLD_WORDS, uk_date
from letters.rules import DeliveryStatus, MessageState
from shielding.accounts.models import Membership, Role

_STATES = {
    MessageState.WAITING: ("Waiting to be made", "blue"),
    MessageState.MAKING: ("Being made", "blue"),
    MessageState.RELEASED: ("Being handed over", "blue"),
    MessageState.IN_DOUBT: ("May have gone: the supplier is being asked", "orange"),
    MessageState.HANDED_OVER: ("With the supplier", "aqua-green"),
    MessageState.HELD: ("Held", "purple"),
    MessageState.FAILED: ("Failed", "red"),
    MessageState.STOPPED: ("Stopped: it will not be sent", "grey"),
}
_DELIVERIES = {
    DeliveryStatus.PENDING: "The supplier has it in its queue",
    DeliveryStatus.ACCEPTED: "Accepted by the supplier",
    DeliveryStatus.PRINTED: "Printed",
    DeliveryStatus.DISPATCHED: "Sent out by the supplier",
    DeliveryStatus.DELIVERED: "Delivered",
    DeliveryStatus.CANCELLED: "Cancelled by the supplier",
    DeliveryStatus.REJECTED: "Rejected by the supplier",
    DeliveryStatus.FAILED: "Not delivered",
    DeliveryStatus.RETURNED: "Came back",
}


@dataclass(frozen=True)
class Step:
    """One thing that happened, in words; `at` is a day where no more is known."""

    at: datetime | date
    words: str


@dataclass(frozen=True)
class Item:
    """One letter, text, call or talk, with its steps, the newest first.

    `state` is where a letter or text stands now, with `colour` for its tag; `because` is why it is held
    or failed. `copy_id` is the message of a hospital's letter, of which the practice may read the copy.
    """

    heading: str
    steps: tuple[Step, ...]
    state: str = ""
    colour: str = ""
    because: str = ""
    copy_id: UUID | None = None

    @property
    def latest(self) -> datetime:
        """When something last happened."""
        at = self.steps[0].at
        return at if isinstance(at, datetime) else timezone.make_aware(datetime.combine(at, time.min))


@dataclass(frozen=True)
class History:
    """Somebody with all of their items, the newest first. `list_id`: the list whose page they have, for a practice."""

    patient: Patient
    items: tuple[Item, ...]
    list_id: UUID | None = None


def contact_history(by: Membership, patient_id: UUID) -> History | None:
    """Returns the history of one of a practice's people or of a coordinator's caseload; None of anybody else.

    Seven queries, however much there is. Raises NotAllowed where the role reads no histories.
    """
    list_id = None
    if by.role == Role.COORDINATOR:
        assignment = person_for(check_can_lead(by), patient_id)
        patient = assignment.patient if assignment else None
    else:
        entry: ListEntry | None = (
            entries(check_can_see_lists(by)).select_related("patient").filter(pk=patient_id).first()
        )
        patient = entry.patient if entry else None
        list_id = entry.practice_list_id if entry else None
    if patient is None:
        return None
    items = [*_messages(patient), *_check_ins(patient), *_told(patient)]
    return History(patient, tuple(sorted(items, key=lambda item: item.latest, reverse=True)), list_id)


def _messages(patient: Patient) -> Iterator[Item]:
    settled = Prefetch("settlements", Settlement.objects.select_related("by"))
    found = (
        Message.objects.filter(patient=patient)
        .select_related("campaign", "batch__unit", "supplier", "hand_over")
        .prefetch_related("receipts", "past_attempts__supplier", settled)
    )
    for message in found:
        state, colour = _STATES[MessageState(message.state)]
        if message.state == MessageState.HANDED_OVER and message.delivery:
            state = _DELIVERIES[DeliveryStatus(message.delivery)]
            colour = "green" if message.delivery == DeliveryStatus.DELIVERED else colour
        unit = message.batch.unit
        what = "Letter" if message.channel == Channel.LETTER else "Text"
        yield Item(
            heading=f"{what} from {unit}" if unit else f"{what}: {message.campaign}",
            steps=_steps(message),
            state=state,
            colour=colour,
            because=HOLD_WORDS.get(message.hold_reason, "") or message.failure,
            copy_id=message.pk if unit and message.state == MessageState.HANDED_OVER else None,
        )


def _steps(message: Message) -> tuple[Step, ...]:
    """Returns what happened to a message, the newest first; of what happened at one moment, the later step first."""
    steps = [Step(message.queued_at, "Put in the queue")]
    for past in sorted(message.past_attempts.all(), key=lambda each: each.attempt):
        steps += _past(past, counts=past.attempt == message.attempt)
    again = " again" if message.attempt > 1 else ""
    if message.released_at:
        against = message.holds_checked_against
        details = f", with details of {_day(against)}" if against else ""
        steps.append(Step(message.released_at, f"Checked that they may be contacted{details}, and let go{again}"))
    elif message.holds_checked_at and message.state == MessageState.HELD:
        steps.append(Step(message.holds_checked_at, f"Held: {HOLD_WORDS[message.hold_reason]}"))
    if message.hand_over:
        steps.append(Step(message.hand_over.at, f"Given to {message.supplier or 'the supplier'}{again}"))
    elif message.provider_id and message.released_at:
        steps.append(Step(message.released_at, f"Given to {message.supplier or 'the supplier'}{again}"))
    for settled in message.settlements.all():
        words = "has it" if settled.has_it else "never had it"
        steps.append(Step(settled.at, f"{settled.by} asked the supplier's people: it {words}"))
    steps += [_receipt(receipt) for receipt in sorted(message.receipts.all(), key=_order)]
    return tuple(sorted(steps, key=lambda step: step.at)[::-1])  # type: ignore[arg-type, return-value]


def _past(past: PastAttempt, *, counts: bool) -> list[Step]:
    """Returns the steps of a try that failed; where it `counts` after all, the message itself says when it went."""
    supplier = past.supplier or "the supplier"
    went = [Step(past.released_at, f"Given to {supplier}")] if past.released_at and not counts else []
    return [*went, Step(past.ended_at, f"Try {past.attempt} failed: {past.failure}")]


def _order(receipt: Receipt) -> int:
    return list(DeliveryStatus).index(DeliveryStatus(receipt.status))


def _receipt(receipt: Receipt) -> Step:
    words = _DELIVERIES[DeliveryStatus(receipt.status)]
    return Step(receipt.at, f"{words}: {receipt.reason}" if receipt.reason else words)


def _check_ins(patient: Patient) -> Iterator[Item]:
    for check_in in CheckIn.objects.filter(patient=patient).select_related("by__user"):
        outcome = check_in.get_outcome_display()
        yield Item("Call from their coordinator", (Step(check_in.at, f"{outcome}, by {check_in.by.user}"),))


def _told(patient: Patient) -> Iterator[Item]:
    for told in RemovalTold.objects.filter(fact__patient=patient):
        words = f"{told.told_by} told them that they were taken off the list"
        yield Item("Told of their removal", (Step(told.told_date, words),))


def _day(value: date | datetime) -> str:
    day = uk_date(value) if isinstance(value, datetime) else value
    return f"{day.day} {day:%B %Y}"

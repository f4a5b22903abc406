"""Makes the letters and texts of some messages, from people's details of this moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from cohort.models import Patient
from cohort.queries.holds import address_block
from cohort.rules import Channel
from letters import contents
from letters.models import Batch, Message
from letters.pdf import LetterNotMade, make_pdf
from letters.transports import Item


@dataclass(frozen=True)
class Made:
    """What was made: what the supplier gets by message id, and why the others could not be made."""

    items: Mapping[UUID, Item]
    failed: Mapping[UUID, str]


def make(batch: Batch, message_ids: Iterable[UUID]) -> Made:
    """Returns the letters or texts of some messages of a batch that has been released."""
    if batch.released_at is None:
        raise ValueError("A batch is made after it was released.")
    messages = {message.patient_id: message for message in Message.objects.filter(id__in=list(message_ids))}
    people = Patient.objects.filter(pk__in=messages).select_related("practice").annotate(address=address_block())
    items: dict[UUID, Item] = {}
    failed: dict[UUID, str] = {}
    for patient in people:
        message = messages[patient.pk]
        try:
            items[message.pk] = _item(batch, message, patient)
        except (LetterNotMade, ValueError) as error:
            failed[message.pk] = str(error)
    return Made(items, failed)


def _item(batch: Batch, message: Message, patient: Patient) -> Item:
    version = batch.template_version if message.channel == batch.channel else batch.fallback_version
    if version is None or batch.released_at is None:
        raise ValueError("There are no words for it.")
    if message.channel == Channel.SMS:
        text = contents.text(version, patient, dated=batch.released_at)
        return Item(message.reference, text, language=text.language)
    content = contents.letter(version, patient, patient.address, dated=batch.released_at, unit=batch.unit)  # type: ignore[attr-defined]
    pdf = make_pdf(content, made_at=batch.released_at)
    return Item(message.reference, pdf, content.format, content.language)

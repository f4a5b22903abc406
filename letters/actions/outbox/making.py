"""Makes the letters and texts of some messages, from people's details of this moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cohort.models import Patient
from cohort.queries.holds import address_block
from cohort.rules import Channel
from letters import contents
from letters.contents import Text
from letters.models import Batch, Message
from letters.pdf import LetterContent, LetterNotMade, make_joint_pdf
from letters.pdf_pages import letters_in
from letters.transports import Item, Pages


@dataclass(frozen=True)
class Made:
    """What was made: what the supplier gets by message id, and why the others could not be made."""

    items: Mapping[UUID, Item]
    failed: Mapping[UUID, str]

    def __or__(self, other: Made) -> Made:
        """Returns both together."""
        return Made({**self.items, **other.items}, {**self.failed, **other.failed})


@dataclass(frozen=True)
class _Letter:
    """A letter that has its words and no pages yet."""

    id: UUID
    reference: str
    content: LetterContent


def make(batch: Batch, message_ids: Iterable[UUID], *, apart: bool = False) -> Made:
    """Returns the letters or texts of some messages of a batch that has been released.

    Letters of one format and language share a PDF, unless each is wanted `apart`.
    """
    if batch.released_at is None:
        raise ValueError("A batch is made after it was released.")
    messages = {message.patient_id: message for message in Message.objects.filter(id__in=list(message_ids))}
    people = Patient.objects.filter(pk__in=messages).select_related("practice").annotate(address=address_block())
    items: dict[UUID, Item] = {}
    failed: dict[UUID, str] = {}
    alike: dict[object, list[_Letter]] = defaultdict(list)
    for patient in people:
        message = messages[patient.pk]
        try:
            content = _content(batch, message, patient, batch.released_at)
        except (LetterNotMade, ValueError) as error:
            failed[message.pk] = str(error)
            continue
        if isinstance(content, Text):
            items[message.pk] = Item(message.reference, content, language=content.language)
        else:
            letter = _Letter(message.pk, message.reference, content)
            alike[letter.id if apart else (content.format, content.language)].append(letter)
    made = Made(items, failed)
    for letters in alike.values():
        made |= _printed(sorted(letters, key=lambda letter: letter.reference), batch.released_at)
    return made


def _content(batch: Batch, message: Message, patient: Patient, dated: datetime) -> LetterContent | Text:
    version = batch.template_version if message.channel == batch.channel else batch.fallback_version
    if version is None:
        raise ValueError("There are no words for it.")
    if message.channel == Channel.SMS:
        return contents.text(version, patient, dated=dated)
    return contents.letter(version, patient, patient.address, dated=dated, unit=batch.unit)  # type: ignore[attr-defined]


def _printed(letters: list[_Letter], at: datetime) -> Made:
    """Returns letters in one PDF, or in more where one of them cannot be printed: typst does not say which."""
    try:
        pdf = make_joint_pdf([letter.content for letter in letters], made_at=at)
    except LetterNotMade as error:
        if len(letters) == 1:
            return Made({}, {letters[0].id: str(error)})
        half = len(letters) // 2
        return _printed(letters[:half], at) | _printed(letters[half:], at)
    places = zip(letters, letters_in(pdf, len(letters)), strict=True)
    return Made(
        {each.id: Item(each.reference, pages, each.content.format, each.content.language) for each, pages in places}, {}
    )


def only(made: Made, batch: Batch, going: Set[UUID]) -> Made:
    """Returns what was made of those who are `going`; a PDF that they share with anybody else is made again."""
    shared = {
        id_: id(item.content.pdf)
        for id_, item in made.items.items()
        if isinstance(item.content, Pages) and not item.content.is_alone
    }
    spoilt = {pdf for id_, pdf in shared.items() if id_ not in going}
    again = {id_ for id_ in going if shared.get(id_) in spoilt}
    kept = Made({id_: item for id_, item in made.items.items() if id_ in going - again}, made.failed)
    return kept | make(batch, again) if again else kept

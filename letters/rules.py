"""The decisions of the letters app: legal moves, hours and rests, how long texts are, who is of working age.

Pure: no Django, no clock, no I/O.
"""

from datetime import date, time
from enum import StrEnum
from uuid import UUID

import phonenumbers

from cohort.rules import HoldReason


class MessageState(StrEnum):
    """Where one letter or text stands in the outbox.

    WAITING: queued, nobody works on it. MAKING: a worker holds its lease.
    RELEASED: the hold check passed, in the same statement, and the id of the hand-over it belongs to
    is decided. HANDED_OVER: the supplier has it. IN_DOUBT: a provider that cannot be asked twice may
    or may not have it; it is never sent again before that is known. HELD and FAILED carry a reason; a
    held message waits again once the reason is gone. STOPPED: it was not and never will be sent.
    """

    WAITING = "WAITING"
    MAKING = "MAKING"
    RELEASED = "RELEASED"
    HANDED_OVER = "HANDED_OVER"
    IN_DOUBT = "IN_DOUBT"
    HELD = "HELD"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


#: Something is still to be done with the message.
OPEN = (MessageState.WAITING, MessageState.MAKING, MessageState.RELEASED, MessageState.IN_DOUBT)
#: It has gone, as far as anybody knows.
GONE = (MessageState.RELEASED, MessageState.IN_DOUBT, MessageState.HANDED_OVER)

#: From each message state, where it may go. Enforced in the database. MAKING to WAITING: the lease
#: ran out and the sweeper put it back. RELEASED to WAITING: the provider said that it has not taken it.
#: RELEASED to MAKING never happens: what was released is only ever handed over again under the same
#: id, or stopped where the supplier does not have it. HANDED_OVER to FAILED: the supplier rejected
#: it, or it came back. FAILED to HANDED_OVER: the supplier says late that it has it after all. WAITING, MAKING and
#: HELD to HANDED_OVER: it says so of the attempt before, and the one that was queued is not needed.
MESSAGE_TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    MessageState.WAITING: frozenset(
        {MessageState.MAKING, MessageState.HELD, MessageState.STOPPED, MessageState.HANDED_OVER}
    ),
    MessageState.MAKING: frozenset(
        {
            MessageState.WAITING,
            MessageState.RELEASED,
            MessageState.HELD,
            MessageState.FAILED,
            MessageState.STOPPED,
            MessageState.HANDED_OVER,
        }
    ),
    MessageState.RELEASED: frozenset(
        {
            MessageState.HANDED_OVER,
            MessageState.IN_DOUBT,
            MessageState.WAITING,
            MessageState.FAILED,
            MessageState.STOPPED,
        }
    ),
    MessageState.IN_DOUBT: frozenset({MessageState.HANDED_OVER, MessageState.FAILED}),
    MessageState.HANDED_OVER: frozenset({MessageState.FAILED}),
    MessageState.HELD: frozenset({MessageState.WAITING, MessageState.STOPPED, MessageState.HANDED_OVER}),
    MessageState.FAILED: frozenset({MessageState.WAITING, MessageState.HANDED_OVER, MessageState.STOPPED}),
    MessageState.STOPPED: frozenset(),
}


#: Nothing more is done with the message unless something happens to it.
SETTLED = (MessageState.HANDED_OVER, MessageState.HELD, MessageState.FAILED, MessageState.STOPPED)


#: The message goes, or has gone as far as we know: its person gets no other instead of it.
IN_PLAY = (
    MessageState.WAITING,
    MessageState.MAKING,
    MessageState.RELEASED,
    MessageState.IN_DOUBT,
    MessageState.HANDED_OVER,
)

#: Holds of one channel: another may reach the person.
CHANNEL_HOLDS = frozenset(
    {
        HoldReason.UNSAFE_CHANNEL,
        HoldReason.LETTER_RETURNED,
        HoldReason.NUMBER_UNDELIVERABLE,
        HoldReason.NO_FIXED_ABODE,
        HoldReason.NO_USABLE_ADDRESS,
        HoldReason.NO_USABLE_NUMBER,
    }
)


class DeliveryStatus(StrEnum):
    """What a supplier says of a message it has, in the order of a letter's life (domain, section 7).

    News comes late, twice and out of order: of what is known of one attempt, the last of this order counts.
    What was delivered has not failed, whatever else is said of it, but may yet come back.
    """

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    PRINTED = "PRINTED"
    DISPATCHED = "DISPATCHED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    DELIVERED = "DELIVERED"
    RETURNED = "RETURNED"


#: With these the person was not reached: the message fails, and may be tried again as another attempt.
NOT_REACHED = frozenset(
    {DeliveryStatus.CANCELLED, DeliveryStatus.REJECTED, DeliveryStatus.FAILED, DeliveryStatus.RETURNED}
)


class Format(StrEnum):
    """What a supplier makes of a letter, as the person needs it: printed, or transcribed or recorded from the PDF."""

    STANDARD = "STANDARD"
    LARGE_PRINT = "LARGE_PRINT"
    EASY_READ = "EASY_READ"
    BRAILLE = "BRAILLE"
    AUDIO = "AUDIO"


class BatchState(StrEnum):
    """Where a batch stands.

    PLANNED: queued, nothing is made. APPROVED: a second person has looked at it. RELEASED: workers may
    make and send it. PAUSED: nothing new is claimed until it is resumed. FINISHED: nothing is
    waiting; it is released again when somebody held is freed, unless it has been stopped meanwhile.
    """

    PLANNED = "PLANNED"
    APPROVED = "APPROVED"
    RELEASED = "RELEASED"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    FINISHED = "FINISHED"


#: From each batch state, where it may go. Enforced in the database.
BATCH_TRANSITIONS: dict[BatchState, frozenset[BatchState]] = {
    BatchState.PLANNED: frozenset({BatchState.APPROVED, BatchState.STOPPED}),
    BatchState.APPROVED: frozenset({BatchState.RELEASED, BatchState.STOPPED}),
    BatchState.RELEASED: frozenset({BatchState.PAUSED, BatchState.STOPPED, BatchState.FINISHED}),
    BatchState.PAUSED: frozenset({BatchState.RELEASED, BatchState.STOPPED}),
    BatchState.STOPPED: frozenset(),
    BatchState.FINISHED: frozenset({BatchState.RELEASED, BatchState.STOPPED}),
}


def reference(message_id: UUID, attempt: int) -> str:
    """Returns what suppliers know one attempt of a message by."""
    return f"{message_id}-{attempt}"


def read_reference(words: str) -> tuple[UUID, int]:
    """Returns the message's id and the attempt. Raises ValueError where it is no reference of ours."""
    message_id, _, attempt = words.rpartition("-")
    if not (attempt.isascii() and attempt.isdecimal()):
        raise ValueError("Not a reference.")
    return UUID(message_id), int(attempt)


def is_between(uk_time: time, start: time, end: time) -> bool:
    """Returns whether a time of the day is in the hours from `start` until `end`, which may be past midnight."""
    if start <= end:
        return start <= uk_time < end
    return uk_time >= start or uk_time < end


#: Doubts in a row after which a provider is left alone. One now and then is a line that broke.
DOUBTS_BORNE = 2
_LONGEST_REST = 300


def rest_seconds(setbacks: int) -> int:
    """Returns for how long a supplier is left alone after so many setbacks in a row: 1, 2, 4 ... 300 seconds."""
    return min(2 ** min(setbacks - 1, 10), _LONGEST_REST) if setbacks > 0 else 0


#: The GSM 7-bit default alphabet without ESC, and its extension table, each character of which counts
#: for two. Source: 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


def text_fragments(text: str) -> int:
    """Returns how many fragments a text is sent and charged as; an empty one counts as one.

    160 characters of GSM-7, or 153 in each of several; 70 and 67 UTF-16 units where any character is
    outside that alphabet (3GPP TS 23.040, concatenated short messages). No character is split.
    """
    if all(character in GSM_BASIC or character in GSM_EXTENDED for character in text):
        widths, alone, joined = [2 if character in GSM_EXTENDED else 1 for character in text], 160, 153
    else:
        widths, alone, joined = [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67
    if sum(widths) <= alone:
        return 1
    fragments, room = 1, joined
    for width in widths:
        if width > room:
            fragments, room = fragments + 1, joined
        room -= width
    return fragments


def e164(mobile: str) -> str:
    """Returns a UK mobile as providers want it, `+447...`. Raises ValueError where it is not a number."""
    try:
        number = phonenumbers.parse(mobile, "GB")
    except phonenumbers.NumberParseException as error:
        raise ValueError("Not a telephone number.") from error
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


#: From the end of compulsory schooling to State Pension age, which has been 66 since October 2020.
WORKING_AGE = range(16, 66)


def is_of_working_age(birth_date: date, on: date) -> bool:
    """Returns whether somebody is of working age on a date: their letter has the page for an employer."""
    had_birthday = (on.month, on.day) >= (birth_date.month, birth_date.day)
    return on.year - birth_date.year - (not had_birthday) in WORKING_AGE

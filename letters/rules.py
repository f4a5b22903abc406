"""The decisions of the letters app: legal moves, when texts may go, how long they are, who is of working age.

Pure: no Django, no clock, no I/O.
"""

from datetime import date, time
from enum import StrEnum

import phonenumbers


class MessageState(StrEnum):
    """Where one letter or text stands in the outbox.

    WAITING: queued, nobody works on it. MAKING: a worker holds its lease.
    RELEASED: the hold check passed, in the same statement, and the id of the hand-over it belongs to
    is decided. HANDED_OVER: the supplier's folder has it. HELD and FAILED carry a reason; a held
    message waits again once the reason is gone. STOPPED: it was not and never will be sent.
    """

    WAITING = "WAITING"
    MAKING = "MAKING"
    RELEASED = "RELEASED"
    HANDED_OVER = "HANDED_OVER"
    HELD = "HELD"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


#: From each message state, where it may go. Enforced in the database. MAKING to WAITING: the lease
#: ran out and the sweeper put it back. RELEASED to MAKING never happens: what was released is only
#: ever handed over again under the same id, or stopped where the supplier does not have it.
MESSAGE_TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    MessageState.WAITING: frozenset({MessageState.MAKING, MessageState.HELD, MessageState.STOPPED}),
    MessageState.MAKING: frozenset(
        {MessageState.WAITING, MessageState.RELEASED, MessageState.HELD, MessageState.FAILED, MessageState.STOPPED}
    ),
    MessageState.RELEASED: frozenset({MessageState.HANDED_OVER, MessageState.FAILED, MessageState.STOPPED}),
    MessageState.HANDED_OVER: frozenset(),
    MessageState.HELD: frozenset({MessageState.WAITING, MessageState.STOPPED}),
    MessageState.FAILED: frozenset({MessageState.WAITING, MessageState.STOPPED}),
    MessageState.STOPPED: frozenset(),
}


class BatchState(StrEnum):
    """Where a batch stands.

    PLANNED: queued, nothing is made. RELEASED: workers may make and send it. FINISHED: nothing is
    waiting; it is released again when somebody held is freed, unless it has been stopped meanwhile.
    """

    PLANNED = "PLANNED"
    RELEASED = "RELEASED"
    STOPPED = "STOPPED"
    FINISHED = "FINISHED"


#: From each batch state, where it may go. Enforced in the database.
BATCH_TRANSITIONS: dict[BatchState, frozenset[BatchState]] = {
    BatchState.PLANNED: frozenset({BatchState.RELEASED, BatchState.STOPPED}),
    BatchState.RELEASED: frozenset({BatchState.STOPPED, BatchState.FINISHED}),
    BatchState.STOPPED: frozenset(),
    BatchState.FINISHED: frozenset({BatchState.RELEASED, BatchState.STOPPED}),
}


#: Texts go out between these times of the UK day, the second not included (domain, section 7).
TEXT_HOURS = (time(8), time(20))


def may_text(uk_time: time, hours: tuple[time, time] = TEXT_HOURS) -> bool:
    """Returns whether a text may go out at this time of the UK day."""
    return hours[0] <= uk_time < hours[1]


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

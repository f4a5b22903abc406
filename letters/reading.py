"""Reads a letter as it was handed over, where its supplier still has it."""

from cohort.rules import Channel
from letters.actions.suppliers import supplier_of
from letters.models import Message
from letters.transports import WholeHandOvers, transport_of
from letters.transports.errors import TransportError


def read_letter(message: Message) -> bytes | None:
    """Returns the PDF that the supplier was given for a letter, or None where there is none or it cannot say now."""
    if message.channel != Channel.LETTER or message.hand_over_id is None:
        return None
    transport = transport_of(supplier_of(message.supplier_id, Channel.LETTER))
    if not isinstance(transport, WholeHandOvers):
        return None
    try:
        return transport.read_letter(message.reference, key=message.hand_over_id, batch_id=message.batch_id)
    except TransportError:
        return None

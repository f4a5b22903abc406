"""Collects a print supplier's receipt files: each is recorded, then acknowledged; a crash in between records it twice.

A file that cannot be read, or is of a hand-over that we have not marked yet, stays with the supplier and
is read again the next time.
"""

import logging
from datetime import datetime

from letters.actions.receipts import check_hand_over, is_unmarked, record
from letters.models import Supplier
from letters.transports.errors import TransportError
from letters.transports.print_supplier.client import PrintSupplier
from letters.transports.print_supplier.receipts import read_receipt

logger = logging.getLogger(__name__)


def collect(*, at: datetime) -> int:
    """Records every receipt file that is waiting, and returns how many are done with."""
    if not Supplier.objects.filter(transport=Supplier.Transport.PRINT).exists():
        return 0
    done = 0
    supplier = PrintSupplier()
    try:
        for name, said in supplier.new_receipts():
            if _record(name, said, at=at):
                supplier.acknowledge(name)
                done += 1
    except TransportError as error:
        logger.warning("The print supplier's receipts wait: %s", error)
    return done


def _record(name: str, said: object, *, at: datetime) -> bool:
    """Returns whether all of a receipt file could be read and recorded for good."""
    file = read_receipt(said)
    if file.received and is_unmarked(file.received.key):
        return False
    if file.received:
        check_hand_over(file.received, at=at)
    recorded = record(file.events, at=at)
    if recorded.unknown:
        logger.warning("Receipt %s speaks of %s messages that we do not have", name, recorded.unknown)
    for complaint in file.unreadable[:10]:
        logger.error("Receipt %s: %s", name, complaint)
    return not (file.unreadable or recorded.early)

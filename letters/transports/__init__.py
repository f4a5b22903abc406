"""Ways to give letters and texts to a supplier, one module each. The contract is in `contract` and `errors`.

Importing this package needs no Django, so that the stub suppliers below it start without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from letters.pdf_pages import Pages
from letters.transports.contract import Event, Item, OneCallEach, Receipt, WholeHandOvers

if TYPE_CHECKING:
    from letters.models import Supplier

__all__ = ["Event", "Item", "OneCallEach", "Pages", "Receipt", "WholeHandOvers", "transport_of"]


def transport_of(supplier: Supplier) -> WholeHandOvers | OneCallEach:
    """Returns the way in which this supplier is given messages."""
    from letters.models import Supplier
    from letters.transports.folder import Folder
    from letters.transports.notify.client import Notify
    from letters.transports.null import Null
    from letters.transports.print_supplier.client import PrintSupplier

    match Supplier.Transport(supplier.transport):
        case Supplier.Transport.NULL:
            return Null()
        case Supplier.Transport.FOLDER:
            return Folder()
        case Supplier.Transport.PRINT:
            return PrintSupplier()
        case Supplier.Transport.NOTIFY:
            return Notify()

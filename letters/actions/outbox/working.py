"""One worker's round: sweep, finish what others began, and then claim after claim until nothing may go."""

from collections.abc import Callable
from datetime import datetime

from letters.actions.outbox.calling import call_each
from letters.actions.outbox.claiming import LEASE_SECONDS, Claim, claim
from letters.actions.outbox.handing_over import finish_stranded, hand_over_or_rest
from letters.actions.outbox.making import Made, make
from letters.actions.outbox.releasing import release
from letters.actions.outbox.sweeping import sweep
from letters.transports import Item, OneCallEach, Pages, transport_of


def work(*, clock: Callable[[], datetime], lease_seconds: int = LEASE_SECONDS) -> int:
    """Works until nothing is left that may go now; returns how many messages went.

    Safe to run at any time, twice, and on several workers: each claim takes what nobody else holds.
    """
    sweep(at=clock(), lease_seconds=lease_seconds)
    went = finish_stranded(at=clock(), older_than_seconds=lease_seconds)
    has_claimed = False
    while claimed := claim(at=clock(), lease_seconds=lease_seconds):
        went += make_and_hand_over(claimed=claimed, clock=clock)
        has_claimed = True
    if has_claimed or went:
        sweep(at=clock(), lease_seconds=lease_seconds)
    return went


def make_and_hand_over(*, claimed: Claim, clock: Callable[[], datetime]) -> int:
    """Takes one claim to its end; returns how many messages went."""
    transport = transport_of(claimed.supplier)
    if isinstance(transport, OneCallEach):
        made = make(claimed.batch, claimed.message_ids, apart=True)
        return call_each(claimed=claimed, made=made, transport=transport, clock=clock)
    if transport.needs_content:
        made = make(claimed.batch, claimed.message_ids)
    else:
        made = Made({id_: Item(reference, Pages(b"")) for id_, reference in claimed.references.items()}, {})
    key = release(claimed=claimed, made=made, at=clock())
    return hand_over_or_rest(key=key, supplier=claimed.supplier, at=clock(), made=made) if key else 0

"""Works the outbox: claim, make, release, hand over; and sweeps up after workers that died.

Each step is a transaction of its own, and a worker may die between any two:

    claim      WAITING -> MAKING, under a lease and a fencing token
    make       PDFs or texts, in memory
    release    MAKING -> RELEASED or HELD, by the hold check in the same statement; decides the supplier
               and the hand-over's id
    hand over  gives the supplier the file under that id, RELEASED -> HANDED_OVER
    or call    gives a provider that takes one message a call each on its own

What died before the release is put back when its lease runs out. What died after it is handed over by
whoever comes next, to the same supplier under the same id, so nobody is sent two. A provider that
cannot be asked twice gets no second call: what died there is in doubt until the provider has been
asked by reference (`letters.actions.reconcile`).

Locks are taken in one order: the batch (`letters.actions.locks`), the supplier's day, its messages.
"""

from letters.actions.outbox.calling import call_each
from letters.actions.outbox.claiming import LEASE_SECONDS, Claim, claim
from letters.actions.outbox.handing_over import finish_stranded, hand_over
from letters.actions.outbox.making import Made, make
from letters.actions.outbox.releasing import release
from letters.actions.outbox.sweeping import Swept, requeue_unheld, sweep
from letters.actions.outbox.working import make_and_hand_over, work

__all__ = [
    "LEASE_SECONDS",
    "Claim",
    "Made",
    "Swept",
    "call_each",
    "claim",
    "finish_stranded",
    "hand_over",
    "make",
    "make_and_hand_over",
    "release",
    "requeue_unheld",
    "sweep",
    "work",
]

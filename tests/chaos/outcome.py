"""What became of every message: what we believe held against what the suppliers accepted."""

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.holds import violations
from tests.chaos.worker import LEASE_SECONDS


def settle(chaos: Any, *, until: float) -> dict[str, Any]:
    """Lets workers finish, and has doubts settled and failures tried again as people do, until nothing is open.

    Returns how much of that there was.
    """
    from django.utils import timezone

    from benchmarks.letters_people import Senders
    from letters.actions.batches import retry_failed
    from letters.actions.reconcile import reconcile
    from letters.models import Batch
    from shielding.accounts.models import Membership

    senders = Senders(*Membership.objects.select_related("user", "organisation").order_by("user__email"))
    chaos.world.misbehave(chaos.world.notify)
    chaos.world.misbehave(chaos.world.printer)
    doubts = found = never_there = tried_again = 0
    _wait(chaos, until=until)
    while time.monotonic() < until:
        doubts += chaos.states()["IN_DOUBT"]
        settled = reconcile(at=timezone.now(), grace=timedelta(0))
        found, never_there = found + settled.found, never_there + settled.never_there
        again = 0
        for batch in Batch.objects.exclude(state="STOPPED"):
            again += retry_failed(batch_id=batch.pk, by=senders.operator, at=timezone.now())
        tried_again += again
        _wait(chaos, until=until)
        states = chaos.states()
        if not again and not states["IN_DOUBT"]:
            break
    return {
        "in_doubt": doubts,
        "found_by_reconciliation": found,
        "never_there": never_there,
        "tried_again": tried_again,
    }


def _wait(chaos: Any, *, until: float) -> None:
    """Waits until nothing waits, is made or released, which takes a lease where a worker died."""
    quiet = 0
    while time.monotonic() < until and quiet < 3:
        chaos.wake()
        time.sleep(0.5)
        states = chaos.sample()
        quiet = 0 if states["WAITING"] + states["MAKING"] + states["RELEASED"] else quiet + 1


def outcome(chaos: Any, holds: Any) -> dict[str, Any]:
    """Returns the figures of a run; everything in `must_be_zero` is a promise."""
    from letters.models import Message
    from letters.rules import read_reference

    there = chaos.world
    rows = list(Message.objects.values_list("id", "patient_id", "channel", "state", "released_at"))
    must_be_zero: dict[str, int] = {}
    figures: dict[str, Any] = {}
    for name, channel, supplier in (("letters", "LETTER", there.printer), ("texts", "SMS", there.notify)):
        ours = {row[0]: row for row in rows if row[2] == channel}
        accepted = there.accepted(supplier)
        ids = [read_reference(each["reference"])[0] for each in accepted]
        handed_over = {id_ for id_, row in ours.items() if row[3] == "HANDED_OVER"}
        held = {id_ for id_, row in ours.items() if row[3] == "HELD"}
        figures[name] = {
            "planned": len(ours),
            "accepted": len(accepted),
            "handed_over": len(handed_over),
            "held_at_the_end": len(held),
        }
        must_be_zero |= {
            f"{name} accepted twice": len(ids) - len(set(ids)),
            f"{name} lost": len(handed_over - set(ids)),
            f"{name} accepted that we do not know of": len(set(ids) - handed_over),
            f"{name} with no end": len(ours.keys() - handed_over - held),
            f"{name} accepted under a hold": violations(
                holds,
                {id_: (row[1], row[4].timestamp()) for id_, row in ours.items() if row[4]},
                {id_: datetime.fromisoformat(each["at"]).timestamp() for id_, each in zip(ids, accepted, strict=True)},
            ),
        }
    must_be_zero["ledger samples that did not add up"] = len(chaos.wrong_samples)
    return {
        **figures,
        "must_be_zero": must_be_zero,
        "workers_killed": chaos.killed,
        "ledger_samples": chaos.samples,
        "wrong_samples": chaos.wrong_samples[:5],
        "looks_without_a_database": chaos.without_database,
        "holds_set_and_lifted": holds.set,
        "lease_seconds": LEASE_SECONDS,
        "states": dict(Counter(row[3] for row in rows)),
    }

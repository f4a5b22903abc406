"""Holds that are set and lifted while workers send, and from when to when each stood for certain."""

import random
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

_PEOPLE_AT_ONCE = 10
_STANDS_SECONDS = (0.5, 8.0)


@dataclass
class Holds:
    """Asks that people are not contacted any more, and takes it back later. Times are this machine's, in seconds."""

    dice: random.Random
    standing: dict[UUID, tuple[float, float]] = field(default_factory=dict)
    stood: defaultdict[UUID, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def change(self) -> None:
        """Sets a few holds and lifts those whose time has come."""
        now = time.time()
        self._lift([person for person, (_, until) in self.standing.items() if until <= now])
        from letters.models import Message

        waiting = Message.objects.filter(state="WAITING").order_by("queued_at", "turn", "id")
        # Among those whose turn is next, since that is where a race would be.
        people = list(waiting.values_list("patient_id", flat=True)[:400])
        chosen = self.dice.sample(people, min(_PEOPLE_AT_ONCE, len(people)))
        self._write(chosen, is_held=True)
        stands_from = time.time()
        for person in chosen:
            self.standing.setdefault(person, (stands_from, stands_from + self.dice.uniform(*_STANDS_SECONDS)))

    def lift_all(self) -> None:
        """Lifts every hold that stands."""
        self._lift(list(self.standing))

    def stood_throughout(self, person: UUID, began: float, ended: float) -> bool:
        """Returns whether a hold on somebody stood from before one moment until after the other."""
        return any(since < began and ended < until for since, until in self.stood[person])

    @property
    def set(self) -> int:
        """How many holds there were."""
        return sum(len(each) for each in self.stood.values())

    def _lift(self, people: list[UUID]) -> None:
        until = time.time()
        self._write(people, is_held=False)
        for person in people:
            self.stood[person].append((self.standing.pop(person)[0], until))

    @staticmethod
    def _write(people: list[UUID], *, is_held: bool) -> None:
        from cohort.models import Patient

        Patient.objects.filter(pk__in=people).update(asked_not_to_be_contacted=is_held)


def violations(holds: Holds, released: Mapping[UUID, tuple[UUID, float]], accepted: Mapping[UUID, float]) -> int:
    """Counts messages that a supplier accepted although a hold on their person stood from release to acceptance.

    `released` is by message: the person, and when it was released; `accepted` when the supplier took it.
    """
    return sum(
        holds.stood_throughout(released[message][0], released[message][1], at)
        for message, at in accepted.items()
        if message in released
    )

"""The ledger: everybody is in exactly one state per stage, and the counts add up, or it says where not.

It joins what the apps count. Each stage's total is counted apart from its parts, and the list and
the flags are counted a second time from the append-only tables.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from cohort.queries.ledger import list_counts
from coordinators.queries import coordination_counts
from letters.queries import HOLD_WORDS, contact_counts, first_campaign
from shielding.accounts.models import Role
from shielding.accounts.policies import Permission

SEE_LEDGER = Permission("see the ledger", frozenset({Role.CENTRAL_OPERATOR}))


class Kind(StrEnum):
    """What a state means to whoever reads the ledger."""

    DONE = "done"
    UNDER_WAY = "under-way"
    WAITING = "waiting"
    OFF = "off"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True)
class Part:
    """One state of a stage and how many people (or needs) are in it. `kind` colours it on the page."""

    label: str
    count: int
    kind: Kind


@dataclass(frozen=True)
class Stage:
    """One stage of the path: a total and the states that must make it up. `note` says more about some of them."""

    title: str
    unit: str
    total: int
    parts: tuple[Part, ...]
    note: str = ""

    @property
    def difference(self) -> int:
        """How many the total has more than the parts; 0 when it adds up."""
        return self.total - sum(part.count for part in self.parts)


@dataclass(frozen=True)
class Check:
    """One number counted in two ways."""

    title: str
    one: int
    other: int


@dataclass(frozen=True)
class Ledger:
    """Where everybody is, at one moment."""

    stages: tuple[Stage, ...]
    checks: tuple[Check, ...]
    figures: Mapping[str, Any]

    @property
    def differences(self) -> list[str]:
        """Says each place where it does not add up, in plain words; empty when it does."""
        stages = [
            f"{stage.title}: the total is {stage.total} but its parts make {stage.total - stage.difference}"
            for stage in self.stages
            if stage.difference
        ]
        checks = [f"{check.title}: {check.one} one way, {check.other} the other" for check in self.checks]
        return stages + [text for text, check in zip(checks, self.checks, strict=True) if check.one != check.other]

    def as_json(self) -> dict[str, Any]:
        """Returns the figures as JSON-ready data, with `adds_up` and `differences`."""
        return {**self.figures, "adds_up": not self.differences, "differences": self.differences}


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Makes every count see the same moment, unless a test holds a transaction of its own already."""
    is_nested = connection.in_atomic_block
    with transaction.atomic():
        if not is_nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def ledger(on: date | None = None) -> Ledger:
    """Returns where everybody is now. Every count sees the same moment. `on`, today if left out, says who is late."""
    with _one_snapshot():
        people = list_counts()
        contact = contact_counts(first_campaign(), on or timezone.localdate())
        care = coordination_counts()
    referrals: Mapping[str, int] = care["referrals"]
    stages = (
        Stage(
            "Flagged by a search",
            "people",
            people.flagged,
            (
                Part("Confirmed by their practice", people.flagged_confirmed, Kind.DONE),
                Part("Removed by their practice", people.flagged_removed, Kind.OFF),
                Part("Waiting for their practice", people.flagged_waiting - people.flagged_unseen, Kind.WAITING),
                Part("Waiting, but on no open practice's list", people.flagged_unseen, Kind.FAILED),
                Part("No longer found, and never reviewed", people.flagged_lapsed, Kind.OFF),
            ),
        ),
        Stage(
            "Flagged or added by a clinician",
            "people",
            people.everybody,
            (
                Part("On the list, validated", people.on_list_validated, Kind.DONE),
                Part("On the list, waiting for their practice", people.on_list_waiting, Kind.WAITING),
                Part("Off the list", people.off_list, Kind.OFF),
            ),
        ),
        Stage(
            "On the list: contact",
            "people",
            people.on_list,
            (
                Part("Contacted", contact["contacted"], Kind.DONE),
                *(
                    Part(f"Held: {_in_a_sentence(HOLD_WORDS[reason])}", count, Kind.HELD)
                    for reason, count in contact["held"].items()
                ),
                *(Part(f"Failed: {failure}", count, Kind.FAILED) for failure, count in contact["failed"].items()),
                Part("Waiting to be sent", contact["waiting"], Kind.WAITING),
                Part("With their practice, which has yet to review them", contact["unreviewed"], Kind.UNDER_WAY),
                Part("Not reviewed in time: held until somebody decides", contact["late"], Kind.HELD),
            ),
            _by_hospitals(contact["contacted_by_hospitals"]),
        ),
        Stage(
            "On the list and validated: coordinator",
            "people",
            people.on_list_validated,
            (
                Part("With a named coordinator", care["with_coordinator"], Kind.DONE),
                Part("Waiting for a coordinator", care["waiting_for_coordinator"], Kind.WAITING),
                Part("Died", care["died"], Kind.OFF),
            ),
        ),
        Stage(
            "Needs found at check-ins",
            "needs",
            care["needs"],
            (
                Part("Referred, not yet taken up by the council", referrals["WAITING"], Kind.WAITING),
                Part("Accepted by the council", referrals["ACCEPTED"], Kind.UNDER_WAY),
                Part("Closed by the council", referrals["CLOSED"], Kind.DONE),
                Part("Rejected by the council", referrals["REJECTED"], Kind.OFF),
                Part("No council known for the postcode", care["needs_without_authority"], Kind.FAILED),
                Part("Kept by the coordinator: restricted record", care["needs_kept_by_coordinator"], Kind.HELD),
            ),
        ),
    )
    checks = (
        Check("People on the list, as kept and as computed from the facts", people.on_list, people.on_list_by_facts),
        Check("People flagged, as kept and as the flags say", people.flagged, people.flagged_by_flags),
        Check(
            "People whom the search still finds, as the facts and as the flags say",
            people.standing_by_facts,
            people.standing_by_flags,
        ),
        Check(
            "People on the list and validated, as the list and as the coordinators count them",
            people.on_list_validated,
            care["validated"],
        ),
        Check(
            "People on the list, as the list and as the letters count them",
            people.on_list,
            contact["people"],
        ),
    )
    figures = {
        "flagged": people.flagged,
        "validated": people.flagged_confirmed + people.flagged_removed,
        "waiting_for_validation": people.flagged_waiting,
        "waiting_and_on_no_list": people.flagged_unseen,
        "lapsed": people.flagged_lapsed,
        "removed": people.flagged_removed,
        "added": people.added,
        "on_the_list": people.on_list,
        "on_the_list_and_validated": people.on_list_validated,
        "contacted": contact["contacted"],
        "contacted_by_hospitals": contact["contacted_by_hospitals"],
        "held": contact["held"],
        "failed": contact["failed"],
        "waiting": contact["waiting"],
        "with_their_practice": contact["unreviewed"],
        "late_and_held_back": contact["late"],
        "with_coordinator": care["with_coordinator"],
        "waiting_for_coordinator": care["waiting_for_coordinator"],
        "needs": care["needs"],
        "referred": sum(referrals.values()),
        "referrals": dict(referrals),
    }
    return Ledger(stages, checks, figures)


def _by_hospitals(people: int) -> str:
    if not people:
        return ""
    return f"{people:,} of those contacted {'has' if people == 1 else 'have'} had a letter of their hospital unit."


def _in_a_sentence(words: str) -> str:
    return words[:1].lower() + words[1:]

"""The people of a practice whom a letter or a text cannot reach, and what is wrong with their address or number.

Whoever is not to be contacted at all, for a reason that no address mends, is left out. Somebody whom
the practice has yet to review is not: the letter that follows should find its way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Q, QuerySet, Value, When

from cohort.addresses import address_faults
from cohort.amending import PreferredChannel
from cohort.models import Patient
from cohort.queries.holds import contact_problem, printed_address
from cohort.rules import Channel, HoldReason
from shielding.accounts.models import Membership

#: What a practice can mend, in the order in which it is shown.
PROBLEMS = (
    HoldReason.LETTER_RETURNED,
    HoldReason.NO_USABLE_ADDRESS,
    HoldReason.NO_FIXED_ABODE,
    HoldReason.NUMBER_UNDELIVERABLE,
    HoldReason.NO_USABLE_NUMBER,
)


@dataclass(frozen=True)
class Person:
    """Somebody with what is wrong. `problems` are of `PROBLEMS`, one for each channel at most.

    `faults` say what is wrong with an address that cannot be printed.
    """

    patient: Patient
    list_id: UUID
    problems: tuple[HoldReason, ...]
    faults: tuple[str, ...]


def contact_problems(by: Membership, problem: str = "") -> QuerySet[Any]:
    """Returns the people of a practice with a problem, by name: all of them, or those with one of `PROBLEMS`.

    They are on the list, and nothing else keeps them from being contacted. Each has `by_letter` and
    `by_text`, the problem of that channel or '', and `printed`. That there is no mobile is a problem
    only of those who would rather have a text. What is no problem picks nobody.
    """
    no_letters = Q(unsafe_channels__contains=[Channel.LETTER.value])
    no_texts = Q(unsafe_channels__contains=[Channel.SMS.value]) | (
        Q(mobile="") & ~Q(preferred_channel=PreferredChannel.SMS.value)
    )
    chosen = Q(by_letter=problem) | Q(by_text=problem) if problem else ~Q(by_letter="", by_text="")
    return (
        Patient.objects.filter(
            practice_id=by.organisation_id,
            entry__practice_list__practice_id=by.organisation_id,
            entry__is_on_list=True,
            death_status="",
            is_restricted=False,
            is_invalid=False,
            moved_away_code="",
            asked_not_to_be_contacted=False,
        )
        .annotate(
            by_letter=Case(When(no_letters, then=Value("")), default=contact_problem(Channel.LETTER)),
            by_text=Case(When(no_texts, then=Value("")), default=contact_problem(Channel.SMS)),
        )
        .annotate(printed=printed_address())
        .filter(chosen)
        .select_related("entry")
        .order_by("family_name", "given_name", "pk")
    )


def counts(by: Membership) -> Mapping[HoldReason, int]:
    """Returns how many of a practice's people have each problem, those that nobody has left out.

    Somebody with two is counted under both.
    """
    found = dict.fromkeys(PROBLEMS, 0)
    for *problems, people in (
        contact_problems(by).order_by().values_list("by_letter", "by_text").annotate(people=Count("pk"))
    ):
        for problem in problems:
            if problem:
                found[HoldReason(problem)] += people
    return {problem: people for problem, people in found.items() if people}


def how_many(by: Membership) -> int:
    """Returns how many people of a practice have a problem."""
    return contact_problems(by).count()


def person(row: Any) -> Person:
    """Returns one row of `contact_problems` with what is wrong in words."""
    problems = tuple(HoldReason(each) for each in (row.by_letter, row.by_text) if each)
    lines = row.printed.split("\n")
    faults = tuple(address_faults(lines)) if HoldReason.NO_USABLE_ADDRESS in problems else ()
    return Person(row, row.entry.practice_list_id, problems, faults)

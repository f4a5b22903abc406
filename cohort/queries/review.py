"""Reads for the review of one person: the reasons, the evidence, and what was said about them.

Like `cohort.queries.worklists`, it reaches nobody but the people of the membership's own practice.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, F, OuterRef

from cohort.models import Evidence, Flag, ListEntry, ListFact, SearchRun
from cohort.queries.worklists import entries, standing_flags
from shielding.accounts.models import Membership


@dataclass(frozen=True)
class Reason:
    """A criterion somebody meets, by the newest search, with the records that make them meet it."""

    flag: Flag
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """All that the review of one person needs. `facts` are newest first, with `is_withdrawn`.

    `lost_in` is the search that found them no longer; None while one finds them, or where none ever did.
    """

    entry: ListEntry
    reasons: list[Reason]
    facts: list[ListFact]
    lost_in: SearchRun | None = None

    @property
    def because(self) -> ListFact | None:
        """The fact that decides whether they are on the list."""
        return next((fact for fact in self.facts if fact.pk == self.entry.because_id), None)


def version(entry: ListEntry) -> str:
    """Returns a token of what is decided about somebody: another token, another decision, or a reason to look again.

    A page carries it, and an action compares it, so that no decision is made without seeing the last one.
    """
    reviewed = entry.reviewed_at.isoformat() if entry.reviewed_at else ""
    again = f"/{entry.recheck_at.isoformat()}" if entry.recheck_at else ""
    return f"{entry.review_state}/{reviewed}/{entry.because_id or ''}{again}"


def entry(by: Membership, list_id: UUID, patient_id: UUID) -> ListEntry:
    """Returns one entry of a list, with its patient and who reviewed it. Raises ListEntry.DoesNotExist."""
    return (
        entries(by)
        .select_related("patient", "practice_list", "reviewed_by")
        .get(pk=patient_id, practice_list_id=list_id)
    )


def person(by: Membership, list_id: UUID, patient_id: UUID) -> Person:
    """Returns all that the review of one person needs, in five queries at most. Raises ListEntry.DoesNotExist."""
    found = entry(by, list_id, patient_id)
    flags = list(
        standing_flags()
        .filter(patient_id=patient_id)
        .select_related("criterion_version__criterion", "run")
        .order_by("criterion_version__criterion__title")
    )
    lost_in = None if flags else SearchRun.objects.filter(ended_flags__patient_id=patient_id).order_by("-finished_at")
    evidence: dict[int, list[Evidence]] = defaultdict(list)
    for row in (
        Evidence.objects.filter(flag__in=flags)
        .select_related("code_list_version__code_list")
        .order_by("clause", F("event_date").desc(nulls_last=True), "pk")
    ):
        evidence[row.flag_id].append(row)
    reasons = [Reason(flag, evidence[flag.pk]) for flag in flags]
    return Person(
        entry=found,
        reasons=sorted(reasons, key=lambda reason: reason.flag.criterion_version.criterion.disease_group),
        facts=list(
            ListFact.objects.filter(patient_id=patient_id)
            .select_related("by", "organisation")
            .annotate(is_withdrawn=Exists(ListFact.objects.filter(withdraws_id=OuterRef("pk"))))
            .order_by("-at", "-pk")
        ),
        lost_in=lost_in.first() if lost_in is not None else None,
    )

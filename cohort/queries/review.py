"""Reads for the review of one person: the reasons, the evidence, and what was said about them.

Like `cohort.queries.worklists`, it reaches nobody but the people of the membership's own practice.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, F, OuterRef

from cohort.models import Amendment, Evidence, Flag, ListEntry, ListFact, RemovalDraft, ReviewQuery, SearchRun
from cohort.queries.amendments import amendments
from cohort.queries.questions import questions_about
from cohort.queries.worklists import entries, standing_flags
from cohort.rules import Request
from shielding.accounts.models import Membership


@dataclass(frozen=True)
class Reason:
    """A criterion somebody meets, by the newest search, with the records that make them meet it."""

    flag: Flag
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """All that the review of one person needs. `facts` are newest first, with `is_withdrawn`.

    `questions` are open ones first; `amendments` newest first; `draft` is the user's own removal, half written.
    `lost_in` is the search that found them no longer; None while one finds them, or where none ever did.
    """

    entry: ListEntry
    reasons: list[Reason]
    facts: list[ListFact]
    questions: list[ReviewQuery]
    amendments: list[Amendment]
    draft: RemovalDraft | None = None
    lost_in: SearchRun | None = None

    @property
    def because(self) -> ListFact | None:
        """The fact that decides whether they are on the list."""
        return next((fact for fact in self.facts if fact.pk == self.entry.because_id), None)

    @property
    def standing_amendments(self) -> list[Amendment]:
        """What was mended and still stands."""
        return [row for row in self.amendments if row.ended_at is None]

    @property
    def told(self) -> ListFact | None:
        """The removal that stands and that a clinician has talked over with them, with its `told`."""
        standing = (fact for fact in self.facts if fact.request == Request.REMOVE and not fact.is_withdrawn)  # type: ignore[attr-defined]
        return next((fact for fact in standing if hasattr(fact, "told")), None)


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
    """Returns all that the review of one person needs, in eight queries at most. Raises ListEntry.DoesNotExist."""
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
            .select_related("by", "organisation", "addition", "told")
            .annotate(is_withdrawn=Exists(ListFact.objects.filter(withdraws_id=OuterRef("pk"))))
            .order_by("-at", "-pk")
        ),
        questions=questions_about(by, patient_id),
        amendments=amendments(by, patient_id),
        draft=RemovalDraft.objects.filter(patient_id=patient_id, user_id=by.user_id).first(),
        lost_in=lost_in.first() if lost_in is not None else None,
    )

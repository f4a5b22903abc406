"""The life of a draft of a criterion: its states, its legal moves, and what stands in the way of publishing it.

Pure: no Django, no clock, no I/O.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

from cohort.search.assurance import CaseResult
from cohort.search.checks import Problem, Severity


class DraftState(StrEnum):
    """Where a draft stands. PROPOSED drafts wait for a second clinician."""

    DRAFT = "DRAFT"
    PROPOSED = "PROPOSED"
    PUBLISHED = "PUBLISHED"
    DISCARDED = "DISCARDED"


#: A proposed draft that is changed or declined is a draft again. Enforced in the database.
DRAFT_TRANSITIONS: dict[DraftState, frozenset[DraftState]] = {
    DraftState.DRAFT: frozenset({DraftState.PROPOSED, DraftState.DISCARDED}),
    DraftState.PROPOSED: frozenset({DraftState.DRAFT, DraftState.PUBLISHED, DraftState.DISCARDED}),
    DraftState.PUBLISHED: frozenset(),
    DraftState.DISCARDED: frozenset(),
}

#: Drafts that are still being argued over: one at a time for each criterion.
OPEN_DRAFTS = frozenset({DraftState.DRAFT, DraftState.PROPOSED})


class SignOffOutcome(StrEnum):
    """What the second clinician said."""

    APPROVED = "APPROVED"
    DECLINED = "DECLINED"


def obstacles(problems: Sequence[Problem], cases: Sequence[CaseResult]) -> list[str]:
    """Returns what keeps a draft from being proposed, approved and published, a sentence each; empty where nothing."""
    errors = [f"{problem.what} {problem.do}" for problem in problems if problem.severity is Severity.ERROR]
    failing = [f"Example person “{result.case.name}”: {result.in_words}" for result in cases if not result.is_passed]
    return errors + failing


def may_sign_off(clinician: object, *, authors: Collection[object]) -> bool:
    """Says whether somebody may sign a draft off: anybody who has not changed it themselves."""
    return clinician not in authors

"""The decisions of the cohort app: who is on the list, who may not be contacted, which moves are legal.

Pure: no Django, no clock, no I/O.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class FactSource(StrEnum):
    """Who said it."""

    ALGORITHM = "ALGORITHM"
    RISK_MODEL = "RISK_MODEL"
    GP = "GP"
    HOSPITAL = "HOSPITAL"
    PATIENT = "PATIENT"


class Request(StrEnum):
    """What a fact asks for: on the list (a hit, an addition, flag H) or off it (a subtraction, flag M or L)."""

    ADD = "ADD"
    REMOVE = "REMOVE"


#: Whose requests beat the algorithm and the risk model, the latest among them winning. The person's
#: own request to be taken off counts with the clinicians': a later one may put them back.
DECISIVE = frozenset({FactSource.GP, FactSource.HOSPITAL, FactSource.PATIENT})


@dataclass(frozen=True)
class Fact:
    """One row of the append-only table: `sequence` breaks ties between facts of the same moment."""

    sequence: int
    source: FactSource
    request: Request
    at: datetime
    is_withdrawn: bool = False


@dataclass(frozen=True)
class Membership:
    """Whether somebody is on the list, and the fact that decided it (None where no fact stands)."""

    is_on_list: bool
    because: Fact | None


def membership(facts: Iterable[Fact]) -> Membership:
    """Returns the composite of one person's facts (domain, section 5).

    The latest standing request of a GP, a hospital or the person decides. Where there is none, any
    hit of the algorithm or the risk model puts the person on the list, and the earliest is why.
    Withdrawn facts count for nothing, so withdrawing one recomputes the person.
    """
    standing = sorted((fact for fact in facts if not fact.is_withdrawn), key=lambda fact: (fact.at, fact.sequence))
    decisive = [fact for fact in standing if fact.source in DECISIVE]
    if decisive:
        return Membership(decisive[-1].request is Request.ADD, decisive[-1])
    hits = [fact for fact in standing if fact.request is Request.ADD]
    if hits:
        return Membership(True, hits[0])
    return Membership(False, standing[-1] if standing else None)


class ReviewState(StrEnum):
    """Where an entry stands with the practice. ADDED people came from a clinician, not from the search.

    LAPSED: nobody had reviewed them when the last hit went, so they are off the list and off the
    practice's hands (see `unreviewed`).
    """

    TO_REVIEW = "TO_REVIEW"
    CONFIRMED = "CONFIRMED"
    REMOVED = "REMOVED"
    ADDED = "ADDED"
    LAPSED = "LAPSED"


#: From each review state, the states a practice may move an entry to. Enforced in the database.
REVIEW_TRANSITIONS: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.TO_REVIEW: frozenset(
        {ReviewState.CONFIRMED, ReviewState.REMOVED, ReviewState.ADDED, ReviewState.LAPSED}
    ),
    ReviewState.CONFIRMED: frozenset({ReviewState.REMOVED, ReviewState.TO_REVIEW}),
    ReviewState.REMOVED: frozenset({ReviewState.CONFIRMED, ReviewState.ADDED, ReviewState.TO_REVIEW}),
    ReviewState.ADDED: frozenset({ReviewState.REMOVED, ReviewState.CONFIRMED, ReviewState.TO_REVIEW}),
    ReviewState.LAPSED: frozenset({ReviewState.TO_REVIEW, ReviewState.CONFIRMED, ReviewState.REMOVED}),
}

#: Nobody at a practice has decided about an entry in one of these.
UNREVIEWED = frozenset({ReviewState.TO_REVIEW, ReviewState.LAPSED})


def unreviewed(facts: Iterable[Fact]) -> ReviewState:
    """Returns where somebody stands whom nobody has reviewed: LAPSED once no hit and nobody's request holds them.

    A hit is the algorithm's or the risk model's. Whoever is on the list by another's request is
    still to be reviewed, so whoever is LAPSED is off the list.
    """
    standing = [fact for fact in facts if not fact.is_withdrawn]
    is_hit = any(fact.source not in DECISIVE and fact.request is Request.ADD for fact in standing)
    return ReviewState.TO_REVIEW if is_hit or membership(standing).is_on_list else ReviewState.LAPSED


class Recheck(StrEnum):
    """Why somebody whom a practice has decided about comes back for another look."""

    REASON_NEW = "REASON_NEW"
    REASON_GONE = "REASON_GONE"
    MOVED_HERE = "MOVED_HERE"
    DETAILS_CHANGED = "DETAILS_CHANGED"
    HOSPITAL_DISAGREES = "HOSPITAL_DISAGREES"


class NotConfirmed(StrEnum):
    """Why somebody who was selected to be confirmed together with others was not."""

    DECIDED_SINCE = "DECIDED_SINCE"
    QUESTION_OPEN = "QUESTION_OPEN"
    DIED = "DIED"
    NOT_ON_LIST = "NOT_ON_LIST"


class Strength(StrEnum):
    """How strong the evidence of the search is, for a practice to decide the clear ones together."""

    CLEAR = "CLEAR"
    LIKELY = "LIKELY"
    DOUBTFUL = "DOUBTFUL"


def strength(records: Iterable[tuple[str, str, date | None]]) -> Strength:
    """Returns how strong the coded records (source, code, date) behind somebody's flags are, all flags together.

    CLEAR where two sources agree: a slip in one record system is not repeated in another. DOUBTFUL where
    it is medicines alone, for they are given for other conditions too and nobody has coded this one; or
    one single record, which may be a slip, a family history or a suspicion; or none, only age or sex.
    LIKELY else: one source that says it more than once. `cohort.actions.order` says the same in SQL.
    """
    known = set(records)
    sources = {source for source, _, _ in known}
    if len(sources) > 1:
        return Strength.CLEAR
    if len(known) < 2 or sources == {"MEDICINES"}:
        return Strength.DOUBTFUL
    return Strength.LIKELY


class RemovalReason(StrEnum):
    """Why a practice takes somebody off the list."""

    CONDITION_NOT_PRESENT = "CONDITION_NOT_PRESENT"
    CONDITION_RESOLVED = "CONDITION_RESOLVED"
    LOW_RISK = "LOW_RISK"
    MOVED_AWAY = "MOVED_AWAY"
    DIED = "DIED"
    ADDED_BY_MISTAKE = "ADDED_BY_MISTAKE"  # the practice took its own addition back
    OTHER = "OTHER"


#: Of these removals nobody is told: the dead, and those whose addition was a slip.
TOLD_BY_NOBODY = frozenset({RemovalReason.DIED, RemovalReason.ADDED_BY_MISTAKE})


class RunKind(StrEnum):
    """Whether a run searches everybody, or only those whose records, age or windows have changed since another."""

    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"


class RunState(StrEnum):
    """Where a search run stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    LANDED = "LANDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


#: RUNNING to RUNNING: a run whose worker died is taken up again. Enforced in the database.
RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.FAILED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.LANDED, RunState.FAILED, RunState.CANCELLED}),
    RunState.LANDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
}


class HoldReason(StrEnum):
    """Why somebody must not be contacted (domain, section 6), the gravest first: one is shown, the first."""

    DIED = "DIED"
    REPORTED_DEAD = "REPORTED_DEAD"
    RESTRICTED = "RESTRICTED"
    RECORD_INVALID = "RECORD_INVALID"
    MOVED_AWAY = "MOVED_AWAY"
    OFF_LIST = "OFF_LIST"
    NOT_REVIEWED = "NOT_REVIEWED"
    BACK_ON_LIST = "BACK_ON_LIST"
    REMOVAL_NOT_TOLD = "REMOVAL_NOT_TOLD"
    ASKED_NOT_TO_BE_CONTACTED = "ASKED_NOT_TO_BE_CONTACTED"
    UNSAFE_CHANNEL = "UNSAFE_CHANNEL"
    LETTER_RETURNED = "LETTER_RETURNED"
    NUMBER_UNDELIVERABLE = "NUMBER_UNDELIVERABLE"
    NO_FIXED_ABODE = "NO_FIXED_ABODE"
    NO_USABLE_ADDRESS = "NO_USABLE_ADDRESS"
    NO_USABLE_NUMBER = "NO_USABLE_NUMBER"


class Audience(StrEnum):
    """Whom a message is for: people on the list, or people whom their practice has taken off it."""

    LISTED = "LISTED"
    REMOVED = "REMOVED"


class Channel(StrEnum):
    """A way to reach somebody."""

    LETTER = "LETTER"
    SMS = "SMS"


#: A smaller count of people, other than none, can point to somebody.
SMALLEST_COUNT = 5


def suppressed(count: int) -> str:
    """Returns a count of people as it may be told outside the centre: those of 1 to 4 are not told apart."""
    return f"fewer than {SMALLEST_COUNT}" if 0 < count < SMALLEST_COUNT else str(count)

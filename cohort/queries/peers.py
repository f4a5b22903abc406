"""Reads of how many people each practice removes and adds, beside its peers. Counts, no people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.core.cache import cache
from django.db import connection

from cohort.funnel import ALARM, FEWEST_PEOPLE, OUTLIERS, Funnel, Measure, Verdict, funnel
from shielding.accounts.models import Membership

#: Counting all practices reads every entry, so a practice's page may be this much behind.
KEPT_SECONDS = 10 * 60
_KEY = "cohort.peers"
#: Of fewer practices together no rate is told: it could tell what one of them does.
FEWEST_TOGETHER = 5


class Rate(StrEnum):
    """What is compared, per flagged person that the practice has reviewed."""

    REMOVED = "REMOVED"
    ADDED = "ADDED"


MEASURES = {Rate.REMOVED: Measure.PROPORTION, Rate.ADDED: Measure.RATIO}


@dataclass(frozen=True)
class Practice:
    """One practice's counts. `reviewed` are the flagged people it has decided; `removed` are some of them."""

    id: UUID
    code: str
    name: str
    ics_id: UUID | None
    ics: str
    reviewed: int
    removed: int
    added: int

    def cases(self, rate: Rate) -> int:
        """Returns how many people are counted in a rate."""
        return self.removed if rate is Rate.REMOVED else self.added


@dataclass(frozen=True)
class Peers:
    """The counts of every practice that has reviewed anybody, when they were taken, and what they are held against."""

    counted_at: datetime
    practices: Sequence[Practice]
    funnels: dict[Rate, Funnel | None]


@dataclass(frozen=True)
class Compared:
    """One rate of a practice: its own, its care system's and England's (None: too few to say), and the verdict.

    `expected` is the lowest and highest rate that chance allows (99.8 %) among as many people.
    """

    rate: Rate
    practice: Practice
    own: float | None
    ics: float | None
    england: float | None
    expected: tuple[float, float] | None
    z: float | None
    verdict: Verdict


_COUNTS = """
SELECT o.id, o.code, o.name, o.ics_id, coalesce(ics.name, ''), c.reviewed, c.removed, c.added
FROM (
  SELECT l.practice_id, sum(e.reviewed)::int AS reviewed, sum(e.removed)::int AS removed, sum(e.added)::int AS added
  FROM (
    SELECT practice_list_id,
      count(*) FILTER (WHERE is_flagged) AS reviewed,
      count(*) FILTER (WHERE is_flagged AND review_state = 'REMOVED') AS removed,
      count(*) FILTER (WHERE NOT is_flagged AND review_state <> 'REMOVED') AS added
    FROM cohort_listentry WHERE review_state IN ('CONFIRMED', 'REMOVED', 'ADDED') GROUP BY practice_list_id
  ) e JOIN cohort_practicelist l ON l.id = e.practice_list_id GROUP BY l.practice_id
) c
JOIN accounts_organisation o ON o.id = c.practice_id
LEFT JOIN accounts_organisation ics ON ics.id = o.ics_id
ORDER BY upper(o.name), o.code
"""


def count_peers(at: datetime) -> Peers:
    """Returns every practice's counts as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        practices = [Practice(*row) for row in cursor.fetchall()]
    funnels = {
        rate: funnel(measure, [(practice.cases(rate), practice.reviewed) for practice in practices])
        for rate, measure in MEASURES.items()
    }
    return Peers(at, practices, funnels)


def peers(at: datetime) -> Peers:
    """Returns every practice's counts, at most `KEPT_SECONDS` old. For a practice's own page."""
    found = cache.get(_KEY)
    if found is None:
        found = count_peers(at)
        cache.set(_KEY, found, KEPT_SECONDS)
    return found


def own_rates(by: Membership, among: Peers) -> list[Compared]:
    """Returns the rates of somebody's own practice beside its peers'; empty before it has reviewed anybody."""
    own = next((row for row in among.practices if row.id == by.organisation_id), None)
    return [compared(rate, own, among) for rate in Rate] if own else []


def compared(rate: Rate, practice: Practice, among: Peers) -> Compared:
    """Returns one rate of a practice beside its peers'. Too few people or peers give None and TOO_FEW."""
    held_against = among.funnels[rate]
    cases, people = practice.cases(rate), practice.reviewed
    is_judged = held_against is not None and people >= FEWEST_PEOPLE
    return Compared(
        rate,
        practice,
        own=cases / people if people else None,
        ics=_pooled(rate, [row for row in among.practices if row.ics_id and row.ics_id == practice.ics_id]),
        england=_pooled(rate, among.practices),
        expected=held_against.limits(people, ALARM) if held_against and is_judged else None,
        z=held_against.z(cases, people) if held_against and is_judged else None,
        verdict=held_against.verdict(cases, people) if held_against else Verdict.TOO_FEW,
    )


def _pooled(rate: Rate, practices: Sequence[Practice]) -> float | None:
    """Returns the rate of several practices together; None where that could tell what one of them does."""
    judged = [row for row in practices if row.reviewed >= FEWEST_PEOPLE]
    if len(judged) < FEWEST_TOGETHER:
        return None
    return sum(row.cases(rate) for row in judged) / sum(row.reviewed for row in judged)


def outliers(rate: Rate, among: Peers, *, verdicts: frozenset[Verdict] = OUTLIERS) -> list[Compared]:
    """Returns the practices with these verdicts, the farthest from the average first."""
    held_against = among.funnels[rate]
    if held_against is None:
        return []
    england = _pooled(rate, among.practices)
    found = []
    for row in among.practices:
        cases = row.cases(rate)
        verdict = held_against.verdict(cases, row.reviewed)
        if verdict in verdicts:
            limits = held_against.limits(row.reviewed, ALARM)
            z = held_against.z(cases, row.reviewed)
            found.append(Compared(rate, row, cases / row.reviewed, None, england, limits, z, verdict))
    return sorted(found, key=_distance, reverse=True)


def _distance(row: Compared) -> float:
    return abs(row.z or 0.0)

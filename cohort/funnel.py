"""Which practices' rates differ from their peers' by more than chance: a funnel plot. Pure: no Django or I/O.

The method is that of D. J. Spiegelhalter, "Funnel plots for comparing institutional performance",
Statistics in Medicine 2005; 24: 1185-1202. Each practice is held against the rate of all of them
together, with control limits at 95 % (2 standard deviations) and 99.8 % (3), which are wide where
there are few people and narrow where there are many. Counts are compared on scales on which chance
varies alike everywhere (his section on transformations): the arcsine of the square root for
proportions, the square root for ratios. Practices differ for more reasons than chance, so the limits
are widened by the over-dispersion that is seen, Winsorised so that the outliers themselves do not
hide themselves (his appendix).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import asin, pi, sin, sqrt
from statistics import NormalDist

#: Of fewer people nothing is said.
FEWEST_PEOPLE = 20
#: Among fewer practices nothing is compared: one outlier could widen the limits until it is inside.
FEWEST_PRACTICES = 10
#: This share of z-scores at each end is pulled in before the over-dispersion is taken.
WINSORISED = 0.1
WARNING = NormalDist().inv_cdf(1 - 0.05 / 2)
ALARM = NormalDist().inv_cdf(1 - 0.002 / 2)


class Measure(StrEnum):
    """PROPORTION: cases are some of the people. RATIO: cases per person, of which there may be more than people."""

    PROPORTION = "PROPORTION"
    RATIO = "RATIO"


class Verdict(StrEnum):
    """How a rate stands to its peers'. HIGH and LOW are beyond 95 %, VERY_HIGH and VERY_LOW beyond 99.8 %."""

    TOO_FEW = "TOO_FEW"
    AS_EXPECTED = "AS_EXPECTED"
    HIGH = "HIGH"
    LOW = "LOW"
    VERY_HIGH = "VERY_HIGH"
    VERY_LOW = "VERY_LOW"


#: Those that the centre looks at.
OUTLIERS = frozenset({Verdict.VERY_HIGH, Verdict.VERY_LOW})


@dataclass(frozen=True)
class Funnel:
    """What practices are compared with: the rate of all, and by how much the limits are widened (1: not at all)."""

    measure: Measure
    average: float
    widening: float
    practices: int

    def z(self, cases: int, people: int) -> float:
        """Returns how many (widened) standard deviations a rate is above the average; below 0, under it."""
        return _z(self.measure, self.average, cases, people) / self.widening

    def limits(self, people: int, deviations: float) -> tuple[float, float]:
        """Returns the lowest and highest rate that so many standard deviations allow among so many people."""
        reach = deviations * self.widening / (2 * sqrt(people))
        if self.measure is Measure.PROPORTION:
            middle = asin(sqrt(self.average))
            return sin(max(middle - reach, 0)) ** 2, sin(min(middle + reach, pi / 2)) ** 2
        middle = sqrt(self.average)
        return max(middle - reach, 0) ** 2, (middle + reach) ** 2

    def verdict(self, cases: int, people: int) -> Verdict:
        """Returns how a practice stands to the others."""
        if people < FEWEST_PEOPLE:
            return Verdict.TOO_FEW
        z = self.z(cases, people)
        if abs(z) <= WARNING:
            return Verdict.AS_EXPECTED
        if abs(z) <= ALARM:
            return Verdict.HIGH if z > 0 else Verdict.LOW
        return Verdict.VERY_HIGH if z > 0 else Verdict.VERY_LOW


def funnel(measure: Measure, practices: Iterable[tuple[int, int]]) -> Funnel | None:
    """Returns what (cases, people) of each practice are compared with; None where too few can be compared."""
    judged = [(cases, people) for cases, people in practices if people >= FEWEST_PEOPLE]
    if len(judged) < FEWEST_PRACTICES:
        return None
    average = sum(cases for cases, _ in judged) / sum(people for _, people in judged)
    scores = winsorised([_z(measure, average, cases, people) for cases, people in judged])
    dispersion = sum(score**2 for score in scores) / len(scores)
    # Within what chance alone would give (his appendix), the limits stay as they are.
    is_wider = dispersion > 1 + 2 * sqrt(2 / len(scores))
    return Funnel(measure, average, sqrt(dispersion) if is_wider else 1.0, len(judged))


def winsorised(scores: Sequence[float]) -> list[float]:
    """Returns the scores with the lowest and highest tenth pulled in to the next."""
    ranked = sorted(scores)
    cut = int(len(ranked) * WINSORISED)
    lowest, highest = ranked[cut], ranked[-1 - cut]
    return [min(max(score, lowest), highest) for score in ranked]


def _z(measure: Measure, average: float, cases: int, people: int) -> float:
    if measure is Measure.PROPORTION:
        return 2 * sqrt(people) * (asin(sqrt(cases / people)) - asin(sqrt(average)))
    return 2 * (sqrt(cases) - sqrt(people * average))

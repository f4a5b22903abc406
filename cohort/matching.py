"""Whether somebody named on a hospital's list is somebody we know: the rule, on what two records agree about.

Pure: no Django, no clock, no I/O. `cohort.queries.matching` finds whom to compare and how alike the
names are; this says what follows. Nobody is ever matched on a name alone, and whatever leaves room
for a second person (another birth date, another NHS number, a twin, a parent of the same name) is
left to a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class RowState(StrEnum):
    """Where one row of a hospital's list stands.

    MATCHED, DOUBTFUL and NOT_FOUND are what the match says. TAKEN: its request is a fact about the
    person. SAID_ALREADY: the unit's own latest word, which nobody has gone against since, says the
    same. NOT_THEM: the unit says that none of those offered is the person. DIED: a registered death.
    """

    MATCHED = "MATCHED"
    DOUBTFUL = "DOUBTFUL"
    NOT_FOUND = "NOT_FOUND"
    TAKEN = "TAKEN"
    SAID_ALREADY = "SAID_ALREADY"
    NOT_THEM = "NOT_THEM"
    DIED = "DIED"


#: From each state, where a row may go. MATCHED to NOT_FOUND: they were gone from the extracts when the list was
#: sent. Enforced in the database.
ROW_TRANSITIONS: dict[RowState, frozenset[RowState]] = {
    RowState.MATCHED: frozenset({RowState.TAKEN, RowState.SAID_ALREADY, RowState.DIED, RowState.NOT_FOUND}),
    RowState.DOUBTFUL: frozenset(
        {RowState.TAKEN, RowState.SAID_ALREADY, RowState.DIED, RowState.NOT_FOUND, RowState.NOT_THEM}
    ),
    RowState.NOT_FOUND: frozenset(),
    RowState.TAKEN: frozenset(),
    RowState.SAID_ALREADY: frozenset(),
    RowState.NOT_THEM: frozenset(),
    RowState.DIED: frozenset(),
}


class Number(StrEnum):
    """What the NHS numbers say."""

    SAME = "SAME"
    OTHER = "OTHER"
    NOT_GIVEN = "NOT_GIVEN"


class Born(StrEnum):
    """What the birth dates say. NEAR is a slip in writing: day and month changed places, or one digit is another."""

    SAME = "SAME"
    NEAR = "NEAR"
    OTHER = "OTHER"


@dataclass(frozen=True)
class Comparison:
    """One row beside one person we know, whose NHS number is `nhs_number`.

    `given_name` and `family_name` say how alike the names are, from 0 to 1 (the same but for case,
    accents and signs), by Jaro and Winkler; crossed over where `is_swapped`.
    """

    nhs_number: str
    number: Number
    born: Born
    given_name: float
    family_name: float
    is_swapped: bool
    is_same_postcode: bool


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be meant: how well they fit, of 100, and what agrees, in words fit to show."""

    nhs_number: str
    score: int
    agrees: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What a match says: MATCHED has one candidate, DOUBTFUL up to three with the best first, NOT_FOUND none."""

    state: RowState
    candidates: tuple[Candidate, ...] = ()


#: Less alike than this, names say nothing. `cohort.queries.matching` compares nobody who could not reach the score.
ALIKE = 0.85
#: From here on somebody may be meant. A birth date and one name alone stay below it: in a country that is many people.
WORTH_A_LOOK = 70
MOST_OFFERED = 3
_BORN = {Born.SAME: 40, Born.NEAR: 20, Born.OTHER: 0}
_FAMILY_NAME, _GIVEN_NAME, _POSTCODE = 25, 15, 20


def born(one: date, other: date) -> Born:
    """Returns what two birth dates say."""
    if one == other:
        return Born.SAME
    is_turned = (one.year, one.month, one.day) == (other.year, other.day, other.month)
    wrong = sum(a != b for a, b in zip(f"{one:%Y%m%d}", f"{other:%Y%m%d}", strict=True))
    return Born.NEAR if is_turned or wrong == 1 else Born.OTHER


def score(found: Comparison) -> int:
    """Returns how well somebody fits, of 100: birth date 40, family name 25, postcode 20, given name 15."""
    names = [
        round(weight * alike) if alike >= ALIKE else 0
        for weight, alike in ((_FAMILY_NAME, found.family_name), (_GIVEN_NAME, found.given_name))
    ]
    return _BORN[found.born] + sum(names) + _POSTCODE * found.is_same_postcode


def decide(found: Iterable[Comparison]) -> Verdict:
    """Returns who is meant, of everybody worth comparing with one row.

    MATCHED where the NHS number is theirs and the birth date agrees, unless both names are other
    people's; or, without a number, where birth date, both names and postcode are the same for one
    person alone. DOUBTFUL for the same number with another birth date, and for whoever scores
    WORTH_A_LOOK. A number of somebody else never leads to a match by name.
    """
    compared = list(found)
    own = [each for each in compared if each.number is Number.SAME]
    if len(own) == 1 and own[0].born is Born.SAME and max(own[0].given_name, own[0].family_name) >= ALIKE:
        return Verdict(RowState.MATCHED, (_candidate(own[0]),))
    exact = [each for each in compared if each.number is Number.NOT_GIVEN and _is_exact(each)]
    if len(exact) == 1:
        return Verdict(RowState.MATCHED, (_candidate(exact[0]),))
    others = [each for each in compared if each.number is not Number.SAME and score(each) >= WORTH_A_LOOK]
    others.sort(key=lambda each: (-score(each), each.nhs_number))
    offered = [*own, *others][:MOST_OFFERED]
    if not offered:
        return Verdict(RowState.NOT_FOUND)
    return Verdict(RowState.DOUBTFUL, tuple(_candidate(each) for each in offered))


def _is_exact(found: Comparison) -> bool:
    names_are_same = found.given_name == found.family_name == 1 and not found.is_swapped
    return found.born is Born.SAME and names_are_same and found.is_same_postcode


def _candidate(found: Comparison) -> Candidate:
    words = [
        ("NHS number", found.number is Number.SAME),
        ("date of birth", found.born is Born.SAME),
        ("date of birth, nearly", found.born is Born.NEAR),
        ("names, the other way round", found.is_swapped),
        *(
            (name if alike == 1 else f"{name}, nearly", alike >= ALIKE and not found.is_swapped)
            for name, alike in (("given name", found.given_name), ("family name", found.family_name))
        ),
        ("postcode", found.is_same_postcode),
    ]
    return Candidate(found.nhs_number, score(found), tuple(word for word, is_so in words if is_so))

"""The rule of matching, case by case: nobody is matched where a second person could be meant."""

from dataclasses import replace
from datetime import date

import pytest

from cohort.matching import MOST_OFFERED, Born, Comparison, Number, RowState, born, decide, score

M, D, N = RowState.MATCHED, RowState.DOUBTFUL, RowState.NOT_FOUND
#: Everything given agrees, with no NHS number.
SAME = Comparison("9990000018", Number.NOT_GIVEN, Born.SAME, 1.0, 1.0, False, True)
NUMBER = replace(SAME, number=Number.SAME)

CASES = [
    ("number and birth date", NUMBER, M),
    ("number and birth date, moved house", replace(NUMBER, is_same_postcode=False), M),
    ("number and birth date, married name", replace(NUMBER, family_name=0.4), M),
    (
        "number and birth date, both names another's: a twin's number",
        replace(NUMBER, given_name=0.5, family_name=0.4),
        D,
    ),
    ("number, birth date a slip away", replace(NUMBER, born=Born.NEAR), D),
    ("number, another birth date", replace(NUMBER, born=Born.OTHER), D),
    ("number alone", Comparison("9990000018", Number.SAME, Born.OTHER, 0.0, 0.0, False, False), D),
    ("no number, all else the same", SAME, M),
    ("no number, names the other way round", replace(SAME, is_swapped=True), D),
    ("no number, another given name: a twin", replace(SAME, given_name=0.5), D),
    ("no number, given name nearly: perhaps a twin", replace(SAME, given_name=0.95), D),
    ("no number, family name nearly", replace(SAME, family_name=0.95), D),
    ("no number, moved house", replace(SAME, is_same_postcode=False), D),
    ("no number, married name, same house", replace(SAME, family_name=0.3), D),
    ("no number, birth date a slip away", replace(SAME, born=Born.NEAR), D),
    ("no number, another birth date: a parent of the same name", replace(SAME, born=Born.OTHER), N),
    ("no number, birth date and family name alone", replace(SAME, given_name=0.2, is_same_postcode=False), N),
    ("no number, birth date and given name alone", replace(SAME, family_name=0.2, is_same_postcode=False), N),
    ("no number, birth date and postcode alone", replace(SAME, given_name=0.2, family_name=0.2), N),
    ("no number, a slip in the birth date and moved house", replace(SAME, born=Born.NEAR, is_same_postcode=False), N),
    ("another number, all else the same", replace(SAME, number=Number.OTHER), D),
    ("another number, another birth date", replace(SAME, number=Number.OTHER, born=Born.OTHER), N),
]


@pytest.mark.parametrize(("compared", "state"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_table(compared: Comparison, state: RowState) -> None:
    verdict = decide([compared])
    assert verdict.state is state
    assert len(verdict.candidates) == (state is not N)


def test_two_people_who_agree_in_everything_are_left_to_a_person() -> None:
    verdict = decide([SAME, replace(SAME, nhs_number="9990000026")])
    assert (verdict.state, len(verdict.candidates)) == (D, 2)


def test_a_twin_beside_the_one_who_is_meant_changes_nothing() -> None:
    twin = replace(SAME, nhs_number="9990000026", given_name=0.9)
    verdict = decide([twin, SAME])
    assert (verdict.state, [each.nhs_number for each in verdict.candidates]) == (M, ["9990000018"])


def test_whoever_has_the_number_comes_first_then_the_best_and_no_more_than_three() -> None:
    wrong_date = replace(NUMBER, nhs_number="9990000999", born=Born.OTHER, given_name=0.1, family_name=0.1)
    others = [
        replace(SAME, nhs_number=f"999000000{n}", number=Number.OTHER, given_name=alike)
        for n, alike in enumerate([0.9, 1.0, 0.88])
    ]
    verdict = decide([*others, wrong_date])
    assert [each.nhs_number for each in verdict.candidates] == ["9990000999", "9990000001", "9990000000"]
    assert len(verdict.candidates) == MOST_OFFERED


def test_a_candidate_says_what_agrees() -> None:
    near = replace(SAME, number=Number.OTHER, born=Born.NEAR, given_name=0.9)
    (candidate,) = decide([near]).candidates
    assert candidate.agrees == ("date of birth, nearly", "given name, nearly", "family name", "postcode")
    (swapped,) = decide([replace(SAME, is_swapped=True)]).candidates
    assert swapped.agrees == ("date of birth", "names, the other way round", "postcode")


def test_the_score_is_of_100() -> None:
    assert score(SAME) == 100
    assert score(replace(SAME, given_name=0.849, family_name=0.849, born=Born.OTHER, is_same_postcode=False)) == 0


BIRTH_DATES = [
    (date(1961, 2, 14), date(1961, 2, 14), Born.SAME),
    (date(1961, 2, 4), date(1961, 4, 2), Born.NEAR),
    (date(1961, 2, 14), date(1967, 2, 14), Born.NEAR),
    (date(1961, 2, 14), date(1971, 2, 14), Born.NEAR),
    (date(1961, 2, 14), date(1962, 2, 15), Born.OTHER),
    (date(1961, 2, 14), date(1961, 3, 15), Born.OTHER),
]


@pytest.mark.parametrize(("one", "other", "says"), BIRTH_DATES)
def test_birth_dates(one: date, other: date, says: Born) -> None:
    assert born(one, other) is says
    assert born(other, one) is says

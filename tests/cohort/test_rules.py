"""The decision table of `domain.md` section 5, as records in and decisions out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.rules import (
    DECISIVE,
    REVIEW_TRANSITIONS,
    Fact,
    FactSource,
    Request,
    ReviewState,
    membership,
    unreviewed,
)

START = datetime(2020, 3, 14, 9, tzinfo=UTC)
ADD, REMOVE = Request.ADD, Request.REMOVE
ALGORITHM, RISK_MODEL, GP = FactSource.ALGORITHM, FactSource.RISK_MODEL, FactSource.GP
HOSPITAL, PATIENT = FactSource.HOSPITAL, FactSource.PATIENT

#: (what it is, facts in the order they were said, is the person on the list). One row of the table each, or more.
#: Shared with `validation/test_facts.py`, which asks PostgreSQL the same.
DECISION_TABLE = [
    ("no facts", [], False),
    ("algorithm hit, not on the list", [(ALGORITHM, ADD)], True),
    ("algorithm hit, removed earlier by a GP", [(GP, REMOVE), (ALGORITHM, ADD)], False),
    ("algorithm hit, removed earlier by a hospital", [(HOSPITAL, ADD), (HOSPITAL, REMOVE), (ALGORITHM, ADD)], False),
    ("GP flags high, not on the list", [(GP, ADD)], True),
    ("GP flags high, on the list", [(ALGORITHM, ADD), (GP, ADD)], True),
    ("GP flags high somebody whom he took off", [(GP, REMOVE), (GP, ADD)], True),
    ("GP flags lower, on the list by the algorithm", [(ALGORITHM, ADD), (GP, REMOVE)], False),
    ("GP flags lower, on the list by himself", [(GP, ADD), (GP, REMOVE)], False),
    ("GP flags lower, not on the list", [(GP, REMOVE)], False),
    ("hospital adds, not on the list", [(HOSPITAL, ADD)], True),
    ("hospital adds, on the list", [(ALGORITHM, ADD), (HOSPITAL, ADD)], True),
    ("hospital subtracts, on the list", [(ALGORITHM, ADD), (HOSPITAL, REMOVE)], False),
    ("hospital subtracts, not on the list", [(HOSPITAL, REMOVE)], False),
    ("risk model adds, not on the list", [(RISK_MODEL, ADD)], True),
    ("risk model adds, removed by a GP", [(GP, REMOVE), (RISK_MODEL, ADD)], False),
    ("GP removes, then the hospital adds", [(GP, REMOVE), (HOSPITAL, ADD)], True),
    ("hospital adds, then the GP removes", [(HOSPITAL, ADD), (GP, REMOVE)], False),
    ("GP adds, then the hospital subtracts", [(GP, ADD), (HOSPITAL, REMOVE)], False),
    ("hospital subtracts, then the GP adds", [(HOSPITAL, REMOVE), (GP, ADD)], True),
    ("person asks to be off, on by the algorithm", [(ALGORITHM, ADD), (PATIENT, REMOVE)], False),
    ("person asks to be off, on by a GP", [(GP, ADD), (PATIENT, REMOVE)], False),
    ("person asked to be off, algorithm hits", [(PATIENT, REMOVE), (ALGORITHM, ADD)], False),
    ("person asked to be off, then comes back with the GP", [(PATIENT, REMOVE), (GP, ADD)], True),
]
TABLE_IDS = [row[0].replace(" ", "-") for row in DECISION_TABLE]


def in_order(said: list[tuple[FactSource, Request]]) -> list[Fact]:
    return [Fact(n, source, request, START + timedelta(days=n)) for n, (source, request) in enumerate(said)]


facts = st.lists(
    st.builds(
        Fact,
        sequence=st.integers(0, 10_000),
        source=st.sampled_from(FactSource),
        request=st.sampled_from(Request),
        at=st.integers(0, 5).map(lambda days: START + timedelta(days=days)),  # few days, so that moments tie
        is_withdrawn=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda fact: fact.sequence,
)


@pytest.mark.parametrize(("what", "said", "is_on_list"), DECISION_TABLE, ids=TABLE_IDS)
def test_the_decision_table(what: str, said: list[tuple[FactSource, Request]], is_on_list: bool) -> None:
    assert membership(in_order(said)).is_on_list is is_on_list


@given(facts, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_are_read_does_not_matter(given_facts: list[Fact], random: object) -> None:
    shuffled = list(given_facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert membership(shuffled) == membership(given_facts)


@given(facts)
def test_a_withdrawn_fact_is_as_if_it_had_never_been(given_facts: list[Fact]) -> None:
    assert membership(given_facts) == membership([fact for fact in given_facts if not fact.is_withdrawn])


@given(facts, st.sampled_from([ALGORITHM, RISK_MODEL]), st.integers(-3, 8))
def test_no_hit_overrides_a_standing_decision(given_facts: list[Fact], source: FactSource, days: int) -> None:
    hit = Fact(99_999, source, ADD, START + timedelta(days=days))
    before = membership(given_facts)
    if any(fact.source in DECISIVE and not fact.is_withdrawn for fact in given_facts):
        assert membership([*given_facts, hit]) == before
    else:
        assert membership([*given_facts, hit]).is_on_list


@given(facts, st.sampled_from(sorted(DECISIVE)), st.sampled_from(Request))
def test_the_latest_request_of_a_clinician_or_the_person_wins(
    given_facts: list[Fact], source: FactSource, request: Request
) -> None:
    latest = Fact(99_999, source, request, START + timedelta(days=30))
    decided = membership([*given_facts, latest])
    assert decided.is_on_list is (request is ADD)
    assert decided.because == latest


@given(facts)
def test_whoever_is_on_the_list_has_a_standing_fact_that_says_so(given_facts: list[Fact]) -> None:
    decided = membership(given_facts)
    if decided.is_on_list:
        assert decided.because is not None
        assert decided.because.request is ADD
        assert not decided.because.is_withdrawn


@given(facts)
def test_the_unreviewed_lapse_only_once_no_hit_stands_and_nobody_holds_them(given_facts: list[Fact]) -> None:
    standing = [fact for fact in given_facts if not fact.is_withdrawn]
    has_hit = any(fact.source in {ALGORITHM, RISK_MODEL} and fact.request is ADD for fact in standing)
    is_lapsed = unreviewed(given_facts) is ReviewState.LAPSED
    assert is_lapsed is not (has_hit or membership(given_facts).is_on_list)
    assert unreviewed(given_facts) in {ReviewState.LAPSED, ReviewState.TO_REVIEW}


def test_the_later_row_wins_among_facts_of_one_moment() -> None:
    first = Fact(1, GP, ADD, START)
    assert membership([replace(first, sequence=2, request=REMOVE), first]).is_on_list is False


def test_every_review_state_can_be_left_and_a_decision_can_be_changed() -> None:
    assert set(REVIEW_TRANSITIONS) == set(ReviewState)
    for state in (ReviewState.CONFIRMED, ReviewState.ADDED):
        assert ReviewState.REMOVED in REVIEW_TRANSITIONS[state]
    assert ReviewState.CONFIRMED in REVIEW_TRANSITIONS[ReviewState.REMOVED]

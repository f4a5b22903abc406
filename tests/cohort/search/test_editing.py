"""Changing the tree of a rule, as a table of moves; a rule never comes back malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.search.criteria import AllOf, AnyOf, AtLeast, Clause, NoneOf, Records, leaves
from cohort.search.editing import (
    CannotChange,
    Direction,
    GroupKind,
    added,
    clause_at,
    moved,
    removed,
    replaced,
    wrapped,
)
from cohort.search.terms import Threshold
from cohort.search.truth import with_paths
from tests.cohort.search.strategies import clauses

A, B, C, D = (Records(letter, "a-list") for letter in "ABCD")
RULE = AllOf((A, AnyOf((B, C))))
TWO_OF = AtLeast(Threshold(2, "chosen for a test"), (A, B))


def test_clauses_are_found_by_their_path() -> None:
    assert [clause_at(RULE, path) for path in ("", "0", "1", "1.1")] == [RULE, A, AnyOf((B, C)), C]


@pytest.mark.parametrize("path", ["2", "0.0", "1.2", "x", "-1", "1..0"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(CannotChange, match="not there"):
        clause_at(RULE, path)


CHANGES: list[tuple[Clause, Clause]] = [
    (replaced(RULE, "1.0", D), AllOf((A, AnyOf((D, C))))),
    (replaced(RULE, "", D), D),
    (added(RULE, "1", D), AllOf((A, AnyOf((B, C, D))))),
    (added(RULE, "0", D), AllOf((AllOf((A, D)), AnyOf((B, C))))),
    (added(A, "", D), AllOf((A, D))),
    (wrapped(RULE, "1.0", GroupKind.NONE_OF), AllOf((A, AnyOf((NoneOf((B,)), C))))),
    (removed(RULE, "0"), AllOf((AnyOf((B, C)),))),
    (removed(AllOf((A, AnyOf((B,)))), "1.0"), AllOf((A,))),
    (moved(RULE, "0", Direction.DOWN)[0], AllOf((AnyOf((B, C)), A))),
    (moved(RULE, "1.1", Direction.UP)[0], AllOf((A, AnyOf((C, B))))),
    (moved(AllOf((AnyOf((B,)), A)), "1", Direction.IN)[0], AllOf((AnyOf((B, A)),))),
    (moved(RULE, "1.0", Direction.OUT)[0], AllOf((A, AnyOf((C,)), B))),
    (moved(AllOf((A, AnyOf((B,)))), "1.0", Direction.OUT)[0], AllOf((A, B))),
]


@pytest.mark.parametrize(("found", "wanted"), CHANGES)
def test_a_change_gives_the_rule_that_was_meant(found: Clause, wanted: Clause) -> None:
    assert found == wanted


@pytest.mark.parametrize(
    ("rule", "path", "direction"),
    [
        (RULE, "0", Direction.UP),
        (RULE, "1", Direction.DOWN),
        (RULE, "0", Direction.IN),
        (RULE, "1", Direction.IN),
        (RULE, "0", Direction.OUT),
        (RULE, "", Direction.UP),
        (AllOf((TWO_OF, C)), "0.0", Direction.OUT),
    ],
)
def test_a_clause_is_not_moved_where_it_cannot_go(rule: Clause, path: str, direction: Direction) -> None:
    with pytest.raises(CannotChange):
        moved(rule, path, direction)


@pytest.mark.parametrize(("rule", "path"), [(A, ""), (AllOf((AnyOf((A,)),)), "0.0"), (TWO_OF, "1")])
def test_a_clause_that_is_needed_is_not_removed(rule: Clause, path: str) -> None:
    with pytest.raises(CannotChange):
        removed(rule, path)


@given(clauses, st.data())
def test_moving_keeps_every_clause_and_says_where_it_went(rule: Clause, data: st.DataObject) -> None:
    path, clause = data.draw(st.sampled_from(list(with_paths(rule))))
    try:
        after, there = moved(rule, path, data.draw(st.sampled_from(Direction)))
    except CannotChange:
        return
    assert clause_at(after, there) == clause
    assert set(leaves(after)) == set(leaves(rule))

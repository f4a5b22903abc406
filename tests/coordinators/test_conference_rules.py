"""Case conferences, the pure part: why somebody is suggested, what has changed, who may do what."""

from datetime import date
from typing import Any

import pytest

from coordinators.conference_rules import (
    ACTION_TRANSITIONS,
    CONFERENCE_TRANSITIONS,
    ActionState,
    AgendaFacts,
    AgendaReason,
    Change,
    ConferenceState,
    Side,
    Standing,
    agenda_reasons,
    is_left_over,
    may_become,
    may_settle,
)
from coordinators.rules import CheckInOutcome

ON = date(2020, 3, 20)
YOUNG, OLD = date(1990, 1, 1), date(1940, 3, 20)
NO_ANSWER, DONE = CheckInOutcome.NO_ANSWER, CheckInOutcome.COMPLETED
PRACTICE, COUNCIL = Side.PRACTICE, Side.COUNCIL

FACTS: list[tuple[dict[str, Any], list[AgendaReason]]] = [
    ({}, []),
    ({"open_needs": 2}, [AgendaReason.OPEN_NEED]),
    ({"unmet_needs": 1}, [AgendaReason.UNMET_NEED]),
    ({"latest": [NO_ANSWER] * 3}, [AgendaReason.NOT_REACHED]),
    ({"latest": [NO_ANSWER] * 2}, []),
    ({"latest": [DONE, NO_ANSWER, NO_ANSWER]}, []),
    ({"has_phone": False}, [AgendaReason.NO_PHONE]),
    ({"birth_date": OLD}, [AgendaReason.AGE]),
    ({"birth_date": date(1940, 3, 21)}, []),
    (
        {"birth_date": OLD, "has_phone": False, "latest": [NO_ANSWER] * 3, "open_needs": 1, "unmet_needs": 1},
        list(AgendaReason),
    ),
]


@pytest.mark.parametrize(("facts", "reasons"), FACTS)
def test_somebody_is_suggested_for_these_reasons(facts: dict[str, Any], reasons: list[AgendaReason]) -> None:
    assert agenda_reasons(AgendaFacts(**{"birth_date": YOUNG, **facts}), ON) == reasons


#: How somebody stands; what both sides are told; whether practice and council may see who it is.
STANDINGS: list[tuple[dict[str, Any], list[Change], bool, bool]] = [
    ({}, [], True, True),
    ({"death_status": "FORMAL"}, [Change.DIED], True, True),
    ({"death_status": "INFORMAL"}, [Change.REPORTED_DEAD], True, True),
    ({"is_at_practice": False}, [Change.LEFT_PRACTICE], False, True),
    ({"is_restricted": True}, [Change.RESTRICTED], True, False),
    ({"is_in_area": False}, [Change.OUTSIDE_AREA], True, False),
    ({"is_on_list": False}, [Change.OFF_LIST], True, True),
    (
        {"is_at_practice": False, "is_in_area": False, "is_on_list": False},
        [Change.LEFT_PRACTICE, Change.OUTSIDE_AREA, Change.OFF_LIST],
        False,
        False,
    ),
]


@pytest.mark.parametrize(("standing", "changes", "practice", "council"), STANDINGS)
def test_who_may_see_somebody_and_what_has_changed(
    standing: dict[str, Any], changes: list[Change], practice: bool, council: bool
) -> None:
    found = Standing(**standing)

    assert found.changes == changes
    assert (found.may_be_seen_by(PRACTICE), found.may_be_seen_by(COUNCIL)) == (practice, council)


@pytest.mark.parametrize(("standing", "changes", "practice", "council"), STANDINGS)
@pytest.mark.parametrize("owner", Side)
def test_an_action_needs_a_decision_whenever_something_changed(
    standing: dict[str, Any], changes: list[Change], practice: bool, council: bool, owner: Side
) -> None:
    assert is_left_over(owner, Standing(**standing), has_owner_left=False) is bool(changes)
    assert is_left_over(owner, Standing(**standing), has_owner_left=True)


@pytest.mark.parametrize(
    ("side", "owner", "standing", "may"),
    [
        (PRACTICE, PRACTICE, {}, True),
        (PRACTICE, COUNCIL, {}, False),
        (COUNCIL, PRACTICE, {}, False),
        (COUNCIL, COUNCIL, {}, True),
        (PRACTICE, COUNCIL, {"is_restricted": True}, True),
        (PRACTICE, COUNCIL, {"is_in_area": False}, True),
        (PRACTICE, COUNCIL, {"death_status": "FORMAL"}, False),
        (COUNCIL, PRACTICE, {"is_at_practice": False}, False),
        (PRACTICE, PRACTICE, {"is_at_practice": False}, True),
    ],
)
def test_who_may_settle_an_action(side: Side, owner: Side, standing: dict[str, Any], may: bool) -> None:
    assert may_settle(side, owner, Standing(**standing)) is may


@pytest.mark.parametrize("state", ConferenceState)
@pytest.mark.parametrize("to", ConferenceState)
def test_a_conference_makes_only_these_moves(state: ConferenceState, to: ConferenceState) -> None:
    legal = {("PLANNED", "HELD"), ("PLANNED", "CANCELLED"), ("HELD", "CLOSED")}
    assert may_become(state, to) is ((state, to) in legal)
    assert (to in CONFERENCE_TRANSITIONS[state]) is ((state, to) in legal)


def test_a_settled_action_stays_settled() -> None:
    assert {state for state, after in ACTION_TRANSITIONS.items() if not after} == set(ActionState) - {ActionState.OPEN}

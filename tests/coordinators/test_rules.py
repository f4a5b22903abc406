"""The decisions of coordination, as tables."""

import pytest

from coordinators.rules import (
    REFERRAL_TRANSITIONS,
    CheckInOutcome,
    ReferralState,
    can_move,
    death_notice,
    needs_another_way,
    safe_contact,
)

COMPLETED, NO_ANSWER, VOICEMAIL = CheckInOutcome.COMPLETED, CheckInOutcome.NO_ANSWER, CheckInOutcome.VOICEMAIL
WRONG_NUMBER, CALL_BACK, REFUSED = CheckInOutcome.WRONG_NUMBER, CheckInOutcome.CALL_BACK, CheckInOutcome.REFUSED

#: The newest outcomes first, and whether something else is due.
TRIES = [
    ([], False),
    ([NO_ANSWER, NO_ANSWER], False),
    ([NO_ANSWER, NO_ANSWER, NO_ANSWER], True),
    ([NO_ANSWER, VOICEMAIL, WRONG_NUMBER], True),
    ([CALL_BACK, NO_ANSWER, CALL_BACK], True),
    ([NO_ANSWER, VOICEMAIL, NO_ANSWER, COMPLETED], True),
    ([COMPLETED, NO_ANSWER, NO_ANSWER, NO_ANSWER], False),
    ([NO_ANSWER, COMPLETED, NO_ANSWER, NO_ANSWER], False),
    ([NO_ANSWER, NO_ANSWER, COMPLETED, NO_ANSWER], False),
    ([REFUSED, NO_ANSWER, NO_ANSWER], False),
]


@pytest.mark.parametrize(("outcomes", "is_due"), TRIES)
def test_after_three_unsuccessful_tries_something_else_is_due(outcomes: list[CheckInOutcome], is_due: bool) -> None:
    assert needs_another_way(outcomes) is is_due


@pytest.mark.parametrize(
    ("instruction", "unsafe", "says"),
    [
        ("", [], ""),
        ("Ring twice.", [], "Ring twice."),
        ("", ["SMS"], "Do not send this person texts."),
        (" Ring twice. ", ["SMS", "LETTER"], "Do not write to this person. Do not send this person texts. Ring twice."),
        ("", ["LETTER", "LETTER"], "Do not write to this person."),
    ],
)
def test_unsafe_channels_are_said_with_the_instruction(instruction: str, unsafe: list[str], says: str) -> None:
    assert safe_contact(instruction, unsafe) == says


@pytest.mark.parametrize(("status", "begins"), [("", ""), ("FORMAL", "This person has died"), ("INFORMAL", "This")])
def test_a_death_is_said(status: str, begins: str) -> None:
    assert death_notice(status).startswith(begins)
    assert bool(death_notice(status)) is bool(status)


def test_a_settled_referral_goes_nowhere() -> None:
    legal = {(a, b) for a in ReferralState for b in ReferralState if can_move(a, b)}

    assert legal == {
        (ReferralState.WAITING, ReferralState.ACCEPTED),
        (ReferralState.WAITING, ReferralState.REJECTED),
        (ReferralState.ACCEPTED, ReferralState.CLOSED),
        (ReferralState.ACCEPTED, ReferralState.REJECTED),
    }
    assert set(REFERRAL_TRANSITIONS) == set(ReferralState)

"""People whose practice is late: contacted or held back as was decided, and checked again when theirs is released."""

from datetime import date, timedelta
from typing import Any

import pytest

from cohort.models import LateDecision, ListEntry, PracticeList
from cohort.queries.late import lists_to_contact
from cohort.rules import Channel
from letters import queries
from letters.models import Message
from tests.cohort.factories import PracticeListFactory, UserFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import work

pytestmark = pytest.mark.django_db

TODAY = NOON.date()
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)


def decided(practice_list: PracticeList, policy: str, from_date: date | None = None) -> None:
    LateDecision.objects.create(
        run=practice_list.run, policy=policy, from_date=from_date, reason="Time", at=NOON, by=UserFactory()
    )


@pytest.mark.parametrize(
    ("due_date", "decisions", "is_submitted", "is_contacted"),
    [
        (YESTERDAY, [], False, False),
        (YESTERDAY, [("CONTACT", TODAY)], False, True),
        (YESTERDAY, [("CONTACT", TOMORROW)], False, False),
        (YESTERDAY, [("CONTACT", TODAY), ("HOLD", None)], False, False),
        (YESTERDAY, [("HOLD", None), ("CONTACT", TODAY)], False, True),
        (YESTERDAY, [("CONTACT", TODAY), ("CONTACT", TOMORROW)], False, False),
        (TODAY, [("CONTACT", TODAY)], False, False),
        (YESTERDAY, [("CONTACT", TODAY)], True, False),
    ],
)
def test_the_unreviewed_of_a_late_list_are_due_only_where_that_was_decided(
    mailing: Mailing,
    due_date: date,
    decisions: list[tuple[str, date | None]],
    is_submitted: bool,
    is_contacted: bool,
) -> None:
    practice_list = PracticeListFactory(
        due_date=due_date,
        **({"submitted_at": NOON, "submitted_by": UserFactory()} if is_submitted else {}),
    )
    for policy, from_date in decisions:
        decided(practice_list, policy, from_date)
    elsewhere = PracticeListFactory(due_date=YESTERDAY)  # another run, about which nothing was decided
    patient = validated(practice_list=practice_list, review="TO_REVIEW")
    other = validated(practice_list=elsewhere, review="TO_REVIEW")
    assert set(lists_to_contact(TODAY)) == ({practice_list} if is_contacted else set())
    due = queries.due(mailing.campaign, Channel.LETTER, TODAY)
    assert {row.pk: row.hold for row in due} == ({patient.pk: ""} if is_contacted else {})
    assert not due.filter(pk=other.pk).exists()
    counts = queries.contact_counts(mailing.campaign, TODAY)
    is_late = due_date < TODAY and not is_submitted and not is_contacted
    assert (counts["not_planned"], counts["late"], counts["unreviewed"]) == (
        int(is_contacted),
        1 + is_late,
        int(not is_contacted and not is_late),
    )
    assert counts["people"] == 2


def test_whoever_was_planned_unreviewed_is_held_once_the_late_are_to_be_held_back(mailing: Mailing) -> None:
    practice_list = PracticeListFactory(due_date=YESTERDAY)
    patient = validated(practice_list=practice_list, review="TO_REVIEW")
    decided(practice_list, "CONTACT", TODAY)
    mailing.released()
    decided(practice_list, "HOLD")
    work()
    message = Message.objects.get(patient=patient)
    assert (message.state, message.hold_reason) == ("HELD", "NOT_REVIEWED")
    assert queries.contact_counts(mailing.campaign, TODAY)["held"] == {"NOT_REVIEWED": 1}
    decided(practice_list, "CONTACT", TODAY)
    work()
    message.refresh_from_db()
    assert message.state == "HANDED_OVER"


def test_the_unreviewed_of_a_late_list_get_their_letter(mailing: Mailing) -> None:
    practice_list = PracticeListFactory(due_date=YESTERDAY)
    patient = validated(practice_list=practice_list, review="TO_REVIEW")
    decided(practice_list, "CONTACT", TODAY)
    mailing.released()
    work()
    assert Message.objects.get(patient=patient).state == "HANDED_OVER"
    assert queries.contact_counts(mailing.campaign, TODAY)["contacted"] == 1


def test_whoever_goes_back_to_review_after_planning_is_not_written_to_until_reviewed(mailing: Mailing) -> None:
    patient = validated()
    mailing.released()
    entry: Any = ListEntry.objects.filter(patient=patient)
    reviewed = entry.values("reviewed_at", "reviewed_by")[0]
    entry.update(review_state="TO_REVIEW", reviewed_at=None, reviewed_by=None)
    work()
    assert Message.objects.get(patient=patient).hold_reason == "NOT_REVIEWED"
    entry.update(review_state="CONFIRMED", reviewed_at=reviewed["reviewed_at"], reviewed_by=reviewed["reviewed_by"])
    work()
    assert Message.objects.get(patient=patient).state == "HANDED_OVER"

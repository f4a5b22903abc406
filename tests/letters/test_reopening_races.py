"""Two GPs, and a GP and the outbox, at once on real PostgreSQL."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from cohort.actions.decisions import ListSubmitted
from cohort.actions.late import Sent, send_reminders
from cohort.actions.sign_off import NotSignedOff, submit_list
from cohort.models import ListSignOff, PracticeList, Reminder
from letters.actions import outbox
from letters.actions.lists import LettersHaveGone, reopen_list
from letters.actions.outbox import releasing
from letters.models import Message
from tests.cohort.factories import NOW, MembershipFactory, PracticeListFactory
from tests.cohort.validation.test_races import at_once
from tests.letters.factories import NOON, make_mailing, validated

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def signed(transactional_db: None) -> tuple[PracticeList, Any]:
    gp = MembershipFactory()
    practice_list = PracticeListFactory(practice=gp.organisation)
    validated(practice_list=practice_list)
    return submit_list(list_id=practice_list.pk, by=gp, at=NOON), gp


def test_of_two_gps_who_sign_off_at_once_one_does_and_the_other_is_told(transactional_db: None) -> None:
    gp = MembershipFactory()
    other = MembershipFactory(organisation=gp.organisation)
    practice_list = PracticeListFactory(practice=gp.organisation)
    results = at_once(
        *[lambda by=by: submit_list(list_id=practice_list.pk, by=by, at=NOW) for by in (gp, other)]  # type: ignore[misc]
    )
    assert sorted(type(result).__name__ for result in results) == ["ListSubmitted", "PracticeList"]
    assert any(isinstance(result, ListSubmitted) for result in results)
    assert ListSignOff.objects.count() == 1


def test_of_two_gps_who_open_it_again_at_once_one_does(signed: tuple[PracticeList, Any]) -> None:
    practice_list, gp = signed
    other = MembershipFactory(organisation=gp.organisation)
    results = at_once(
        *[
            lambda by=by: reopen_list(list_id=practice_list.pk, reason="Why", by=by, at=NOON)  # type: ignore[misc]
            for by in (gp, other)
        ]
    )
    assert sum(isinstance(result, NotSignedOff) for result in results) == 1
    assert ListSignOff.objects.filter(act="REOPENED").count() == 1


@pytest.mark.parametrize("_again", range(4))
def test_a_list_is_not_opened_while_a_letter_of_it_is_released(signed: tuple[PracticeList, Any], _again: int) -> None:
    """Whichever comes first: where the list was opened, nothing had gone at that moment."""
    practice_list, gp = signed
    make_mailing().released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    results = at_once(
        lambda: reopen_list(list_id=practice_list.pk, reason="Why", by=gp, at=NOON),
        lambda: outbox.release(claimed=claimed, made=made, at=NOON),
    )
    assert isinstance(results[0], PracticeList | LettersHaveGone)
    assert Message.objects.get().state == "RELEASED"


def test_opening_a_list_waits_for_a_release_that_has_begun(
    signed: tuple[PracticeList, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    practice_list, gp = signed
    make_mailing().released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    has_locked, is_opening = threading.Event(), threading.Event()
    lock = releasing.lock_for_state

    def lock_and_wait(batch_id: Any) -> Any:
        batch = lock(batch_id)
        has_locked.set()
        is_opening.wait(10)
        return batch

    monkeypatch.setattr(releasing, "lock_for_state", lock_and_wait)

    def open_meanwhile() -> Any:
        has_locked.wait(10)
        threading.Timer(0.5, is_opening.set).start()
        return reopen_list(list_id=practice_list.pk, reason="Why", by=gp, at=NOON)

    released, opened = at_once(lambda: outbox.release(claimed=claimed, made=made, at=NOON), open_meanwhile)
    assert released
    assert isinstance(opened, LettersHaveGone), opened


def test_two_workers_send_each_reminder_once(transactional_db: None, mailoutbox: list[Any]) -> None:
    for _ in range(6):
        MembershipFactory(organisation=PracticeListFactory(due_date=NOW.date()).practice)
    send: Callable[[], Sent] = lambda: send_reminders(now=lambda: NOW)  # noqa: E731
    results = at_once(send, send)
    assert sum(result.sent for result in results) == len(mailoutbox) == Reminder.objects.count() == 6

"""Batches that are paused and resumed, and parts of them that are stopped."""

from typing import Any

import pytest

from cohort.models import ListEntry
from cohort.rules import Channel
from letters.actions import batches, outbox
from letters.actions.outbox import calling, handing_over
from letters.models import Message, PartialStop
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import CriterionVersionFactory, FlagFactory, MembershipFactory, PracticeListFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import LATER, Killed, dying_after, noon, sent, sent_once, states, work
from tests.letters.test_calling import Provider, supply

pytestmark = pytest.mark.django_db


def pause(batch: Any, mailing: Mailing) -> None:
    batches.pause_batch(batch_id=batch.id, by=mailing.operator)


def test_a_paused_batch_lets_nothing_go_until_it_is_resumed(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    pause(batch, mailing)
    assert work() == 0
    batches.resume_batch(batch_id=batch.id, by=mailing.operator)
    assert work() == 1


def test_what_was_claimed_before_the_pause_waits_again(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    pause(batch, mailing)
    assert outbox.make_and_hand_over(claimed=claimed, clock=noon) == 0
    assert states(batch) == {"WAITING": 1}
    assert sent() == []


def test_what_was_released_before_the_pause_goes_when_it_is_resumed(mailing: Mailing, monkeypatch: Any) -> None:
    validated()
    batch = mailing.released()
    with dying_after(handing_over, "hand_over", monkeypatch, before=True), pytest.raises(Killed):
        work()
    pause(batch, mailing)
    assert work(LATER) == 0
    assert states(batch) == {"RELEASED": 1}
    batches.resume_batch(batch_id=batch.id, by=mailing.operator)
    assert work(LATER) == 1
    assert sent_once()


def test_a_pause_between_release_and_call_lets_it_wait_again(
    mailing: Mailing,
    provider: Provider,
    monkeypatch: Any,
) -> None:
    supply()
    validated()
    batch = mailing.released(Channel.SMS)
    real = calling._release_first

    def paused_after_release(*given: Any) -> Any:
        ready = real(*given)
        pause(batch, mailing)
        return ready

    with monkeypatch.context() as patched:
        patched.setattr(calling, "_release_first", paused_after_release)
        assert work() == 0
    assert states(batch) == {"WAITING": 1}
    assert provider.got == []
    batches.resume_batch(batch_id=batch.id, by=mailing.operator)
    assert work() == 1


def test_pausing_and_resuming_want_the_right_state_and_an_operator(mailing: Mailing) -> None:
    validated()
    batch = mailing.plan()
    for action in (batches.pause_batch, batches.resume_batch):
        with pytest.raises(batches.WrongState):
            action(batch_id=batch.id, by=mailing.operator)
        with pytest.raises(NotAllowed):
            action(batch_id=batch.id, by=MembershipFactory())


def test_the_people_of_one_practice_are_stopped_and_the_others_go(mailing: Mailing) -> None:
    one, other = PracticeListFactory(), PracticeListFactory()
    stopped = [validated(practice_list=one, practice=one.practice) for _ in range(2)]
    goes = validated(practice_list=other, practice=other.practice)
    batch = mailing.released()
    made = batches.stop_part(
        batch_id=batch.id,
        kind=PartialStop.Kind.PRACTICE,
        value=str(one.practice.pk),
        reason=" Wrong phone ",
        by=mailing.operator,
        at=NOON,
    )
    assert (made.part.stopped, made.gone, made.in_hand, made.part.reason) == (2, 0, 0, "Wrong phone")
    assert made.part.words == f"{one.practice.name} ({one.practice.code})"
    work()
    assert {message.patient: message.state for message in Message.objects.select_related("patient")} == {
        **dict.fromkeys(stopped, "STOPPED"),
        goes: "HANDED_OVER",
    }
    assert mailing.plan().messages.count() == 2  # they are due again


def test_a_part_is_stopped_by_who_put_them_on_the_list(mailing: Mailing) -> None:
    by_hospital = validated()
    fact = by_hospital.facts.create(source="HOSPITAL", request="ADD", at=NOON)
    ListEntry.objects.filter(patient=by_hospital).update(because=fact)
    validated()
    batch = mailing.released()
    made = stop(batch, mailing, PartialStop.Kind.SOURCE, "HOSPITAL")
    assert made.part.stopped == 1
    assert by_hospital.messages.get().state == "STOPPED"
    assert states(batch) == {"STOPPED": 1, "WAITING": 1}


def test_a_part_is_stopped_by_the_disease_group_that_the_search_finds_now(mailing: Mailing) -> None:
    found, no_longer, other = validated(), validated(), validated()
    asthma = CriterionVersionFactory(criterion__disease_group="Severe asthma", criterion__tier="HIGH")
    FlagFactory(patient=found, criterion_version=asthma)
    ended = FlagFactory(patient=no_longer, criterion_version=asthma)
    ended.ended_in = ended.run
    ended.save()
    FlagFactory(patient=other, criterion_version__criterion__disease_group="Dialysis")
    batch = mailing.released()
    assert stop(batch, mailing, PartialStop.Kind.GROUP, "Severe asthma").part.stopped == 1
    assert found.messages.get().state == "STOPPED"
    assert states(batch) == {"STOPPED": 1, "WAITING": 2}


def stop(batch: Any, mailing: Mailing, kind: Any, value: str) -> Any:
    return batches.stop_part(batch_id=batch.id, kind=kind, value=value, reason="Why", by=mailing.operator, at=NOON)


@pytest.mark.parametrize("before", [True, False])
def test_a_part_stopped_between_release_and_hand_over_is_stopped_unless_the_supplier_has_it(
    mailing: Mailing, monkeypatch: Any, before: bool
) -> None:
    one, other = PracticeListFactory(), PracticeListFactory()
    patient = validated(practice_list=one, practice=one.practice)
    goes = validated(practice_list=other, practice=other.practice)
    batch = mailing.released()
    step = (handing_over, "hand_over") if before else (handing_over, "_settle")
    with dying_after(*step, monkeypatch, before=True), pytest.raises(Killed):
        work()
    made = stop(batch, mailing, PartialStop.Kind.PRACTICE, str(one.practice.pk))
    assert (made.part.stopped, made.in_hand) == (0, 1)
    work(LATER)
    assert patient.messages.get().state == ("STOPPED" if before else "HANDED_OVER")
    assert goes.messages.get().state == "HANDED_OVER"
    assert not Message.objects.filter(stop_asked=True).exists()
    assert sent_once()


def test_a_part_stopped_between_release_and_call_is_not_called(
    mailing: Mailing,
    provider: Provider,
    monkeypatch: Any,
) -> None:
    supply()
    patient = validated()
    batch = mailing.released(Channel.SMS)
    real = calling._release_first

    def stopped_after_release(*given: Any) -> Any:
        ready = real(*given)
        stop(batch, mailing, PartialStop.Kind.PRACTICE, str(patient.practice_id))
        return ready

    monkeypatch.setattr(calling, "_release_first", stopped_after_release)
    assert work() == 0
    assert states(batch) == {"STOPPED": 1}
    assert provider.got == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [("PRACTICE", "00000000-0000-4000-8000-000000000000"), ("GROUP", "No such group"), ("SOURCE", "NOBODY")],
)
def test_a_part_that_is_not_there_is_refused(mailing: Mailing, kind: str, value: str) -> None:
    validated()
    batch = mailing.released()
    with pytest.raises(batches.BatchError, match="no such part"):
        stop(batch, mailing, PartialStop.Kind(kind), value)


def test_nothing_left_to_stop_is_said_and_not_recorded(mailing: Mailing) -> None:
    patient = validated()
    batch = mailing.released()
    work()
    with pytest.raises(batches.BatchError, match="1 had been handed over already"):
        stop(batch, mailing, PartialStop.Kind.PRACTICE, str(patient.practice_id))
    with pytest.raises(batches.BatchError, match="Nobody in this batch"):
        stop(batch, mailing, PartialStop.Kind.SOURCE, "PATIENT")
    assert not PartialStop.objects.exists()

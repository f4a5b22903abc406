"""Several planners, workers and a stop at once, on real PostgreSQL."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from cohort.rules import Channel
from letters.actions import batches, outbox
from letters.actions.locks import lock_to_work
from letters.actions.outbox import claiming, handing_over, working
from letters.models import Message, Supplier, SupplierDay
from tests.letters.factories import NOON, make_mailing, validated
from tests.letters.outbox import LATER, noon, sent, sent_once, states, work


def _at_once(count: int, do: Callable[[], Any]) -> list[Any]:
    results: list[Any] = []
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        try:
            results.append(do())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_plans_made_at_once_queue_everybody_once() -> None:
    mailing = make_mailing()
    for _ in range(20):
        validated()
    results = _at_once(4, mailing.plan)
    assert sorted(type(result).__name__ for result in results) == ["Batch", "NobodyDue", "NobodyDue", "NobodyDue"]
    assert Message.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_hand_over_everybody_once(monkeypatch: Any) -> None:
    monkeypatch.setitem(claiming.CHUNK, Channel.LETTER, 3)
    mailing = make_mailing()
    for _ in range(30):
        validated()
    held = validated(death_status="FORMAL")
    batch = mailing.released()
    results = _at_once(4, lambda: work(NOON))
    assert sum(results) == 30
    work()
    assert states(batch) == {"HANDED_OVER": 30, "HELD": 1}
    assert sent_once()
    assert str(held.messages.get().id) not in sent()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_one_does() -> None:
    mailing = make_mailing()
    validated()
    batch = mailing.plan()
    results = _at_once(2, lambda: batches.approve_batch(batch_id=batch.id, by=mailing.second, at=NOON))
    assert sorted(type(result).__name__ for result in results) == ["Batch", "WrongState"]


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_never_release_more_than_a_supplier_takes(monkeypatch: Any) -> None:
    monkeypatch.setitem(claiming.CHUNK, Channel.LETTER, 3)
    mailing = make_mailing()
    Supplier.objects.create(
        slug="printer", name="Printer", channel="LETTER", transport="FOLDER", in_use=True, daily_capacity=10
    )
    for _ in range(24):
        validated()
    batch = mailing.released()
    assert sum(_at_once(4, lambda: work(NOON))) == 10
    assert states(batch) == {"HANDED_OVER": 10, "WAITING": 14}
    assert SupplierDay.objects.get().taken == 10
    assert sent_once()


@pytest.mark.django_db(transaction=True)
def test_a_pause_among_workers_lets_none_slip() -> None:
    mailing = make_mailing()
    for _ in range(12):
        validated()
    batch = mailing.released()
    gone_after: list[int] = []
    paused = threading.Event()

    def pause() -> None:
        batches.pause_batch(batch_id=batch.id, by=mailing.operator)
        gone_after.append(len(sent()))
        paused.set()

    def work_on() -> None:
        while claimed := outbox.claim(at=NOON, limit=1):
            outbox.make_and_hand_over(claimed=claimed, clock=noon)

    tasks = [pause, work_on, work_on]
    assert _at_once(3, lambda: tasks.pop()()) == [None] * 3
    assert gone_after == [len(sent())]
    # RELEASED: the pause came before its hand-over, and is over before that goes on.
    assert set(states(batch)) <= {"HANDED_OVER", "RELEASED", "WAITING"}
    batches.resume_batch(batch_id=batch.id, by=mailing.operator)
    work(LATER)
    assert states(batch) == {"HANDED_OVER": 12}
    assert sent_once()


@pytest.mark.django_db(transaction=True)
def test_a_stop_is_next_in_line_however_many_workers_share_the_batch() -> None:
    """Workers who overlap for ever would keep a lock of the row from ever being free."""
    mailing = make_mailing()
    validated()
    batch = mailing.released()
    first_in, stopped = threading.Event(), threading.Event()

    def work_for_ever() -> None:
        for _ in range(200):
            with transaction.atomic():
                lock_to_work(batch.id)
                first_in.set()
                stopped.wait(0.05)
            if stopped.is_set():
                return

    def stop() -> None:
        assert first_in.wait(10)
        batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
        stopped.set()

    tasks = [stop, *[work_for_ever] * 3]
    assert _at_once(4, lambda: tasks.pop()()) == [None] * 4
    assert states(batch) == {"STOPPED": 1}


@pytest.mark.django_db(transaction=True)
def test_a_stop_among_workers_neither_deadlocks_nor_lets_one_slip(monkeypatch: Any) -> None:
    monkeypatch.setitem(claiming.CHUNK, Channel.LETTER, 2)
    mailing = make_mailing()
    for _ in range(30):
        validated()
    batch = mailing.released()
    begun, stopped = threading.Event(), threading.Event()
    stopped_after: list[int] = []
    claims = itertools.count(1)
    real_hand_over, real_claim = handing_over.hand_over, working.claim

    def hand_over(**named: Any) -> Any:
        handed_over = real_hand_over(**named)
        begun.set()
        return handed_over

    def claim(**named: Any) -> Any:
        # The last messages are left alone until the stop is through, so that it always has some to stop.
        if next(claims) > 10:
            assert stopped.wait(60)
        return real_claim(**named)

    monkeypatch.setattr(handing_over, "hand_over", hand_over)
    monkeypatch.setattr(working, "claim", claim)

    def stop() -> None:
        assert begun.wait(60)
        batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
        stopped_after.append(len(sent()))
        stopped.set()

    tasks = [stop, *[lambda: work(NOON)] * 3]
    assert all(result is None or isinstance(result, int) for result in _at_once(4, lambda: tasks.pop()()))
    work(LATER)
    assert stopped_after == [len(sent())]
    assert set(states(batch)) == {"HANDED_OVER", "STOPPED"}
    assert sent_once()

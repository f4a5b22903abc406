"""Providers that take one message a call and do not know one that comes twice: nobody gets two, nobody is lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cohort.models import Patient
from cohort.rules import Channel
from letters.actions import batches, outbox
from letters.actions.outbox import calling, claiming, handing_over, sweeping, working
from letters.actions.outbox.releasing import release_one
from letters.models import Message, Supplier, SupplierDay
from letters.rules import BatchState
from letters.transports import Item, OneCallEach
from letters.transports.errors import InDoubt, Refused, TryLater
from tests.letters.factories import NOON, Mailing, make_mailing, validated
from tests.letters.outbox import LATER, Killed, dying_after, noon, states, work

#: How what is done for each message, each claim and each sweep begins.
_EACH = ("UPDATE", 'SELECT 1 AS "a"', "SELECT pg_advisory_xact_lock_shared", "EXECUTE")


class Provider(OneCallEach):
    """Keeps what it was sent. `answers` are what happens in the next calls: an error, or None where all is well."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.answers: list[Exception | None] = []
        self.meanwhile: Callable[[], Any] = lambda: None

    def send(self, item: Item) -> str:
        self.meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if not isinstance(answer, Refused | TryLater):
            self.got.append(item.reference)
        if answer:
            raise answer
        return f"provider-{len(self.got)}"

    def look_up(self, reference: str) -> Any:
        raise NotImplementedError

    def news(self, *, since: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    for module in (claiming, handing_over, sweeping, working):
        monkeypatch.setattr(module, "transport_of", lambda _: made)
    return made


def supply(**options: Any) -> Supplier:
    return Supplier.objects.create(
        slug="notify", name="Notify", channel="SMS", transport="NOTIFY", in_use=True, **options
    )


@pytest.mark.django_db
def test_each_message_is_given_in_a_call_of_its_own_and_keeps_the_providers_id(
    mailing: Mailing, provider: Provider
) -> None:
    supplier = supply()
    for _ in range(3):
        validated()
    held = validated(death_status="FORMAL")
    batch = mailing.released(Channel.SMS)
    assert work() == 3
    assert states(batch) == {"HANDED_OVER": 3, "HELD": 1}
    assert sorted(provider.got) == sorted(m.reference for m in Message.objects.filter(state="HANDED_OVER"))
    assert set(Message.objects.exclude(patient=held).values_list("provider_id", "supplier", "hand_over")) == {
        (f"provider-{n}", supplier.pk, None) for n in (1, 2, 3)
    }
    assert SupplierDay.objects.get().taken == 3


@pytest.mark.django_db
def test_one_refused_for_good_fails_with_the_reason_and_the_others_go(mailing: Mailing, provider: Provider) -> None:
    supply()
    validated(), validated()
    provider.answers = [Refused("The number is not one.")]
    batch = mailing.released(Channel.SMS)
    assert work() == 1
    assert states(batch) == {"HANDED_OVER": 1, "FAILED": 1}
    failed = Message.objects.get(state="FAILED")
    assert (failed.failure, failed.delivery) == ("The number is not one.", "REJECTED")


@pytest.mark.django_db
def test_later_lets_the_claim_wait_and_the_provider_rest_as_long_as_it_says(
    mailing: Mailing, provider: Provider
) -> None:
    supply(daily_capacity=10)
    for _ in range(3):
        validated()
    provider.answers = [None, TryLater("Too many", 60)]
    batch = mailing.released(Channel.SMS)
    assert work() == 1
    assert states(batch) == {"HANDED_OVER": 1, "WAITING": 2}
    assert SupplierDay.objects.get().taken == 1
    assert work(NOON + timedelta(seconds=59)) == 0
    assert work(NOON + timedelta(seconds=60)) == 2
    assert len(provider.got) == len(set(provider.got)) == 3
    assert Supplier.objects.values_list("setbacks", "rests_until").get(slug="notify") == (0, None)


@pytest.mark.django_db
def test_a_provider_that_is_down_rests_longer_each_time_and_stops_no_other(
    mailing: Mailing, provider: Provider
) -> None:
    supply()
    validated()
    mailing.released(Channel.SMS)
    at, rests = NOON, []
    for _ in range(12):
        provider.answers = [TryLater("Down")]
        assert work(at) == 0
        rests.append((Supplier.objects.get(slug="notify").rests_until - at).total_seconds())
        at = Supplier.objects.get(slug="notify").rests_until
    assert rests == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert provider.got == []


@pytest.mark.django_db
def test_a_doubt_is_parked_and_never_sent_again(mailing: Mailing, provider: Provider) -> None:
    supply()
    validated(), validated()
    provider.answers = [InDoubt("Time-out")]
    batch = mailing.released(Channel.SMS)
    work()
    work(LATER)
    assert states(batch) == {"HANDED_OVER": 1, "IN_DOUBT": 1}
    assert len(provider.got) == len(set(provider.got)) == 2
    batch.refresh_from_db()
    assert batch.state == "RELEASED"


@pytest.mark.django_db
def test_a_provider_that_leaves_one_doubt_after_another_is_left_alone(mailing: Mailing, provider: Provider) -> None:
    supply()
    for _ in range(9):
        validated()
    provider.answers = [InDoubt("Time-out")] * 9
    batch = mailing.released(Channel.SMS)
    work()
    assert states(batch) == {"IN_DOUBT": 3, "WAITING": 6}
    assert Supplier.objects.get(slug="notify").rests_until == NOON + timedelta(seconds=1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("owner", "step", "before", "then"),
    [
        (working, "claim", False, {"HANDED_OVER": 2, "HELD": 1}),
        (working, "make", False, {"HANDED_OVER": 2, "HELD": 1}),
        (calling, "_release_first", True, {"HANDED_OVER": 2, "HELD": 1}),
        (calling, "_release_first", False, {"HANDED_OVER": 1, "IN_DOUBT": 1, "HELD": 1}),
        (Provider, "send", True, {"HANDED_OVER": 1, "IN_DOUBT": 1, "HELD": 1}),
        (Provider, "send", False, {"HANDED_OVER": 1, "IN_DOUBT": 1, "HELD": 1}),
        (calling, "release_one", False, {"HANDED_OVER": 2, "HELD": 1}),
        (calling, "_change", False, {"HANDED_OVER": 1, "IN_DOUBT": 1, "HELD": 1}),
        (calling, "_call", False, {"HANDED_OVER": 1, "IN_DOUBT": 1, "HELD": 1}),
        (working, "call_each", False, {"HANDED_OVER": 2, "HELD": 1}),
    ],
)
def test_a_worker_killed_at_any_step_sends_nobody_two_and_loses_nobody(
    owner: Any, step: str, before: bool, then: dict[str, int], provider: Provider, monkeypatch: Any
) -> None:
    mailing = make_mailing()
    supply()
    for details in ({}, {}, {"death_status": "FORMAL"}):
        validated(**details)
    batch = mailing.released(Channel.SMS)
    with dying_after(owner, step, monkeypatch, before=before), pytest.raises(Killed):
        work()
    work(LATER)
    work(LATER)
    assert states(batch) == then
    assert len(provider.got) == len(set(provider.got))
    given = set(provider.got)
    assert {m.reference for m in Message.objects.filter(state="HANDED_OVER")} <= given
    assert given <= {m.reference for m in Message.objects.filter(state__in=["HANDED_OVER", "IN_DOUBT"])}


@pytest.mark.django_db
def test_a_slow_worker_does_not_send_what_was_parked_meanwhile(
    mailing: Mailing, provider: Provider, monkeypatch: Any
) -> None:
    supply()
    validated()
    batch = mailing.released(Channel.SMS)
    real = calling._release_first

    def slow_after_release(*given: Any) -> Any:
        ready = real(*given)
        outbox.sweep(at=LATER)
        return ready

    monkeypatch.setattr(calling, "_release_first", slow_after_release)
    assert work() == 0
    assert states(batch) == {"IN_DOUBT": 1}
    assert provider.got == []


@pytest.mark.django_db
def test_a_stop_between_release_and_call_is_in_time(mailing: Mailing, provider: Provider, monkeypatch: Any) -> None:
    supply()
    validated()
    batch = mailing.released(Channel.SMS)
    real = calling._release_first

    def stopped_after_release(*given: Any) -> Any:
        ready = real(*given)
        batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
        return ready

    monkeypatch.setattr(calling, "_release_first", stopped_after_release)
    assert work() == 0
    assert states(batch) == {"STOPPED": 1}
    assert provider.got == []


@pytest.mark.django_db
def test_a_hold_set_while_the_first_is_sent_keeps_the_second(mailing: Mailing, provider: Provider) -> None:
    supply()
    validated(), validated()
    batch = mailing.released(Channel.SMS)
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    second = list(made.items)[1]
    provider.meanwhile = lambda: Patient.objects.filter(messages=second).update(death_status="INFORMAL")
    assert outbox.call_each(claimed=claimed, made=made, transport=provider, clock=noon) == 1
    assert states(batch) == {"HANDED_OVER": 1, "HELD": 1}
    assert Message.objects.get(pk=second).hold_reason == "REPORTED_DEAD"


@pytest.mark.django_db
def test_a_hold_is_seen_when_the_plan_of_the_release_is_kept(mailing: Mailing, provider: Provider) -> None:
    supply()
    for _ in range(12):
        validated()
    batch = mailing.released(Channel.SMS)
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    last = list(made.items)[-1]

    def hold_at_the_eleventh() -> None:
        if len(provider.got) == 10:
            Patient.objects.filter(messages=last).update(asked_not_to_be_contacted=True)

    provider.meanwhile = hold_at_the_eleventh
    assert outbox.call_each(claimed=claimed, made=made, transport=provider, clock=noon) == 11
    assert states(batch) == {"HANDED_OVER": 11, "HELD": 1}
    assert Message.objects.get(pk=last).hold_reason == "ASKED_NOT_TO_BE_CONTACTED"


@pytest.mark.django_db(transaction=True)
def test_a_worker_goes_on_after_its_connection_was_lost(provider: Provider) -> None:
    mailing = make_mailing()
    supply()
    validated(), validated()
    batch = mailing.released(Channel.SMS)
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(claimed.batch, claimed.message_ids)
    for message_id in made.items:
        with transaction.atomic():
            assert release_one(claimed=claimed, id_=message_id, state=BatchState.RELEASED, at=NOON)
        connection.close()
    assert states(batch) == {"RELEASED": 2}


@pytest.mark.django_db
def test_nothing_that_is_done_for_each_message_looks_through_all_of_them(mailing: Mailing, provider: Provider) -> None:
    supply()
    validated(), validated()
    mailing.released(Channel.SMS)
    with CaptureQueriesContext(connection) as asked:
        assert work() == 2
    statements = {each["sql"] for each in asked if "letters_message" in each["sql"] or "EXECUTE" in each["sql"]}
    from_claim_to_end = [sql for sql in statements if sql.startswith(_EACH)]
    assert len(from_claim_to_end) >= 8
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # it is used then where there is no other way
        cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")  # not what another test's few rows had planned
        for sql in from_claim_to_end:
            cursor.execute(f"EXPLAIN {sql.rpartition('; ')[2]}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan on letters_message" not in plan, sql


@pytest.mark.django_db
def test_one_tried_again_is_another_attempt_and_the_last_one_is_kept(mailing: Mailing, provider: Provider) -> None:
    supplier = supply()
    validated()
    provider.answers = [Refused("The number is not one.")]
    batch = mailing.released(Channel.SMS)
    work()
    assert batches.retry_failed(batch_id=batch.id, by=mailing.operator, at=LATER) == 1
    work(LATER)
    message = Message.objects.get()
    assert (message.state, message.attempt, message.delivery) == ("HANDED_OVER", 2, "")
    assert provider.got == [f"{message.id}-2"]
    past = message.past_attempts.get()
    assert (past.attempt, past.failure, past.supplier, past.released_at, past.ended_at) == (
        1,
        "The number is not one.",
        supplier,
        NOON,
        LATER,
    )

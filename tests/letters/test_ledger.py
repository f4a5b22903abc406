"""What the ledger is told: everybody in one state, and the parts add up."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cohort.models import LateDecision, ListEntry, Patient, PracticeList, SearchRun
from cohort.rules import Channel
from letters import queries
from letters.actions import batches, outbox
from letters.models import Message, PartialStop
from letters.rules import IN_PLAY
from tests.letters.factories import NOON, Mailing, make_mailing, validated
from tests.letters.outbox import noon, work

pytestmark = pytest.mark.django_db


def adds_up(counts: dict[str, Any]) -> bool:
    parts = counts["contacted"] + sum(counts["held"].values()) + sum(counts["failed"].values()) + counts["waiting"]
    return bool(counts["people"] == parts + counts["unreviewed"] + counts["late"])


def test_everybody_waits_where_nothing_is_planned(mailing: Mailing) -> None:
    validated()
    validated(review="TO_REVIEW")
    for campaign in (mailing.campaign, None):
        counts = queries.contact_counts(campaign, NOON.date())
        assert (counts["people"], counts["waiting"], counts["not_planned"], counts["messages"]) == (2, 1, 1, {})
        assert (counts["unreviewed"], counts["late"]) == (1, 0)
        assert adds_up(counts)


def test_one_channel_is_contact_and_of_several_holds_the_gravest_is_shown(mailing: Mailing) -> None:
    validated(postcode="")  # no letter, but a text
    validated(mobile="")  # no text, but a letter
    validated(mobile="", unsafe_channels=["LETTER"])  # neither
    validated(death_status="FORMAL")
    mailing.released()
    mailing.released(Channel.SMS)
    work()
    counts = queries.contact_counts(mailing.campaign, NOON.date())
    assert (counts["contacted"], counts["held"]) == (2, {"DIED": 1, "UNSAFE_CHANNEL": 1})
    assert counts["messages"] == {"LETTER": {"HANDED_OVER": 1, "HELD": 3}, "SMS": {"HANDED_OVER": 1, "HELD": 3}}
    assert adds_up(counts)


def test_an_open_message_is_waiting_and_a_failure_beats_a_hold(mailing: Mailing) -> None:
    validated(address_lines=["x" * 100], mobile="")
    mailing.released()
    mailing.plan(Channel.SMS)
    waiting = queries.contact_counts(mailing.campaign, NOON.date())
    assert (waiting["waiting"], waiting["not_planned"], waiting["held"]) == (1, 0, {})
    work()
    assert queries.contact_counts(mailing.campaign, NOON.date())["failed"] == {
        "The address does not fit the window.": 1
    }


def test_a_doubt_is_waiting_and_is_said_apart(mailing: Mailing) -> None:
    validated()
    mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    outbox.release(claimed=claimed, made=outbox.make(claimed.batch, claimed.message_ids), at=NOON)
    Message.objects.update(state="IN_DOUBT")
    counts = queries.contact_counts(mailing.campaign, NOON.date())
    assert (counts["waiting"], counts["in_doubt"], counts["not_planned"]) == (1, 1, 0)
    assert adds_up(counts)


def test_those_of_a_stopped_batch_wait_again(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    counts = queries.contact_counts(mailing.campaign, NOON.date())
    assert (counts["waiting"], counts["not_planned"]) == (1, 1)
    assert counts["messages"] == {"LETTER": {"STOPPED": 1}}


def test_somebody_put_back_by_a_hospital_after_their_practice_removed_them_is_due(mailing: Mailing) -> None:
    patient = validated()
    ListEntry.objects.filter(patient=patient).update(
        review_state="REMOVED", removal_reason="LOW_RISK", is_patient_told=True
    )
    assert queries.preview(mailing.campaign, Channel.LETTER, NOON.date()).to_go == 1
    assert queries.contact_counts(mailing.campaign, NOON.date())["people"] == 1


def test_a_finished_batch_says_hundred_percent_and_progress_adds_up(mailing: Mailing) -> None:
    for details in ({}, {}, {"death_status": "FORMAL"}, {"address_lines": ["x" * 100]}):
        validated(**details)
    batch = mailing.plan()
    before = queries.progress([batch.id])[batch.id]
    assert (before.percent, before.queued, before.waiting, before.held_total) == (0, 4, 3, 1)
    mailing.release(batch)
    work()
    after = queries.progress([batch.id])[batch.id]
    assert (after.percent, after.handed_over, after.failed_total, after.waiting) == (100, 2, 1, 0)
    assert after.queued == after.waiting + after.handed_over + after.held_total + after.failed_total + after.stopped


STEPS = ["plan", "plan texts", "release", "work one", "die", "free", "join", "leave", "stop", "work"]
STEPS += ["unreviewed", "late", "contact", "hold", "undo"]
STEPS += ["plan both", "no address", "no number", "doubt", "return", "settle", "retry", "pause", "resume", "stop part"]


@given(st.lists(st.sampled_from(STEPS), max_size=10))
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_it_adds_up_whatever_happens_in_whatever_order(django_db_blocker: Any, steps: list[str]) -> None:
    from django.db import transaction

    with transaction.atomic():
        mailing = make_mailing()
        people = [validated() for _ in range(3)]
        for step in steps:
            _do(step, mailing, people)
            counts = queries.contact_counts(mailing.campaign, NOON.date())
            assert adds_up(counts)
            assert counts["in_doubt"] <= counts["waiting"]
            assert counts["people"] == ListEntry.objects.filter(is_on_list=True).count()
            for batch in queries.batches().exclude(fallback_channel=""):
                in_play = batch.messages.filter(state__in=IN_PLAY)
                assert in_play.count() == in_play.values("patient").distinct().count()
            assert counts["late"] + counts["unreviewed"] <= ListEntry.objects.filter(review_state="TO_REVIEW").count()
        transaction.set_rollback(True)


def _do(step: str, mailing: Mailing, people: list[Patient]) -> None:
    newest = queries.batches().order_by("-planned_at", "-id").first()
    try:
        if step == "plan":
            mailing.plan()
        elif step == "plan both":
            batches.plan_batch(
                campaign=mailing.campaign,
                channel=Channel.LETTER,
                fallback=Channel.SMS,
                by=mailing.operator,
                at=NOON,
            )
        elif step in {"no address", "no number"}:
            details = {"no address": {"postcode": ""}, "no number": {"mobile": ""}}[step]
            Patient.objects.filter(pk=people[0].pk).update(**details)
        elif step == "doubt" and (claimed := outbox.claim(at=NOON, limit=1)):
            outbox.release(claimed=claimed, made=outbox.make(claimed.batch, claimed.message_ids), at=NOON)
            Message.objects.filter(state="RELEASED").update(state="IN_DOUBT")
        elif step == "settle":
            Message.objects.filter(state="IN_DOUBT").update(state="FAILED", failure="The provider never had it")
        elif step == "return":
            Message.objects.filter(state="HANDED_OVER").update(
                state="FAILED", failure="It came back", delivery="RETURNED", delivery_at=NOON
            )
        elif step == "retry" and newest:
            batches.retry_failed(batch_id=newest.id, by=mailing.operator, at=NOON)
        elif step == "pause" and newest:
            batches.pause_batch(batch_id=newest.id, by=mailing.operator)
        elif step == "resume" and newest:
            batches.resume_batch(batch_id=newest.id, by=mailing.operator)
        elif step == "stop part" and newest:
            batches.stop_part(
                batch_id=newest.id,
                kind=PartialStop.Kind.PRACTICE,
                value=str(people[0].practice_id),
                reason="Why",
                by=mailing.operator,
                at=NOON,
            )
        elif step == "plan texts":
            mailing.plan(Channel.SMS)
        elif step == "release" and newest:
            mailing.release(newest)
        elif step == "stop" and newest:
            batches.stop_batch(batch_id=newest.id, reason="Wrong words", by=mailing.operator, at=NOON)
        elif step == "work one" and (claimed := outbox.claim(at=NOON, limit=1)):
            outbox.make_and_hand_over(claimed=claimed, clock=noon)
        elif step in {"die", "free"}:
            Patient.objects.filter(pk=people[0].pk).update(death_status="FORMAL" if step == "die" else "")
        elif step == "join":
            people.append(validated())
        elif step == "leave":
            ListEntry.objects.filter(patient=people[-1]).update(is_on_list=False)
        elif step == "work":
            work()
        elif step == "unreviewed":
            people.append(validated(review="TO_REVIEW"))
        elif step == "undo":
            ListEntry.objects.filter(patient=people[0]).update(
                review_state="TO_REVIEW", reviewed_at=None, reviewed_by=None
            )
        elif step == "late":
            PracticeList.objects.update(due_date=NOON.date() - timedelta(days=1))
        elif step in {"contact", "hold"}:
            from_date = NOON.date() if step == "contact" else None
            for run in SearchRun.objects.all():
                LateDecision.objects.create(
                    run=run, policy=step.upper(), from_date=from_date, reason="Why", at=NOON, by=mailing.operator.user
                )
    except batches.BatchError:
        pass

"""Planning: everybody due once, the held with their reason."""

import pytest

from cohort.rules import Channel
from letters import queries
from letters.actions import batches
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import MembershipFactory, OrganisationFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import states


@pytest.mark.django_db
def test_a_plan_queues_everybody_validated_and_on_the_list_the_held_with_their_reason(mailing: Mailing) -> None:
    amina, dead = validated(), validated(death_status="FORMAL")
    validated(review="TO_REVIEW")
    off = validated(on_list=False)
    batch = mailing.plan()
    assert dict(batch.messages.values_list("patient", "hold_reason")) == {amina.id: "", dead.id: "DIED"}
    assert states(batch) == {"WAITING": 1, "HELD": 1}
    assert not off.messages.exists()
    held = batch.messages.get(state="HELD")
    assert (held.holds_checked_at, held.holds_checked_against) == (NOON, dead.as_at)


@pytest.mark.django_db
def test_a_preview_counts_what_the_plan_then_queues(mailing: Mailing) -> None:
    for details in ({}, {}, {"death_status": "FORMAL"}, {"is_restricted": True}, {"postcode": ""}):
        validated(**details)
    shown = queries.preview(mailing.campaign, Channel.LETTER, NOON.date())
    assert (shown.to_go, dict(shown.held)) == (2, {"DIED": 1, "RESTRICTED": 1, "NO_USABLE_ADDRESS": 1})
    made = queries.progress([mailing.plan().id]).popitem()[1]
    assert (made.waiting, made.held) == (shown.to_go, shown.held)
    assert queries.preview(mailing.campaign, Channel.LETTER, NOON.date()).everybody == 0


@pytest.mark.django_db
def test_nobody_is_planned_twice_for_one_channel(mailing: Mailing) -> None:
    validated()
    mailing.plan()
    with pytest.raises(batches.NobodyDue):
        mailing.plan()
    assert mailing.plan(Channel.SMS).messages.count() == 1
    newcomer = validated()
    assert [message.patient for message in mailing.plan().messages.all()] == [newcomer]


@pytest.mark.django_db
def test_care_systems_get_their_share_at_every_moment(mailing: Mailing) -> None:
    shares = {"Large": 12, "Small": 4}
    for name, people in shares.items():
        ics = OrganisationFactory(kind="ICS", name=name)
        practice = OrganisationFactory(kind="PRACTICE", name=f"Practice in {name}", ics=ics)
        for _ in range(people):
            validated(practice=practice)
    batch = mailing.plan()
    order = [
        message.patient.practice.ics.name
        for message in batch.messages.order_by("queued_at", "turn", "id").select_related("patient__practice__ics")
    ]
    for gone in range(4, 17, 4):
        assert order[:gone].count("Small") == gone // 4


@pytest.mark.django_db
def test_a_batch_without_words_is_not_planned(mailing: Mailing) -> None:
    validated()
    mailing.campaign.slug = "no-words"
    mailing.campaign.save()
    with pytest.raises(batches.NoTemplate):
        mailing.plan()


@pytest.mark.django_db
def test_only_a_central_operator_plans_releases_and_stops(mailing: Mailing) -> None:
    validated()
    batch, gp = mailing.plan(), MembershipFactory()
    with pytest.raises(NotAllowed):
        batches.plan_batch(campaign=mailing.campaign, channel=Channel.SMS, by=gp, at=NOON)
    with pytest.raises(NotAllowed):
        batches.release_batch(batch_id=batch.id, by=gp, at=NOON)
    with pytest.raises(NotAllowed):
        batches.stop_batch(batch_id=batch.id, reason="No", by=gp, at=NOON)
    with pytest.raises(NotAllowed):
        batches.retry_failed(batch_id=batch.id, by=gp, at=NOON)

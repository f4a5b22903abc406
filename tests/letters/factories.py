"""People due a letter, an operator, and the shipped templates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cohort.models import Patient
from cohort.rules import Channel
from letters.actions.batches import approve_batch, plan_batch, release_batch
from letters.actions.templates import load_templates
from letters.models import Batch, Campaign
from shielding.accounts.models import Membership, Organisation, Role, User
from tests.cohort.factories import ListEntryFactory, MembershipFactory, OrganisationFactory

#: Ten in the morning in London: texts may go.
NOON = datetime(2020, 3, 21, 10, 0, tzinfo=ZoneInfo("Europe/London"))


def validated(*, practice_list: Any = None, on_list: bool = True, review: str = "CONFIRMED", **details: Any) -> Patient:
    """Returns somebody whom their practice has confirmed."""
    reviewer, _ = User.objects.get_or_create(email="reviewer@example.test", name="Reviewer")  # no password to hash
    return ListEntryFactory(
        **({"practice_list": practice_list} if practice_list else {}),
        is_on_list=on_list,
        review_state=review,
        reviewed_at=None if review == "TO_REVIEW" else NOON - timedelta(days=1),
        reviewed_by=None if review == "TO_REVIEW" else reviewer,
        **{f"patient__{name}": value for name, value in details.items()},
    ).patient


@dataclass
class Mailing:
    """A campaign with its templates loaded, somebody who may send, and a second person who approves."""

    campaign: Campaign
    operator: Membership
    second: Membership

    def plan(self, channel: Channel = Channel.LETTER, at: datetime = NOON) -> Batch:
        return plan_batch(campaign=self.campaign, channel=channel, by=self.operator, at=at)

    def release(self, batch: Batch, at: datetime = NOON) -> Batch:
        approve_batch(batch_id=batch.id, by=self.second, at=at)
        return release_batch(batch_id=batch.id, by=self.operator, at=at)

    def released(self, channel: Channel = Channel.LETTER, at: datetime = NOON) -> Batch:
        return self.release(self.plan(channel, at), at)


def make_operator(name: str = "Olu Adams") -> Membership:
    centre = OrganisationFactory(kind=Organisation.Kind.CENTRE, name="National team")
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR, user__name=name)


def make_mailing() -> Mailing:
    load_templates(at=NOON)
    return Mailing(Campaign.objects.get(slug="first-advice"), make_operator(), make_operator("Sade Bello"))


@pytest.fixture
def operator(db: None) -> Membership:
    return make_operator()


@pytest.fixture
def mailing(db: None) -> Mailing:
    return make_mailing()

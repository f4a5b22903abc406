"""People due a letter, an operator, and the shipped templates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cohort.models import Patient
from cohort.rules import Channel
from letters.actions.batches import plan_batch, release_batch
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
    """A campaign with its templates loaded, and somebody who may send."""

    campaign: Campaign
    operator: Membership

    def plan(self, channel: Channel = Channel.LETTER, at: datetime = NOON) -> Batch:
        return plan_batch(campaign=self.campaign, channel=channel, by=self.operator, at=at)

    def released(self, channel: Channel = Channel.LETTER, at: datetime = NOON) -> Batch:
        return release_batch(batch_id=self.plan(channel, at).id, by=self.operator, at=at)


def make_operator() -> Membership:
    centre = OrganisationFactory(kind=Organisation.Kind.CENTRE, name="National team")
    return MembershipFactory(organisation=centre, role=Role.CENTRAL_OPERATOR, user__name="Olu Adams")


def make_mailing() -> Mailing:
    load_templates(at=NOON)
    return Mailing(Campaign.objects.get(slug="first-advice"), make_operator())


@pytest.fixture
def operator(db: None) -> Membership:
    return make_operator()


@pytest.fixture
def mailing(db: None) -> Mailing:
    return make_mailing()

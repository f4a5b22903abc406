"""A person's whole contact history: all that was sent and tried, for who may see it, and every read logged."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cohort.models import ListFact, Patient, RemovalTold
from cohort.rules import Channel
from coordinators.models import Assignment, CheckIn
from letters.models import Message, PastAttempt, Receipt
from letters.queries.contact_history import contact_history
from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from tests.cohort.factories import MembershipFactory
from tests.cohort.validation.pages import SignIn, read
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import work

pytestmark = pytest.mark.django_db


@pytest.fixture
def amina(db: None) -> Patient:
    return validated(given_name="Amina", family_name="Khan")


@pytest.fixture
def gp(amina: Patient) -> Membership:
    found: Membership = MembershipFactory(organisation=amina.practice, role=Role.GP, user__name="Dr Grace Okafor")
    return found


def url(patient: Patient) -> str:
    return reverse("letters:contact_history", args=[patient.pk])


def coordinator(patient: Patient) -> Membership:
    leads: Membership = MembershipFactory(organisation=patient.practice, role=Role.COORDINATOR, user__name="Cora Lead")
    Assignment.objects.create(patient=patient, coordinator=leads, started_at=NOON)
    return leads


def steps(by: Membership, patient: Patient, item: int = 0) -> list[str]:
    history = contact_history(by, patient.pk)
    assert history is not None
    return [step.words for step in history.items[item].steps]


def test_somebody_nobody_has_contacted_has_an_empty_history(amina: Patient, gp: Membership, sign_in: SignIn) -> None:
    assert "Nobody has written to, texted or called this person" in read(sign_in(gp).get(url(amina)))


def test_a_letters_life_is_told_from_the_queue_to_the_door(amina: Patient, gp: Membership, mailing: Mailing) -> None:
    mailing.released()
    work()
    message = Message.objects.get()
    for status, days in (("DISPATCHED", 3), ("ACCEPTED", 1), ("DELIVERED", 4), ("PRINTED", 2)):
        Receipt.objects.create(
            message=message, attempt=1, status=status, at=NOON + timedelta(days=days), received_at=NOON, reason=""
        )
    message.delivery, message.delivery_at = "DELIVERED", NOON + timedelta(days=4)
    message.save()
    history = contact_history(gp, amina.pk)
    assert history is not None
    (item,) = history.items
    assert (item.state, item.because) == ("Delivered", "")
    told = [step.words for step in item.steps]
    assert told[:4] == ["Delivered", "Sent out by the supplier", "Printed", "Accepted by the supplier"]
    assert told[4].startswith("Given to ")
    assert told[5] == "Checked that they may be contacted, with details of 14 March 2020, and let go"
    assert told[6] == "Put in the queue"


def test_a_hold_says_why_and_against_which_details(amina: Patient, gp: Membership, mailing: Mailing) -> None:
    Patient.objects.update(no_fixed_abode=True)
    mailing.released()
    history = contact_history(gp, amina.pk)
    assert history is not None
    assert (history.items[0].state, history.items[0].because) == ("Held", "No fixed abode")


def test_a_second_try_is_told_after_the_first(amina: Patient, gp: Membership, mailing: Mailing) -> None:
    mailing.released()
    work()
    Message.objects.update(attempt=2, released_at=NOON + timedelta(days=9), provider_id="x", hand_over=None)
    PastAttempt.objects.create(
        message=Message.objects.get(),
        attempt=1,
        released_at=NOON,
        failure="The address is unknown",
        ended_at=NOON + timedelta(days=8),
    )
    assert steps(gp, amina) == [
        steps(gp, amina)[0],
        "Checked that they may be contacted, with details of 14 March 2020, and let go again",
        "Try 1 failed: The address is unknown",
        "Given to the supplier",
        "Put in the queue",
    ]
    assert steps(gp, amina)[0].endswith(" again")


def test_letters_texts_calls_and_what_they_were_told_come_newest_first(
    amina: Patient, gp: Membership, mailing: Mailing, sign_in: SignIn
) -> None:
    mailing.plan()
    mailing.plan(Channel.SMS, NOON + timedelta(hours=1))
    leads = coordinator(amina)
    CheckIn.objects.create(patient=amina, at=NOON + timedelta(days=2), by=leads, outcome="NO_ANSWER", note="a secret")
    fact = ListFact.objects.create(patient=amina, source="GP", request="REMOVE", at=NOON, by=gp.user)
    RemovalTold.objects.create(
        fact=fact, told_by="Dr Grace Okafor", told_date=date(2020, 4, 1), recorded_at=NOON, recorded_by=gp.user
    )
    history = contact_history(gp, amina.pk)
    assert history is not None
    assert [item.heading for item in history.items] == [
        "Told of their removal",
        "Call from their coordinator",
        "Text: First advice",
        "Letter: First advice",
    ]
    words = read(sign_in(gp).get(url(amina)))
    assert "1 April 2020: Dr Grace Okafor told them that they were taken off the list" in words
    assert "23 March 2020 at 10:00am: No answer, by Cora Lead" in words
    assert "a secret" not in words
    assert ReadLog.objects.get(what="letters:contact_history").patient_ids == [amina.pk]


def test_who_leads_for_somebody_reads_their_history_and_no_one_elses(amina: Patient, sign_in: SignIn) -> None:
    leads, other = coordinator(amina), validated()
    client = sign_in(leads)
    assert client.get(url(amina)).status_code == 200
    assert client.get(url(other)).status_code == 404
    assert contact_history(leads, other.pk) is None


def test_another_practices_people_are_not_there(amina: Patient, sign_in: SignIn) -> None:
    client = sign_in(MembershipFactory(role=Role.PRACTICE_STAFF))
    assert client.get(url(amina)).status_code == 404
    assert client.get(reverse("letters:contact_history", args=[uuid4()])).status_code == 404
    assert not ReadLog.objects.exists()


@pytest.mark.parametrize("role", [Role.CENTRAL_OPERATOR, Role.LA_STAFF, Role.HOSPITAL_STAFF, Role.ICS_LEAD])
def test_no_other_role_reads_histories(amina: Patient, sign_in: SignIn, role: Role) -> None:
    by = MembershipFactory(organisation=amina.practice, role=role)
    assert sign_in(by).get(url(amina)).status_code == 403
    with pytest.raises(NotAllowed):
        contact_history(by, amina.pk)


def test_it_takes_as_many_queries_for_much_as_for_little(amina: Patient, gp: Membership, mailing: Mailing) -> None:
    mailing.released()
    work()
    message: Any = Message.objects.get()
    for number in range(1, 5):
        PastAttempt.objects.create(message=message, attempt=number, failure="Lost", ended_at=NOON)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        contact_history(gp, amina.pk)
    assert len(seen) <= 7


def test_the_persons_page_leads_to_it(amina: Patient, gp: Membership, sign_in: SignIn) -> None:
    page = sign_in(gp).get(reverse("cohort:person", args=[amina.entry.practice_list_id, amina.pk]))
    assert url(amina) in page.content.decode()
    leads = sign_in(coordinator(amina)).get(reverse("coordinators:person", args=[amina.pk]))
    assert url(amina) in leads.content.decode()

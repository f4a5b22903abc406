"""Messages in doubt: who sees them, how old they are, and what an operator settles once nobody else can."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from letters.actions.batches import retry_failed
from letters.actions.doubts import NotSettled, settle_doubt
from letters.actions.receipts import record
from letters.models import Message, Receipt, Settlement, Supplier
from letters.queries.contact_history import contact_history
from letters.rules import DeliveryStatus
from letters.transports import Event
from shielding.accounts.models import Role
from shielding.accounts.policies import NotAllowed
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import Mailing, validated

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def doubtful(mailing: Mailing) -> Callable[[timedelta], Message]:
    """A function that returns a text that has been in doubt for so long."""
    texts = Supplier.objects.create(slug="texts", name="GOV.UK Notify", channel="SMS", transport="NOTIFY", in_use=True)

    def doubtful(age: timedelta) -> Message:
        released_at = timezone.now() - age
        return Message.objects.create(
            batch=mailing.released(),
            campaign=mailing.campaign,
            patient=validated(family_name="Khanweiler"),
            channel="SMS",
            state="IN_DOUBT",
            queued_at=released_at,
            released_at=released_at,
            holds_checked_at=released_at,
            hand_over_key=uuid.uuid4(),
            supplier=texts,
        )

    validated()
    return doubtful


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def told(message: Message, sign_in: Any) -> list[str]:
    """Returns what a practice reads about a message in its person's contact history, the latest first."""
    gp = MembershipFactory(organisation=message.patient.practice, role=Role.GP)
    history = contact_history(gp, message.patient_id)
    assert history is not None
    page = unescape(text(sign_in(gp).get(reverse("letters:contact_history", args=[message.patient_id]))))
    (item,) = history.items
    assert all(step.words in page for step in item.steps)
    return [step.words for step in item.steps]


def test_they_are_listed_by_age_and_supplier_without_names(
    mailing: Mailing, doubtful: Callable[[timedelta], Message], sign_in: Any
) -> None:
    browser, here = sign_in(mailing.operator), reverse("letters:doubts")
    assert "Nothing is in doubt" in text(browser.get(here))
    old, new = doubtful(WEEK), doubtful(WEEK - timedelta(hours=1))
    shown = text(browser.get(here))
    assert "2 in doubt, the oldest first" in shown
    assert shown.index(old.reference) < shown.index(new.reference)
    assert "Khanweiler" not in shown
    assert "We can ask it for 7 days" in shown
    forgotten = text(browser.get(here, {"age": "forgotten", "supplier": str(old.supplier_id)}))
    assert old.reference in forgotten
    assert new.reference not in forgotten
    assert "Show all that are in doubt" in forgotten
    assert browser.get(here, {"age": "x", "supplier": "x", "page": "x"}).status_code == 200
    assert "Messages in doubt</a> (2)" in text(browser.get(reverse("letters:batches")))


def test_an_operator_settles_what_the_supplier_has(
    mailing: Mailing, doubtful: Callable[[timedelta], Message], sign_in: Any
) -> None:
    message, browser = doubtful(WEEK), sign_in(mailing.operator)
    here = reverse("letters:settle_doubt", args=[message.pk])
    assert message.reference in text(browser.get(here))
    assert "Choose what the supplier answered" in text(browser.post(here))
    assert "Enter its id with the supplier" in text(browser.post(here, {"answer": "HAS"}))
    assert "Settled: it is handed over" in text(
        browser.post(here, {"answer": "HAS", "provider_id": "n-1"}, follow=True)
    )
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("HANDED_OVER", "n-1")
    assert Receipt.objects.get().status == "PENDING"
    assert browser.get(here).status_code == 404
    assert "Olu Adams asked the supplier's people: it has it" in told(message, sign_in)


def test_an_operator_settles_what_the_supplier_never_had(
    mailing: Mailing, doubtful: Callable[[timedelta], Message], sign_in: Any
) -> None:
    message, browser = doubtful(WEEK), sign_in(mailing.operator)
    given = {"answer": "NEVER", "provider_id": "typed before the answer was changed"}
    shown = text(browser.post(reverse("letters:settle_doubt", args=[message.pk]), given, follow=True))
    assert "Settled: it has failed" in shown
    message.refresh_from_db()
    assert (message.state, message.failure) == ("FAILED", "The provider never had it")
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=timezone.now()) == 1
    # Another try does not take away who said so.
    assert "Olu Adams asked the supplier's people: it never had it" in told(message, sign_in)
    page = text(sign_in(mailing.operator).get(reverse("letters:batch_messages", args=[message.batch_id])))
    assert "Try 1: in doubt until Olu Adams settled it on" in page
    assert "the supplier never had it" in page


def test_who_settled_a_doubt_and_how_is_kept_for_good(
    mailing: Mailing, doubtful: Callable[[timedelta], Message]
) -> None:
    message, now = doubtful(WEEK), timezone.now()
    settle_doubt(message_id=message.pk, provider_id="", by=mailing.operator, at=now)
    kept = Settlement.objects.get()
    assert (kept.message, kept.attempt, kept.has_it) == (message, 1, False)
    assert (kept.at, kept.by) == (now, mailing.operator.user)
    for change in (lambda: Settlement.objects.update(has_it=True), lambda: Settlement.objects.all().delete()):
        with pytest.raises(Error, match="Cannot update or delete"), transaction.atomic():
            change()


def test_what_can_still_be_asked_about_is_not_settled_by_hand(
    mailing: Mailing, doubtful: Callable[[timedelta], Message], sign_in: Any
) -> None:
    message = doubtful(timedelta(days=6))
    answer = sign_in(mailing.operator).post(reverse("letters:settle_doubt", args=[message.pk]), {"answer": "NEVER"})
    assert "We still ask GOV.UK Notify about this message ourselves" in text(answer)
    message.refresh_from_db()
    assert message.state == "IN_DOUBT"


def test_what_a_receipt_settled_meanwhile_stays_so(mailing: Mailing, doubtful: Callable[[timedelta], Message]) -> None:
    message, now = doubtful(WEEK), timezone.now()
    record([Event(message.reference, DeliveryStatus.DELIVERED, now, provider_id="n-1")], at=now)
    with pytest.raises(NotSettled, match="not in doubt any more"):
        settle_doubt(message_id=message.pk, provider_id="", by=mailing.operator, at=now)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CENTRAL_OPERATOR])
def test_other_roles_are_refused(
    mailing: Mailing, doubtful: Callable[[timedelta], Message], sign_in: Any, role: Role
) -> None:
    message, other = doubtful(WEEK), MembershipFactory(role=role)
    browser = sign_in(other)
    assert browser.get(reverse("letters:doubts")).status_code == 403
    assert browser.post(reverse("letters:settle_doubt", args=[message.pk]), {"answer": "NEVER"}).status_code == 403
    with pytest.raises(NotAllowed):
        settle_doubt(message_id=message.pk, provider_id="", by=other, at=timezone.now())

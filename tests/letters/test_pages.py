"""The operator's pages: plan, look, release, watch, stop; and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from pypdf import PdfReader

from cohort.rules import Channel
from letters import queries
from letters.actions.batches import approve_batch
from letters.models import Batch, TemplateVersion
from shielding.accounts.models import Membership, Role
from shielding.audit.models import ReadLog
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import Mailing, validated
from tests.letters.outbox import states, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(mailing: Mailing, sign_in: Callable[[Membership], Any]) -> Any:
    return sign_in(mailing.operator)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CENTRAL_OPERATOR])
@pytest.mark.parametrize("page", ["batches", "plan", "batch", "approve", "release", "stop", "try_again", "preview"])
def test_other_roles_are_refused(mailing: Mailing, sign_in: Any, role: Role, page: str) -> None:
    validated()
    batch = mailing.plan()
    args = {"batches": [], "plan": [], "preview": [batch.template_version_id]}.get(page, [batch.id])
    browser = sign_in(MembershipFactory(role=role))
    send = browser.post if page in {"approve", "release", "stop", "try_again"} else browser.get
    assert send(reverse(f"letters:{page}", args=args)).status_code == 403
    assert states(batch) == {"WAITING": 1}


def test_nobody_sees_them_without_signing_in(client: Any) -> None:
    assert client.get(reverse("letters:batches")).status_code == 302


def test_an_operator_plans_releases_and_watches_a_batch(browser: Any, mailing: Mailing) -> None:
    validated(family_name="Khan")
    validated(death_status="FORMAL")
    chosen = {"campaign": "first-advice", "channel": "LETTER"}
    shown = text(browser.get(reverse("letters:plan"), chosen))
    assert "1 letter" in shown
    assert "Has died" in shown
    assert "Khan" not in shown
    planned = browser.post(reverse("letters:plan"), chosen, follow=True)
    assert "Nothing goes before somebody else approves it" in text(planned)
    batch = Batch.objects.get()
    own = text(browser.post(reverse("letters:approve", args=[batch.id]), follow=True))
    assert "somebody else must approve it" in own
    approve_batch(batch_id=batch.id, by=mailing.second, at=batch.planned_at)
    assert "Release 1 letter" in text(browser.get(reverse("letters:batch", args=[batch.id])))
    assert "Batch released" in text(browser.post(reverse("letters:release", args=[batch.id]), follow=True))
    work(batch.planned_at)
    page = text(browser.get(reverse("letters:batch", args=[batch.id])))
    assert "1 of 1 letters handed over" in page
    assert "Finished" in page
    assert str(batch.hand_overs.get().id) in page
    listed = text(browser.get(reverse("letters:batches")))
    assert "First advice by letter" in listed
    assert "1 of 1" in listed


def test_a_stop_needs_a_reason_and_then_stops(browser: Any, mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    page = reverse("letters:stop", args=[batch.id])
    refused = browser.post(page, {"reason": " "})
    assert "Say why you are stopping the batch" in text(refused)
    assert "Error: First advice by letter" in text(refused)
    assert "Batch stopped" in text(browser.post(page, {"reason": "Wrong words"}, follow=True))
    shown = text(browser.get(reverse("letters:batch", args=[batch.id])))
    assert "Wrong words" in shown
    assert "Stop this batch" not in shown
    assert "cannot be stopped" in text(browser.post(page, {"reason": "Again"}, follow=True))


def test_a_plan_without_choices_says_what_to_choose(browser: Any) -> None:
    shown = text(browser.get(reverse("letters:plan"), {"channel": "FAX"}))
    assert "Choose what it is for" in shown
    assert "Choose how it should go" in shown


def test_a_second_plan_says_that_everybody_has_one(browser: Any, mailing: Mailing) -> None:
    validated()
    mailing.plan(Channel.SMS)
    chosen = {"campaign": "first-advice", "channel": "SMS"}
    assert "already has one" in text(browser.get(reverse("letters:plan"), chosen))
    assert "already has one" in text(browser.post(reverse("letters:plan"), chosen))
    assert Batch.objects.count() == 1


def test_failed_letters_can_be_tried_again(browser: Any, mailing: Mailing) -> None:
    validated(address_lines=["x" * 100])
    batch = mailing.released()
    work()
    assert "The address does not fit the window" in text(browser.get(reverse("letters:batch", args=[batch.id])))
    answer = browser.post(reverse("letters:try_again", args=[batch.id]), follow=True)
    assert "1 put back in the queue" in text(answer)
    assert states(batch) == {"WAITING": 1}


def test_a_letter_is_previewed_as_its_pdf_and_a_text_as_it_is_read(browser: Any) -> None:
    from io import BytesIO

    letter, sms = (
        TemplateVersion.objects.get(template__slug=f"first-advice-{channel}") for channel in ("letter", "sms")
    )
    pdf = browser.get(reverse("letters:preview", args=[letter.id]))
    assert pdf["Content-Type"] == "application/pdf"
    assert "Amina Khan" in PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    shown = text(browser.get(reverse("letters:preview", args=[sms.id])))
    assert "NHS, for Mill Lane Surgery" in shown
    assert "1 fragment." in shown
    assert browser.get(reverse("letters:preview", args=[0])).status_code == 404


def test_no_page_reads_people_so_none_is_in_the_read_log(browser: Any, mailing: Mailing) -> None:
    validated()
    batch = mailing.plan()
    browser.get(reverse("letters:batch", args=[batch.id]))
    assert not ReadLog.objects.exists()


def test_a_batch_that_is_not_there_is_not_found(browser: Any) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    assert browser.get(reverse("letters:batch", args=[missing])).status_code == 404
    assert browser.post(reverse("letters:release", args=[missing])).status_code == 404


def test_the_list_of_batches_asks_the_database_a_fixed_number_of_times(
    mailing: Mailing, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        validated()
        mailing.plan()
    with django_assert_max_num_queries(2):
        found = list(queries.batches())
        queries.progress([batch.pk for batch in found])
        [str(batch) for batch in found]

"""An operator's mailing: planned, approved by a second person, released, paused, stopped in part, resumed, and read."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from letters.actions import outbox
from letters.models import Batch, Message
from letters.tasks import work_outbox
from shielding.accounts.models import Membership
from shielding.audit.models import ReadLog
from tests.browser import PATIENCE
from tests.cohort.factories import PASSWORD, PracticeListFactory
from tests.letters.factories import make_mailing, validated

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sign_in(browser: Browser, live_server: Any) -> Iterator[Callable[[Membership], Page]]:
    """A function that signs somebody in, in a window of their own."""
    contexts = []

    def _sign_in(who: Membership) -> Page:
        who.user.set_password(PASSWORD)
        who.user.save()
        context = browser.new_context(base_url=live_server.url, locale="en-GB")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/")
        page.get_by_label("E-mail address").fill(who.user.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        return page

    yield _sign_in
    for context in contexts:
        context.close()


def hand_over_some(limit: int) -> None:
    """One worker takes one claim to its end, and goes away."""
    claimed = outbox.claim(at=timezone.now(), limit=limit)
    assert claimed is not None
    assert outbox.make_and_hand_over(claimed=claimed, clock=timezone.now) == limit


def test_an_operator_sends_a_mailing_and_stops_a_part_of_it(
    transactional_db: None, sign_in: Callable[[Membership], Page], axe: Callable[[Page], None]
) -> None:
    # Given eight people of two practices, one of whom has died
    mailing = make_mailing()
    first, second = PracticeListFactory(), PracticeListFactory()
    for number in range(5):
        validated(practice_list=first, practice=first.practice, given_name=f"Person{number}")
    for _ in range(2):
        validated(practice_list=second, practice=second.practice)
    validated(practice_list=first, practice=first.practice, death_status="FORMAL")

    # When an operator looks at who would be written to, and queues the batch
    olu = sign_in(mailing.operator)
    olu.goto("/batches/plan/")
    olu.get_by_label("First advice", exact=True).check()
    olu.get_by_label("Letter", exact=True).check()
    olu.get_by_role("button", name="See who it would go to").click()
    expect(olu.locator("main")).to_contain_text("7 letters")
    expect(olu.locator("main")).to_contain_text("Has died")
    axe(olu)
    olu.get_by_role("button", name="Queue this batch").click()
    batch = Batch.objects.get()
    at_batch = olu.url

    # then it cannot go before somebody else has approved it
    expect(olu.locator("main")).to_contain_text("somebody else must approve it")
    expect(olu.get_by_role("button", name="Approve this batch")).to_have_count(0)
    sade = sign_in(mailing.second)
    sade.goto(at_batch)
    sade.get_by_role("button", name="Approve this batch").click()
    expect(sade.locator("main")).to_contain_text("Batch approved")

    # When it is released, and a worker has handed the first two letters over
    olu.goto(at_batch)
    olu.get_by_role("button", name=re.compile("^Release 7 letters")).click()
    hand_over_some(2)
    olu.goto(at_batch)
    expect(olu.locator("main")).to_contain_text("2 of 7 letters handed over")
    axe(olu)

    # and it is paused, then nothing more goes
    olu.get_by_role("button", name="Pause this batch").click()
    assert work_outbox() == 0
    axe(olu)

    # When the letters of one practice are stopped
    olu.get_by_role("link", name="stop the people of a practice").click()
    olu.get_by_label("The people of one GP practice").check()
    olu.get_by_role("button", name="Stop these").click()
    expect(olu.get_by_role("alert")).to_contain_text("Say why you are stopping these")
    axe(olu)
    gone = Message.objects.filter(state="HANDED_OVER", patient__practice=second.practice).count()
    olu.get_by_label("Code of the GP practice").fill(second.practice.code)
    olu.get_by_label("Why are you stopping these?").fill("The practice has closed its doors")
    olu.get_by_role("button", name="Stop these").click()
    expect(olu.get_by_role("table", name="Parts that were stopped")).to_contain_text("closed its doors")

    # and the rest is resumed, then everybody else has their letter, once
    olu.get_by_role("button", name="Resume this batch").click()
    work_outbox()
    olu.goto(at_batch)
    expect(olu.locator("main")).to_contain_text("Finished")
    sent = Message.objects.filter(state="HANDED_OVER")
    assert sent.count() == 5 + gone
    assert not sent.filter(patient__death_status="FORMAL").exists()
    assert Message.objects.filter(state="STOPPED").count() == 2 - gone
    batch.refresh_from_db()
    assert (batch.planned_by, batch.approved_by) == (mailing.operator.user, mailing.second.user)

    # and the operator can read one letter as it was handed over, which is written down
    olu.get_by_role("link", name="See each of the messages").click()
    axe(olu)
    link = olu.get_by_role("link", name=re.compile("^Read")).first.get_attribute("href")
    answer = olu.request.get(str(link))
    assert answer.headers["content-type"] == "application/pdf"
    assert "Important advice" in PdfReader(BytesIO(answer.body())).pages[0].extract_text()
    assert ReadLog.objects.filter(user=mailing.operator.user).exists()

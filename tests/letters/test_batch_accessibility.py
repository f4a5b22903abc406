"""The pages of a batch in each of its states, in a real browser, meet WCAG 2.2 AA."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from letters.actions import batches
from letters.actions.doubts import settle_doubt
from letters.models import Message, PartialStop, Supplier
from tests.browser import axe, browser, page
from tests.cohort.factories import PracticeListFactory
from tests.letters.factories import NOON, make_mailing, validated
from tests.letters.outbox import LATER, work

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_they_are_accessible(
    transactional_db: None, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    mailing = make_mailing()
    long_name = "The Surgery of the Holy Trinity and Saint Bartholomew the Great with Walthamstow Marshes"
    one, other = PracticeListFactory(practice__name=long_name), PracticeListFactory()
    for details in ({}, {"postcode": ""}, {"death_status": "FORMAL"}, {"address_lines": ["x" * 100]}):
        validated(practice_list=one, practice=one.practice, **details)
    validated(practice_list=other, practice=other.practice)
    client.force_login(mailing.operator.user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])

    def look(name: str, *args: Any, query: str = "", shot: str = "") -> None:
        page.goto(reverse(f"letters:{name}", args=args) + query)
        axe(page)
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=str(Path(folder) / f"{shot or name}.png"), full_page=True)

    look("batches", shot="no-batches")
    look("plan")
    look("plan", query="?campaign=first-advice&channel=LETTER-SMS", shot="plan-preview")
    made = client.post(reverse("letters:plan"), {"campaign": "first-advice", "channel": "LETTER-SMS"})
    batch = mailing.campaign.batches.get()
    assert made["Location"] == reverse("letters:batch", args=[batch.pk])
    look("batch", batch.pk, shot="planned")
    batches.approve_batch(batch_id=batch.pk, by=mailing.second, at=NOON)
    look("batch", batch.pk, shot="approved")
    batches.release_batch(batch_id=batch.pk, by=mailing.operator, at=NOON)
    look("batch", batch.pk, shot="released")
    batches.pause_batch(batch_id=batch.pk, by=mailing.operator)
    look("batch", batch.pk, shot="paused")
    look("stop_part", batch.pk)
    page.click("text=Stop these")
    axe(page)  # with errors
    part = {"kind": PartialStop.Kind.PRACTICE, "value": str(other.practice.pk), "reason": "Their phone number is wrong"}
    batches.stop_part(batch_id=batch.pk, by=mailing.operator, at=NOON, **part)
    batches.resume_batch(batch_id=batch.pk, by=mailing.operator)
    work()
    work(LATER)
    look("batch", batch.pk, shot="finished")
    Message.objects.filter(state="HANDED_OVER", channel="SMS").update(state="FAILED", failure="It did not arrive")
    look("batch_messages", batch.pk)
    look("batch_messages", batch.pk, query="?practice=NONE", shot="no-such-practice")
    look("batches")
    look("doubts", shot="no-doubts")
    texts = Supplier.objects.create(slug="texts", name="T" * 60, channel="SMS", transport="NOTIFY")
    doubtful = Message.objects.filter(state="FAILED", channel="SMS").first()
    assert doubtful
    bring_into_doubt(doubtful, texts)
    look("doubts")
    look("settle_doubt", doubtful.pk)
    page.click("text=Settle it")
    axe(page)  # with errors
    settle_doubt(message_id=doubtful.pk, provider_id="", by=mailing.operator, at=timezone.now())
    look("batch_messages", batch.pk, shot="settled")
    look("plan", query="?campaign=removal&channel=LETTER", shot="plan-removal")
    page.set_viewport_size({"width": 320, "height": 640})
    look("batch", batch.pk, shot="finished-320")
    look("batch_messages", batch.pk, shot="messages-320")


def bring_into_doubt(message: Message, supplier: Supplier) -> None:
    """Has a worker die while it gave a failed message to a provider, long ago."""
    its = Message.objects.filter(pk=message.pk)
    its.update(state="WAITING", failure="", hand_over=None)
    its.update(state="MAKING")
    its.update(state="RELEASED", supplier=supplier, released_at=NOON)
    its.update(state="IN_DOUBT")


def test_the_progress_of_a_batch_renews_itself_and_takes_no_focus(
    transactional_db: None, client: Client, live_server: Any, page: Any
) -> None:
    mailing = make_mailing()
    for _ in range(3):
        validated()
    batch = mailing.released()
    client.force_login(mailing.operator.user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.clock.install()
    page.goto(reverse("letters:batch", args=[batch.pk]))
    reason = page.get_by_label("Why are you stopping it?")
    reason.fill("Because")
    Message.objects.filter(pk=Message.objects.values("pk")[:1]).update(state="HELD", hold_reason="DIED")
    page.clock.run_for(11_000)
    expect(page.locator("main")).to_contain_text("0 of 2 letters handed over")
    assert page.get_by_text("This batch has moved on").is_hidden()
    work()
    page.clock.run_for(11_000)
    expect(page.locator("main")).to_contain_text("3 of 3 letters handed over")
    expect(page.get_by_text("This batch has moved on")).to_be_visible()
    expect(reason).to_be_focused()
    expect(reason).to_have_value("Because")

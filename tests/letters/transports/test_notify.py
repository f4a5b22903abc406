"""GOV.UK Notify's real client against a stub: what each way of going wrong means for a message."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from letters.contents import Text
from letters.rules import DeliveryStatus
from letters.transports import Item, Pages
from letters.transports.errors import InDoubt, Refused, TryLater
from letters.transports.notify import client
from letters.transports.notify.client import Notify
from letters.transports.notify.statuses import read_notification
from letters.transports.notify.stub import NotifyStub


def text(number: str = "+447700900123", words: str = "NHS: a letter is on its way.") -> Item:
    return Item(f"{uuid.uuid4()}-1", Text(number, words, 1))


def letter(pdf: bytes = b"%PDF-1.7") -> Item:
    return Item(f"{uuid.uuid4()}-1", Pages(pdf))


@pytest.mark.parametrize(
    ("item", "status"), [(text(), DeliveryStatus.DELIVERED), (letter(), DeliveryStatus.PENDING)], ids=["text", "letter"]
)
def test_what_is_sent_is_found_by_its_reference(notify: NotifyStub, item: Item, status: DeliveryStatus) -> None:
    assert Notify().look_up(item.reference) is None
    provider_id = Notify().send(item)
    found = Notify().look_up(item.reference)
    assert found
    assert (found.provider_id, found.reference, found.status) == (provider_id, item.reference, status)
    assert [each["reference"] for each in notify.accepted] == [item.reference]


@pytest.mark.parametrize(
    ("way", "expected", "accepted"),
    [
        ("refuse", Refused, 0),
        ("too_many", TryLater, 0),
        ("unavailable", TryLater, 0),
        ("error", InDoubt, 0),
        ("drop", InDoubt, 0),
        ("hang", InDoubt, 0),
        ("error_after", InDoubt, 1),
        ("drop_after", InDoubt, 1),
        ("hang_after", InDoubt, 1),
    ],
)
def test_what_goes_wrong_says_what_is_known(
    notify: NotifyStub, way: str, expected: type[Exception], accepted: int, monkeypatch: Any
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.3)
    notify.misbehave(**{way: 1})
    item = text()
    with pytest.raises(expected) as told:
        Notify().send(item)
    assert "447700" not in str(told.value)
    assert len(notify.accepted) == accepted
    assert (Notify().look_up(item.reference) is not None) == bool(accepted)


def test_a_gateway_that_answers_for_notify_leaves_doubt(notify: NotifyStub) -> None:
    notify.misbehave(down=True)  # 503, without Notify's own error body
    with pytest.raises(InDoubt):
        Notify().send(text())
    with pytest.raises(TryLater):
        Notify().look_up("any")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://nobody.invalid"])
def test_what_never_left_is_tried_later(notify: NotifyStub, settings: Any, address: str) -> None:
    settings.NOTIFY_BASE_URL = address
    with pytest.raises(TryLater):
        Notify().send(text())


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (text(number="+441632960001"), "does not send texts to this number"),
        (text(number="12"), "does not send texts to this number"),
        (text(words="long " * 200), "too long"),
        (letter(b"not a PDF"), "could not read the letter"),
    ],
)
def test_a_refusal_says_why_in_words_of_ours(notify: NotifyStub, item: Item, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        Notify().send(item)


@pytest.mark.parametrize(
    ("name", "value"),
    [("NOTIFY_API_KEY", f"wrong-{uuid.UUID(int=1)}-{uuid.UUID(int=2)}"), ("NOTIFY_SMS_TEMPLATE_ID", "another")],
)
def test_settings_that_are_wrong_fail_no_message_and_are_loud(
    notify: NotifyStub, settings: Any, caplog: Any, name: str, value: str
) -> None:
    setattr(settings, name, value)
    with pytest.raises(TryLater) as told:
        Notify().send(text())
    assert told.value.after_seconds == client.SETTINGS_WRONG_SECONDS
    assert "takes nothing from us" in caplog.text


def test_the_rate_is_kept_over_all_workers(notify: NotifyStub, settings: Any) -> None:
    settings.NOTIFY_RATE_PER_MINUTE = 120
    before = time.time()
    for _ in range(6):
        Notify().send(text())
    assert time.time() - before > 1
    seconds = [int(datetime.fromisoformat(each["at"]).timestamp()) for each in notify.accepted]
    assert max(seconds.count(each) for each in seconds) <= 2


def test_proxies_and_certificates_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/ours.pem")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    session = client._client(client._NO_KEY, "https://notify.example", 1).request_session
    assert (session.proxies["https"], session.verify) == ("http://proxy.example:3128", "/etc/ssl/ours.pem")
    assert "https" not in client._client(client._NO_KEY, "https://inside.example", 1).request_session.proxies


def test_losing_redis_stops_nothing(notify: NotifyStub, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    Notify().send(text())
    assert len(notify.accepted) == 1


def test_news_is_of_every_page_since_a_moment(notify: NotifyStub, monkeypatch: Any) -> None:
    monkeypatch.setattr("letters.transports.notify.stub.PAGE", 2)
    items = [text() for _ in range(5)]
    for item in items:
        Notify().send(item)
    notify.accepted[0]["at"] = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    since = datetime.now(UTC) - timedelta(days=1)
    assert [event.reference for event in Notify().news(since=since)] == [each.reference for each in items[:0:-1]]


@pytest.mark.parametrize(
    ("kind", "status", "expected", "wrong_address"),
    [
        ("sms", "sending", "PENDING", False),
        ("sms", "sent", "DISPATCHED", False),
        ("sms", "delivered", "DELIVERED", False),
        ("sms", "permanent-failure", "FAILED", True),
        ("sms", "temporary-failure", "FAILED", False),
        ("sms", "technical-failure", "FAILED", False),
        ("letter", "pending-virus-check", "PENDING", False),
        ("letter", "accepted", "ACCEPTED", False),
        ("letter", "received", "DISPATCHED", False),
        ("letter", "cancelled", "CANCELLED", False),
        ("letter", "validation-failed", "REJECTED", False),
        ("letter", "virus-scan-failed", "REJECTED", False),
        ("letter", "permanent-failure", "REJECTED", False),
        ("letter", "technical-failure", "FAILED", False),
        ("letter", "returned-letter", "RETURNED", True),
    ],
)
def test_statuses_mean(kind: str, status: str, expected: str, wrong_address: bool) -> None:
    said = {"reference": "a-1", "status": status, "type": kind, "created_at": "2020-03-21T10:00:00.000000Z"}
    event = read_notification(said, provider_id="p")
    assert (event.status, event.wrong_address) == (expected, wrong_address)
    assert bool(event.reason) == (expected in {"FAILED", "REJECTED", "RETURNED", "CANCELLED"})

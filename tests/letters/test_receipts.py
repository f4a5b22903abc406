"""What suppliers say of messages: once each, in any order, and nobody lost or failed for nothing."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cohort.actions.contact_problems import number_undeliverable
from cohort.models import Patient
from cohort.queries.holds import hold_reason
from cohort.rules import Audience, Channel
from letters.actions import receipt_files
from letters.actions.batches import retry_failed
from letters.actions.receipts import FAILURES, record
from letters.models import HandOver, HandOverCheck, Message, Receipt, Supplier
from letters.queries import uk_date
from letters.rules import NOT_REACHED, DeliveryStatus, MessageState
from letters.transports.contract import Event
from letters.transports.print_supplier.stub import PrintStub
from letters.web.hospitals import as_handed_over
from shielding.accounts.models import Role
from tests.cohort.factories import MembershipFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import work
from tests.letters.stub_suppliers import printer

__all__ = ["printer"]
pytestmark = pytest.mark.django_db

WEEKS_LATER = NOON + timedelta(weeks=5)


def handed_over(mailing: Mailing, people: int = 1, channel: Channel = Channel.LETTER) -> list[Message]:
    for _ in range(people):
        validated()
    mailing.released(channel)
    work()
    messages = list(Message.objects.order_by("id"))
    assert {message.state for message in messages} == {"HANDED_OVER"}
    return messages


#: No message has this id.
NOBODY = uuid.UUID(int=1)


def said(message: Message, status: str, at: datetime = NOON, **more: Any) -> Event:
    return Event(message.reference, DeliveryStatus(status), at, **more)


def test_every_status_that_reaches_nobody_has_its_words() -> None:
    assert {status for _, status in FAILURES} == NOT_REACHED
    assert {channel for channel, _ in FAILURES} == set(Channel)


@pytest.mark.parametrize(
    ("order", "state", "delivery"),
    [
        (["PENDING", "ACCEPTED", "PRINTED", "DISPATCHED", "DELIVERED"], "HANDED_OVER", "DELIVERED"),
        (["DELIVERED", "DISPATCHED", "PENDING"], "HANDED_OVER", "DELIVERED"),
        (["ACCEPTED", "ACCEPTED", "ACCEPTED"], "HANDED_OVER", "ACCEPTED"),
        (["REJECTED", "ACCEPTED"], "FAILED", "REJECTED"),
        (["ACCEPTED", "REJECTED"], "FAILED", "REJECTED"),
        (["CANCELLED"], "FAILED", "CANCELLED"),
        (["DELIVERED", "RETURNED"], "FAILED", "RETURNED"),
        (["RETURNED", "DELIVERED", "RETURNED"], "FAILED", "RETURNED"),
        (["FAILED"], "FAILED", "FAILED"),
        (["FAILED", "DELIVERED"], "HANDED_OVER", "DELIVERED"),
        (["DELIVERED", "REJECTED"], "HANDED_OVER", "DELIVERED"),
        (["CANCELLED", "DELIVERED", "RETURNED"], "FAILED", "RETURNED"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["together", "one-by-one"])
def test_the_last_of_a_letters_life_counts_in_whatever_order_it_is_told(
    mailing: Mailing, order: list[str], state: str, delivery: str, together: bool
) -> None:
    (message,) = handed_over(mailing)
    events = [said(message, status, NOON + timedelta(hours=hour)) for hour, status in enumerate(order)]
    for group in [events] if together else [[event] for event in events]:
        record(group, at=WEEKS_LATER)
    message.refresh_from_db()
    assert (message.state, message.delivery) == (state, delivery)
    assert Receipt.objects.count() == len(set(order))
    assert message.delivery_at == NOON + timedelta(hours=order.index(delivery))
    assert bool(message.failure) == (state == "FAILED")


@pytest.mark.parametrize(
    "reference", ["", "nonsense", f"{NOBODY}-1", "not-a-uuid-1", f"{NOBODY}-99999999999", "\x00-1"]
)
def test_news_of_a_message_that_we_do_not_have_changes_nothing(mailing: Mailing, reference: str) -> None:
    handed_over(mailing)
    recorded = record([Event(reference, DeliveryStatus.RETURNED, NOON)], at=NOON)
    assert (recorded.new, recorded.unknown) == (0, 1)
    assert not Receipt.objects.exists()


def test_news_of_a_past_attempt_is_kept_and_changes_no_later_one(mailing: Mailing) -> None:
    (message,) = handed_over(mailing)
    first = said(message, "REJECTED")
    record([first], at=NOON)
    retry_failed(batch_id=message.batch_id, by=mailing.operator, at=NOON)
    work()
    record([first, said(message, "RETURNED", WEEKS_LATER)], at=WEEKS_LATER)
    message.refresh_from_db()
    assert (message.state, message.attempt, message.delivery) == ("HANDED_OVER", 2, "")
    assert set(Receipt.objects.values_list("attempt", "status")) == {(1, "REJECTED"), (1, "RETURNED")}
    # The attempt that comes after this one does not exist yet.
    later = Event(f"{message.pk}-3", DeliveryStatus.REJECTED, NOON)
    assert record([later], at=NOON).unknown == 1


def failed_and_queued_again(mailing: Mailing, channel: Channel = Channel.LETTER) -> tuple[Message, Event]:
    """Returns a message whose first attempt was said to have failed, and the news that it was delivered."""
    (message,) = handed_over(mailing, channel=channel)
    delivered = said(message, "DELIVERED", NOON + timedelta(hours=1))
    record([said(message, "FAILED")], at=NOON)
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=NOON) == 1
    message.refresh_from_db()
    assert (message.state, message.attempt) == ("WAITING", 2)
    return message, delivered


def put(message: Message, *moves: str, **details: Any) -> None:
    for state in moves:
        Message.objects.filter(pk=message.pk).update(state=state, **(details if state == moves[-1] else {}))


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    ("moves", "details"),
    [
        ([], {}),
        (["MAKING"], {"lease_until": WEEKS_LATER}),
        (["HELD"], {"hold_reason": "OFF_LIST"}),
        (["MAKING", "FAILED"], {"failure": "The address does not fit"}),
    ],
    ids=["waiting", "being made", "held", "could not be made"],
)
def test_an_attempt_that_was_delivered_after_all_stops_the_next_one(
    mailing: Mailing, channel: Channel, moves: list[str], details: dict[str, Any]
) -> None:
    message, delivered = failed_and_queued_again(mailing, channel)
    put(message, *moves, **details)
    record([delivered, delivered], at=NOON)
    work()
    message.refresh_from_db()
    assert (message.state, message.attempt, message.delivery) == ("HANDED_OVER", 1, "DELIVERED")
    assert (message.failure, message.hold_reason, message.lease_until) == ("", "", None)
    assert message.delivery_at == delivered.at
    assert message.hand_over == HandOver.objects.get()
    assert not HandOverCheck.objects.exclude(difference="").exists()
    # It is one letter still: nobody is due another, nor can it be tried again by mistake.
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=NOON) == 0


def test_an_attempt_that_counts_after_all_and_then_comes_back_can_be_tried_again(mailing: Mailing) -> None:
    message, delivered = failed_and_queued_again(mailing)
    record([delivered], at=NOON)
    record([Event(delivered.reference, DeliveryStatus.RETURNED, WEEKS_LATER)], at=WEEKS_LATER)
    message.refresh_from_db()
    assert (message.state, message.failure) == ("FAILED", "The letter came back")
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=WEEKS_LATER) == 1
    work()
    message.refresh_from_db()
    assert (message.state, message.attempt) == ("HANDED_OVER", 2)
    assert HandOver.objects.count() == 2


def test_no_number_of_an_attempt_is_used_twice(mailing: Mailing) -> None:
    message, delivered = failed_and_queued_again(mailing)
    work()
    record([Event(f"{message.pk}-2", DeliveryStatus.FAILED, NOON)], at=NOON)
    retry_failed(batch_id=message.batch_id, by=mailing.operator, at=NOON)
    record([delivered], at=NOON)
    message.refresh_from_db()
    assert (message.state, message.attempt) == ("HANDED_OVER", 1)
    # Of the second, which went too, news is still known.
    assert record([Event(f"{message.pk}-2", DeliveryStatus.DELIVERED, NOON)], at=NOON).unknown == 0
    record([Event(delivered.reference, DeliveryStatus.RETURNED, WEEKS_LATER)], at=WEEKS_LATER)
    retry_failed(batch_id=message.batch_id, by=mailing.operator, at=WEEKS_LATER)
    message.refresh_from_db()
    assert (message.state, message.attempt) == ("WAITING", 3)


def test_what_is_released_again_goes_on(mailing: Mailing) -> None:
    message, delivered = failed_and_queued_again(mailing, Channel.SMS)
    put(message, "MAKING", "RELEASED", released_at=NOON, hand_over_key=uuid.uuid4())
    record([delivered], at=NOON)
    message.refresh_from_db()
    assert (message.state, message.attempt, message.delivery) == ("RELEASED", 2, "")


@pytest.mark.parametrize("status", ["ACCEPTED", "CANCELLED", "RETURNED"])
def test_news_that_an_attempt_failed_or_had_been_taken_leaves_the_next_one_queued(
    mailing: Mailing, status: str
) -> None:
    message, delivered = failed_and_queued_again(mailing)
    record([Event(delivered.reference, DeliveryStatus(status), NOON)], at=NOON)
    message.refresh_from_db()
    assert (message.state, message.attempt) == ("WAITING", 2)


@pytest.mark.parametrize("provider_id", ["n-1", ""])
def test_a_text_that_nobody_was_said_to_have_counts_by_the_providers_own_id_alone(
    mailing: Mailing, provider_id: str
) -> None:
    (message,) = handed_over(mailing, channel=Channel.SMS)
    put(message, "FAILED", failure="The provider never had it", hand_over=None, provider_id="")
    reference = message.reference
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=NOON) == 1
    record([Event(reference, DeliveryStatus.ACCEPTED, NOON, provider_id=provider_id)], at=NOON)
    message.refresh_from_db()
    assert (message.state, message.attempt) == (("HANDED_OVER", 1) if provider_id else ("WAITING", 2))


@pytest.mark.parametrize("state", ["WAITING", "MAKING", "HELD"])
def test_the_database_hands_over_only_an_earlier_attempt_without_a_release(mailing: Mailing, state: str) -> None:
    message, _ = failed_and_queued_again(mailing)
    put(message, *([] if state == "WAITING" else [state]), **({"hold_reason": "OFF_LIST"} if state == "HELD" else {}))
    given = HandOver.objects.get()
    change = {"state": "HANDED_OVER", "hold_reason": "", "hand_over": given, "hand_over_key": given.pk}
    with pytest.raises(Error, match="Illegal move"), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(released_at=NOON, **change)
    Message.objects.filter(pk=message.pk).update(released_at=NOON, attempt=1, **change)


@pytest.mark.parametrize(
    ("channel", "status", "hold"),
    [(Channel.LETTER, "RETURNED", "LETTER_RETURNED"), (Channel.SMS, "FAILED", "NUMBER_UNDELIVERABLE")],
)
def test_what_came_back_holds_the_person_until_their_details_change(
    mailing: Mailing, channel: Channel, status: str, hold: str
) -> None:
    (message,) = handed_over(mailing, channel=channel)
    record([said(message, status, WEEKS_LATER, wrong_address=True)], at=WEEKS_LATER)
    on = uk_date(WEEKS_LATER)
    patient = Patient.objects.filter(pk=message.patient_id).annotate(hold=hold_reason(channel, on, Audience.LISTED))
    assert patient.get().hold == hold
    Patient.objects.filter(pk=message.patient_id).update(address_lines=["2 New Road", "Sutton"], mobile="07700900999")
    assert patient.get().hold == ""
    record([said(message, status, WEEKS_LATER, wrong_address=True)], at=WEEKS_LATER)
    assert patient.get().hold == ""


def test_a_provider_that_speaks_of_a_message_in_doubt_has_it(mailing: Mailing) -> None:
    (message,) = handed_over(mailing, channel=Channel.SMS)
    doubtful = Message.objects.create(
        batch=message.batch,
        campaign=message.campaign,
        patient=validated(),
        channel="SMS",
        state=MessageState.IN_DOUBT,
        queued_at=NOON,
        released_at=NOON,
        holds_checked_at=NOON,
        hand_over_key=uuid.uuid4(),
    )
    record([said(doubtful, "DELIVERED", provider_id="theirs")], at=NOON)
    doubtful.refresh_from_db()
    assert (doubtful.state, doubtful.provider_id, doubtful.delivery) == ("HANDED_OVER", "theirs", "DELIVERED")


def test_a_file_of_many_statuses_takes_a_handful_of_statements(mailing: Mailing) -> None:
    messages = handed_over(mailing, 60)
    with CaptureQueriesContext(connection) as few:
        record([said(message, "ACCEPTED") for message in messages[:2]], at=NOON)
    with CaptureQueriesContext(connection) as many:
        record([said(message, "RETURNED", wrong_address=True) for message in messages], at=NOON)
    assert len(many) <= len(few) + 8
    assert Message.objects.filter(state="FAILED").count() == 60


@pytest.fixture
def printed(mailing: Mailing, printer: PrintStub) -> list[Message]:
    """Three letters that the stub print supplier has, and whose receipt waits."""
    Supplier.objects.create(slug="print", name="Printer", channel="LETTER", transport="PRINT", in_use=True)
    return handed_over(mailing, 3)


def test_receipts_of_the_print_supplier_are_collected_once(printed: list[Message]) -> None:
    assert receipt_files.collect(at=NOON) == 1
    assert receipt_files.collect(at=NOON) == 0
    assert set(Message.objects.values_list("delivery", flat=True)) == {"ACCEPTED"}
    assert HandOverCheck.objects.get().difference == ""


def test_a_letter_comes_back_weeks_later(printed: list[Message], printer: PrintStub) -> None:
    at = WEEKS_LATER.isoformat()
    printer.write_receipt(
        {"statuses": [{"reference": printed[0].reference, "status": "returned", "at": at, "reason": "Gone away"}]}
    )
    receipt_files.collect(at=WEEKS_LATER)
    printed[0].refresh_from_db()
    assert (printed[0].state, printed[0].failure) == ("FAILED", "The letter came back")
    assert Receipt.objects.get(status="RETURNED").reason == "Gone away"
    assert Patient.objects.get(pk=printed[0].patient_id).returned_address


@pytest.mark.parametrize(
    ("how", "words"),
    [({"wrong_count": True}, "the supplier counted 3"), ({"lose_one": True}, "the supplier counted 1")],
)
def test_a_receipt_that_does_not_match_is_kept_for_a_person(
    mailing: Mailing, printer: PrintStub, how: dict[str, bool], words: str, caplog: Any
) -> None:
    Supplier.objects.create(slug="print", name="Printer", channel="LETTER", transport="PRINT", in_use=True)
    printer.misbehave(**how)
    handed_over(mailing, 2)
    receipt_files.collect(at=NOON)
    check = HandOverCheck.objects.get()
    assert words in check.difference
    assert "does not match" in caplog.text
    assert check.key == HandOver.objects.get().pk
    assert set(Message.objects.values_list("state", flat=True)) == {"HANDED_OVER"}


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[]",
        b'{"statuses": 1}',
        b'{"statuses": [{"reference": "a-1", "status": "eaten", "at": "2020-03-21T10:00:00Z"}]}',
        b'{"statuses": [{"reference": "a-1", "status": "printed", "at": "2020-03-21T10:00:00"}]}',
        b'{"hand_over": "nothing", "count": 1}',
    ],
)
def test_a_receipt_that_cannot_be_read_is_loud_and_stays_with_the_supplier(
    printed: list[Message], printer: PrintStub, body: bytes, caplog: Any
) -> None:
    printer.write_receipt(body)
    printer.write_receipt(
        {"statuses": [{"reference": printed[0].reference, "status": "PRINTED", "at": NOON.isoformat()}]}
    )
    assert receipt_files.collect(at=NOON) == 2
    assert receipt_files.collect(at=NOON) == 0
    assert "ERROR" in caplog.text
    printed[0].refresh_from_db()
    assert printed[0].delivery == "PRINTED"


def test_a_receipt_of_a_hand_over_that_is_not_marked_yet_waits(printed: list[Message]) -> None:
    # As it is when the worker died between the supplier's answer and its own commit.
    hand_over = HandOver.objects.get()
    released = Message.objects.filter(pk=printed[0].pk)
    released.update(state="FAILED", failure="x")
    released.update(state="WAITING", failure="", hand_over=None)
    released.update(state="MAKING")
    released.update(state="RELEASED", hand_over_key=hand_over.pk)
    assert receipt_files.collect(at=NOON) == 0
    assert not HandOverCheck.objects.exists()
    released.update(state="HANDED_OVER", hand_over=hand_over)
    assert receipt_files.collect(at=NOON) == 1


GOOD = "Bearer the-token"


def callback(message: Message, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "reference": message.reference,
        "to": "07700900123",
        "status": "delivered",
        "created_at": "2020-03-21T10:00:00.000000Z",
        "completed_at": "2020-03-21T10:00:05.000000Z",
        "sent_at": "2020-03-21T10:00:01.000000Z",
        "notification_type": "sms",
        **changes,
    }


def post(body: Any, *, token: str = GOOD, path: str = "") -> Any:
    client = Client(enforce_csrf_checks=True)
    data = body if isinstance(body, bytes) else json.dumps(body)
    headers = {"Authorization": token} if token else {}
    return client.post(f"/callbacks/notify/{path}", data, content_type="application/json", headers=headers)


@pytest.fixture
def texted(mailing: Mailing, settings: Any) -> Message:
    settings.NOTIFY_CALLBACK_TOKEN = "the-token"
    return handed_over(mailing, channel=Channel.SMS)[0]


def test_notify_calls_back_twice_and_out_of_order(texted: Message) -> None:
    for status in ("delivered", "delivered", "sending"):
        assert post(callback(texted, status=status)).status_code == 200
    texted.refresh_from_db()
    assert (texted.state, texted.delivery) == ("HANDED_OVER", "DELIVERED")


def test_a_number_that_does_not_exist_fails_the_text_and_is_noted(texted: Message) -> None:
    assert post(callback(texted, status="permanent-failure")).json() == {"new": 1}
    texted.refresh_from_db()
    assert (texted.state, texted.failure) == ("FAILED", "The text could not be delivered")
    assert Patient.objects.get(pk=texted.patient_id).undeliverable_mobile


def noted(message: Message) -> str:
    found: str = Patient.objects.get(pk=message.patient_id).undeliverable_mobile
    return found


@pytest.mark.parametrize(
    ("minutes", "stays"), [(-1, True), (1, False)], ids=["delivered before that was known", "delivered since"]
)
def test_only_what_arrived_since_a_number_was_noted_takes_that_back(
    mailing: Mailing, minutes: int, stays: bool
) -> None:
    (text,) = handed_over(mailing, channel=Channel.SMS)
    number_undeliverable(patient_ids=[text.patient_id], at=NOON)
    record([said(text, "DELIVERED", at=NOON + timedelta(minutes=minutes))], at=NOON + timedelta(hours=1))
    assert bool(noted(text)) is stays


@pytest.mark.parametrize("order", [["FAILED", "DELIVERED"], ["DELIVERED", "FAILED"]])
@pytest.mark.parametrize("together", [True, False], ids=["together", "one-by-one"])
def test_a_text_that_failed_and_was_delivered_reached_its_number(
    mailing: Mailing, order: list[str], together: bool
) -> None:
    (text,) = handed_over(mailing, channel=Channel.SMS)
    events = [said(text, status, wrong_address=status == "FAILED") for status in order]
    if together:
        record(events, at=NOON + timedelta(hours=1))
    else:
        for number, event in enumerate(events):
            record([event], at=NOON + timedelta(hours=1 + number))
    assert noted(text) == ""


def test_a_letter_that_arrives_says_nothing_of_a_number(mailing: Mailing) -> None:
    (letter,) = handed_over(mailing)
    number_undeliverable(patient_ids=[letter.patient_id], at=NOON)
    record([said(letter, "DELIVERED", at=WEEKS_LATER)], at=WEEKS_LATER)
    assert noted(letter)


def test_notify_says_that_a_letter_came_back(mailing: Mailing, settings: Any) -> None:
    settings.NOTIFY_CALLBACK_TOKEN = "the-token"
    (message,) = handed_over(mailing)
    said = {"notification_id": str(uuid.uuid4()), "reference": message.reference, "date_sent": "2020-03-21"}
    assert post(said, path="returned/").status_code == 200
    message.refresh_from_db()
    assert (message.state, message.delivery) == ("FAILED", "RETURNED")


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer another", "the-tokén", "Basic the-token"])
def test_nobody_else_calls_back(texted: Message, token: str, settings: Any) -> None:
    assert post(callback(texted), token=token).status_code == 401
    settings.NOTIFY_CALLBACK_TOKEN = ""
    assert post(callback(texted), token="Bearer ").status_code == 401
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"[" * 10_000, 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"1" * 20_001, 413),
        ({"status": "eaten"}, 400),
        ({"notification_type": "email"}, 400),
        ({"reference": None}, 400),
        ({"reference": 1}, 400),
        ({"reference": "x" * 101}, 400),
        ({"id": ""}, 400),
        ({"created_at": "soon", "completed_at": None, "sent_at": None}, 400),
        ({"completed_at": 7}, 400),
        ({"reference": "nobody's"}, 200),
    ],
)
@pytest.mark.parametrize("path", ["", "returned/"])
def test_a_bad_body_gets_a_reason_and_no_500(texted: Message, body: Any, status: int, path: str) -> None:
    answer = post(callback(texted, **body) if isinstance(body, dict) else body, path=path)
    if path == "" or isinstance(body, bytes):
        assert answer.status_code == status
    assert answer.status_code < 500
    if answer.status_code != 200:
        assert answer.json()["error"]
    assert not Receipt.objects.exists()


def test_the_copy_of_a_printed_letter_is_read_from_the_printer(printed: list[Message]) -> None:
    pdf = as_handed_over(printed[0])
    assert pdf
    assert pdf.startswith(b"%PDF-")


def test_administrators_see_what_does_not_match_until_it_is_settled(printed: list[Message], printer: PrintStub) -> None:
    client = Client()
    client.force_login(MembershipFactory(role=Role.ADMINISTRATOR, user__is_staff=True).user)
    key = HandOver.objects.get().pk
    HandOverCheck.objects.create(key=key, count=1, difference="We gave 3", at=NOON, received_at=NOON)
    assert "icon-no" in client.get("/admin/letters/handovercheck/").content.decode()
    receipt_files.collect(at=NOON)
    page = client.get("/admin/letters/handovercheck/").content.decode()
    assert "We gave 3" in page
    assert "icon-no" not in page


def test_how_a_supplier_is_given_messages_never_changes(printed: list[Message]) -> None:
    client = Client()
    client.force_login(MembershipFactory(role=Role.ADMINISTRATOR, user__is_staff=True).user)
    assert client.get("/admin/letters/supplier/add/").status_code == 200
    supplier = Supplier.objects.get(transport="PRINT")
    page = f"/admin/letters/supplier/{supplier.pk}/change/"
    client.post(page, {"name": "New name", "transport": "FOLDER", "in_use": "on", "days_to_deliver": "3"})
    supplier.refresh_from_db()
    assert (supplier.name, supplier.transport) == ("New name", "PRINT")

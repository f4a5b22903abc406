"""When will it arrive: what is counted by area and by step, the operator's page, the ledger's line and the API."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cohort.rules import Channel
from letters.actions.arrivals import latest_arrivals
from letters.models import Message, Receipt, Supplier, SupplierDay
from letters.queries.arrivals import arrivals
from shielding.accounts.models import Membership, Organisation, Role
from tests.cohort.factories import MembershipFactory, OrganisationFactory, PracticeListFactory
from tests.cohort.validation.pages import SignIn, read
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import work

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def north(db: None) -> Organisation:
    found: Organisation = OrganisationFactory(kind="ICS", name="North")
    return found


def people(ics: Organisation | None, count: int) -> None:
    practice_list = PracticeListFactory(practice=OrganisationFactory(ics=ics))
    for _ in range(count):
        validated(practice_list=practice_list)


def printer(**details: Any) -> Supplier:
    Supplier.objects.filter(channel="LETTER").update(in_use=False)
    return Supplier.objects.create(
        slug="printer", name="Best Print", channel="LETTER", transport="PRINT", in_use=True, **details
    )


def alarms(at: datetime) -> dict[str, int]:
    return {step.name.split(",")[0].split(":")[0]: step.too_old for step in arrivals(at).alarms}


def test_an_empty_country_has_nothing_late_and_a_day(db: None) -> None:
    found = arrivals(NOON)
    assert (found.areas, found.alarms) == ([], [])
    assert found.expected_date == date(2020, 3, 24)  # NOON is a Saturday


def test_letters_are_counted_by_care_system_with_who_is_in_no_batch(north: Organisation, mailing: Mailing) -> None:
    people(north, 2)
    people(None, 1)
    batch = mailing.plan(Channel.LETTER, NOON - 3 * HOUR)
    mailing.release(batch, NOON)
    people(north, 3)
    mailing.plan(Channel.SMS)  # texts are no letters
    areas = {area.name: (area.waiting, area.to_plan, area.oldest_at) for area in arrivals(NOON).areas}
    assert areas == {
        "North": (2, 3, NOON - 3 * HOUR),
        "No care system": (1, 0, NOON - 3 * HOUR),
    }


def test_a_days_capacity_puts_the_small_area_before_the_large(north: Organisation, mailing: Mailing) -> None:
    printer(daily_capacity=2, days_to_deliver=1)
    people(north, 1)
    people(None, 5)
    mailing.released()
    found = {area.name: area for area in arrivals(NOON).areas}
    # A Saturday: two go today, two on Sunday, two on Monday. The seventh goes on Tuesday.
    assert found["North"].last_date == date(2020, 3, 23)
    assert found["No care system"].last_date == date(2020, 3, 24)
    assert found["North"].expected_date == found["No care system"].expected_date == date(2020, 3, 25)


def test_what_was_taken_today_and_the_pace_are_measured(north: Organisation, mailing: Mailing) -> None:
    supplier = printer(daily_capacity=100)
    people(north, 4)
    batch = mailing.plan()
    for number, message in enumerate(Message.objects.all()):
        at = NOON - HOUR * number
        Message.objects.filter(pk=message.pk).update(
            state="WAITING", supplier=supplier, released_at=at, holds_checked_at=at, hand_over_key=batch.pk
        )
    SupplierDay.objects.create(supplier=supplier, day=NOON.date(), taken=4)
    said = arrivals(NOON).assumptions
    assert "Best Print takes 100 a day; 4 of today's have gone." in said
    assert "In the last day they went at 1 an hour, and go on so." in said


def test_delivery_is_measured_from_enough_receipts(north: Organisation, mailing: Mailing) -> None:
    supplier = printer()
    people(north, 20)
    batch = mailing.plan()
    Message.objects.update(supplier=supplier, released_at=NOON, holds_checked_at=NOON, hand_over_key=batch.pk)
    said = [
        Receipt(message=each, attempt=1, status="DELIVERED", at=NOON + timedelta(days=1 + n % 3), received_at=NOON)
        for n, each in enumerate(Message.objects.all())
    ]
    Receipt.objects.bulk_create(said[:19])
    assert any("too few receipts" in each for each in arrivals(NOON).assumptions)
    said[19].save()
    assert "Its receipts say that half are delivered within 2.0 days." in arrivals(NOON).assumptions


def test_each_step_has_its_alarm(north: Organisation, mailing: Mailing, settings: Any) -> None:
    printer()
    people(north, 1)
    batch = mailing.plan(at=NOON - timedelta(days=30))
    later = NOON + timedelta(hours=73)
    assert alarms(later) == {}  # nothing waits that nobody has released
    mailing.release(batch, NOON)
    assert alarms(NOON + timedelta(hours=71)) == {}
    assert alarms(later) == {"Waiting in a released batch": 1}
    Message.objects.update(state="MAKING", lease_token=1, lease_until=NOON)
    assert alarms(NOON + timedelta(minutes=14)) == {}
    assert alarms(NOON + timedelta(minutes=16)) == {"Being made": 1}
    supplier = Supplier.objects.get(in_use=True)
    Message.objects.update(
        state="RELEASED", supplier=supplier, released_at=NOON, holds_checked_at=NOON, hand_over_key=batch.pk
    )
    assert alarms(NOON + timedelta(minutes=14)) == {}
    assert alarms(NOON + timedelta(minutes=16)) == {"Released": 1}
    Message.objects.update(state="IN_DOUBT")
    assert alarms(NOON + timedelta(hours=23)) == {}
    assert alarms(NOON + timedelta(hours=25)) == {"In doubt": 1}
    Message.objects.update(state="HANDED_OVER", provider_id="x")
    assert alarms(later) == {"Handed over": 1}
    settings.AGE_LIMITS = settings.AGE_LIMITS | {"HANDED_OVER": timedelta(hours=100)}
    assert alarms(later) == {}
    Message.objects.update(delivery="ACCEPTED", delivery_at=NOON)
    settings.AGE_LIMITS = settings.AGE_LIMITS | {"HANDED_OVER": timedelta(hours=1)}
    assert alarms(later) == {}


def test_a_folder_gives_no_receipts_so_none_is_missed(north: Organisation, mailing: Mailing) -> None:
    people(north, 1)
    mailing.released()
    work()
    assert Message.objects.get().state == "HANDED_OVER"
    assert alarms(NOON + timedelta(days=300)) == {}


def test_the_queries_are_as_many_for_many_people(north: Organisation, mailing: Mailing) -> None:
    people(north, 5)
    mailing.released()
    with CaptureQueriesContext(connection) as seen:
        arrivals(NOON)
    assert len(seen) <= 10


def test_it_is_counted_once_for_all_who_ask_within_five_minutes(north: Organisation, mailing: Mailing) -> None:
    people(north, 1)
    mailing.released()
    now = timezone.now()
    first = latest_arrivals(at=now)
    people(north, 2)
    mailing.released()
    with CaptureQueriesContext(connection) as seen:
        again = latest_arrivals(at=now + timedelta(minutes=4))
    assert again == first
    assert not any("letters_message" in query["sql"] for query in seen.captured_queries)
    later = latest_arrivals(at=now + timedelta(minutes=6))
    assert (later.at, later.areas[0].waiting) == (now + timedelta(minutes=6), 3)
    assert latest_arrivals(at=now + timedelta(minutes=7)) == later


def test_the_page_and_the_ledger_tell_the_day_and_the_alarms(
    north: Organisation, mailing: Mailing, sign_in: SignIn
) -> None:
    people(north, 1)
    mailing.released(at=NOON)
    client = sign_in(mailing.operator)
    words = read(client.get("/arrivals/"))
    assert "A letter to somebody validated now should arrive by" in words
    assert "Waiting in a released batch: 1 letter, the oldest since 21 March 2020 at 10:00am" in words
    assert "After 72 hours" in words
    assert "After 15 minutes" in words
    assert "Counted on" in words
    ledger = read(client.get("/ledger/"))
    assert ledger.count("Counted on") == 2
    assert "A letter to somebody validated now should arrive by" in ledger
    assert "Waiting in a released batch: 1 letter" in ledger


def test_a_queue_without_end_is_said(north: Organisation, mailing: Mailing, sign_in: SignIn) -> None:
    printer(daily_capacity=0)
    assert "No day can be told" in read(sign_in(mailing.operator).get("/arrivals/"))


@pytest.mark.parametrize("role", [Role.GP, Role.COORDINATOR, Role.LA_STAFF, Role.HOSPITAL_STAFF])
def test_only_the_centre_sees_it(sign_in: SignIn, role: Role) -> None:
    client = sign_in(MembershipFactory(role=role))
    assert client.get("/arrivals/").status_code == 403
    answer = client.get("/api/v1/arrivals/")
    assert (answer.status_code, answer.json()["error"]) == (403, "permission_denied")


def test_the_api_says_the_same(north: Organisation, operator: Membership, mailing: Mailing, sign_in: SignIn) -> None:
    cache.clear()
    people(north, 2)
    mailing.released(at=NOON)
    answer = sign_in(operator).get("/api/v1/arrivals/")
    assert answer.status_code == 200
    found = answer.json()
    assert [(area["name"], area["waiting"]) for area in found["areas"]] == [("North", 2)]
    assert date.fromisoformat(found["expected_date"]) > timezone.localdate()
    waiting = next(step for step in found["steps"] if step["too_old"])
    assert (waiting["limit_seconds"], waiting["count"]) == (72 * 3600, 2)
    assert datetime.fromisoformat(waiting["oldest_at"]) == NOON.astimezone(UTC)


def test_nobody_reads_the_api_unknown(client: Any, db: None) -> None:
    assert client.get("/api/v1/arrivals/").status_code == 401
